"""What channels would bring: messages, forms, mails and calls of the company's clients, as facts of the one door."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from crm_core.messages import (
    Attachment,
    CallChanged,
    ChannelKey,
    EntryKind,
    FormSubmitted,
    InboundEvent,
    MessageReceived,
    Sender,
    StoredFile,
)
from crm_core.messages.inbound import Payload, Utm
from crm_core.model.call import CallLeg, CallSnapshot, CallState, CallTalk, Direction
from crm_core.model.identity import Identity, IdentityKind, address, telephone
from screenshots.clients import Client, Waiting, Way
from screenshots.firm import LINE, MAIL, PBX, SITE, TELEGRAM, VK

_CAUSE_ANSWERED, _CAUSE_MISSED = 16, 19
_ids = itertools.count(700_001)  # far from the numbers that the messengers' servers give
Person = Client | Waiting


def contacted(person: Person, at: datetime) -> InboundEvent:
    """The first fact of somebody: what they wrote, or a call that nobody took."""
    match person.way:
        case Way.CALL:
            return call(person, at, None, 0)
        case Way.FORM:
            utm = Utm("yandex", "cpc", "okna-moskva", "", "пластиковые окна цена")
            page = "https://okna.example/calculator"
            form = FormSubmitted(person.name, person.number, "", person.first, page, utm)
            return _fact(SITE, f"form-{person.ident}", at, Sender((), person.name), form)
        case _:
            return wrote(person, at, person.first)


def wrote(person: Person, at: datetime, text: str, file: Attachment | None = None) -> InboundEvent:
    """Somebody writes, in the channel they came by."""
    number = next(_ids)
    if person.way is Way.MAIL:
        mail = person.number if "@" in person.number else f"office{person.ident[-3:]}@client.example"
        message = MessageReceived(EntryKind.EMAIL, text, f"<{number}@client.example>", (file,) if file else (), "Окна")
        return _fact(MAIL, mail, at, Sender((address(mail),), person.name), message)
    key, kind = (VK, IdentityKind.VK) if person.way is Way.VK else (TELEGRAM, IdentityKind.TG)
    sender = Sender((Identity(kind, person.ident),), person.name)
    message = MessageReceived(EntryKind.MESSAGE, text, str(number), (file,) if file else ())
    return _fact(key, person.ident, at, sender, message)


def call(
    person: Person, at: datetime, extension: str | None, talk_s: int, *, out: bool = False, recording: str | None = None
) -> InboundEvent:
    """A call, over; `extension` talked, None where nobody did."""
    rang = at + timedelta(seconds=4)
    if extension is None:
        end = at + timedelta(seconds=38)
        legs = tuple(CallLeg(f"PJSIP/{each}", rang, None, end, _CAUSE_MISSED) for each in ("101", "103"))
        snapshot = CallSnapshot(
            linkedid=f"call-{next(_ids)}",
            direction=Direction.IN,
            number=person.number,
            line=LINE,
            state=CallState.MISSED,
            started_at=at,
            finished_at=end,
            legs=legs,
            cause=_CAUSE_MISSED,
        )
    else:
        answered = at + timedelta(seconds=9)
        end = answered + timedelta(seconds=talk_s)
        endpoint = f"PJSIP/{extension}"
        snapshot = CallSnapshot(
            linkedid=f"call-{next(_ids)}",
            direction=Direction.OUT if out else Direction.IN,
            number=person.number,
            line=LINE,
            state=CallState.ANSWERED,
            started_at=at,
            answered_at=answered,
            finished_at=end,
            answered_by=endpoint,
            legs=(CallLeg(endpoint, rang, answered, end, _CAUSE_ANSWERED),),
            talks=(CallTalk(endpoint, answered, end),),
            cause=_CAUSE_ANSWERED,
            recording=recording,
        )
    known = (telephone(person.number),) if person.number.startswith("+") else ()
    return _fact(PBX, person.number, at, Sender(known), CallChanged(snapshot))


def document(name: str, content_type: str, sha256: str, size: int) -> Attachment:
    """A file that came along."""
    return Attachment(name, content_type, StoredFile(sha256, size))


def _fact(key: ChannelKey, conversation: str, at: datetime, sender: Sender, payload: Payload) -> InboundEvent:
    return InboundEvent(key, f"fact-{next(_ids)}", conversation, at, sender, payload, b"{}")
