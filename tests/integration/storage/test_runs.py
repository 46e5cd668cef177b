"""The journal of rules, however much stands in it."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.storage import tables
from crm_core.storage.queries.pages import Page, Slice
from crm_core.storage.queries.runs import RunFilter, list_runs
from crm_core.storage.queries.workspace.asker import Asker
from tests.integration.storage.test_workspace import plans
from tests.integration.storage.world import World, at

_RUNS = 2_000


async def test_the_last_runs_of_all_rules_are_read_from_the_end_of_an_index(world: World) -> None:
    rows = [
        RuleRunRecord(f"{n:05}", f"rule {n % 7}", "contact", n, None, at(n // 3), RunOutcome.DONE, "", (), "")._asdict()
        for n in range(_RUNS)
    ]

    def write(conn: Connection) -> None:
        conn.execute(insert(tables.rule_run), rows)
        conn.exec_driver_sql("ANALYZE rule_run")

    await world.store.database.write(write)
    after: str | None = None
    found: list[str] = []

    def page(conn: Connection, asker: Asker) -> Page[RuleRunRecord]:
        return list_runs(conn, asker.access, RunFilter(), Slice(after, 10))

    for _ in range(3):
        seen = await plans(world, "head", page)
        assert len(seen.statements) == 1
        assert seen.scans("rule_run") == []
        assert seen.uses("ix_rule_run_at")
        assert "Seq Scan" not in seen.plans[0]
        after = seen.answer.next
        found += [each.key for each in seen.answer.items]
    assert found == [f"{n:05}" for n in reversed(range(_RUNS - 30, _RUNS))]
