"""Each read of the record that a door shows to somebody, under the right that it asks for; see `docs/access.md`.

A read stands under its name below `crm_core.storage`; behind it may stand of what: `queries.history.history_of deals`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from crm_core.model.access import Access
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.workspace.asker import Asker


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody who reads. `anybody` is None where that is the hub itself."""

    desk: Desk
    conn: Connection
    anybody: Access | None

    @property
    def access(self) -> Access:
        """What the person may, of reads that the hub itself never asks for."""
        assert self.anybody is not None
        return self.anybody

    @property
    def asker(self) -> Asker:
        """The person as the workspace knows them."""
        return Asker(self.access, self.desk.work.staff, self.desk.catalogue, self.desk.office, self.desk.now)


Read: TypeAlias = Callable[[Ask], Any]
Reads: TypeAlias = Mapping[Right, Mapping[str, Read]]

# What is not there: whoever may look is told so, whoever may not learns not even that.
NOBODY: Final = 999_999_999
FIRST: Final = Slice(limit=1)
