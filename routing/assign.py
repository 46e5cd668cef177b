"""Who gets a new lead: the least loaded of those who are at work, in turn where loads are equal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from crm_core.model.user import Role, Staff, User
from crm_core.ports import Load

_NONE = Load()


def _always(_user: User, _at: datetime) -> bool:
    return True


class LeastLoaded:
    """The assigner of the hub; see `crm_core.ports.Assigner`. `works` says whether it is somebody's working time."""

    def __init__(self, works: Callable[[User, datetime], bool] = _always) -> None:
        self._works = works

    def assign(self, group: str | None, staff: Staff, loads: dict[str, Load], at: datetime) -> User | None:
        """The present person with the fewest open leads; of several, who has waited longest for a new one. People in
        their working time come first; where nobody is, whoever is present gets it, so that it has an owner.

        A group without anybody present gives the lead to nobody: it waits for the group rather than for strangers.
        """
        people = staff.members(group) if group is not None else staff.with_role(Role.MANAGER)
        present = [user for user in people if user.present(at) and not user.do_not_disturb]

        def burden(user: User) -> tuple[int, int, int]:
            load = loads.get(user.login, _NONE)
            return load.open_leads, load.last_assigned, user.id

        working = [user for user in present if self._works(user, at)]
        return min(working or present, key=burden, default=None)
