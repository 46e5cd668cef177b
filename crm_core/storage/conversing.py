"""Questions about the written word: where people of the office wrote, where a client wrote last, a day's figures.

See `crm_core.ports.UnitOfWork`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text

from crm_core.model.call import Direction
from crm_core.model.figures import Figures
from crm_core.model.records import EntryRecord
from crm_core.model.timeline import EntryKind
from crm_core.storage import bulk
from crm_core.storage.held import Held
from crm_core.storage.types import UtcDateTime

_ATTENDED = "attended"
_WRITTEN = frozenset({EntryKind.MESSAGE, EntryKind.EMAIL})
# Missed is what the timeline calls missed; whose client it was: the client's manager's, else their open lead's.
_CALLS = """
SELECT COUNT(CASE WHEN c.state = 'answered'{answering} THEN 1 END) AS answered,
  COUNT(CASE WHEN t.signal = 'miss'{missing} THEN 1 END) AS missed
FROM "call" AS c LEFT JOIN timeline AS t ON t.id = c.entry_id LEFT JOIN contact AS k ON k.id = c.contact_id
  LEFT JOIN lead AS l ON l.contact_id = c.contact_id AND l.status IN ('new', 'taken')
WHERE c.started_at >= :since AND c.direction = 'in'
"""
# Whoever was written to today has been in contact today: few timelines are looked at. CROSS, or SQLite begins with the
# timelines, all of them.
_REPLIES = """
SELECT COUNT(*) AS replies FROM contact AS k CROSS JOIN timeline AS t
WHERE t.contact_id = k.id AND k.last_contact_at >= :since AND t.occurred_at >= :since AND t.signal = 'reply'{own}
"""
_LEADS = "SELECT COUNT(*) AS leads FROM lead WHERE created_at >= :since{own}"
_CASES = """
SELECT COUNT(*) AS cases, MIN(opened_at) AS waiting, COUNT(promised_at) AS promises, MIN(promised_at) AS promised
FROM contact_case WHERE state = 'open'{own}
"""


class Conversing(Held):
    """The questions about conversations."""

    def attended(self, contact_ids: Iterable[int]) -> dict[int, set[tuple[str, str, str]]]:
        """The conversations (channel, account, id) in which people of the office have written to contacts."""
        wanted = list(dict.fromkeys(contact_ids))
        known = self._loaded[EntryRecord, _ATTENDED]
        missing = [each for each in wanted if each not in known]
        if missing:
            columns = "t.contact_id, t.channel, t.account, t.conversation"
            sql = (
                f"SELECT DISTINCT {columns} FROM timeline AS t WHERE t.contact_id {bulk.among(self.conn, 1)}"
                " AND t.direction = 'out' AND t.by_person AND t.conversation IS NOT NULL"
            )
            for contact_id, *place in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, missing),)):
                self._attended.setdefault(contact_id, set()).add(tuple(place))
            known.update(missing)
        found = {each: set(self._attended.get(each, ())) for each in wanted}
        for entry in self._pending(EntryRecord):
            is_ours = entry.direction is Direction.OUT and entry.by_person and entry.conversation is not None
            if is_ours and entry.contact_id in found:
                found[entry.contact_id].add((entry.channel or "", entry.account or "", entry.conversation or ""))
        return found

    def last_written(self, contact_id: int) -> EntryRecord | None:
        """The client's newest message or mail, in whatever channel: there an answer reaches them."""
        columns = bulk.select_list(EntryRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM timeline AS t WHERE t.contact_id = {bulk.placeholder(self.conn, 1)}"
            " AND t.direction = 'in' AND t.conversation IS NOT NULL AND t.kind IN ('message', 'email')"
            " ORDER BY t.occurred_at DESC, t.sequence DESC, t.id DESC LIMIT 1"
        )
        found = bulk.read(self.conn, EntryRecord, sql, (contact_id,))
        return found[0] if found else None

    def written_places(self, contact_ids: Iterable[int]) -> dict[int, list[EntryRecord]]:
        """The newest message or mail of each contact in each of their conversations, the newest first."""
        wanted = list(dict.fromkeys(contact_ids))
        if not wanted:
            return {}
        columns = bulk.select_list(EntryRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM (SELECT e.*, row_number() OVER (PARTITION BY e.contact_id, e.channel, e.account,"
            " e.conversation ORDER BY e.occurred_at DESC, e.sequence DESC, e.id DESC) AS place FROM timeline AS e"
            f" WHERE e.contact_id {bulk.among(self.conn, 1)} AND e.direction = 'in' AND e.conversation IS NOT NULL"
            " AND e.kind IN ('message', 'email')) AS t WHERE t.place = 1"
        )
        found = bulk.read(self.conn, EntryRecord, sql, (bulk.keys(self.conn, wanted),))
        asked = set(wanted)
        newest = {(each.contact_id, each.channel, each.account, each.conversation): each for each in found}
        for each in self._pending(EntryRecord):
            is_theirs = each.direction is Direction.IN and each.kind in _WRITTEN and bool(each.conversation)
            if is_theirs and each.contact_id in asked:
                key = (each.contact_id, each.channel, each.account, each.conversation)
                newest[key] = max(newest.get(key, each), each, key=_moment)
        places: dict[int, list[EntryRecord]] = {}
        for each in sorted(newest.values(), key=_moment, reverse=True):
            places.setdefault(each.contact_id, []).append(each)
        return places

    def figures(self, since: datetime, login: str | None) -> Figures:
        """The figures since a moment, of a person or of the whole office. Four statements."""
        theirs = login is not None
        calls = self._figure(
            _CALLS.format(
                answering=" AND c.answered_by = :login" if theirs else "",
                missing=" AND COALESCE(k.manager, l.manager) = :login" if theirs else "",
            ),
            since,
            login,
        )
        replies = self._figure(_REPLIES.format(own=" AND t.author = :login" if theirs else ""), since, login)
        leads = self._figure(_LEADS.format(own=" AND manager = :login" if theirs else ""), since, login)
        cases = self._figure(_CASES.format(own=" AND manager = :login" if theirs else ""), None, login)
        return Figures(
            answered=calls.answered,
            missed=calls.missed,
            replies=replies.replies,
            leads=leads.leads,
            open_cases=cases.cases,
            waiting_since=cases.waiting,
            promised=cases.promises,
            promised_at=cases.promised,
        )

    def _figure(self, sql: str, since: datetime | None, login: str | None) -> Any:
        statement = text(sql)
        values: dict[str, Any] = {}
        if since is not None:
            statement = statement.bindparams(bindparam("since", type_=UtcDateTime()))
            values["since"] = since
        if login is not None:
            values["login"] = login
        typed = {"waiting": UtcDateTime, "promised": UtcDateTime} if "AS waiting" in sql else {}
        return self.conn.execute(statement.columns(**typed), values).one()


def _moment(entry: EntryRecord) -> tuple[datetime, int, int]:
    return entry.occurred_at, entry.sequence, entry.id
