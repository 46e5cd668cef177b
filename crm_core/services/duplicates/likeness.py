"""What makes the hub guess that two contacts are one person, fact by fact and then for a whole batch.

Whatever is looked for has an index; a batch costs a fixed number of statements, none where nothing is alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from crm_core.messages import Authenticity, ContactShared, FormSubmitted, InboundEvent, MessageReceived
from crm_core.model.conversation import SuggestionReason
from crm_core.model.identity import Identity, IdentityKind, readable
from crm_core.model.likeness import Hint, Look, full_name, hints
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.services.desk import Desk
from crm_core.services.duplicates.suggestions import known_pairs, pair_of, suggest
from crm_core.services.recognising.recognition import Recognition, identities_of
from crm_core.services.wording import Phrase
from crm_core.wording import Joined

_CONFIDENCE = {
    SuggestionReason.FORM_NUMBER: 70,
    SuggestionReason.FORM_ADDRESS: 60,
    SuggestionReason.HANDLE: 50,
    SuggestionReason.CARD: 30,
    SuggestionReason.CLAIMED_ADDRESS: 10,
}
_OF_HINT = {Hint.MAILBOX: 45, Hint.DOMAIN: 40, Hint.COMPANY: 35, Hint.CITY: 25}
_FURTHER_HINT = 10
_SAME_NAME, _OTHER_NAME = 15, -20
_MOST, _LEAST = 90, 5
_MOST_NAMESAKES = 20  # a name that more clients bear tells nothing
_HANDLE = re.compile(r"(?:https?://)?(?:t\.me/|vk\.com/|vk\.ru/|@)([a-z][a-z0-9_.]{3,31})/?\Z")
_HINT_WORDS = {
    Hint.COMPANY: Phrase.HINT_COMPANY,
    Hint.CITY: Phrase.HINT_CITY,
    Hint.DOMAIN: Phrase.HINT_DOMAIN,
    Hint.MAILBOX: Phrase.HINT_MAILBOX,
}


def after_fact(desk: Desk, recognition: Recognition, event: InboundEvent) -> None:
    """What one fact suggests, once it is taken in. Whom it names was read ahead."""
    match event.payload:
        case FormSubmitted() as form:
            _form(desk, recognition, event)
            _note_handles(recognition, identities_of(event, desk.office.region), _handles_in(form))
        case ContactShared(own=False) as card:
            _card(desk, recognition, event, card)
        case MessageReceived(authenticity=authenticity):
            _claim(desk, recognition, event.sender.identities, authenticity)
        case _:
            pass
    if event.sender.handle:
        _note_handles(recognition, event.sender.identities, [event.sender.handle], only_fresh=True)


def after_batch(desk: Desk, recognition: Recognition) -> None:
    """What the names and handles of clients that were learned in this batch suggest."""
    if recognition.handles:
        _same_handles(desk, recognition.handles)
    fresh = [desk.work.contact(each) for each in recognition.fresh]
    named = [each for each in fresh if each.name_key and each.merged_into is None]
    if named:
        _same_names(desk, recognition, named)


# ---------------------------------------------------------------- of one fact


def _form(desk: Desk, recognition: Recognition, event: InboundEvent) -> None:
    """A form that names what several clients hold: one visitor typed it all."""
    named = [each for each in identities_of(event, desk.office.region) if str(each) in recognition.holders]
    if len(named) < 2:
        return
    first, *others = named
    mine = recognition.holders[str(first)]
    for other in others:
        theirs = recognition.holders[str(other)]
        telling = other if other.kind in {IdentityKind.TEL, IdentityKind.MAILTO} else first
        number = telling.kind is IdentityKind.TEL
        reason = SuggestionReason.FORM_NUMBER if number else SuggestionReason.FORM_ADDRESS
        words = {"form": event.key.account, "one": readable(first), "other": readable(other)}
        confidence = _CONFIDENCE[reason] + _by_names(desk, mine, theirs)
        suggest(desk, mine, theirs, reason, confidence, desk.say(Phrase.SUGGEST_FORM, **words))


def _card(desk: Desk, recognition: Recognition, event: InboundEvent, card: ContactShared) -> None:
    """A card whose owner the provider does not vouch for: the sender's own, or that of somebody they know."""
    sender = _holder(recognition, event.sender.identities)
    if sender is None:
        return
    named = {event.sender.name, desk.work.contact(sender).name}
    alike = bool(card.name) and full_name(card.name) in {full_name(each) for each in named if each}
    for identity in card.identities:
        holder = recognition.holders.get(str(identity))
        if holder is not None:
            confidence = _CONFIDENCE[SuggestionReason.CARD] + (_SAME_NAME if alike and full_name(card.name) else 0)
            evidence = desk.say(Phrase.SUGGEST_CARD, value=readable(identity))
            suggest(desk, sender, holder, SuggestionReason.CARD, confidence, evidence)


def _claim(
    desk: Desk, recognition: Recognition, senders: Iterable[Identity], authenticity: Authenticity | None
) -> None:
    """A mail that calls itself an address without proof: more a warning than a guess."""
    for sender in senders:
        claimant = recognition.holders.get(str(sender))
        holder = recognition.holders.get(f"{IdentityKind.MAILTO}:{sender.value}")
        if sender.kind is IdentityKind.CLAIMED and claimant is not None and holder is not None:
            detail = authenticity.detail if authenticity is not None and authenticity.detail else "—"
            evidence = desk.say(Phrase.SUGGEST_CLAIMED, value=sender.value, detail=detail)
            confidence = _CONFIDENCE[SuggestionReason.CLAIMED_ADDRESS]
            suggest(desk, claimant, holder, SuggestionReason.CLAIMED_ADDRESS, confidence, evidence)


def _handles_in(form: FormSubmitted) -> list[str]:
    """Names of messengers that a visitor typed: `@anna`, `t.me/anna`."""
    found = (_HANDLE.match(value.strip().lower()) for _, value in form.fields)
    return [match[1] for match in found if match is not None]


def _note_handles(
    recognition: Recognition, identities: Iterable[Identity], handles: Sequence[str], *, only_fresh: bool = False
) -> None:
    holder = _holder(recognition, identities) if handles else None
    if holder is not None and (not only_fresh or holder in recognition.fresh):
        recognition.handles.setdefault(holder, set()).update(handles)


def _holder(recognition: Recognition, identities: Iterable[Identity]) -> int | None:
    held = (recognition.holders.get(str(each)) for each in identities)
    return next((each for each in held if each is not None), None)


# ---------------------------------------------------------------- of a batch


def _same_handles(desk: Desk, handles: Mapping[int, set[str]]) -> None:
    wanted = sorted({each for several in handles.values() for each in several if each})
    found = [(each.handle, each.contact_id, each.key) for each in desk.work.by_handle(wanted)]
    pairs = [(one, theirs) for one, several in handles.items() for handle, theirs, _ in found if handle in several]
    if pairs:
        known_pairs(desk, [min(pair) for pair in pairs])  # all at once
    for holder, several in handles.items():
        contact = desk.work.contact(holder)
        if contact.merged_into is not None:
            continue
        for handle, theirs, key in found:
            if handle in several and theirs != holder:
                evidence = desk.say(Phrase.SUGGEST_HANDLE, handle=handle, value=key)
                confidence = _CONFIDENCE[SuggestionReason.HANDLE]
                suggest(desk, holder, theirs, SuggestionReason.HANDLE, confidence, evidence)


def _same_names(desk: Desk, recognition: Recognition, named: list[ContactRecord]) -> None:
    stored, keys_of = desk.work.namesakes({each.name_key for each in named})
    known = {each.id: each for each in [*stored, *named]}
    by_name: dict[str, list[ContactRecord]] = {}
    for each in known.values():
        by_name.setdefault(each.name_key, []).append(each)
    pairs = [
        (one, other)
        for one in named
        if len(by_name[one.name_key]) <= _MOST_NAMESAKES
        for other in by_name[one.name_key]
        if one.id < other.id or (one.id != other.id and other.id not in recognition.fresh)
    ]
    if not pairs:
        return
    known_pairs(desk, [pair_of(one.id, other.id)[0] for one, other in pairs])
    held = {**keys_of, **desk.work.identities([each.id for each in named])}
    for one, other in pairs:
        common = list(hints(_look(one, held.get(one.id, ())), _look(other, held.get(other.id, ()))))
        if common:
            confidence = max(_OF_HINT[hint] for hint, _ in common) + _FURTHER_HINT * (len(common) - 1)
            said = Joined((desk.say(_HINT_WORDS[hint], value=value) for hint, value in common), ", ")
            evidence = desk.say(Phrase.SUGGEST_NAME, name=one.name, hint=said)
            suggest(desk, one.id, other.id, SuggestionReason.NAME, min(confidence, 60), evidence)


def _look(contact: ContactRecord, held: Iterable[IdentityRecord]) -> Look:
    listed = list(held)
    return Look(
        contact.company,
        contact.city,
        frozenset(each.key for each in listed),
        frozenset(each.handle for each in listed if each.handle),
    )


def _by_names(desk: Desk, one: int, other: int) -> int:
    """How the names of two clients change a guess: nothing where one of them is not known whole."""
    names = {desk.work.contact(each).name_key for each in (one, other)}
    if "" in names:
        return 0
    return _SAME_NAME if len(names) == 1 else _OTHER_NAME
