"""What a line does with a call before anybody is sought: hidden numbers, closing time, greeting, voice menu."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm_core.messages import RouteQuery, RouteStage, TraceStep, Verdict
from crm_core.model.line import Anonymous, Audience, Goal, Line, Menu, Target
from crm_core.model.user import User
from routing.people import Judge

NIGHT = "night"
HIDDEN = "anonymous"
NO_KEY = "-"

_HIDDEN_TARGETS = {Anonymous.REJECT: Target(Goal.REJECT)}


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a call enters: where it is sent (None: the usual way), why, what is played first, the menu to be asked.

    `stage` is where the target was chosen. `manager_first`: the line is closed, but the client's own manager works.
    """

    target: Target | None = None
    reason: str = ""
    stage: RouteStage = RouteStage.LINE
    sound: str = ""
    menu: Menu | None = None
    manager_first: bool = False
    steps: tuple[TraceStep, ...] = field(default=())

    @property
    def closed(self) -> bool:
        """Whether the office is closed to this call."""
        return self.reason == NIGHT


_PLAIN = Entrance()


def hidden(number: str) -> bool:
    """Whether the caller shows no number at all (`anonymous`, empty)."""
    return not any(sign.isdigit() for sign in number)


def enter(line: Line | None, query: RouteQuery, manager: User | None, judge: Judge) -> Entrance:
    """What the line says to this call; `manager` is the caller's own, None for strangers."""
    if line is None:
        return _PLAIN
    if line.anonymous is not Anonymous.RING and hidden(query.number):
        step = TraceStep(RouteStage.LINE, Verdict.CHOSEN, detail=f"{HIDDEN}: {line.anonymous}")
        return Entrance(_HIDDEN_TARGETS[line.anonymous], HIDDEN, steps=(step,))
    if not judge.opened(line.hours):
        step = TraceStep(RouteStage.LINE, Verdict.CLOSED, detail=str(line.night))
        works = manager is not None and judge.scheduled(manager) and judge.works(manager)
        target = line.night if line.night.goal is not Goal.RING else None
        return Entrance(target, NIGHT, sound=line.night_sound, manager_first=works, steps=(step,))
    greeting = line.greeting
    if line.menu is None or (manager is not None and line.menu.audience is Audience.STRANGERS):
        return Entrance(sound=greeting)
    return _in_menu(line.menu, query, greeting)


def _in_menu(menu: Menu, query: RouteQuery, greeting: str) -> Entrance:
    if not query.key:
        if query.attempt:
            return _PLAIN  # a dialplan that knows no menus asks on
        step = TraceStep(RouteStage.MENU, Verdict.CHOSEN, detail=menu.digits)
        sound = "&".join(each for each in (greeting, menu.sound) if each)
        return Entrance(reason=RouteStage.MENU.value, stage=RouteStage.MENU, sound=sound, menu=menu, steps=(step,))
    target = menu.target(query.key)
    if target is None:
        return Entrance(steps=(TraceStep(RouteStage.MENU, Verdict.NOBODY, detail=query.key),))
    step = TraceStep(RouteStage.MENU, Verdict.CHOSEN, detail=f"{query.key}: {target}")
    usual = target.goal in {Goal.MANAGER, Goal.RING}
    return Entrance(
        None if usual else target, "" if usual else RouteStage.MENU.value, stage=RouteStage.MENU, steps=(step,)
    )
