"""Clients who want nothing from the hub itself: said by a link, in words, by blocking us, or told to somebody.

It is kept with each identity, so that it survives merging, moving and coming back from an old list. A person of the
office may still write.
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_core.messages import BlockState
from crm_core.model.outreach import OptOutRecord
from crm_core.model.records import ContactRecord
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase

BY_HAND, BY_LINK, BY_WORDS, BY_BLOCK = "by hand", "link", "words", "blocked"
# What people answer to a mailing, whole and alone: a sentence with such a word in it is a message like any other.
_WORDS = frozenset(
    {
        *("стоп", "стоп рассылка", "отписаться", "отпишите", "отпишите меня", "отписать", "отписка"),
        *("не пишите мне", "не пишите мне больше", "не пишите больше", "больше не пишите", "хватит писать"),
        *("отказ от рассылки", "отказаться от рассылки", "уберите из рассылки", "удалите из рассылки"),
        *("stop", "stopall", "unsubscribe", "unsubscribe me", "opt out", "optout", "/stop", "/unsubscribe"),
    }
)
_LONGEST_WORDS = 60


def opted_out(desk: Desk, contact_ids: Iterable[int]) -> dict[int, OptOutRecord]:
    """Who of these clients wants nothing: whoever holds an identity that was opted out."""
    held = desk.work.identities(list(contact_ids))
    owners = {each.key: owner for owner, identities in held.items() for each in identities}
    found = {each.key: each for each in desk.work.related(OptOutRecord, "key", owners)} if owners else {}
    return {owners[key]: record for key, record in found.items()}


def opt_out(desk: Desk, contact_id: int, how: str, author: str = "", note: str = "") -> list[OptOutRecord]:
    """Send a client nothing by ourselves any more; what they hold is marked, once. A note says so."""
    desk.demand(Right.KEEP_CLIENTS)
    contact = _current(desk, contact_id)
    keys = [each.key for each in desk.work.identities([contact.id]).get(contact.id, [])]
    known = {each.key: each for each in desk.work.related(OptOutRecord, "key", keys)} if keys else {}
    lasting = {key: each for key, each in known.items() if each.how != BY_BLOCK or how == BY_BLOCK}
    made = [OptOutRecord(key, contact.id, desk.now, how, author) for key in keys if key not in lasting]
    for record in made:
        desk.work.put(record)
    if made and not lasting:
        desk.note(
            contact.id, desk.say(Phrase.OPTED_OUT, how=note or _said(desk, how)), author=author, by_person=bool(author)
        )
    return [*lasting.values(), *made]


def opt_in(desk: Desk, contact_id: int, author: str) -> None:
    """The client wants to hear from us again, as they told somebody."""
    desk.demand(Right.KEEP_CLIENTS)
    contact = _current(desk, contact_id)
    keys = [each.key for each in desk.work.identities([contact.id]).get(contact.id, [])]
    known = desk.work.related(OptOutRecord, "key", keys) if keys else []
    for record in known:
        desk.work.remove(OptOutRecord, record.key)
    if known:
        desk.note(contact.id, desk.say(Phrase.OPTED_IN), author=author, by_person=True)


def asks_out(text: str) -> bool:
    """Whether a message says nothing but that no more are wanted."""
    if len(text) > _LONGEST_WORDS:
        return False
    return " ".join(text.casefold().replace("ё", "е").strip(" \t\r\n.!,;:«»\"'").split()) in _WORDS


def heard(desk: Desk, contact: ContactRecord, text: str) -> None:
    """The client wrote; costs nothing where they did not ask to be left alone."""
    if asks_out(text):
        opt_out(desk, contact.id, BY_WORDS)


def block_heard(desk: Desk, contact: ContactRecord, identity: str, state: BlockState) -> None:
    """The client blocked us in a messenger, or let us in again: that lifts the block alone, no other wish of theirs."""
    known = desk.work.related(OptOutRecord, "key", [identity])
    if state is BlockState.BLOCKED and not known:
        desk.work.put(OptOutRecord(identity, contact.id, desk.now, BY_BLOCK))
    elif state is not BlockState.BLOCKED and known and known[0].how == BY_BLOCK:
        desk.work.remove(OptOutRecord, identity)


def _current(desk: Desk, contact_id: int) -> ContactRecord:
    """The contact, or the one that took it over."""
    contact = desk.work.contact(contact_id)
    for _ in range(10):
        if contact.merged_into is None:
            break
        contact = desk.work.contact(contact.merged_into)
    return contact


def _said(desk: Desk, how: str) -> str:
    phrases = {
        BY_LINK: Phrase.OPT_OUT_LINK,
        BY_WORDS: Phrase.OPT_OUT_WORDS,
        BY_BLOCK: Phrase.OPT_OUT_BLOCK,
        BY_HAND: Phrase.OPT_OUT_HAND,
    }
    return desk.say(phrases.get(how, Phrase.OPT_OUT_HAND))
