"""What clients will probably buy next, from what they bought: simple, explained, and checked against what came."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, text

from crm_core.model.definitions.scoring import ClientsBody
from crm_core.storage.scoring.days import Day, day_text
from crm_core.storage.scoring.slices import Slice
from crm_core.storage.types import UtcDateTime

_LEAST_TIMES = 3
_LEAST_TOLERANCE = 3
# Whoever is so many intervals late does not buy it any more.
_GIVEN_UP = 3
_WORDS = {
    "ru": (
        "'Покупок: ' || g.times || ', в среднем каждые ' || g.period || ' дн., последняя ' || {last} ||"
        " CASE WHEN g.checks = 0 THEN '; прежних прогнозов ещё нет'"
        " ELSE '; из прежних прогнозов (' || g.checks || ') сбылось ' || g.hits END ||"
        " CASE WHEN g.late THEN '; срок прошёл, вероятность вдвое меньше' ELSE '' END"
    ),
    "en": (
        "'Purchases: ' || g.times || ', every ' || g.period || ' days on average, the last on ' || {last} ||"
        " CASE WHEN g.checks = 0 THEN '; no earlier forecasts yet'"
        " ELSE '; of ' || g.checks || ' earlier forecasts ' || g.hits || ' came true' END ||"
        " CASE WHEN g.late THEN '; the time has passed, half as probable' ELSE '' END"
    ),
}
_SQL = """
INSERT INTO need (id, contact_id, product_id, name, quantity, period_days, next_on, probability, computed_at, hits,
  checks, explanation)
WITH bought AS (
  SELECT s.contact_id, s.name, {day} AS day, MIN(s.id) AS id, MAX(s.product_id) AS product_id,
    SUM(s.quantity) AS quantity
  FROM sale AS s JOIN contact AS c ON c.id = s.contact_id
  WHERE {within} AND s.at <= :now AND s.name <> '' AND c.merged_into IS NULL AND c.deleted_at IS NULL
  GROUP BY s.contact_id, s.name, {day} HAVING SUM(s.quantity) > 0
), steps AS (
  SELECT b.*, 1.0 * (b.day - LAG(b.day) OVER (PARTITION BY b.contact_id, b.name ORDER BY b.day)) AS passed,
    ROW_NUMBER() OVER (PARTITION BY b.contact_id, b.name ORDER BY b.day) AS number
  FROM bought AS b
), foretold AS (
  SELECT t.*, AVG(t.passed) OVER (
    PARTITION BY t.contact_id, t.name ORDER BY t.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS expected
  FROM steps AS t
), products AS (
  SELECT contact_id, name, MIN(id) AS id, MAX(product_id) AS product_id, COUNT(*) AS times, MAX(day) AS last_day,
    AVG(passed) AS interval_days, AVG(1.0 * quantity) AS quantity,
    COUNT(CASE WHEN number > {least} THEN 1 END) AS checks,
    COUNT(CASE WHEN number > {least} AND ABS(passed - expected) <= {tolerance_expected} THEN 1 END) AS hits
  FROM foretold GROUP BY contact_id, name HAVING COUNT(*) >= {least}
), judged AS (
  SELECT p.*, CAST(CASE WHEN ROUND(p.interval_days) < 1 THEN 1 ELSE ROUND(p.interval_days) END AS INTEGER) AS period,
    {today} - p.last_day > p.interval_days + {tolerance_interval} AS late
  FROM products AS p WHERE {today} - p.last_day < {given_up} * p.interval_days
), g AS (
  SELECT j.id, j.contact_id, j.product_id, j.name, j.quantity, j.times, j.last_day, j.period, j.late, j.hits,
    j.checks + CASE WHEN j.late THEN 1 ELSE 0 END AS checks
  FROM judged AS j
)
SELECT g.id, g.contact_id, g.product_id, g.name, CAST(ROUND(g.quantity) AS BIGINT), g.period, {next_on},
  CAST(ROUND(100.0 * (g.hits + 1) / (g.checks + 2) * CASE WHEN g.late THEN 0.5 ELSE 1.0 END) AS INTEGER), :now,
  g.hits, g.checks, {words}
FROM g WHERE g.id > 0
"""


def foresee_needs(conn: Connection, rules: ClientsBody, day: Day, some: Slice, language: str) -> int:
    """Work out the needs of the clients of a slice anew; how many there are. Two statements.

    A need has the id of the first sale that it was seen in. Forecasts are checked within the history: the one that was
    to be made after each purchase, against when the next one came; one whose time passed without any is a miss.
    """
    conn.exec_driver_sql(f"DELETE FROM need WHERE {some.of('contact_id')}")
    sql = needs_sql(conn, rules, day, some, language)
    return conn.execute(text(sql).bindparams(bindparam("now", type_=UtcDateTime())), {"now": day.now}).rowcount


def needs_sql(conn: Connection, rules: ClientsBody, day: Day, some: Slice, language: str) -> str:
    """The statement that works out the needs of a slice, as of `:now`."""
    sqlite = conn.dialect.name == "sqlite"
    words = _WORDS.get(language, _WORDS["ru"])
    return _SQL.format(
        # Said of both, or all clients would be gone through for each slice.
        within=f"{some.of('s.contact_id')} AND {some.of('c.id')}",
        day=day.of("s.at", sqlite=sqlite),
        today=day.number,
        least=_LEAST_TIMES,
        given_up=_GIVEN_UP,
        tolerance_expected=_tolerance("expected", rules.need_tolerance),
        tolerance_interval=_tolerance("p.interval_days", rules.need_tolerance),
        next_on=day_text("(g.last_day + g.period)", sqlite=sqlite),
        words=words.format(last=day_text("g.last_day", sqlite=sqlite)),
    )


def _tolerance(expected: str, share: float) -> str:
    return f"CASE WHEN {expected} * {share} > {_LEAST_TOLERANCE} THEN {expected} * {share} ELSE {_LEAST_TOLERANCE} END"
