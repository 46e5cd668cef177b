"""Telling staff: notifications through the outbox, each person once a cause."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm_core.model.case import CaseKind
from crm_core.model.records import CaseRecord, ContactRecord, LeadRecord, OutboxKind
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase, case_phrase

PROMISE_MINUTES = 15


def tell(
    desk: Desk,
    people: Iterable[User],
    cause: str,
    text: str,
    *,
    contact_id: int | None = None,
    buttons: list[list[dict[str, str]]] | None = None,
) -> tuple[User, ...]:
    """Queue one notification a person for this cause; the people who can be reached by messenger or mail.

    Whoever has neither sees it on the page. The medium that comes first is the messenger; where it refuses for good,
    delivery goes on by mail.
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
        enqueue_notification(desk, media, payload)
    return tuple(told)


def enqueue_notification(desk: Desk, media: list[dict[str, str]], payload: dict[str, Any]) -> None:
    """Queue a notification for the first of `media`, the others standing by."""
    first = media[0]
    lane = f"{first['channel']}:{first['account']}:{first['conversation']}"
    dedupe = f"tell:{payload['cause']}:{payload['login']}:{first['channel']}"
    number = desk.work.next_id() % 2**31
    desk.enqueue(OutboxKind.NOTIFICATION, lane, dedupe, {**payload, **first, "number": number, "then": media[1:]})


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


def case_buttons(desk: Desk, case_id: int) -> list[list[dict[str, str]]]:
    """The buttons under a case."""
    promise = desk.say(Phrase.BUTTON_PROMISE, minutes=PROMISE_MINUTES)
    return [
        [
            {"text": desk.say(Phrase.BUTTON_TAKEN), "data": f"taken:{case_id}:"},
            {"text": promise, "data": f"promise:{case_id}:{PROMISE_MINUTES}"},
        ],
        [
            {"text": desk.say(Phrase.BUTTON_CLOSE_DONE), "data": f"close:{case_id}:решено"},
            {"text": desk.say(Phrase.BUTTON_CLOSE_SPAM), "data": f"close:{case_id}:спам"},
        ],
    ]


def tell_of_lead(desk: Desk, lead: LeadRecord, contact: ContactRecord) -> None:
    """Tell the person a new lead was given to."""
    user = desk.work.staff.get(lead.manager)
    if user is None:
        return
    text = desk.say(Phrase.LEAD_ASSIGNED, client=desk.client(contact), title=lead.title)
    tell(desk, [user], f"lead:{lead.id}:assigned", text, contact_id=contact.id)
