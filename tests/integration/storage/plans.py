"""What a query asks of the database: how many statements, and by which plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tests.integration.storage.world import World
from tests.statements import Statement, heard


@dataclass(frozen=True, slots=True)
class Seen:
    """What a query answered, the statements that it took, and the plan of each."""

    answer: Any
    statements: tuple[str, ...]
    plans: tuple[str, ...]

    def scans(self, *tables: str) -> list[str]:
        """The lines of plans by which one of these tables is read whole, without an index."""
        found = []
        for plan in self.plans:
            for line in plan.splitlines():
                words = line.replace("(", " ").split()
                whole = "SCAN" in words and "USING" not in words
                if (whole or "Seq Scan on" in line) and set(tables) & {word.strip('"') for word in words}:
                    found.append(line.strip())
        return found

    def uses(self, index: str) -> bool:
        """Whether some statement reads along this index."""
        return any(index in plan for plan in self.plans)


async def seen(world: World, query: Callable[[Connection], Any]) -> Seen:
    """Run a query, and have every statement of it explained; small tables are not read whole for being small."""

    def run(conn: Connection) -> Seen:
        sqlite = conn.dialect.name == "sqlite"
        if not sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        asked: list[Statement] = []
        with heard(conn, asked.append):
            answer = query(conn)
        prefix = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        plans = []
        for statement, parameters in asked:
            rows = conn.exec_driver_sql(prefix + statement, parameters)
            plans.append("\n".join(str(row[-1]) for row in rows))
        return Seen(answer, tuple(statement for statement, _ in asked), tuple(plans))

    return await world.store.database.read(run, at_length=True)
