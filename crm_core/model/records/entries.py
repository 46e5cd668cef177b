"""What stands on a client's timeline, and whether somebody owes them an answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from crm_core.model.call import Direction
from crm_core.model.case import CaseKind, CaseState, Signal
from crm_core.model.records.plain import Json
from crm_core.model.timeline import Delivery, EntryKind
from crm_core.wording import made_of, said_as

_SAID: Final = "said"


def beside(text: str) -> Json:
    """What is kept in `offers` of an entry whose text this is: what a sentence was made of, None for any other text."""
    parts = made_of(text)
    return None if parts is None else {_SAID: parts}


class CaseRecord(NamedTuple):
    """A client who waits. At most one open a contact. `facts` counts the missed
    calls and messages in it; `rung` is the last rung told, None before the first. `taken_at`: since when `manager`
    looks after it by their own word, None where they did not say so."""

    id: int
    contact_id: int
    kind: CaseKind
    state: CaseState
    facts: int
    opened_at: datetime
    channel: str
    account: str
    rung: int | None = None
    promised_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    manager: str | None = None
    misses: Json = []
    taken_at: datetime | None = None


class EntryRecord(NamedTuple):
    """A timeline entry. `seq` grows in commit order. `ref` is unique among messages: channel, account, conversation
    and the provider's id. `external_id` is None as long as only an edit or the deletion of it is known.
    `versions` are the texts of an edited message, oldest first: `{at, sequence, text}`. `number` is ours of an outgoing
    message, by which a provider's echo of it is known. `offers` is what stands under an automatic text:
    `{menu: [[item, text], …], contact: bool}`, or beside a text of the hub's own what it was made of, `{said: …}`;
    `authenticity` `{trust, detail}`; `reactions` `[{who, emoji, at, sequence}, …]`, the emoji empty where somebody took
    theirs back. `answers` is the reference of the message that this one replies to."""

    id: int
    seq: int
    contact_id: int
    kind: EntryKind
    direction: Direction
    occurred_at: datetime
    sequence: int
    recorded_at: datetime
    channel: str | None = None
    account: str | None = None
    conversation: str | None = None
    lead_id: int | None = None
    deal_id: int | None = None
    call_id: int | None = None
    journal_id: int | None = None
    external_id: str | None = None
    ref: str | None = None
    text: str = ""
    html: str | None = None
    subject: str = ""
    quoted: str = ""
    author: str = ""
    by_person: bool = False
    signal: Signal | None = None
    signal_at: datetime | None = None
    reason: str | None = None
    delivery: Delivery | None = None
    delivery_error: str | None = None
    location: Json = None
    versions: Json = []
    deleted_at: datetime | None = None
    thread_id: int | None = None
    number: int | None = None
    album: str | None = None
    offers: Json = None
    authenticity: Json = None
    reactions: Json = []
    answers: str | None = None

    @property
    def said(self) -> str:
        """The text, and where the hub itself wrote it the sentence that it is, to be said in the reader's language."""
        parts = self.offers.get(_SAID) if self.text and self.offers else None
        return self.text if parts is None else said_as(self.text, parts)


class FileState(StrEnum):
    """Whether an attachment's content is here."""

    STORED = "stored"
    PENDING = "pending"
    FAILED = "failed"


class AttachmentRecord(NamedTuple):
    """A file of an entry. `size` in bytes. `cid` is how the entry's HTML names it; `warning` why to be careful."""

    id: int
    entry_id: int
    position: int
    name: str
    content_type: str
    state: FileState
    size: int | None = None
    sha256: str | None = None
    remote_id: str | None = None
    error: str | None = None
    cid: str = ""
    warning: str = ""
