"""Short notices on open pages: a client waits for you, an enquiry was given to you. They fade by themselves; what they
tell of stands in the inbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

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


class Notices:
    """Makes notices of cases and of leads."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.offers = (
            Offer("contact_case", self._of_cases, frozenset({_TOPIC})),
            Offer("lead", self._of_leads, frozenset({_TOPIC})),
        )

    async def _of_cases(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        ids = [each.id for each in wishes]
        found, sees = await self._pages.hub.store.read(
            lambda conn: (case_notices(conn, ids), self._sees(conn, Right.SEE_CASES))
        )
        speak(language)
        pieces = []
        for each in found:
            logins = frozenset(filter(sees, self._concerned(each.case)))
            # It is told once more when they wrote again, a rung was told, or somebody else has to answer now.
            mark = f"{each.case.facts}.{each.case.rung}.{each.case.manager}"
            if logins:
                html = self._pages.html("popups/case.html", each=each, mark=mark)
                pieces.append(Piece(_TOPIC, f"notice-case-{each.case.id}", html, logins))
        return pieces

    async def _of_leads(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        ids = [each.id for each in wishes]
        found, sees = await self._pages.hub.store.read(
            lambda conn: (lead_notices(conn, ids), self._sees(conn, Right.SEE_CLIENTS))
        )
        speak(language)
        pieces = []
        for each in found:
            manager = each.lead.manager
            if manager is not None and sees(manager):
                html = self._pages.html("popups/lead.html", each=each, mark=manager)
                pieces.append(Piece(_TOPIC, f"notice-lead-{each.lead.id}", html, frozenset({manager})))
        return pieces

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
