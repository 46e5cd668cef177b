"""Troubles of the installation: links that are down, lines that are silent, calls that are missing."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from crm_core.model.alarm import AlarmKind
from crm_core.model.records import AlarmRecord
from crm_core.storage.queries import alarms as queries
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, PageQuery
from hub.tongues import aloud


class AlarmState(StrEnum):
    """Which alarms: those that last, or also those that are over."""

    OPEN = "open"
    ALL = "all"


class AlarmQuery(PageQuery):
    """Which alarms."""

    state: AlarmState = AlarmState.OPEN


class Alarm(Given):
    """An alarm. `subject`: a line's number, or an account as `pbx:office`; `told_at` when people were last told."""

    id: int
    kind: AlarmKind
    subject: str
    detail: str
    since: datetime
    told_at: datetime | None
    ended_at: datetime | None


class Alarms(Paged[Alarm]):
    """A page of alarms."""


def _json(record: AlarmRecord) -> Alarm:
    return Alarm(**{name: aloud(value) for name, value in record._asdict().items()})


def _listed(conn: Reading, call: Call[AlarmQuery, NoBody]) -> Alarms:
    page = queries.list_alarms(conn, call.access, call.query.where, lasting=call.query.state is AlarmState.OPEN)
    return Alarms(items=[_json(record) for record in page.items], next=page.next)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/alarms",
        _listed,
        tag="alarms",
        summary="Troubles of the installation, the newest first",
        right=Right.SEE_ALARMS,
        query=AlarmQuery,
        response=Alarms,
    ),
)
