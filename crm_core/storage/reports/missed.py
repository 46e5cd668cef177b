"""Missed and not returned: whom somebody still has to ring."""

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
from crm_core.storage.reports.waitings import OWED, key_of, waitings

_MISSED_AT = Column("missed_at", Words("Последний пропущенный", "Last missed"), Kind.MOMENT)
_MISSES = Column("misses", Words("Пропущено звонков", "Missed calls"), Kind.COUNT)
_WAITING = Column("waiting_s", Words("Ждёт", "Waiting"), Kind.SECONDS)
_CLIENTS = Column("clients", Words("Клиентов", "Clients"), Kind.COUNT)
_LONGEST = Column("longest_s", Words("Дольше всех ждут", "Longest waiting"), Kind.SECONDS)


def _run(conn: Connection, wanted: Wanted) -> Table:
    found = waitings(conn, wanted, OWED, order="last")
    if not wanted.by:
        rows = tuple(
            (each.contact_id, each.name, each.number, each.line, each.manager, each.last, each.misses,
             int((wanted.now - each.begun).total_seconds()))
            for each in found[: wanted.limit]
        )  # fmt: skip
        columns = (CLIENT, NAME, NUMBER, LINE, MANAGER, _MISSED_AT, _MISSES, _WAITING)
        return Table(columns, rows, complete=len(found) <= wanted.limit)
    parts = grouped(wanted, found, lambda each, by: key_of(wanted, each, by, each.last))
    counted = []
    for key, part in parts.items():
        longest = int((wanted.now - min(each.begun for each in part)).total_seconds())
        counted.append((*key, len(part), sum(each.misses for each in part), longest))
    figures = (*dimensions(wanted), _CLIENTS, _MISSES, _LONGEST)
    return Table(figures, tuple(counted), complete=len(found) < wanted.counted)


MISSED = Report(
    name="missed",
    title=Words("Пропущены и не перезвонили", "Missed and not returned"),
    definition=Words(
        "Клиенты, чей последний пропущенный звонок пришёлся на период и с которыми после него никто не говорил и кому"
        " никто не ответил ни в одном канале. Обращения, закрытые вручную с причиной, не считаются. Ждёт: от первого"
        " пропущенного после последнего разговора до сейчас. Не пропущенные: отказ по списку, бросил трубку за"
        " мгновения. Менеджер: клиента, иначе его открытого лида.",
        "Clients whose last missed call falls into the period and with whom nobody has talked, and to whom nobody has"
        " replied in any channel, since then. Cases closed by hand with a reason do not count. Waiting: from the first"
        " miss after the last conversation until now. Not missed: refused by a list, given up within moments. Manager:"
        " the client's, else that of their open lead.",
    ),
    groups=(By.MANAGER, By.LINE, By.MONTH),
    run=_run,
)
