"""Forgotten clients: those with whom nobody has spoken for a quarter."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from crm_core.storage.reports.base import CLIENT, MANAGER, NAME, By, Column, Kind, Report, Table, Wanted, Words
from crm_core.storage.tables import contact

_QUARTER = timedelta(days=90)
_STATUS = Column("status", Words("Статус", "Status"))
_LAST = Column("last_contact_at", Words("Последний контакт", "Last contact"), Kind.MOMENT)
_PASSED = Column("passed_s", Words("Прошло", "Passed"), Kind.SECONDS)
_CLIENTS = Column("clients", Words("Забыто клиентов", "Forgotten clients"), Kind.COUNT)


def forgotten_statement(wanted: Wanted) -> Select[Any]:
    """The query: of one manager, or of everybody, those who wait the longest first."""
    before = min(wanted.until, wanted.now) - _QUARTER
    spoken = or_(contact.c.last_contact_at < before, contact.c.last_contact_at.is_(None))
    statement = select(
        contact.c.id,
        contact.c.name,
        contact.c.manager,
        contact.c.status,
        contact.c.last_contact_at,
        contact.c.created_at,
    ).where(
        contact.c.merged_into.is_(None),
        contact.c.deleted_at.is_(None),
        contact.c.list_name.is_(None),
        contact.c.created_at < before,
        spoken,
    )
    if wanted.login is not None:
        statement = statement.where(contact.c.manager == wanted.login)
    return statement.order_by(contact.c.last_contact_at.asc().nulls_first(), contact.c.id).limit(wanted.counted)


def _run(conn: Connection, wanted: Wanted) -> Table:
    found = conn.execute(forgotten_statement(wanted)).all()
    if By.MANAGER in wanted.by:
        counts = Counter(row.manager for row in found)
        ordered = sorted(counts.items(), key=lambda pair: (pair[0] is None, pair[0] or ""))
        return Table((MANAGER, _CLIENTS), tuple(ordered), complete=len(found) < wanted.counted)
    rows = tuple(
        (row.id, row.name, row.manager, row.status, row.last_contact_at,
         int((wanted.now - (row.last_contact_at or row.created_at)).total_seconds()))
        for row in found[: wanted.limit]
    )  # fmt: skip
    return Table((CLIENT, NAME, MANAGER, _STATUS, _LAST, _PASSED), rows, complete=len(found) <= wanted.limit)


FORGOTTEN = Report(
    name="forgotten",
    title=Words("Забытые клиенты", "Forgotten clients"),
    definition=Words(
        "Клиенты, с которыми к концу периода (или к этой минуте, если он не кончился) 90 дней никто не разговаривал и"
        " которым никто не отвечал, либо ни разу с тех пор, как они заведены 90 дней назад или раньше. Клиенты из"
        " особых списков не считаются. Прошло: с последнего контакта, а если его не было, с заведения карточки.",
        "Clients with whom, at the end of the period (or at this minute, where it is not over), nobody has talked and"
        " to whom nobody has replied for 90 days, or never since they were entered 90 days ago or earlier. Clients on"
        " special lists don't count. Passed: since the last contact, or since the card was entered where there was"
        " none.",
    ),
    groups=(By.MANAGER,),
    run=_run,
)
