"""What an API token opens: everything that its person may, or only what its scopes name.

A scope is `read`, `write`, or one of them within an area of the API: `calls:read`. Whoever may write may read too.
No scope gives more than the person's own rights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from crm_core.errors import InvalidInput

_WRITTEN = re.compile(r"(?:([a-z][a-z-]{0,39}):)?(read|write)\Z")


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One scope; `area` is a tag of the API, empty for all of them."""

    area: str = ""
    writes: bool = False

    @classmethod
    def parse(cls, text: str) -> Scope:
        """A scope as it is written; raises InvalidInput."""
        found = _WRITTEN.match(text.strip())
        if found is None:
            raise InvalidInput(
                "scope «{text}»: read, write, or one of them within an area, like calls:read", text=text[:60]
            )
        return cls(found[1] or "", found[2] == "write")

    def covers(self, other: Scope) -> bool:
        """Whether this opens all that the other one does."""
        return self.area in {"", other.area} and (self.writes or not other.writes)

    def __str__(self) -> str:
        what = "write" if self.writes else "read"
        return f"{self.area}:{what}" if self.area else what


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a token opens; `named` None: everything that its person may."""

    named: frozenset[Scope] | None = None

    @classmethod
    def parse(cls, texts: Iterable[str] | None, areas: Iterable[str] | None = None) -> Scopes:
        """Scopes as they are written, None for all. Raises InvalidInput for none, and for an area not among `areas`."""
        if texts is None:
            return EVERYTHING
        found = frozenset(map(Scope.parse, texts))
        if not found:
            raise InvalidInput("scopes: name at least one, or leave them out for all that the person may")
        known = {"", *areas} if areas is not None else {scope.area for scope in found}
        if strange := sorted(scope.area for scope in found if scope.area not in known):
            raise InvalidInput(
                "scope «{strange}:…»: there is no such area; known are {known}",
                strange=strange[0],
                known=", ".join(sorted(known)[1:]),
            )
        return cls(found)

    def allow(self, area: str, *, writes: bool) -> bool:
        """Whether an operation of this area is open."""
        return self.cover(Scope(area, writes))

    def cover(self, wanted: Scope) -> bool:
        """Whether all that one scope opens is open."""
        return self.named is None or any(scope.covers(wanted) for scope in self.named)

    def cover_all(self, others: Scopes) -> bool:
        """Whether all that other scopes open is open: nobody hands on more than they hold."""
        if self.named is None:
            return True
        return others.named is not None and all(self.cover(scope) for scope in others.named)

    def plain(self) -> list[str] | None:
        """As they are written, in order."""
        return None if self.named is None else [str(scope) for scope in sorted(self.named)]


EVERYTHING = Scopes()
