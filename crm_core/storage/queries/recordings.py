"""Recordings: rows to be looked after, claimed safely among nodes; what became of those of calls; who heard them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from crm_core.model.access import Access, Right
from crm_core.model.recording import RecordingState
from crm_core.model.records import CallRecord, RecordingRecord
from crm_core.storage import bulk
from crm_core.storage.queries.pages import (
    all_of,
    one_of,
)
from crm_core.storage.queues import moment
from crm_core.storage.tables import access_log, call, recording

# ---------------------------------------------------------------- looking after them


def claim(
    conn: Connection, now: datetime, pbxs: Sequence[str], *, remote: bool, lease: timedelta, limit: int
) -> list[RecordingRecord]:
    """Rows of these PBXs that are due, given to the caller until the lease ends; nobody else gets them meanwhile.

    `remote`: also what lies in the object storage and has expired, whatever PBX it is of.
    """
    sqlite = conn.dialect.name == "sqlite"
    m = [bulk.placeholder(conn, position) for position in range(1, 5)]
    also = f" OR (r.state = 'remote' AND r.expires_at <= {m[3]})" if remote else ""
    lock = "" if sqlite else " FOR UPDATE OF r SKIP LOCKED"
    chosen = (
        f"SELECT r.call_id FROM recording AS r WHERE r.look_at <= {m[1]}"
        f" AND (r.pbx {bulk.among(conn, 3, 'text')}{also})"
        f" ORDER BY r.look_at LIMIT {int(limit)}{lock}"
    )
    columns = bulk.select_list(RecordingRecord, "recording", conn.dialect.name)
    if sqlite:
        columns = columns.replace("recording.", "")
    sql = f"UPDATE recording SET look_at = {m[0]} WHERE call_id IN ({chosen}) RETURNING {columns}"
    at = moment(conn, now)
    parameters = (moment(conn, now + lease), at, bulk.keys(conn, list(pbxs)), *((at,) if remote else ()))
    claimed = bulk.read(conn, RecordingRecord, sql, parameters)
    return sorted(claimed, key=lambda record: (record.created_at, record.call_id))


def calls_of(conn: Connection, claimed: Iterable[RecordingRecord]) -> dict[int, CallRecord]:
    """The calls of recordings, by id."""
    ids = [record.call_id for record in claimed]
    found = all_of(conn, CallRecord, select(call).where(call.c.id.in_(ids))) if ids else []
    return {record.id: record for record in found}


def kept_on_disk(conn: Connection, pbxs: Sequence[str], after: int, limit: int) -> list[RecordingRecord]:
    """Recordings of these PBXs that lie on disk or once did, by the call's id from behind `after` on."""
    columns = recording.c
    lost = and_(columns.state == RecordingState.MISSING, columns.size.is_not(None))
    statement = select(recording).where(
        columns.call_id > after, columns.pbx.in_(pbxs), or_(columns.state == RecordingState.STORED, lost)
    )
    return all_of(conn, RecordingRecord, statement.order_by(columns.call_id).limit(limit))


def overdue(conn: Connection, before: datetime) -> dict[str, int]:
    """How many rows of each PBX nobody looked at since then."""
    rows = select(recording.c.pbx, func.count()).where(recording.c.look_at < before).group_by(recording.c.pbx)
    return {name: int(count) for name, count in conn.execute(rows)}


def align(conn: Connection, now: datetime, keep: timedelta | None, *, put_away: bool) -> int:
    """Have what is kept follow a changed configuration: when it expires, and that it is put away; how many changed."""
    sqlite = conn.dialect.name == "sqlite"
    m = [bulk.placeholder(conn, position) for position in range(1, 3)]
    expires = "NULL" if sqlite else "CAST(NULL AS timestamptz)"
    parameters: tuple[int | timedelta, ...] = ()
    if keep is not None:
        expires = f"created_at + {m[0]}" if sqlite else f"created_at + {m[0]}::interval"
        parameters = (keep // timedelta(microseconds=1) if sqlite else keep,)
    differs = "IS NOT" if sqlite else "IS DISTINCT FROM"
    sql = (
        f"UPDATE recording SET expires_at = {expires}, look_at = {expires}"
        f" WHERE state IN ('stored', 'remote') AND expires_at {differs} {expires}"
    )
    changed = conn.exec_driver_sql(sql, parameters * 3 if sqlite else parameters).rowcount
    if put_away:
        sql = f"UPDATE recording SET look_at = {m[0]} WHERE state = 'stored' AND (look_at IS NULL OR look_at > {m[1]})"
        soon = (moment(conn, now), moment(conn, now + timedelta(days=1)))
        changed += conn.exec_driver_sql(sql, soon).rowcount
    return int(changed)


# ---------------------------------------------------------------- what became of them


def recording_of(conn: Connection, access: Access, call_id: int) -> RecordingRecord | None:
    """What became of the recording of a call that somebody wants to hear; None where none was expected. Raises
    Forbidden for whoever hears none."""
    access.demand(Right.HEAR_CALLS)
    return one_of(conn, RecordingRecord, call_id)


def recordings_of(conn: Connection, calls: Iterable[CallRecord]) -> dict[int, RecordingRecord]:
    """What became of the recordings of calls, by the call's id; one statement at most."""
    ids = [record.id for record in calls if record.answered_at is not None]
    if not ids:
        return {}
    found = all_of(conn, RecordingRecord, select(recording).where(recording.c.call_id.in_(ids)))
    return {record.call_id: record for record in found}


# ---------------------------------------------------------------- who heard them


def heard_since(conn: Connection, what: str, subject_id: int, login: str, since: datetime) -> bool:
    """Whether this person's access to it is noted since then."""
    columns = access_log.c
    statement = select(columns.id).where(
        columns.what == what, columns.subject_id == subject_id, columns.login == login, columns.at >= since
    )
    return conn.execute(statement.limit(1)).first() is not None
