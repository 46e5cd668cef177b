"""Calls, those that the hub places, and their recordings."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from crm_core.model.call import CallState, Direction
from crm_core.model.callback import CallbackReason, CallbackState, DialOutcome, DialPurpose, DialState
from crm_core.model.recording import RecordingState
from crm_core.model.records.plain import Json


class CallRecord(NamedTuple):
    """A telephone call, unique by (pbx, linkedid). `rung` holds the legs that were rung, `talks` who talked with the
    client one after another: `{endpoint, user, from, until, how}`."""

    id: int
    pbx: str
    linkedid: str
    contact_id: int | None
    entry_id: int | None
    direction: Direction
    number: str
    line: str
    state: CallState
    progress: int
    started_at: datetime
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    answered_by: str | None = None
    endpoint: str | None = None
    wait_s: float = 0.0
    talk_s: float = 0.0
    cause: int = 0
    cause_text: str = ""
    hung_up_by: str = ""
    recording: str | None = None
    list_name: str | None = None
    wish_callback: bool = False
    rung: Json = []
    hold_s: float = 0.0
    talks: Json = []


class CallbackRecord(NamedTuple):
    """A client who is to be rung back by a robot. At most one waiting or being dialled a contact.

    `number` is E.164; `due_at` when it is looked at next; `manager` whom it rings first; `line` the office's number
    that the client sees; `detail` what it waits for, or why it ended, in words.
    """

    id: int
    contact_id: int
    number: str
    reason: CallbackReason
    state: CallbackState
    due_at: datetime
    created_at: datetime
    author: str
    manager: str | None = None
    pbx: str | None = None
    line: str = ""
    attempts: int = 0
    detail: str = ""
    ended_at: datetime | None = None


class DialRecord(NamedTuple):
    """A call that the hub places: `login` at `endpoint` first, then the client. At most one going on a client, and one
    a person. `linkedid` is given by the hub, so that the PBX refuses to place the call twice. After `expires_at` a call
    that was not placed is placed no more."""

    id: int
    contact_id: int
    number: str
    pbx: str
    line: str
    login: str
    endpoint: str
    purpose: DialPurpose
    state: DialState
    linkedid: str
    created_at: datetime
    expires_at: datetime
    announce: bool = False
    author: str = ""
    outcome: DialOutcome | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    callback_id: int | None = None
    call_id: int | None = None
    detail: str = ""


class RecordingRecord(NamedTuple):
    """The recording of a call, by the call's id. `name` is the file's within the PBX's folder; `size` in bytes;
    `place` the key in the object storage, None on disk; `look_at` when it is looked for again, put away or deleted."""

    call_id: int
    pbx: str
    name: str
    state: RecordingState
    created_at: datetime
    look_at: datetime | None = None
    attempts: int = 0
    size: int | None = None
    duration_s: float | None = None
    place: str | None = None
    checked_at: datetime | None = None
    expires_at: datetime | None = None
    error: str | None = None
