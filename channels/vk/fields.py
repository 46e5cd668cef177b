"""Reading VK's JSON: every value is taken with the type it must have. Vendor dicts go no further than this package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_core.wording import Worded

# Databases refuse NUL, encoders refuse halves of surrogate pairs; JSON can carry both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_ID = 2**63 - 1


class ShapeError(Worded, ValueError):
    """A value is not what VK's documentation says; the words name the place."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object; `where` is its place, for people. Everything raises ShapeError."""

    values: Mapping[str, object]
    where: str = ""

    @classmethod
    def of(cls, value: object, where: str = "event") -> Fields:
        """The fields of a value that has to be an object."""
        if not isinstance(value, dict):
            raise ShapeError("{where}: an object is wanted, not {found}", where=where, found=_kind(value))
        return cls(value, where)

    def _place(self, name: str) -> str:
        return f"{self.where}.{name}"

    def has(self, name: str) -> bool:
        """Whether there is a value, and not null."""
        return self.values.get(name) is not None

    def number(self, name: str) -> int:
        """A whole number that has to be there."""
        found = self.maybe_number(name)
        if found is None:
            raise ShapeError("{where}: is missing", where=self._place(name))
        return found

    def maybe_number(self, name: str) -> int | None:
        """A whole number of at most 64 bits, None where there is none."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not -MAX_ID <= value <= MAX_ID:
            raise ShapeError(
                "{where}: a whole number is wanted, not {found}", where=self._place(name), found=_kind(value)
            )
        return value

    def real(self, name: str) -> float:
        """A number that has to be there."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ShapeError("{where}: a number is wanted, not {found}", where=self._place(name), found=_kind(value))
        return float(value)

    def text(self, name: str) -> str:
        """A text, made storable; empty where there is none."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ShapeError("{where}: a text is wanted, not {found}", where=self._place(name), found=_kind(value))
        return clean(value)

    def child(self, name: str) -> Fields:
        """An object that has to be there."""
        return Fields.of(self.values.get(name), f"{self.where}.{name}")

    def maybe_child(self, name: str) -> Fields | None:
        """An object, None where there is none."""
        return self.child(name) if self.has(name) else None

    def items(self, name: str) -> Sequence[object]:
        """A list, empty where there is none."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise ShapeError("{where}: a list is wanted, not {found}", where=self._place(name), found=_kind(value))
        return value

    def children(self, name: str) -> Sequence[Fields]:
        """A list of objects, empty where there is none."""
        items = self.items(name)
        return [Fields.of(each, f"{self.where}.{name}[{index}]") for index, each in enumerate(items)]

    def moment(self, name: str) -> datetime | None:
        """A moment in Unix seconds; None where there is none."""
        seconds = self.maybe_number(name)
        if seconds is None:
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise ShapeError("{where}: no moment ({found})", where=self._place(name), found=seconds) from error


def clean(text: str) -> str:
    """The text without what can't be stored."""
    return _UNSTORABLE.sub("\ufffd", text)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
