"""How the command line speaks: tables for people, JSON for programs, a sentence for a failure."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

LONGEST_CELL = 60


class Failure(Exception):
    """A command could not do what it was asked; the text says why and what to do."""


def print_json(value: Any) -> None:
    """A value as JSON; times in UTC, RFC 3339."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], nothing: str) -> None:
    """Rows under headings (`columns` maps the key to its heading); `nothing` is said where there are none."""
    if not rows:
        typer.echo(nothing)
        return
    table = [list(columns.values()), *([_cell(row.get(key)) for key in columns] for row in rows)]
    widths = [max(_width(line[index]) for line in table) for index in range(len(columns))]
    for line in table:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    """One line without control characters: what clients write is not let loose on the terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "да" if value else "нет"
    text = value.strftime("%d.%m.%Y %H:%M:%S") if isinstance(value, datetime) else str(value)
    text = printable(" ".join(text.split()))
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def printable(text: str) -> str:
    """A text without what could steer a terminal; line breaks stay."""
    return "".join(char if char in "\n\t" or not unicodedata.category(char).startswith("C") else "·" for char in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
