"""Whether somebody may be rung now, and if not, why: away, off hours, not to be disturbed, on the line."""

from __future__ import annotations

from datetime import datetime

from crm_core.messages import Verdict
from crm_core.model.user import User
from routing.scene import Scene


def standing(user: User, works: bool, at: datetime) -> Verdict | None:
    """What keeps somebody from new calls, whatever their telephone does; None where nothing does.

    `works` says whether this is their working time.
    """
    if not user.active:
        return Verdict.DISABLED
    if user.absence is not None and user.absence.covers(at):
        return Verdict.ABSENT
    if not works:
        return Verdict.OFF_HOURS
    return Verdict.DO_NOT_DISTURB if user.do_not_disturb else None


class Judge:
    """The verdicts of one decision: which telephones are out of the question, what each calendar says, is kept."""

    def __init__(self, scene: Scene, pbx: str, tried: frozenset[str]) -> None:
        self._scene = scene
        self._endpoints = scene.roster.endpoints(pbx)
        self._tried = tried
        self._open: dict[str | None, bool] = {None: True}

    def endpoint(self, user: User) -> str | None:
        """How a person is dialled here."""
        return self._endpoints.get(user.login)

    def works(self, user: User) -> bool:
        """Whether this is somebody's working time."""
        return self.opened(self._scene.roster.hours.get(user.login))

    def scheduled(self, user: User) -> bool:
        """Whether somebody's working time is known."""
        return self._scene.roster.hours.get(user.login) is not None

    def opened(self, calendar: str | None) -> bool:
        """Whether a calendar is open now; no calendar always is."""
        known = self._open.get(calendar)
        if known is None:
            known = self._open[calendar] = self._scene.office.calendar(calendar).is_open(self._scene.at)
        return known

    def verdict(self, user: User) -> Verdict:
        """Why somebody rings or is passed over."""
        found = standing(user, self.works(user), self._scene.at)
        if found is not None:
            return found
        endpoint = self._endpoints.get(user.login)
        if endpoint is None:
            return Verdict.NO_EXTENSION
        if endpoint in self._tried:
            return Verdict.TRIED
        return self._scene.phones.passed_over(endpoint, self._scene.at) or Verdict.RINGS


def deputies(manager: User | None, scene: Scene) -> tuple[User, ...]:
    """The deputy; where that one is away or off hours too, the deputy's own."""
    if manager is None:
        return ()
    found: list[User] = []
    current = scene.staff.get(manager.deputy)
    while current is not None and current.login != manager.login and current not in found:
        found.append(current)
        if current.present(scene.at) and scene.office.works(current, scene.at):
            break
        current = scene.staff.get(current.deputy)
    return tuple(found)
