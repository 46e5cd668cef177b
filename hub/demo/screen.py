"""What the visitor sees: one line as each thing happens, a table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from enum import Enum

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

_PLAIN_WIDTH = 120
_LONGEST = 160


class Who(Enum):
    """Whose line it is; the value is the heading and its style."""

    OFFICE = ("офис", "dim")
    OUTSIDE = ("снаружи →", "bold cyan")
    HUB = ("хаб", "green")
    STAFF = ("сотруднику", "blue")
    LADDER = ("лестница", "bold yellow")
    CLIENT = ("→ клиенту", "bold magenta")


class Screen:
    """The terminal. Lines carry the time since `begin`."""

    def __init__(self, console: Console | None = None) -> None:
        # Where nobody watches (a pipe, a file) lines are wide enough not to be broken in awkward places.
        self._console = console or Console(
            highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH
        )
        self._began = time.monotonic()

    def begin(self) -> None:
        """The story begins now."""
        self._began = time.monotonic()

    def elapsed(self) -> str:
        """Time since the beginning, as `00:07`."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:02}:{seconds:02}"

    def title(self, text: str) -> None:
        """A heading."""
        self._console.print()
        self._console.print(Rule(Text(text, style="bold"), align="left", style="dim"))

    def line(self, who: Who, text: str) -> None:
        """Something happened."""
        heading, style = who.value
        row = Table.grid(padding=(0, 1))
        row.add_column(width=5)
        row.add_column(width=10, justify="right")
        row.add_column(overflow="fold")
        row.add_row(
            Text(self.elapsed(), style="dim"),
            Text(heading, style=style),
            Text(text, style="dim" if who is Who.OFFICE else ""),
        )
        self._console.print(row)

    def say(self, text: str, style: str = "") -> None:
        """A sentence outside the timeline."""
        self._console.print(Padding(Text(text, style=style), (0, 0, 0, 2)))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """The summary."""
        table = Table(show_lines=False, header_style="bold", border_style="dim", expand=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(table)

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and values, one a line."""
        grid = Table.grid(padding=(0, 2))
        for name, value in rows:
            grid.add_row(Text(f"  {name}", style="dim"), Text(value, style="bold"))
        self._console.print(grid)


def quoted(text: str) -> str:
    """A text that somebody wrote, on one line and not too long."""
    flat = " ".join(text.split())
    return f"«{flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + '…'}»"
