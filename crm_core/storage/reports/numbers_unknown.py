"""Numbers that called and that nobody has entered anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, select, text
from sqlalchemy.sql.expression import TextualSelect

from crm_core.model.call import Direction
from crm_core.storage.reports.base import (
    CLIENT,
    LINE,
    MANAGER,
    NUMBER,
    By,
    Column,
    Kind,
    Report,
    Table,
    Wanted,
    Words,
    dimensions,
    grouped,
)
from crm_core.storage.tables import call
from crm_core.storage.types import JsonText, UtcDateTime

_HEARD = 20
"""Recordings of a number that are named at most, the newest."""

_AT_ONCE = 500

_CALLS = Column("calls", Words("Звонков", "Calls"), Kind.COUNT)
_FIRST = Column("first_at", Words("Первый звонок", "First call"), Kind.MOMENT)
_LAST = Column("last_at", Words("Последний звонок", "Last call"), Kind.MOMENT)
_RECORDINGS = Column("recordings", Words("Записи", "Recordings"), Kind.RECORDINGS)
_NUMBERS = Column("numbers", Words("Номеров", "Numbers"), Kind.COUNT)
_RECORDED = Column("recorded", Words("Записанных звонков", "Recorded calls"), Kind.COUNT)

_SQL = """
WITH calls AS (
  SELECT c.contact_id, c.number, c.pbx, c.line, c.answered_by,
    COUNT(*) OVER (PARTITION BY c.contact_id) AS calls,
    SUM(CASE WHEN c.recording IS NULL THEN 0 ELSE 1 END) OVER (PARTITION BY c.contact_id) AS recorded,
    MIN(c.started_at) OVER (PARTITION BY c.contact_id) AS first_at,
    MAX(c.started_at) OVER (PARTITION BY c.contact_id) AS last_at,
    ROW_NUMBER() OVER (PARTITION BY c.contact_id
      ORDER BY CASE WHEN c.answered_by IS NULL THEN 1 ELSE 0 END, c.started_at DESC, c.id DESC) AS nth
  FROM "call" AS c JOIN contact AS k ON k.id = c.contact_id
  WHERE c.started_at >= :since AND c.started_at < :until AND c.direction = 'in'
    AND k.name = '' AND COALESCE(k.company, '') = '' AND k.fields = :nothing
    AND k.list_name IS NULL AND k.merged_into IS NULL
    AND NOT EXISTS (SELECT 1 FROM identity AS i JOIN listed_number AS n ON n.key = i.key WHERE i.contact_id = k.id)
), numbers AS (
  SELECT s.contact_id, s.number, s.pbx, s.line, COALESCE(s.answered_by, k.manager, l.manager) AS manager,
    s.calls, s.recorded, s.first_at, s.last_at
  FROM calls AS s JOIN contact AS k ON k.id = s.contact_id
    LEFT JOIN lead AS l ON l.contact_id = s.contact_id AND l.status IN ('new', 'taken')
  WHERE s.nth = 1
)
SELECT contact_id, number, pbx, line, manager, calls, recorded, first_at, last_at FROM numbers{own}
ORDER BY last_at DESC, contact_id DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class _Unknown:
    contact_id: int
    number: str
    line: str
    manager: str | None
    calls: int
    recorded: int
    first_at: datetime
    last_at: datetime


def _run(conn: Connection, wanted: Wanted) -> Table:
    found = _unknown(conn, wanted)
    if wanted.by:
        parts = grouped(wanted, found, lambda each, by: _key(wanted, each, by))
        counted = tuple(
            (*key, len(part), sum(each.calls for each in part), sum(each.recorded for each in part))
            for key, part in parts.items()
        )
        columns = (*dimensions(wanted), _NUMBERS, _CALLS, _RECORDED)
        return Table(columns, counted, complete=len(found) < wanted.counted)
    shown = found[: wanted.limit]
    heard = _recordings(conn, wanted, [each.contact_id for each in shown if each.recorded])
    rows = tuple(
        (each.contact_id, each.number, each.line, each.manager, each.calls, each.first_at, each.last_at,
         tuple(heard.get(each.contact_id, ())))
        for each in shown
    )  # fmt: skip
    columns = (CLIENT, NUMBER, LINE, MANAGER, _CALLS, _FIRST, _LAST, _RECORDINGS)
    return Table(columns, rows, complete=len(found) <= wanted.limit)


def _unknown(conn: Connection, wanted: Wanted) -> list[_Unknown]:
    values = {"since": wanted.since, "until": wanted.until, "nothing": {}, "most": wanted.counted}
    if wanted.login is not None:
        values["login"] = wanted.login
    return [
        _Unknown(
            contact_id=row.contact_id,
            number=wanted.number(row.number),
            line=wanted.line(row.pbx, row.line),
            manager=row.manager,
            calls=row.calls,
            recorded=row.recorded,
            first_at=row.first_at,
            last_at=row.last_at,
        )
        for row in conn.execute(unknown_statement(wanted), values)
    ]


def unknown_statement(wanted: Wanted) -> TextualSelect:
    """The query: the calls of the period, by their clients."""
    own = " WHERE manager = :login" if wanted.login is not None else ""
    moments = (bindparam(name, type_=UtcDateTime()) for name in ("since", "until"))
    return (
        text(_SQL.format(own=own))
        .bindparams(*moments, bindparam("nothing", type_=JsonText()))
        .columns(
            contact_id=BigInteger,
            number=Text,
            pbx=Text,
            line=Text,
            manager=Text,
            calls=Integer,
            recorded=Integer,
            first_at=UtcDateTime,
            last_at=UtcDateTime,
        )
    )


def _recordings(conn: Connection, wanted: Wanted, contact_ids: Sequence[int]) -> dict[int, list[int]]:
    """The calls with a recording of each of these clients in the period, the newest first."""
    found: dict[int, list[int]] = {}
    for start in range(0, len(contact_ids), _AT_ONCE):
        statement = (
            select(call.c.contact_id, call.c.id)
            .where(
                call.c.contact_id.in_(contact_ids[start : start + _AT_ONCE]),
                call.c.started_at >= wanted.since,
                call.c.started_at < wanted.until,
                call.c.direction == Direction.IN,
                call.c.recording.is_not(None),
            )
            .order_by(call.c.contact_id, call.c.started_at.desc(), call.c.id.desc())
        )
        for contact_id, call_id in conn.execute(statement):
            listed = found.setdefault(contact_id, [])
            if len(listed) < _HEARD:
                listed.append(call_id)
    return found


def _key(wanted: Wanted, each: _Unknown, by: By) -> str | None:
    match by:
        case By.MANAGER:
            return each.manager
        case By.LINE:
            return each.line
        case By.MONTH:
            return wanted.month(each.last_at)


UNKNOWN = Report(
    name="numbers_unknown",
    title=Words("Номера, никуда не внесённые", "Numbers entered nowhere"),
    definition=Words(
        "Номера, с которых звонили в период и о которых никто ничего не записал: у карточки нет ни имени, ни компании,"
        " ни своих полей, и ни она, ни номер не стоят ни в одном особом списке. Скрытые и внутренние номера не"
        " считаются. Менеджер: кто говорил с ними последним, иначе менеджер клиента или его открытого лида. Месяц:"
        " последнего звонка в период.",
        "Numbers that called in the period and of which nobody has noted anything: the card has no name, no company and"
        " no custom fields, and neither it nor a number of it stands on a special list. Hidden and internal numbers do"
        " not count. Manager: whoever talked with them last, else the manager of the client or of their open lead."
        " Month: of the last call in the period.",
    ),
    groups=(By.MANAGER, By.MONTH, By.LINE),
    run=_run,
)
