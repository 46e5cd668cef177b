"""What every transaction needs and seldom changes: the staff and the catalogue, read again by their revisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from crm_core.model.definitions import Catalogue
from crm_core.model.user import Staff
from crm_core.storage.catalogue import CatalogueCache
from crm_core.storage.staff import StaffCache


@dataclass(slots=True)
class Caches:
    """Both, shared by all transactions of a process."""

    staff: StaffCache = field(default_factory=StaffCache)
    catalogue: CatalogueCache = field(default_factory=CatalogueCache)

    def current(self, conn: Connection) -> tuple[Staff, Catalogue]:
        """The staff and the catalogue as this transaction sees them; one statement where nothing changed."""
        revisions = {row[0]: int(row[1]) for row in conn.exec_driver_sql("SELECT name, value FROM revision")}
        return self.staff.current(conn, revisions["staff"]), self.catalogue.current(conn, revisions["catalogue"])
