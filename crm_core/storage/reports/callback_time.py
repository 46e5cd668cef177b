"""Time to call back: how long clients wait after a missed call."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.storage.reports.base import (
    By,
    Column,
    Kind,
    Report,
    Table,
    Wanted,
    Words,
    dimensions,
    grouped,
    nearest_rank,
)
from crm_core.storage.reports.waitings import BEGUN, key_of, waitings

_COLUMNS = (
    Column("waitings", Words("Ждали", "Waited"), Kind.COUNT),
    Column("returned", Words("Дождались", "Returned"), Kind.COUNT),
    Column("waiting", Words("Ждут", "Still waiting"), Kind.COUNT),
    Column("p50_s", Words("Половине не дольше", "Half within"), Kind.SECONDS),
    Column("p90_s", Words("Девяти из десяти не дольше", "Nine in ten within"), Kind.SECONDS),
)


def _run(conn: Connection, wanted: Wanted) -> Table:
    found = waitings(conn, wanted, BEGUN)
    parts = grouped(wanted, found, lambda each, by: key_of(wanted, each, by, each.begun))
    rows = []
    for key, part in parts.items():
        times = sorted(int((each.returned - each.begun).total_seconds()) for each in part if each.returned is not None)
        figures = (len(part), len(times), len(part) - len(times), nearest_rank(times, 50), nearest_rank(times, 90))
        rows.append((*key, *figures))
    return Table((*dimensions(wanted), *_COLUMNS), tuple(rows), complete=len(found) < wanted.counted)


CALLBACK_TIME = Report(
    name="callback_time",
    title=Words("Время до перезвона", "Time to call back"),
    definition=Words(
        "Ожидания, начавшиеся в период: от первого пропущенного звонка после последнего разговора до следующего"
        " разговора в любую сторону или ответа сотрудника в любом канале, по часам, включая ночь и выходные. p50 и p90"
        " — перцентили по ближайшему рангу среди дождавшихся; кто ещё ждёт, в них не входит и посчитан отдельно."
        " Менеджер: клиента, иначе его открытого лида; линия: последнего пропущенного звонка.",
        "Waitings that began in the period: from the first missed call after the last conversation to the next"
        " conversation in either direction or a person's reply in any channel, by the clock, nights and weekends"
        " included. p50 and p90 are percentiles by the nearest rank among those that ended; whoever still waits is not"
        " in them and is counted apart. Manager: the client's, else that of their open lead; line: of the last miss.",
    ),
    groups=(By.MANAGER, By.LINE, By.MONTH),
    run=_run,
    must_group=True,
)
