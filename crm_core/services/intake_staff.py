"""Taking in what people of the office press under a notification."""

from __future__ import annotations

from datetime import timedelta

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.messages import InboundEvent, ReceiptState, StaffAct, StaffCommand
from crm_core.model.identity import IdentityKind
from crm_core.services.cases import close_by_hand, open_lead_of_case, promise, take_case
from crm_core.services.desk import Desk
from crm_core.services.leads import take
from crm_core.services.outcome import Outcome
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
            reason = command.argument.strip() or desk.say(Phrase.BUTTON_CLOSE_DONE)
            close_by_hand(desk, command.subject_id, login, reason)
            return desk.say(Phrase.CLOSED_BY, name=name, reason=reason)
