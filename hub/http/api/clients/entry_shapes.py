"""An entry of a timeline as the API shows it: message, mail, form, call, note."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.messages import Delivery, EntryKind, Trust
from crm_core.model.call import CallState, Direction
from crm_core.model.recording import RecordingState
from crm_core.model.records import AttachmentRecord, CallRecord, RecordingRecord
from crm_core.storage.queries.timeline import EntryCard
from hub.http.api.telephony.calls import Leg, Talk, legs_json, recording_url, talks_json
from hub.http.types import Given, Paged
from hub.tongues import aloud

_PREFIX = "/api/v1"


class Attachment(Given):
    """A file; `size` in bytes. `url` wants the same bearer. `state` is `stored`, `pending` or `failed`.

    `inline`: it stands within the HTML of a mail, which names it by `cid`. `warning` says why to be careful with it,
    empty where nothing is known against it. `error` says why it could not be had.
    """

    id: int
    name: str
    content_type: str
    size: int | None
    url: str
    state: str
    cid: str
    inline: bool
    warning: str
    error: str | None


class EntryCall(Given):
    """The call that an entry is; times in seconds."""

    id: int
    line: str
    state: CallState
    wait_s: float
    talk_s: float
    hold_s: float
    answered_by: str | None
    rung: list[Leg]
    talks: list[Talk]
    cause_text: str
    recording_url: str | None
    recording_state: RecordingState | None
    recording_detail: str | None
    number: str


class Version(Given):
    """An earlier text of an edited message, and since when it stood."""

    at: datetime
    text: str


class Place(Given):
    """A place, WGS 84 degrees."""

    latitude: float
    longitude: float


class Reaction(Given):
    """Somebody's reaction to a message; `who` is their identity."""

    who: str
    emoji: str
    at: datetime


class Proof(Given):
    """Whether a message is from whom it says, and what the server found that the office trusts, in its own words."""

    trust: Trust
    detail: str


class Choice(Given):
    """An item of a menu."""

    item: str
    text: str


class Offers(Given):
    """What stands under an automatic text: a menu, and whether the client is asked to share their number."""

    menu: list[Choice]
    contact: bool


class Entry(Given):
    """Something that happened to a client. `seq` is the place in commit order, null in the answer that makes it.

    Mails of one `thread_id` answer each other under one subject; messages of one `album` were sent as one. `answers` is
    the entry that this one replies to, null where it is none or not on the timeline.
    """

    id: int
    seq: int | None
    contact_id: int
    deal_id: int | None
    lead_id: int | None
    kind: EntryKind
    channel: str | None
    account: str | None
    direction: Direction
    occurred_at: datetime
    recorded_at: datetime
    text: str
    html: str | None
    subject: str
    quoted: str
    attachments: list[Attachment]
    author: str
    external_id: str | None
    delivery: Delivery | None
    delivery_error: str | None
    call: EntryCall | None
    history: list[Version]
    deleted_at: datetime | None
    location: Place | None
    raw_url: str | None
    thread_id: int | None
    answers: int | None
    album: str | None
    reactions: list[Reaction]
    authenticity: Proof | None
    offers: Offers | None


class Entries(Paged[Entry]):
    """A page of a timeline."""


def entry_json(card: EntryCard) -> Entry:
    """An entry on the wire."""
    entry = card.entry
    received = entry.kind is EntryKind.EMAIL and entry.direction is Direction.IN and entry.journal_id is not None
    return Entry(
        id=entry.id,
        seq=entry.seq or None,
        contact_id=entry.contact_id,
        deal_id=entry.deal_id,
        lead_id=entry.lead_id,
        kind=entry.kind,
        channel=entry.channel,
        account=entry.account,
        direction=entry.direction,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        text=entry.text,
        html=entry.html,
        subject=entry.subject,
        quoted=entry.quoted,
        attachments=[attachment_json(each) for each in card.attachments],
        author=entry.author,
        external_id=entry.external_id,
        delivery=entry.delivery,
        delivery_error=aloud(entry.delivery_error),
        call=_call_json(card.call, card.recording) if card.call is not None else None,
        history=[Version(at=each["at"], text=each["text"]) for each in entry.versions[:-1]],
        deleted_at=entry.deleted_at,
        location=Place(**entry.location) if entry.location else None,
        raw_url=f"{_PREFIX}/entries/{entry.id}/raw" if received else None,
        thread_id=card.thread_id,
        answers=card.answers,
        album=entry.album,
        reactions=[
            Reaction(who=each["who"], emoji=each["emoji"], at=each["at"]) for each in entry.reactions if each["emoji"]
        ],
        authenticity=Proof(**entry.authenticity) if entry.authenticity else None,
        offers=_offers_json(entry.offers or {}),
    )


def _offers_json(kept: dict[str, Any]) -> Offers | None:
    if "menu" not in kept:
        return None
    menu = [Choice(item=item, text=text) for item, text in kept["menu"]]
    return Offers(menu=menu, contact=bool(kept["contact"]))


def attachment_json(record: AttachmentRecord) -> Attachment:
    """A file on the wire."""
    return Attachment(
        id=record.id,
        name=record.name,
        content_type=record.content_type,
        size=record.size,
        url=f"{_PREFIX}/attachments/{record.id}",
        state=record.state.value,
        cid=record.cid,
        inline=bool(record.cid),
        warning=record.warning,
        error=aloud(record.error),
    )


def _call_json(record: CallRecord, recording: RecordingRecord | None) -> EntryCall:
    return EntryCall(
        id=record.id,
        line=record.line,
        state=record.state,
        wait_s=record.wait_s,
        talk_s=record.talk_s,
        hold_s=record.hold_s,
        answered_by=record.answered_by,
        rung=legs_json(record),
        talks=talks_json(record),
        cause_text=record.cause_text,
        recording_url=recording_url(recording),
        recording_state=recording.state if recording is not None else None,
        recording_detail=aloud(recording.error) if recording is not None else None,
        number=record.number,
    )
