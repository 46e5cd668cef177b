"""What the configuration and the people of the office demand of each other: names that only the record knows."""

from __future__ import annotations

from collections.abc import Iterator

from crm_core.model.calendar import ANY_HOURS
from crm_core.model.line import Goal, Line, Target
from crm_core.model.office import Office
from crm_core.model.user import Staff
from hub.settings.nearest import nearest


def contradictions(office: Office, staff: Staff) -> tuple[str, ...]:
    """Each as `key path: what is wrong. How to mend it`: people named by menus and nights who are not there, calendars
    of people that are not configured, items of menus that give clients to a group without anybody."""
    return (*_unknown_people(office, staff), *_unknown_calendars(office, staff), *_empty_groups(office, staff))


def _unknown_people(office: Office, staff: Staff) -> Iterator[str]:
    for position, line in enumerate(office.lines, start=1):
        for key, target in _targets(line):
            user = staff.get(target.name) if target.goal is Goal.USER else None
            if target.goal is not Goal.USER or (user is not None and user.active):
                continue
            path = f"line[{position}].{key}"
            if user is not None:
                yield f"{path}: user «{target.name}» is disabled. Name somebody else"
                continue
            close = nearest(target.name, staff.by_login)
            guess = f'Did you mean "user:{close}"?' if close else "Add them: hub user add"
            yield f"{path}: there is no user «{target.name}». {guess}"


def _unknown_calendars(office: Office, staff: Staff) -> Iterator[str]:
    for user in staff.by_login.values():
        if user.active and user.hours not in {None, ANY_HOURS, *office.calendars}:
            mend = f'Until then they work round the clock: hub user update --login {user.login} --hours "…"'
            yield f"user {user.login}: there is no [[hours]] named «{user.hours}». {mend}"


def _empty_groups(office: Office, staff: Staff) -> Iterator[str]:
    for key, answers in sorted(office.answers.items()):
        for item in answers.menu:
            if item.group is not None and not staff.members(item.group):
                mend = f"Add somebody: hub user update --login … --group {item.group}"
                yield f"{key}, menu «{item.text}»: nobody is in the group «{item.group}». {mend}"


def _targets(line: Line) -> Iterator[tuple[str, Target]]:
    if line.menu is not None:
        for key, target in line.menu.keys:
            yield f"menu.{key}", target
    yield "night", line.night
