"""The hub as it runs, in a process of its own; beside it notes when it commits.

`HUB_CONFIG=… python -m benchmarks.workspace.node FILE` adds a line `POSITION ASKED DONE` to FILE with every commit that
changed something: when the database was asked to commit, and when the hub knew that it had, in nanoseconds of the clock
that all processes of a machine share.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

import hub.bootstrap
from crm_core.ports import Clock
from hub.bootstrap import Hub
from hub.cli.running import run_hub
from hub.connectors import Connect
from hub.settings import Settings


class Noting:
    """Writes commits down. What is asked for first and known first belongs together: one fact is on its way at a
    time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="ascii", buffering=1)
        self._asked = 0
        self._build = hub.bootstrap.build

    def build(
        self, settings: Settings, *, clock: Clock | None = None, connectors: Mapping[str, Connect] | None = None
    ) -> Hub:
        """The hub of the settings, listened to."""
        made = self._build(settings, clock=clock, connectors=connectors)
        event.listen(Engine, "commit", self._asks)
        made.store.on_commit(self._done)
        return made

    def _asks(self, _conn: Connection) -> None:
        self._asked = time.perf_counter_ns()

    def _done(self, position: int) -> None:
        self._file.write(f"{position} {self._asked} {time.perf_counter_ns()}\n")


def main(path: Path) -> None:
    """Run until told to stop."""
    noting = Noting(path)
    hub.bootstrap.build = noting.build  # `hub run` builds it there, and nothing else of it is another
    run_hub()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
