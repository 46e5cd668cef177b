"""Telling staff: notifications through the outbox, each person once a cause."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm_core.model.case import CaseKind
from crm_core.model.records import (
    CaseRecord,
    ContactRecord,
    DealRecord,
    EntryRecord,
    LeadRecord,
    OutboxKind,
    OutboxRecord,
)
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase, case_phrase

Buttons = list[list[dict[str, str]]]

PROMISE_MINUTES = 15
SETTLED, SPAM = "settled", "spam"
"""Why a case is closed, as its buttons say it to the hub."""
_QUOTED = 200
# Identities to which nothing can be written: telephones, what a forger called themselves, forms.
_NO_LETTERBOX = ("tel:", "claimed:", "web:form-")


def tell(
    desk: Desk,
    people: Iterable[User],
    cause: str,
    text: str,
    *,
    contact_id: int | None = None,
    buttons: Buttons | None = None,
    joins: bool = False,
) -> tuple[User, ...]:
    """Queue one notification a person for this cause; the people who can be reached by messenger or mail.

    Whoever has neither sees it on the page. The medium that comes first is the messenger; where it refuses for good,
    delivery goes on by mail. What `joins` is put together with the other such notice about the same client to the same
    person, if there is one in this transaction.
    """
    told: list[User] = []
    for user in people:
        media = media_of(desk, user)
        told.append(user)
        if not media:
            continue
        payload: dict[str, Any] = {
            "login": user.login,
            "text": text,
            "buttons": buttons or [],
            "contact_id": contact_id,
            "cause": cause,
        }
        if joins and contact_id is not None:
            _notice(desk, (contact_id, user.login), media, payload)
        else:
            enqueue_notification(desk, media, payload)
    return tuple(told)


def _notice(desk: Desk, about: tuple[int, str], media: list[dict[str, str]], payload: dict[str, Any]) -> None:
    """Queue a notice of a new lead or a new case; of both, one that says both and has the buttons of the case."""
    first = desk.notices.get(about)
    if first is None or _is_case(first.payload) == _is_case(payload):
        desk.notices[about] = enqueue_notification(desk, media, payload)
        return
    del desk.notices[about]
    lead, case = sorted((first.payload, payload), key=_is_case)
    joined = {**first.payload, "cause": case["cause"], "text": f"{lead['text']}\n{case['text']}"}
    joined["buttons"] = case["buttons"]
    desk.work.put(first._replace(dedupe=_dedupe(joined), payload=joined))


def _is_case(payload: dict[str, Any]) -> bool:
    return str(payload["cause"]).startswith("case:")


def enqueue_notification(desk: Desk, media: list[dict[str, str]], payload: dict[str, Any]) -> OutboxRecord:
    """Queue a notification for the first of `media`, the others standing by."""
    first = media[0]
    lane = f"{first['channel']}:{first['account']}:{first['conversation']}"
    number = desk.work.next_id() % 2**31
    whole = {**payload, **first, "number": number, "then": media[1:]}
    return desk.enqueue(OutboxKind.NOTIFICATION, lane, _dedupe(whole), whole)


def _dedupe(payload: dict[str, Any]) -> str:
    return f"tell:{payload['cause']}:{payload['login']}:{payload['channel']}"


def media_of(desk: Desk, user: User) -> list[dict[str, str]]:
    """How a person can be told, best first."""
    media: list[dict[str, str]] = []
    staff, mail = desk.office.staff_channel, desk.office.mail_channel
    if staff is not None and user.telegram_id is not None:
        media.append({"channel": staff.channel, "account": staff.account, "conversation": str(user.telegram_id)})
    if mail is not None and user.email:
        media.append({"channel": mail.channel, "account": mail.account, "conversation": user.email})
    return media


def case_text(desk: Desk, case: CaseRecord, contact: ContactRecord, rung: int, why: Phrase | None) -> str:
    """What a rung says."""
    text = desk.say(
        case_phrase(CaseKind(case.kind), rung),
        client=desk.client(contact),
        time=desk.local(case.opened_at),
        count=case.facts,
        manager=desk.name_of(case.manager),
    )
    return f"{desk.say(why)} {text}" if why is not None else text


def case_buttons(desk: Desk, case: CaseRecord) -> Buttons:
    """The buttons under a case."""
    promise = desk.say(Phrase.BUTTON_PROMISE, minutes=PROMISE_MINUTES)
    return [
        [{"text": desk.say(Phrase.BUTTON_TAKEN), "data": f"taken:{case.id}:"}, *_write_button(desk, case.contact_id)],
        [{"text": promise, "data": f"promise:{case.id}:{PROMISE_MINUTES}"}],
        [
            {"text": desk.say(Phrase.BUTTON_CLOSE_DONE), "data": f"close:{case.id}:{SETTLED}"},
            {"text": desk.say(Phrase.BUTTON_CLOSE_SPAM), "data": f"close:{case.id}:{SPAM}"},
        ],
    ]


def lead_buttons(desk: Desk, lead: LeadRecord) -> Buttons:
    """The buttons under a lead."""
    take = {"text": desk.say(Phrase.BUTTON_TAKEN), "data": f"take_lead:{lead.id}:"}
    return [[take, *_write_button(desk, lead.contact_id)]]


def write_button(desk: Desk, contact_id: int) -> dict[str, str]:
    """The button by which a client is answered; a notice that has it can be replied to."""
    return {"text": desk.say(Phrase.BUTTON_WRITE), "data": f"write:{contact_id}:"}


def _write_button(desk: Desk, contact_id: int) -> list[dict[str, str]]:
    """The button, where there is a way to write to the client at all."""
    held = desk.work.identities({contact_id, *desk.clients}).get(contact_id, [])
    can_read = any(not each.key.startswith(_NO_LETTERBOX) for each in held)
    return [write_button(desk, contact_id)] if can_read else []


def tell_of_failure(desk: Desk, entry: EntryRecord, contact: ContactRecord) -> None:
    """Tell whoever wrote a message that the client has not got it; of automatic texts nobody is told."""
    user = desk.work.staff.get(entry.author) if entry.by_person else None
    if user is None:
        return
    words = entry.text if len(entry.text) <= _QUOTED else f"{entry.text[: _QUOTED - 1]}…"
    text = desk.say(Phrase.REPLY_FAILED, client=desk.client(contact), reason=entry.delivery_error or "", text=words)
    buttons = [[write_button(desk, contact.id)]]
    tell(desk, [user], f"entry:{entry.id}:failed", text, contact_id=contact.id, buttons=buttons)


def tell_of_deal(desk: Desk, deal: DealRecord, contact: ContactRecord) -> None:
    """Tell the person to whom an enquiry came that is at once a deal."""
    user = desk.work.staff.get(deal.manager)
    if user is None:
        return
    text = desk.say(Phrase.DEAL_ASSIGNED, client=desk.client(contact), title=deal.title)
    tell(desk, [user], f"deal:{deal.id}:{desk.work.next_id()}:assigned", text, contact_id=contact.id, joins=True)


def tell_of_lead(desk: Desk, lead: LeadRecord, contact: ContactRecord) -> None:
    """Tell the person a new lead was given to."""
    user = desk.work.staff.get(lead.manager)
    if user is None:
        return
    text = desk.say(Phrase.LEAD_ASSIGNED, client=desk.client(contact), title=lead.title)
    # A lead may come back to somebody: every time is told.
    cause = f"lead:{lead.id}:{desk.work.next_id()}:assigned"
    tell(desk, [user], cause, text, contact_id=contact.id, buttons=lead_buttons(desk, lead), joins=True)
