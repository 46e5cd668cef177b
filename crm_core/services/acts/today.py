"""The figures of today, as they are told to a person of the office who asks for them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from crm_core.model.figures import Figures
from crm_core.model.user import Role, User
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase, lasting

# Who is told of the whole office too.
_WATCHING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER})


def today(desk: Desk, user: User) -> str:
    """A person's own figures since midnight in the office's zone; the office's too for who watches over it."""
    start = desk.now.astimezone(ZoneInfo(desk.office.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    parts = [(desk.say(Phrase.TODAY_OWN, time=desk.local(desk.now)), desk.work.figures(start, user.login))]
    if user.role in _WATCHING:
        parts.append((desk.say(Phrase.TODAY_OFFICE), desk.work.figures(start, None)))
    return "\n\n".join("\n".join([title, *_lines(desk, figures)]) for title, figures in parts)


def _lines(desk: Desk, figures: Figures) -> list[str]:
    lines: list[str] = [
        desk.say(Phrase.TODAY_CALLS, answered=figures.answered, missed=figures.missed),
        desk.say(Phrase.TODAY_WRITTEN, leads=figures.leads, replies=figures.replies),
    ]
    if figures.waiting_since is None:
        lines.append(desk.say(Phrase.TODAY_NO_CASES))
    else:
        wait = lasting(desk.office.language, desk.now - figures.waiting_since)
        lines.append(desk.say(Phrase.TODAY_CASES, count=figures.open_cases, wait=wait))
    if figures.promised_at is not None:
        due = desk.local(figures.promised_at)
        lines.append(desk.say(Phrase.TODAY_PROMISED, count=figures.promised, time=due))
    return lines
