"""Whether those who follow may still: a session that ended ends what it follows, and so do other rights.

A browser comes back by itself and is judged anew, or told that it is logged out. It is the change feed that says whom
to look at again, so every node does: a change of people and of rights, and, where a session ends alone, one that names
its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from crm_core.errors import CoreError
from crm_core.model.access import Access
from crm_core.storage.queries.pages import Reading
from crm_core.storage.sessions import SESSION_ENDED, standing
from crm_core.storage.store import Store
from crm_core.storage.users import Credentials, credentials_of
from hub.log import get_logger
from hub.web.live.following import Follower, Followers

log = get_logger(__name__)

# What decides who may be here and what they see: people, what their roles may, which pipelines they see.
_DECIDING: Final = frozenset({"app_user", "definition", "pipeline"})


class _Found(NamedTuple):
    """Who the people are, what they may, and which sessions go on."""

    kept: Mapping[str, Credentials]
    accesses: Mapping[str, Access]
    standing: frozenset[int]


class Judging:
    """Closes what is followed by whoever may not any more. `unproven` says who lacks a demanded second factor."""

    def __init__(self, store: Store, followers: Followers, unproven: Callable[[Credentials], bool]) -> None:
        self._store = store
        self._followers = followers
        self._unproven = unproven

    async def judge(self, changes: Sequence[tuple[str, object, int | None]]) -> None:
        """Look again at those whom changes may concern, before anybody is told of them. Never raises CoreError."""
        ended = {key for table, key, _ in changes if table == SESSION_ENDED}
        for each in self._followers if ended else ():
            if each.stay.visit in ended:
                each.close()
        if any(table in _DECIDING for table, _, _ in changes):
            await self.look_at(self._followers)

    async def look_at(self, followers: Iterable[Follower]) -> None:
        """Look again at these, with a few queries however many; where nobody can say, they go and come again.

        Never raises CoreError.
        """
        those = tuple(followers)
        if not those:
            return
        logins, visits = {each.login for each in those}, {each.stay.visit for each in those}
        try:
            found = await self._store.read(lambda conn: self._found(conn, logins, visits))
        except CoreError as err:
            log.warning("who may go on following could not be asked", error=str(err))
            found = _Found({}, {}, frozenset())
        for each in those:
            kept = found.kept.get(each.login)
            lasts = each.stay.visit in found.standing and each.stay.lasts(kept, found.accesses.get(each.login))
            if not lasts or (kept is not None and self._unproven(kept)):
                each.close()

    def _found(self, conn: Reading, logins: set[str], visits: set[int]) -> _Found:
        kept = credentials_of(conn, logins)
        accesses = self._store.accesses(conn, [each.user for each in kept.values()])
        return _Found(kept, accesses, standing(conn, visits, self._store.clock.now()))
