"""Taking in what people of the office do in the staff bot: press buttons, answer clients, ask for figures.

Whoever is none of them changes nothing and learns nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crm_core.errors import Conflict, Forbidden, InvalidInput, NotFound
from crm_core.messages import (
    Attachment,
    ChannelKey,
    InboundEvent,
    MessageReceived,
    ReceiptState,
    StaffAct,
    StaffAsked,
    StaffCommand,
    StaffQuestion,
    StaffReply,
)
from crm_core.model.answers import fresh
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.records import ContactRecord, EntryRecord
from crm_core.model.user import User
from crm_core.services.acts.today import today
from crm_core.services.cards.leads import take
from crm_core.services.desk import Desk
from crm_core.services.intake.outcome import DONE, Outcome, ignored
from crm_core.services.letters.replies import reply
from crm_core.services.watching.cases import close_by_hand, open_lead_of_case, promise, take_case
from crm_core.services.watching.telling import PROMISE_MINUTES, SETTLED, SPAM, tell, write_button
from crm_core.services.wording import Phrase
from crm_core.wording import in_language

_LONGEST_PROMISE_MINUTES = 7 * 24 * 60
_REASONS = {SETTLED: Phrase.CLOSED_SETTLED, SPAM: Phrase.CLOSED_SPAM}
_PLACES = {"email": Phrase.BY_EMAIL, "vk": Phrase.BY_VK, "web": Phrase.BY_WEB}


def staff_command(desk: Desk, event: InboundEvent, command: StaffCommand) -> Outcome:
    """A button: taken, promise, close, how to answer. Whoever is not staff changes nothing."""
    user = _person(desk, event, command.actor)
    if user is None:
        why = "a button pressed by somebody who is not staff"
        return Outcome(ReceiptState.IGNORED, error=why, answer=desk.say(Phrase.NOT_STAFF))
    try:
        with desk.on_behalf_of(user):
            answer = _act(desk, command, user.login, user.name)
    except NotFound:
        return Outcome(ReceiptState.DONE, answer=desk.say(Phrase.GONE))
    except Forbidden as err:
        return Outcome(ReceiptState.DONE, answer=in_language(str(err), desk.office.language))
    except (Conflict, InvalidInput) as err:
        return Outcome(ReceiptState.DONE, answer=str(err))
    return Outcome(ReceiptState.DONE, answer=answer)


def staff_asked(desk: Desk, event: InboundEvent, asked: StaffAsked) -> Outcome:
    """A person of the office asks the bot for something; the answer goes to them alone, wherever they asked."""
    user = _person(desk, event, asked.actor)
    if user is None:
        return ignored("a question of somebody who is not staff")
    is_today = asked.question is StaffQuestion.TODAY
    _answer(desk, event, user, today(desk, user) if is_today else desk.say(Phrase.STAFF_HELP))
    return DONE


def staff_wrote(desk: Desk, event: InboundEvent, message: MessageReceived) -> Outcome:
    """A person of the office wrote to the bot, answering nothing: it says that nobody gets that, and what it can do."""
    user = next((found for each in event.sender.identities if (found := _person(desk, event, each))), None)
    if user is not None and not event.group and fresh(event.occurred_at, desk.now):
        _answer(desk, event, user, desk.say(Phrase.STAFF_HINT if message.asks else Phrase.STAFF_HELP))
    return ignored("a message of staff")


def staff_reply(desk: Desk, event: InboundEvent, answer: StaffReply) -> Outcome:
    """A person of the office answers a client by answering a notification.

    The words go where the client wrote from last; the person is told that they are on their way, or why not.
    """
    user = _person(desk, event, answer.actor)
    if user is None:
        return ignored("an answer of somebody who is not staff")
    if not answer.text.strip() and not answer.attachments:
        _answer(desk, event, user, desk.say(Phrase.REPLY_EMPTY))
        return DONE
    contact = _surviving(desk, answer.contact_id)
    if contact is None:
        _answer(desk, event, user, desk.say(Phrase.REPLY_NOBODY))
        return DONE
    place = _place(desk, contact)
    if place is None:
        _answer(desk, event, user, desk.say(Phrase.REPLY_NOWHERE, client=desk.client(contact)))
        return DONE
    key, conversation = place
    try:
        with desk.on_behalf_of(user):
            entry = reply(
                desk,
                contact.id,
                user.login,
                channel=key.channel,
                account=key.account,
                text=answer.text,
                conversation=conversation,
                uploads=[_upload(event.key, file) for file in answer.attachments],
            )
    except (Conflict, Forbidden, InvalidInput) as err:
        _answer(desk, event, user, desk.say(Phrase.REPLY_REFUSED, client=desk.client(contact), reason=str(err)))
        return DONE
    text = desk.say(Phrase.REPLY_QUEUED, client=desk.client(contact), place=_place_name(desk, entry))
    _answer(desk, event, user, text, contact.id)
    return DONE


def _person(desk: Desk, event: InboundEvent, actor: Identity) -> User | None:
    if event.key != desk.office.staff_channel or actor.kind is not IdentityKind.TG or not actor.value.isdigit():
        return None
    return desk.work.staff.by_telegram(int(actor.value))


def _answer(desk: Desk, event: InboundEvent, user: User, text: str, contact_id: int | None = None) -> None:
    """Tell a person what came of what they did, once a fact; where it is about a client, they can go on writing."""
    buttons = [[write_button(desk, contact_id)]] if contact_id is not None else None
    tell(desk, [user], f"asked:{event.external_id}", text, contact_id=contact_id, buttons=buttons)


def _surviving(desk: Desk, contact_id: int) -> ContactRecord | None:
    """The client, also where they were merged into another one since; None where there is none."""
    try:
        contact = desk.work.contact(contact_id)
        while contact.merged_into is not None:
            contact = desk.work.contact(contact.merged_into)
    except NotFound:
        return None
    return contact


def _place(desk: Desk, contact: ContactRecord) -> tuple[ChannelKey, str] | None:
    """Where an answer reaches a client: where they wrote from last, else by mail, if they have an address."""
    last = desk.work.last_written(contact.id)
    if last is not None and last.channel and last.account and last.conversation:
        return ChannelKey(last.channel, last.account), last.conversation
    prefix = f"{IdentityKind.MAILTO}:"
    keys = [each.key for each in desk.work.identities([contact.id]).get(contact.id, [])]
    address = next((key.removeprefix(prefix) for key in keys if key.startswith(prefix)), None)
    if address is None or desk.office.mail_channel is None:
        return None
    return desk.office.mail_channel, address


def _place_name(desk: Desk, entry: EntryRecord) -> str:
    phrase = _PLACES.get(entry.channel or "")
    if phrase is not None:
        return desk.say(phrase)
    return "Telegram" if entry.channel == "telegram" else entry.account or ""


def _upload(key: ChannelKey, file: Attachment) -> dict[str, Any]:
    """A file of a reply: here already, or with the provider by whose bot the person wrote."""
    known: dict[str, Any] = {"name": file.name, "content_type": file.content_type, "size": file.size or 0}
    if file.stored is not None:
        return {**known, "size": file.stored.size, "sha256": file.stored.sha256}
    return {**known, "remote": {"channel": key.channel, "account": key.account, "remote_id": file.remote_id}}


def _act(desk: Desk, command: StaffCommand, login: str, name: str) -> str:
    match command.act:
        case StaffAct.TAKEN:
            case = take_case(desk, command.subject_id, login)
            lead_id = open_lead_of_case(desk, case)
            if lead_id is not None:
                take(desk, lead_id, login)
            return desk.say(Phrase.TAKEN_BY, name=name)
        case StaffAct.PROMISE:
            minutes = int(command.argument) if command.argument.isdigit() else PROMISE_MINUTES
            at = desk.now + timedelta(minutes=min(max(minutes, 1), _LONGEST_PROMISE_MINUTES))
            promise(desk, command.subject_id, login, at)
            return desk.say(Phrase.PROMISED_BY, name=name, time=desk.local(at))
        case StaffAct.TAKE_LEAD:
            take(desk, command.subject_id, login)
            return desk.say(Phrase.LEAD_TAKEN, name=name)
        case StaffAct.CLOSE:
            why = command.argument.strip() or SETTLED
            reason = desk.say(_REASONS[why]) if why in _REASONS else why
            close_by_hand(desk, command.subject_id, login, reason)
            return desk.say(Phrase.CLOSED_BY, name=name, reason=reason)
        case StaffAct.WRITE:
            desk.work.contact(command.subject_id)
            return desk.say(Phrase.HOW_TO_WRITE)
