"""The bare statements that write: a deal moved, with the rows that the hub leaves behind; all clients' statuses."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.crm.bare import Bare

_ids = itertools.count(time.time_ns() // 1000)


async def move(bare: Bare, deal_id: int, stage_id: int) -> None:
    """A deal on another stage: two notes, a task, history, the trace of a rule, deadlines, the feed; known before."""
    now = datetime.now(UTC)
    at, due = _moment(bare, now), _moment(bare, now + timedelta(days=7))
    lock = "" if bare.sqlite is not None else " FOR NO KEY UPDATE"
    note = (
        "INSERT INTO timeline (id, seq, contact_id, kind, direction, occurred_at, sequence, recorded_at, deal_id, text,"
        " subject, quoted, author, by_person, versions) VALUES ($1, $2, $3, $4, 'out', $5, 0, $5, $6, $7, '', '',"
        " 'dina', $8, '[]')"
    )
    task_id, run = next(_ids), next(_ids)
    async with bare.transaction():
        ((contact_id,),) = await bare.fetch(f"SELECT contact_id FROM deal WHERE id = $1{lock}", deal_id)
        await bare.fetch(f"SELECT * FROM contact WHERE id = $1{lock}", contact_id)
        await bare.fetch(
            "UPDATE deal SET stage_id = $1, stage_since = $2, updated_at = $2, due_at = $3, version = version + 1"
            " WHERE id = $4",
            *(stage_id, at, due, deal_id),
        )
        await bare.fetch(
            "INSERT INTO task (id, title, state, created_at, updated_at, author, due_at, contact_id, deal_id, text,"
            " kind, result, checklist, fields, tags, version)"
            " VALUES ($1, $2, 'open', $3, $3, 'rule', $4, $5, $6, '', '', '',"
            " '[]', '{}', '[]', 1)",
            *(task_id, "Узнать решение", at, due, contact_id, deal_id),
        )
        await bare.fetch(
            "INSERT INTO change (id, kind, subject_id, at, author, changes) VALUES ($1, 'deal', $2, $3, 'dina',"
            """ '[["stage_id", 1, 2]]')""",
            *(next(_ids), deal_id, at),
        )
        await bare.fetch(
            "INSERT INTO rule_run (key, rule, kind, subject_id, contact_id, at, outcome, why, actions, error)"
            " VALUES ($1, 'Задача', 'deal', $2, $3, $4, 'done', 'stage_entered', '[]', '')",
            *(f"bare:{run}", deal_id, contact_id, at),
        )
        await bare.fetch("DELETE FROM deadline WHERE key = $1", f"deal.rung:{deal_id}")
        deadline = (
            "INSERT INTO deadline (key, kind, subject_id, due_at, rung, attempts) VALUES ($1, $2, $3, $4, 0, 0)"
            " ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at"
        )
        await bare.fetch(deadline, f"rule:deal:{deal_id}", "rule", deal_id, due)
        await bare.fetch(deadline, f"task:{task_id}", "task", task_id, due)
        ((position,),) = await bare.fetch(
            "UPDATE feed_position SET position = position + 2 WHERE id = 1 RETURNING position"
        )
        await bare.fetch(
            "INSERT INTO feed (position, at, changes) VALUES ($1, $2, $3)", position, at, f'[["deal", {deal_id}, 1]]'
        )
        for number, (kind, text) in enumerate((("stage", "Этап: Подумает"), ("task", "Задача: узнать решение"))):
            values = (next(_ids), position - number, contact_id, kind, at, deal_id, text, kind == "stage")
            await bare.fetch(note, *values)


_STATUSES = """
INSERT INTO bare_score (contact_id, status, orders, revenue, computed_at, first_sale_at, last_sale_at, abc, xyz, rfm)
WITH totals AS (
  SELECT contact_id, count(DISTINCT {day}) AS orders, sum(amount) AS revenue, min(at) AS first_at, max(at) AS last_at
  FROM sale WHERE contact_id IS NOT NULL AND amount > 0 AND at <= $1 GROUP BY contact_id
), ranked AS MATERIALIZED (
  SELECT t.*, sum(revenue) OVER (ORDER BY revenue DESC, contact_id ROWS UNBOUNDED PRECEDING) AS so_far,
    sum(revenue) OVER () AS whole, ntile(5) OVER (ORDER BY last_at) AS r, ntile(5) OVER (ORDER BY orders) AS f,
    ntile(5) OVER (ORDER BY revenue) AS m
  FROM totals AS t
)
SELECT c.id,
  CASE WHEN t.orders = 1 AND t.last_at > {fresh} THEN 'разовый свежий' WHEN t.orders = 1 THEN 'разовый старый'
    WHEN t.last_at > {gone} THEN 'постоянный' ELSE 'ушедший' END,
  t.orders, t.revenue, $1, t.first_at, t.last_at,
  CASE WHEN t.so_far < 0.8 * t.whole THEN 'A' WHEN t.so_far < 0.95 * t.whole THEN 'B' ELSE 'C' END, '',
  t.r || '' || t.f || t.m
FROM ranked AS t JOIN contact AS c ON c.id = t.contact_id WHERE c.merged_into IS NULL AND c.deleted_at IS NULL
UNION ALL
SELECT c.id, 'потенциальный', 0, 0, $1, NULL, NULL, '', '', ''
FROM contact AS c WHERE c.merged_into IS NULL AND c.deleted_at IS NULL AND {never}
ON CONFLICT (contact_id) DO UPDATE SET status = excluded.status, orders = excluded.orders, revenue = excluded.revenue,
  computed_at = excluded.computed_at, first_sale_at = excluded.first_sale_at, last_sale_at = excluded.last_sale_at,
  abc = excluded.abc, rfm = excluded.rfm
WHERE (bare_score.status, bare_score.orders, bare_score.revenue, bare_score.last_sale_at, bare_score.abc,
  bare_score.rfm) IS DISTINCT FROM (excluded.status, excluded.orders, excluded.revenue, excluded.last_sale_at,
  excluded.abc, excluded.rfm)
"""
# As each engine does it by one look at all buyers.
_NEVER = {
    True: "c.id NOT IN (SELECT contact_id FROM totals)",
    False: "NOT EXISTS (SELECT 1 FROM totals AS t WHERE t.contact_id = c.id)",
}


async def prepare_statuses(bare: Bare) -> None:
    """A table of the figures like the hub's own."""
    await bare.fetch(
        "CREATE TABLE IF NOT EXISTS bare_score (contact_id bigint PRIMARY KEY, status text, orders integer,"
        f" revenue bigint, computed_at {_type(bare)}, first_sale_at {_type(bare)}, last_sale_at {_type(bare)},"
        " abc text, xyz text, rfm text)"
    )


async def statuses(bare: Bare) -> None:
    """Status, turnover, ABC and RFM of every client, written where they came out differently."""
    now = datetime.now(UTC)
    sqlite = bare.sqlite is not None
    day = "at / 86400000000" if sqlite else "at::date"
    sql = _STATUSES.format(
        day=day,
        never=_NEVER[sqlite],
        fresh=f"$1 - {90 * 86_400_000_000}" if sqlite else "$1::timestamptz - interval '90 days'",
        gone=f"$1 - {180 * 86_400_000_000}" if sqlite else "$1::timestamptz - interval '180 days'",
    )
    async with bare.transaction():
        await bare.fetch(sql, _moment(bare, now))


async def a_day_of_sales(bare: Bare, first_contact: int, contacts: int, days_sales: int) -> None:
    """What accounting sends in a day: sales of clients here and there."""
    at = _moment(bare, datetime.now(UTC))
    mark = time.time_ns()
    async with bare.transaction():
        for number in range(days_sales):
            contact_id = first_contact + 1 + (mark + number * 7919) % contacts
            await bare.fetch(
                "INSERT INTO sale (id, ref, contact_id, name, quantity, amount, currency, at, recorded_at)"
                " VALUES ($1, $2, $3, 'BLS', 1000, 1500000, 'RUB', $4, $4)",
                *(next(_ids), f"day:{mark}:{number}", contact_id, at),
            )


def _moment(bare: Bare, at: datetime) -> Any:
    return int(at.timestamp() * 1_000_000) if bare.sqlite is not None else at


def _type(bare: Bare) -> str:
    return "bigint" if bare.sqlite is not None else "timestamptz"
