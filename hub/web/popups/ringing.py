"""Popups are made of the calls that ring: for whom, with what they may see; and taken away when it rings no more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from crm_core.messages import RouteStage, Verdict
from crm_core.model.access import Access, Right
from crm_core.model.call import CallState, Direction
from crm_core.model.identity import caller
from crm_core.model.records import CallRecord
from crm_core.model.user import Staff, User
from crm_core.storage.queries.calls import calls_named
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace.calls_now import calls_now
from crm_core.storage.queries.workspace.popup import Popup, popup
from hub.web.call_words import stage_word
from hub.web.live.pieces import Offer, Piece, Wish
from hub.web.pages import Pages
from hub.web.tongues import speak

_TOPIC: Final = "me"
_MOST_PEOPLE = 20
"""That one call is shown to at once; of a larger group those that were rung first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The popup of a call for some people, all of whom see the same; None where it is to be taken away."""

    call: CallRecord
    logins: frozenset[str]
    popup: Popup | None
    staff: Staff
    region: str

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
    def talking(self) -> bool:
        """Whether it was picked up."""
        return self.call.state is CallState.ANSWERED

    @property
    def whys(self) -> tuple[str, ...]:
        """Why it rings here: the rules that chose these people, as decisions on the call tell."""
        steps = [step for each in (self.popup.decisions if self.popup else ()) for step in each.trace]
        chose = [step for step in steps if step["verdict"] == Verdict.RINGS.value and step.get("login") in self.logins]
        return tuple(dict.fromkeys(stage_word(step["stage"]) for step in chose if step["stage"] in set(RouteStage)))


class Ringing:
    """Makes popups of calls."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.offer = Offer("call", self._make, frozenset({_TOPIC}))

    async def mine(self, user: User, language: str) -> Sequence[Piece]:
        """The popups that somebody has to see now."""
        hub = self._pages.hub

        def found(conn: Reading) -> list[Shown]:
            calls = [each for each in calls_now(conn, hub.clock.now()) if user.login in concerned(each)]
            return [each for call in calls for each in self._shown(conn, call, {user.login})]

        return self._pieces(await hub.store.read(found), language)

    async def _make(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        hub, ids = self._pages.hub, [each.id for each in wishes]

        def found(conn: Reading) -> list[Shown]:
            return [each for call in calls_named(conn, ids) for each in self._shown(conn, call)]

        return self._pieces(await hub.store.read(found), language)

    def _shown(self, conn: Reading, call: CallRecord, only: Collection[str] | None = None) -> list[Shown]:
        """What of a call is shown to whom; people who see all cards share one."""
        staff, region = self._pages.hub.directory.staff, self._pages.hub.store.office.region
        everybody = frozenset(each["user"] for each in call.rung if each.get("user"))
        wanted = [login for login in concerned(call) if only is None or login in only][:_MOST_PEOPLE]
        found, seeing_all = [], []
        for login in wanted:
            user = staff.get(login)
            if user is None:
                continue
            asker = self._pages.hub.store.asker(conn, user)
            if not Access.of(user, asker.catalogue, asker.staff).may(Right.SEE_CALLS):
                continue
            if asker.sight.everything:
                seeing_all.append(login)
            else:
                found.append(Shown(call, frozenset({login}), popup(conn, asker, call.id), staff, region))
        if seeing_all:
            asker = self._pages.hub.store.asker(conn, staff.by_login[seeing_all[0]])
            found.append(Shown(call, frozenset(seeing_all), popup(conn, asker, call.id), staff, region))
        if only is None and (gone := everybody - set(wanted)):
            found.append(Shown(call, gone, None, staff, region))
        return found

    def _pieces(self, found: Sequence[Shown], language: str) -> list[Piece]:
        speak(language)
        return [Piece(_TOPIC, each.key, self._pages.html("popups/call.html", each=each), each.logins) for each in found]


def concerned(call: CallRecord) -> tuple[str, ...]:
    """Whose telephones ring with a client's call, or who talks with them; nobody, when it is over."""
    if call.direction is not Direction.IN or call.finished_at is not None:
        return ()
    if call.state is CallState.ANSWERED:
        return (call.answered_by,) if call.answered_by else ()
    return tuple(dict.fromkeys(each["user"] for each in call.rung if each.get("user") and each["ring_s"] is None))
