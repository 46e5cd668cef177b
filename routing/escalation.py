"""Who is told on a rung of a ladder, so that an absence never stalls it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from crm_core.model.ladder import Told
from crm_core.model.user import Role, Staff, User

_ROLES = {Told.HEAD: Role.HEAD, Told.DIRECTOR: Role.DIRECTOR, Told.ADMIN: Role.ADMIN}
# Who stands in when a rung names nobody that exists.
_STAND_INS = (Role.CONTROLLER, Role.HEAD, Role.DIRECTOR, Role.ADMIN, Role.MANAGER)


class TellByRole:
    """The ladder policy of the hub; see `crm_core.ports.LadderPolicy`."""

    def recipients(self, tell: Sequence[Told], manager: User | None, staff: Staff, at: datetime) -> tuple[User, ...]:
        """Everybody named, each once, with the deputies of those who are away."""
        found: dict[str, User] = {}
        for told in tell:
            for user in _named(told, manager, staff):
                found.setdefault(user.login, user)
                deputy = _deputy(user, staff, at)
                if deputy is not None:
                    found.setdefault(deputy.login, deputy)
        if not found:
            found = {user.login: user for user in _stand_ins(staff)}
        return tuple(found.values())


def _named(told: Told, manager: User | None, staff: Staff) -> Iterable[User]:
    match told:
        case Told.MANAGER:
            return (manager,) if manager is not None and manager.active else ()
        case Told.DEPUTY:
            deputy = staff.get(manager.deputy) if manager is not None else None
            return (deputy,) if deputy is not None and deputy.active else ()
        case Told.CONTROLLER:
            own = staff.get(manager.controller) if manager is not None else None
            return (own,) if own is not None and own.active else staff.with_role(Role.CONTROLLER)
        case Told.HEAD:
            heads = staff.with_role(Role.HEAD)
            of_group = tuple(user for user in heads if manager is not None and user.group == manager.group)
            return of_group or heads
        case Told.DIRECTOR | Told.ADMIN:
            return staff.with_role(_ROLES[told])


def _deputy(user: User, staff: Staff, at: datetime) -> User | None:
    """The deputy of somebody who is away; the deputy's own deputy where that one is away too."""
    seen = {user.login}
    current = user
    while not current.present(at):
        deputy = staff.get(current.deputy)
        if deputy is None or deputy.login in seen or not deputy.active:
            return None
        seen.add(deputy.login)
        current = deputy
    return current if current is not user else None


def _stand_ins(staff: Staff) -> tuple[User, ...]:
    for role in _STAND_INS:
        people = staff.with_role(role)
        if people:
            return people
    return ()
