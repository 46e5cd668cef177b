"""Reports as somebody may see them: of everybody, of a person of their group, or of themselves."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from crm_core.model.access import Access, Reach, Right
from crm_core.storage.reports.base import Report, Table, Wanted


def seen_of(access: Access, login: str | None) -> str | None:
    """Of whom somebody sees figures who asks for those of a manager (None: of everybody): where the right does not
    reach all, of themselves, or of the person of their group whom they name. Raises Forbidden."""
    access.demand(Right.SEE_REPORTS)
    reach = access.reach(Right.SEE_REPORTS)
    if reach is Reach.OWN or (reach is Reach.GROUP and login not in access.people.group):
        return access.login
    return login


def report_of(conn: Connection, access: Access, report: Report, wanted: Wanted) -> Table:
    """A report of those whose figures somebody sees; raises Forbidden."""
    return report.run(conn, replace(wanted, login=seen_of(access, wanted.login)))
