"""Taking in what people of the office press under a notification."""

from __future__ import annotations

from datetime import timedelta

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.messages import InboundEvent, ReceiptState, StaffAct, StaffAsked, StaffCommand, StaffReply
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.user import User
from crm_core.services.cases import close_by_hand, open_lead_of_case, promise, take_case
from crm_core.services.desk import Desk
from crm_core.services.leads import take
from crm_core.services.outcome import Outcome, ignored
from crm_core.services.replies import reply
from crm_core.services.telling import PROMISE_MINUTES
from crm_core.services.wording import Phrase

_LONGEST_PROMISE_MINUTES = 7 * 24 * 60


def staff_command(desk: Desk, event: InboundEvent, command: StaffCommand) -> Outcome:
    """A button: taken, promise, close. Whoever is not staff changes nothing."""
    actor = command.actor
    is_telegram = actor.kind is IdentityKind.TG and actor.value.isdigit()
    user = desk.work.staff.by_telegram(int(actor.value)) if is_telegram else None
    if user is None or event.key != desk.office.staff_channel:
        answer = desk.say(Phrase.NOT_STAFF)
        return Outcome(ReceiptState.IGNORED, error="a button pressed by somebody who is not staff", answer=answer)
    try:
        answer = _act(desk, command, user.login, user.name)
    except (Conflict, NotFound, InvalidInput) as err:
        return Outcome(ReceiptState.DONE, answer=str(err))
    return Outcome(ReceiptState.DONE, answer=answer)


def staff_asked(desk: Desk, event: InboundEvent, asked: StaffAsked) -> Outcome:
    """A person of the office asks the bot for something."""
    if _person(desk, event, asked.actor) is None:
        return ignored("a question of somebody who is not staff")
    return ignored(f"no answer is known to {asked.question}")


def staff_reply(desk: Desk, event: InboundEvent, reply_of: StaffReply) -> Outcome:
    """A person of the office answers a client by answering a notification."""
    user = _person(desk, event, reply_of.actor)
    if user is None:
        return ignored("an answer of somebody who is not staff")
    for channel in ("telegram", "vk", "email", "web"):
        last = desk.work.last_entry(reply_of.contact_id, channel, None)
        if last is not None:
            reply(desk, reply_of.contact_id, user.login, channel=channel, account=None, text=reply_of.text)
            return Outcome()
    return ignored("the client has never written")


def _person(desk: Desk, event: InboundEvent, actor: Identity) -> User | None:
    if event.key != desk.office.staff_channel or actor.kind is not IdentityKind.TG or not actor.value.isdigit():
        return None
    return desk.work.staff.by_telegram(int(actor.value))


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
        case StaffAct.WRITE:
            return ""
        case StaffAct.CLOSE:
            reason = command.argument.strip() or desk.say(Phrase.BUTTON_CLOSE_DONE)
            close_by_hand(desk, command.subject_id, login, reason)
            return desk.say(Phrase.CLOSED_BY, name=name, reason=reason)
