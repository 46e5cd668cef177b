"""Never returned: clients whom nobody has reached after a missed call."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.storage.reports.base import (
    CLIENT,
    LINE,
    MANAGER,
    NAME,
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
from crm_core.storage.reports.waitings import BEGUN, NEVER_RETURNED, key_of, waitings

_MISSED_AT = Column("missed_at", Words("Первый пропущенный", "First missed"), Kind.MOMENT)
_MISSES = Column("misses", Words("Пропущено звонков", "Missed calls"), Kind.COUNT)
_PASSED = Column("passed_s", Words("Прошло", "Passed"), Kind.SECONDS)
_CLOSED = Column("closed", Words("Закрыто вручную: причина", "Closed by hand: reason"))
_WAITINGS = Column("waitings", Words("Ждали", "Waited"), Kind.COUNT)
_NEVER = Column("never", Words("Так и не дождались", "Never returned"), Kind.COUNT)
_SHARE = Column("share", Words("Доля", "Share"), Kind.SHARE)


def _run(conn: Connection, wanted: Wanted) -> Table:
    if not wanted.by:
        never = waitings(conn, wanted, NEVER_RETURNED)
        rows = tuple(
            (each.contact_id, each.name, each.number, each.line, each.manager, each.begun, each.misses,
             int((wanted.now - each.begun).total_seconds()), each.closed)
            for each in never[: wanted.limit]
        )  # fmt: skip
        columns = (CLIENT, NAME, NUMBER, LINE, MANAGER, _MISSED_AT, _MISSES, _PASSED, _CLOSED)
        return Table(columns, rows, complete=len(never) <= wanted.limit)
    found = waitings(conn, wanted, BEGUN)
    parts = grouped(wanted, found, lambda each, by: key_of(wanted, each, by, each.begun))
    counted = []
    for key, part in parts.items():
        count = sum(each.returned is None for each in part)
        counted.append((*key, len(part), count, round(count / len(part), 4)))
    figures = (*dimensions(wanted), _WAITINGS, _NEVER, _SHARE)
    return Table(figures, tuple(counted), complete=len(found) < wanted.counted)


NEVER = Report(
    name="never_returned",
    title=Words("Так и не перезвонили", "Never returned"),
    definition=Words(
        "Клиенты, чьё ожидание началось в период (первый пропущенный звонок после последнего разговора) и с которыми с"
        " тех пор до сейчас никто не поговорил и кому никто не ответил, в том числе если обращение закрыли вручную:"
        " причина показана. Доля: от всех ожиданий, начавшихся в период.",
        "Clients whose waiting began in the period (the first missed call after the last conversation) and with whom"
        " nobody has talked, and to whom nobody has replied, from then until now, also where the case was closed by"
        " hand: the reason is shown. Share: of all waitings that began in the period.",
    ),
    groups=(By.MANAGER, By.LINE, By.MONTH),
    run=_run,
)
