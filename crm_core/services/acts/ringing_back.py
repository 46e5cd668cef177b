"""A callback ordered by a person: whom the robot rings back, when, and whose telephone rings first."""

from __future__ import annotations

from datetime import datetime

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.callback import CallbackReason
from crm_core.model.records import CallbackRecord
from crm_core.model.rights import Right
from crm_core.services.calls import dials
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks
from crm_core.services.wording import Phrase


def order(
    desk: Desk,
    login: str,
    *,
    contact_id: int | None = None,
    number: str | None = None,
    at: datetime | None = None,
    manager: str | None = None,
) -> CallbackRecord:
    """Have a client rung back at `at` (now where it is None): one of the record, else whoever has the number. `manager`
    is whom the robot rings first, if not who looks after the client.

    Raises Conflict where no robot rings back here, or the client is on a special list; InvalidInput, NotFound,
    Forbidden.
    """
    desk.demand(Right.PLACE_CALLS)
    if not desk.office.robot.on_order:
        raise Conflict("no robot rings back here: set on_order = true under [robot]")
    if contact_id is not None:
        contact = desk.work.contact(contact_id)
        rung = dials.number_of(desk, contact, number) if number else callbacks.telephone_of(desk, contact)
    else:
        contact, rung = dials.client_of_number(desk, number or "")
    listed = desk.work.listed_numbers([f"tel:{rung}"])
    if contact.list_name is not None or listed:
        raise Conflict(desk.say(Phrase.CALLBACK_LISTED))
    first = desk.work.staff.get(manager)
    if manager is not None and (first is None or not first.active):
        raise InvalidInput("there is no active user «{user}»: mend «manager»", user=manager)
    record = callbacks.order(
        desk,
        contact,
        CallbackReason.ORDERED,
        max(at or desk.now, desk.now),
        author=login,
        manager=first.login if first is not None else None,
        number=rung,
    )
    text = desk.say(Phrase.CALLBACK_ORDERED, time=desk.local(record.due_at))
    desk.note(contact.id, text, author=login, by_person=True)
    return record
