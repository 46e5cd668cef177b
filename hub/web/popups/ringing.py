"""Popups are made of the calls that ring: for whom, with what they may see; and taken away when it rings no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crm_core.messages import RouteStage, Verdict
from crm_core.model.access import Access, Right
from crm_core.model.call import CallState, Direction
from crm_core.model.call_now import passed_on_by, ringing_legs, rings_now, talk_now
from crm_core.model.identity import caller
from crm_core.model.records import CallRecord
from crm_core.model.user import Staff, User
from crm_core.storage.queries.calls import calls_named
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace.calls_now import calls_now
from crm_core.storage.queries.workspace.popup import Popup, popups
from hub.web.live.pieces import Offer, Piece, Wish
from hub.web.pages import Pages
from hub.web.popups.links import lost_links
from hub.web.tongues import speak
from hub.web.words import stage_word

_TOPIC: Final = "me"
_MOST_PEOPLE = 20
"""That one call is shown to at once; of a larger group those that were rung first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The popup of a call for some people, all of whom see the same; None where it is to be taken away. `talking`: they
    picked it up; `lost`: the telephone system's link is down, so that it may be over."""

    call: CallRecord
    logins: frozenset[str]
    popup: Popup | None
    staff: Staff
    region: str
    talking: bool = False
    lost: bool = False

    @property
    def key(self) -> str:
        """The id of its element."""
        return f"popup-{self.call.id}"

    @property
    def number(self) -> str:
        """The client's number in E.164 where it is one, else as the telephone system wrote it."""
        identity = caller(self.call.number, self.region)
        return identity.value if identity is not None else self.call.number

    @property
    def passed_on_by(self) -> str | None:
        """Who passes the call on to those whom it rings."""
        by = None if self.talking else passed_on_by(self.call)
        user = self.staff.get(by)
        return user.name if user is not None else by

    @property
    def passed_on_to(self) -> tuple[str, ...]:
        """Whom it rings while somebody talks, or talked."""
        legs = ringing_legs(self.call) if self.talking else ()
        names = (self.staff.get(leg.get("user")) or leg["endpoint"] for leg in legs)
        return tuple(dict.fromkeys(each.name if isinstance(each, User) else each for each in names))

    @property
    def whys(self) -> tuple[str, ...]:
        """Why it rings here: the rules that chose these people, as decisions on the call tell."""
        if self.call.state is CallState.ANSWERED:
            return ()  # they chose who was rung first
        steps = [step for each in (self.popup.decisions if self.popup else ()) for step in each.trace]
        chose = [step for step in steps if step["verdict"] == Verdict.RINGS.value and step.get("login") in self.logins]
        return tuple(dict.fromkeys(stage_word(step["stage"]) for step in chose if step["stage"] in set(RouteStage)))


class Ringing:
    """Makes popups of calls."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.offer = Offer("call", self._make, frozenset({_TOPIC}))

    async def mine(self, access: Access, language: str) -> Sequence[Piece]:
        """The popups that somebody has to see now; raises Forbidden."""
        hub, now = self._pages.hub, self._pages.hub.clock.now()

        def found(conn: Reading) -> list[Shown]:
            calls = [each for each in calls_now(conn, access, now) if access.login in concerned(each, now)]
            return [each for call in calls for each in self._shown(conn, call, now, {access.login})]

        return self._pieces(await hub.store.read(found), language)

    async def _make(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        hub, ids = self._pages.hub, [each.id for each in wishes]
        now = hub.clock.now()

        def found(conn: Reading) -> list[Shown]:
            return [each for call in calls_named(conn, ids) for each in self._shown(conn, call, now)]

        return self._pieces(await hub.store.read(found), language)

    def _shown(
        self, conn: Reading, call: CallRecord, now: datetime, only: Collection[str] | None = None
    ) -> list[Shown]:
        """What of a call is shown to whom; people who see all cards share one. All that is known is asked for once."""
        staff, region = self._pages.hub.directory.staff, self._pages.hub.store.office.region
        parts = {login: part for login, part in concerned(call, now).items() if only is None or login in only}
        wanted = dict(list(parts.items())[:_MOST_PEOPLE])
        together: dict[tuple[bool, str], list[str]] = {}  # who sees the same
        people = [user for user in map(staff.get, wanted) if user is not None]
        askers = self._pages.hub.store.askers(conn, people)
        for login, asker in askers.items():
            if asker.access.may(Right.SEE_CALLS):
                alike = "" if asker.sight.everything else login
                together.setdefault((wanted[login], alike), []).append(login)
        lost = bool(together) and call.pbx in lost_links(conn, self._pages.hub)
        made = popups(conn, [askers[logins[0]] for logins in together.values()], call) if together else []
        found = [
            Shown(call, frozenset(logins), each, staff, region, talking=talking, lost=lost)
            for ((talking, _login), logins), each in zip(together.items(), made, strict=True)
        ]
        if only is None and (gone := everybody(call) - set(wanted)):
            found.append(Shown(call, gone, None, staff, region))
        return found

    def _pieces(self, found: Sequence[Shown], language: str) -> list[Piece]:
        speak(language)
        return [Piece(_TOPIC, each.key, self._pages.html("popups/call.html", each=each), each.logins) for each in found]


def concerned(call: CallRecord, now: datetime) -> Mapping[str, bool]:
    """Whose telephones ring with a client's call, or who talks with them (True); nobody, when it is over. Of a call
    that the office made, only to whom it is passed on: the others made it themselves. Nothing rings for hours: where a
    telephone system left it unsaid how that ended, it rings no more."""
    if call.finished_at is not None or (call.direction is not Direction.IN and call.state is not CallState.ANSWERED):
        return {}
    parts = {leg["user"]: False for leg in rings_now(call, now) if leg.get("user")}
    if call.state is CallState.ANSWERED:
        talk = talk_now(call)
        talks = talk["user"] if talk is not None else None if call.talks else call.answered_by
        if talks and (call.direction is Direction.IN or len(call.talks) > 1):
            parts[talks] = True
    return parts


def everybody(call: CallRecord) -> frozenset[str]:
    """Who may have had a popup of a call."""
    people = {*(each.get("user") for each in (*call.rung, *call.talks)), call.answered_by}
    return frozenset(each for each in people if each)
