"""Short notices on open pages: a client waits for you, an enquiry was given to you. They fade by themselves; what they
tell of stands in the inbox."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from crm_core.model.access import Access, Right
from crm_core.model.case import CaseKind
from crm_core.model.records import CaseRecord
from crm_core.model.user import User
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace.notices import case_notices, lead_notices
from hub.web.live.pieces import Offer, Piece, Wish
from hub.web.pages import Pages
from hub.web.tongues import speak

_TOPIC: Final = "me"


@dataclass(frozen=True, slots=True)
class Notice:
    """`shown` is what the template tells of, whose id is `id`; `mark` differs where it is news to whoever had it
    before; `logins` are whom it concerns, of whom those are told who have the right."""

    id: int
    shown: Any
    mark: str
    logins: Collection[str]


class Notices:
    """Makes notices of cases and of leads."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.offers = (
            self._offer("contact_case", "case", Right.SEE_CASES, self._of_cases),
            self._offer("lead", "lead", Right.SEE_SALES, self._of_leads),
        )

    def _offer(
        self, table: str, name: str, right: Right, found: Callable[[Reading, Collection[int]], Iterator[Notice]]
    ) -> Offer:
        """Notices of a table's rows, drawn by the template of that name, for those who have a right."""
        return Offer(table, partial(self._make, name, right, found), frozenset({_TOPIC}), again=True)

    async def _make(
        self,
        name: str,
        right: Right,
        found: Callable[[Reading, Collection[int]], Iterator[Notice]],
        wishes: Sequence[Wish],
        language: str,
    ) -> Sequence[Piece]:
        ids = [each.id for each in wishes]
        notices, sees = await self._pages.hub.store.read(
            lambda conn: (tuple(found(conn, ids)), self._sees(conn, right))
        )
        speak(language)
        pieces = []
        for each in notices:
            logins = frozenset(filter(sees, each.logins))
            if logins:
                html = self._pages.html(f"popups/{name}.html", each=each.shown, mark=each.mark)
                pieces.append(Piece(_TOPIC, f"notice-{name}-{each.id}", html, logins))
        return pieces

    def _of_cases(self, conn: Reading, ids: Collection[int]) -> Iterator[Notice]:
        for each in case_notices(conn, None, ids):
            case = each.case
            # It is told once more when they wrote again, a rung was told, or somebody else has to answer now.
            yield Notice(case.id, each, f"{case.facts}.{case.rung}.{case.manager}", self._concerned(case))

    def _of_leads(self, conn: Reading, ids: Collection[int]) -> Iterator[Notice]:
        for each in lead_notices(conn, None, ids):
            manager = each.lead.manager
            if manager is not None:
                yield Notice(each.lead.id, each, manager, (manager,))

    def _sees(self, conn: Reading, right: Right) -> Callable[[str], bool]:
        """Whether somebody has a right."""
        hub = self._pages.hub
        catalogue, staff = hub.store.catalogue(conn), hub.directory.staff

        def may(login: str) -> bool:
            user = staff.get(login)
            return user is not None and Access.of(user, catalogue, staff).may(right)

        return may

    def _concerned(self, case: CaseRecord) -> tuple[str, ...]:
        """Who is to answer, and whom the rung that was told last names."""
        hub = self._pages.hub
        staff, told = hub.directory.staff, tuple[User, ...]()
        steps = hub.store.office.ladders.of_case(CaseKind(case.kind)).steps
        if case.rung is not None and case.rung < len(steps):
            tell = steps[case.rung].tell
            told = hub.store.policies.ladder.recipients(tell, staff.get(case.manager), staff, hub.clock.now())
        own = (case.manager,) if case.manager is not None else ()
        return tuple(dict.fromkeys((*own, *(user.login for user in told))))
