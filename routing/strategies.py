"""Who of a group is rung: everybody who can be, or one person an attempt by the group's strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_core.messages import RouteStage, TraceStep, Verdict
from crm_core.model.line import Group, RingStrategy
from crm_core.model.user import User
from routing.people import Judge
from routing.scene import Figures, Scene

# A trace is read by people: beyond so many steps of a stage only their number is told.
MOST_STEPS = 40

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NO_FIGURES = Figures()


@dataclass(frozen=True, slots=True)
class Ringing:
    """Who rings; `turn` is whose turn it was, where the group is rung in turn."""

    endpoints: tuple[str, ...] = ()
    turn: User | None = None


def ring_all(stage: RouteStage, people: Iterable[User], judge: Judge, trace: list[TraceStep]) -> Ringing:
    """Everybody who can be rung, together; everybody's verdict goes on the trace."""
    endpoints: dict[str, None] = {}
    steps = _Steps(stage, trace)
    for user in people:
        verdict = judge.verdict(user)
        steps.add(verdict, user)
        endpoint = judge.endpoint(user)
        if verdict is Verdict.RINGS and endpoint is not None:
            endpoints[endpoint] = None
    steps.end()
    return Ringing(tuple(endpoints))


def ring_group(
    stage: RouteStage, group: Group, people: tuple[User, ...], scene: Scene, judge: Judge, trace: list[TraceStep]
) -> Ringing:
    """Whom a group's strategy rings now."""
    if group.strategy is RingStrategy.ALL:
        return ring_all(stage, people, judge, trace)
    steps = _Steps(stage, trace)
    chosen: User | None = None
    for user in _ordered(group, people, scene, judge):
        if chosen is not None and steps.full:
            break
        verdict = judge.verdict(user)
        if verdict is Verdict.RINGS and chosen is not None:
            verdict = Verdict.LATER
        elif verdict is Verdict.RINGS:
            chosen = user
        steps.add(verdict, user)
    steps.end()
    endpoint = judge.endpoint(chosen) if chosen is not None else None
    if endpoint is None:
        return Ringing()
    return Ringing((endpoint,), chosen if group.strategy is RingStrategy.IN_TURN else None)


def _ordered(group: Group, people: tuple[User, ...], scene: Scene, judge: Judge) -> Iterable[User]:
    """The people of a group, whoever is to be rung first in front."""
    match group.strategy:
        case RingStrategy.IN_TURN:
            last = scene.turns.get(group.name, -1)
            return (*(user for user in people if user.id > last), *(user for user in people if user.id <= last))
        case RingStrategy.LONGEST_IDLE:
            return sorted(people, key=_burden(scene, judge, counted=False))
        case RingStrategy.LEAST_CALLS:
            return sorted(people, key=_burden(scene, judge, counted=True))
        case _:
            return people


def _burden(scene: Scene, judge: Judge, *, counted: bool) -> Callable[[User], tuple[bool, int, datetime, int]]:
    """What orders people by how much they did: a call on its way to them, calls of today, the last conversation."""
    figures, phones = scene.figures, scene.phones

    def burden(user: User) -> tuple[bool, int, datetime, int]:
        of_user = figures.get(user.login, _NO_FIGURES)
        endpoint = judge.endpoint(user)
        talked = of_user.last_talk or _LONG_AGO
        if endpoint is None:
            return False, 0, talked, user.id
        ended = phones.call_ended(endpoint)
        if ended is not None and ended > talked:
            talked = ended
        return phones.offered(endpoint), of_user.answered if counted else 0, talked, user.id

    return burden


class _Steps:
    """The trace of one stage: so many people by name, of the others how many."""

    def __init__(self, stage: RouteStage, trace: list[TraceStep]) -> None:
        self._stage = stage
        self._trace = trace
        self._written = 0
        self._others: dict[Verdict, int] = {}

    @property
    def full(self) -> bool:
        """Whether further people are only counted."""
        return self._written >= MOST_STEPS

    def add(self, verdict: Verdict, user: User) -> None:
        """Note somebody's verdict."""
        if self._written < MOST_STEPS or (verdict is Verdict.RINGS and self._written < 2 * MOST_STEPS):
            self._written += 1
            self._trace.append(TraceStep(self._stage, verdict, user.login))
        else:
            self._others[verdict] = self._others.get(verdict, 0) + 1

    def end(self) -> None:
        """Close the stage: say how many others there were, or that nobody was."""
        for verdict, count in self._others.items():
            self._trace.append(TraceStep(self._stage, verdict, detail=f"+{count}"))
        if not self._written:
            self._trace.append(TraceStep(self._stage, Verdict.NOBODY))
