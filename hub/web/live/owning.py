"""Whose pages a change concerns: a list of one's own work is asked anew by whom it belongs to, not by everybody.

Who had something before is remembered, so that it vanishes there, too. What is not known concerns everybody.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from crm_core.errors import CoreError
from crm_core.model.user import Staff
from crm_core.storage.queries.workspace.owners import OWNED, Owner, owners_of
from hub.bootstrap import Hub
from hub.log import get_logger
from hub.web.live.pieces import MOST_ROWS
from hub.web.live.topics import OWN

log = get_logger(__name__)

MOST_REMEMBERED = 20_000
_SKEW: Final = timedelta(minutes=1)
_CASE: Final = "contact_case"

People: TypeAlias = frozenset[str] | None
"""Logins; everybody, where None."""
Concerned: TypeAlias = Mapping[str, People]
"""By topic of one's own work: whom it concerns. A topic that is not there concerns everybody."""


class Owners:
    """Remembers who looks after what."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: OrderedDict[tuple[str, int], People] = OrderedDict()
        # What was made before may have had an owner that nobody here has seen.
        self._seeing_since = hub.clock.now()

    async def concerned(
        self, changes: Sequence[tuple[str, object, int | None]], followed: Collection[str]
    ) -> Concerned:
        """Whom these changes concern. Asks the record once, and only where somebody follows such topics."""
        ids: dict[str, set[int]] = {}
        times = Counter[tuple[str, int]]()
        for table, key, _ in changes:
            if table in OWNED and isinstance(key, int):
                ids.setdefault(table, set()).add(key)
                times[table, key] += 1
        if not ids:
            return {}
        unfollowed = not any(OWN[table] in followed for table in ids)
        if unfollowed or any(len(each) > MOST_ROWS for each in ids.values()):
            self._look_away()
            return {}
        try:
            found = await self._hub.store.read(lambda conn: owners_of(conn, ids))
        except CoreError as err:
            log.warning("whom a change concerns could not be asked", error=str(err))
            self._look_away()
            return {}
        rows = {(each.table, each.id): each for each in found}
        staff = self._hub.directory.staff
        return {
            OWN[table]: _together(
                self._touched((table, each), rows.get((table, each)), staff, again=times[table, each] > 1)
                for each in numbers
            )
            for table, numbers in ids.items()
        }

    def _touched(self, key: tuple[str, int], row: Owner | None, staff: Staff, *, again: bool) -> People:
        """Whom a change of one row concerns: whoever had it before and whoever has it now.

        Where it changed `again` meanwhile, somebody may have had it in between, whom nobody knows: it is everybody's
        matter. A case changes with every word of its client, who may say several at once: one that stayed where it was
        is taken to have been there all the time.
        """
        new = row is not None and row.since > self._seeing_since + _SKEW
        before = self._known.pop(key, frozenset() if new else None)
        if row is None:
            return before
        now = _people(row, staff)
        self._known[key] = now
        if len(self._known) > MOST_REMEMBERED:
            self._look_away()
        if again and not (key[0] == _CASE and before == now):
            return None
        return _together((before, now))

    def _look_away(self) -> None:
        """From now on it is not known who had what is there already."""
        self._known.clear()
        self._seeing_since = self._hub.clock.now()


def _people(row: Owner, staff: Staff) -> People:
    """Who looks after it, and who does while they are away; where nobody does, those who may take it."""
    owner, other = staff.get(row.login), {row.also} if row.also else set()
    if owner is not None:
        return frozenset({owner.login, *other} | ({owner.deputy} if owner.deputy else set()))
    if row.group is not None:
        group = [each for each in staff.by_login.values() if each.group == row.group]
        return frozenset(each.login for each in group) | {each.deputy for each in group if each.deputy}
    return None


def _together(people: Iterable[People]) -> People:
    found: set[str] = set()
    for each in people:
        if each is None:
            return None
        found |= each
    return frozenset(found)
