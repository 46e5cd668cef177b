"""What becomes of the recording of a call: expected, found and kept, put away, expired; each step one transaction.

Whoever looks after files claims a row by moving its `look_at` (`storage.queries.recordings.claim`) and notes the end
here. A claim that was lost meanwhile changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from crm_core.errors import Forbidden
from crm_core.model.access import Access, Reach, Right
from crm_core.model.recording import RecordingState
from crm_core.model.records import CallRecord, RecordingRecord
from crm_core.services.desk import Desk

FIRST_LOOK = timedelta(seconds=5)
"""After the end of a call: the PBX still writes."""

STANDS_STILL = timedelta(seconds=3)
"""How long a file's size has to stay what it is."""

SPACING = tuple(
    timedelta(seconds=seconds) for seconds in (5, 15, 60, 5 * 60, 15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600)
)
"""Between one look in vain and the next; after the last one the file counts as missing."""

_LEAST_MISSING_S = 5.0
_SHORT = 0.5


class Why(StrEnum):
    """Why a recording is not as it should be."""

    NOT_FOUND = "not_found"
    DAMAGED = "damaged"
    NO_SOUND = "no_sound"
    SHORT = "short"
    UNREADABLE = "unreadable"


_WORDS = {
    "ru": {
        Why.NOT_FOUND: "файла нет в папке записей",
        Why.DAMAGED: "файл испорчен: в нём нет звукозаписи",
        Why.NO_SOUND: "файл без звука",
        Why.SHORT: "запись короче разговора: {have} с из {want} с",
        Why.UNREADABLE: "файл не читается: {error}",
    },
    "en": {
        Why.NOT_FOUND: "there is no such file in the folder of recordings",
        Why.DAMAGED: "the file is damaged: it holds no recording",
        Why.NO_SOUND: "the file holds no sound",
        Why.SHORT: "the recording is shorter than the talk: {have} s of {want} s",
        Why.UNREADABLE: "the file can't be read: {error}",
    },
}


def say_why(desk: Desk, why: Why, **fields: object) -> str:
    """The reason in the office's language."""
    return _WORDS.get(desk.office.language, _WORDS["en"])[why].format(**fields)


def expected(desk: Desk, before: CallRecord | None, call: CallRecord, *, settled: bool) -> None:
    """A call moved on: from its end on, its recording is looked for.

    Of a call that was `settled` from call records nobody heard whether it was recorded: where the PBX records, it is
    looked for all the same, and forgotten where there is none.
    """
    if call.finished_at is None or call.answered_at is None:
        return
    guessed = settled and call.pbx in desk.office.recorded
    if call.recording is None and not guessed:
        return
    if before is not None and before.finished_at is not None:
        known = desk.work.related(RecordingRecord, "call_id", [call.id])
        if known:
            return
    name = call.recording or f"{call.linkedid}.wav"
    desk.work.put(
        RecordingRecord(
            call.id, call.pbx, name, RecordingState.EXPECTED, call.finished_at, look_at=desk.now + FIRST_LOOK
        )
    )


def growing(desk: Desk, claim: RecordingRecord, name: str, size: int) -> None:
    """The file is there; whether it is whole shows when its size stands still."""
    row = _claimed(desk, claim)
    if row is not None:
        desk.work.put(row._replace(name=name, size=size, look_at=desk.now + STANDS_STILL, error=None))


def stored(
    desk: Desk,
    claim: RecordingRecord,
    *,
    size: int,
    duration_s: float | None,
    keep: timedelta | None,
    put_away: bool,
) -> None:
    """The file is whole. It stays for `keep` from the call's end (None: for ever), or is put away next."""
    row = _claimed(desk, claim)
    if row is None:
        return
    call = desk.work.get(CallRecord, row.call_id)
    expires = row.created_at + keep if keep is not None else None
    error = None
    if duration_s is not None:
        lacking = call.talk_s - duration_s
        if lacking >= _LEAST_MISSING_S and duration_s < call.talk_s * _SHORT:
            error = say_why(desk, Why.SHORT, have=round(duration_s), want=round(call.talk_s))
    after = row._replace(
        state=RecordingState.STORED,
        look_at=desk.now if put_away else expires,
        attempts=0,
        size=size,
        duration_s=duration_s,
        checked_at=desk.now,
        expires_at=expires,
        error=error,
    )
    _put(desk, after)


def empty(desk: Desk, claim: RecordingRecord) -> None:
    """The file holds no sound and was dropped."""
    row = _claimed(desk, claim)
    if row is not None:
        why = say_why(desk, Why.NO_SOUND)
        _put(
            desk,
            row._replace(state=RecordingState.EMPTY, look_at=None, size=None, checked_at=desk.now, error=why),
        )


def in_vain(desk: Desk, claim: RecordingRecord, why: str) -> RecordingState | None:
    """Looked for in vain: tried again, ever more rarely, then given up; the state after it, None where it is gone."""
    row = _claimed(desk, claim)
    if row is None:
        return None
    if row.attempts < len(SPACING):
        look_at = desk.now + SPACING[row.attempts]
        desk.work.put(row._replace(look_at=look_at, attempts=row.attempts + 1, size=None, error=why))
        return row.state
    if desk.work.get(CallRecord, row.call_id).recording is None:
        # Nobody said that there was one.
        desk.work.remove(RecordingRecord, row.call_id)
        return None
    _put(desk, row._replace(state=RecordingState.MISSING, look_at=None, checked_at=desk.now, error=why))
    return RecordingState.MISSING


def put_away(desk: Desk, claim: RecordingRecord, place: str, again: datetime) -> RecordingRecord | None:
    """The file lies in the object storage under `place`, verified. `again` is when somebody makes sure that the copy on
    disk is gone; None where the claim was lost."""
    row = _claimed(desk, claim)
    if row is None:
        return None
    after = row._replace(state=RecordingState.REMOTE, place=place, look_at=again, attempts=0, error=None)
    _put(desk, after)
    return after


def put_off(desk: Desk, claim: RecordingRecord, until: datetime | None, error: str | None) -> None:
    """Look at it again at `until`; with an `error` that is one try more."""
    row = _claimed(desk, claim)
    if row is not None:
        tries = row.attempts + 1 if error is not None else 0
        desk.work.put(row._replace(look_at=until, attempts=tries, error=error))


def lost(desk: Desk, claim: RecordingRecord, why: str) -> None:
    """A file that was there is not any more."""
    row = _claimed(desk, claim)
    if row is not None:
        _put(desk, row._replace(state=RecordingState.MISSING, look_at=None, checked_at=desk.now, error=why))


def expired(desk: Desk, claim: RecordingRecord) -> None:
    """It was kept as long as it should be, and is deleted."""
    row = _claimed(desk, claim)
    if row is not None:
        after = row._replace(state=RecordingState.EXPIRED, look_at=None, place=None, size=None, error=None)
        _put(desk, after)


def _claimed(desk: Desk, claim: RecordingRecord) -> RecordingRecord | None:
    row = desk.work.get(RecordingRecord, claim.call_id)
    return row if (row.state, row.look_at) == (claim.state, claim.look_at) else None


def _put(desk: Desk, row: RecordingRecord) -> None:
    """Whoever looks at the client's card sees the new state at once."""
    desk.work.put(row)
    desk.work.changed("call", row.call_id, desk.work.get(CallRecord, row.call_id).contact_id)


def may_hear(access: Access, call: CallRecord, manager: str | None) -> bool:
    """Whether somebody may hear a call; `manager` is the client's.

    Own are the calls that they talked in, and those of clients who are theirs, nobody's, or of a person whose deputy
    they are; their group's the same of its people. Calls within the office belong to no client.
    """
    reach = access.reach(Right.HEAR_CALLS)
    if reach in {Reach.NONE, Reach.ALL}:
        return reach is Reach.ALL
    people = access.people.own if reach is Reach.OWN else access.people.group
    talkers = {access.login} if reach is Reach.OWN else people
    if call.answered_by in talkers or any(talk.get("user") in talkers for talk in call.talks):
        return True
    return call.contact_id is not None and (manager is None or manager in people)


def demand_hearing(access: Access, call: CallRecord, manager: str | None) -> None:
    """Raise Forbidden where somebody may not hear a call; `manager` is the client's."""
    if not may_hear(access, call, manager):
        raise Forbidden("this call is of a client of somebody else")
