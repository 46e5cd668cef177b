"""Figures and how they are shown."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One comparison: what was measured, ours, the bare program's, their ratio and what is aimed at.

    `ratio` is ours by bare where more is better, and where less is better alike: `aim` says which way.
    """

    what: str
    ours: str
    bare: str
    ratio: float | None
    aim: str
    met: bool | None


@dataclass
class Report:
    """The rows of one measurement."""

    name: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, console: Console) -> None:
        """Print as a table."""
        table = Table(title=self.name, title_justify="left")
        for heading in ("what", "hub", "bare", "ratio", "aim", ""):
            table.add_column(heading, justify="left" if heading in {"what", "aim"} else "right")
        for row in self.rows:
            ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
            mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.met]
            table.add_row(row.what, row.ours, row.bare, ratio, row.aim, mark)
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", style="dim")

    def keep(self) -> Path:
        """Write to `benchmarks/results`."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.name.split(':')[0].replace(' ', '_')}.json"
        content = {
            "name": self.name,
            "at": datetime.now(UTC).isoformat(),
            "python": platform.python_version(),
            "rows": [asdict(row) for row in self.rows],
            "notes": self.notes,
        }
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return path


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all lie; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """p50 and p99 in words."""
    return f"p50 {percentile(values, 0.5):.2f} p99 {percentile(values, 0.99):.2f} {unit}"
