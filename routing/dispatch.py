"""Who takes a call: own manager, deputy, group, duty, the offer of a callback; who can't take it is passed over.

Pure: a decision follows from what is known of the caller, of the line, of the office and its telephones at one moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crm_core.messages import RouteAction, RouteDecision, RouteQuery, RouteStage, TraceStep, Verdict
from crm_core.model.line import Goal, Group, Line, Target
from crm_core.model.office import ListAction
from crm_core.model.user import User
from routing.lines import Entrance, enter
from routing.people import Judge, deputies
from routing.scene import Caller, DispatchRules, Figures, Roster, Scene, Telephones
from routing.strategies import Ringing, ring_all, ring_group

__all__ = ["Caller", "DispatchRules", "Figures", "Outcome", "Roster", "Scene", "Telephones", "decide", "dispatch"]

_NOBODY_TRIED: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision, and what whoever keeps count has to know: the group rung in turn with the id of whose turn it was;
    whether one of several people was picked."""

    decision: RouteDecision
    turn: tuple[str, int] | None = None
    one_of_many: bool = False


@dataclass(frozen=True, slots=True)
class _Stop:
    """A place where a taker is sought: some people together, or a group by its strategy."""

    stage: RouteStage
    people: tuple[User, ...] = ()
    group: Group | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    """All that a decision is made of."""

    query: RouteQuery
    caller: Caller
    scene: Scene
    tried: frozenset[str]
    judge: Judge
    line: Line | None
    manager: User | None
    trace: list[TraceStep]


def dispatch(query: RouteQuery, caller: Caller, scene: Scene, tried: frozenset[str] = _NOBODY_TRIED) -> RouteDecision:
    """Whom the call rings now; `tried` are the endpoints that earlier attempts of this call rang."""
    return decide(query, caller, scene, tried).decision


def decide(query: RouteQuery, caller: Caller, scene: Scene, tried: frozenset[str] = _NOBODY_TRIED) -> Outcome:
    """The same, with what has to be kept count of."""
    judge = Judge(scene, query.pbx, tried)
    line = scene.office.line(query.pbx, query.line)
    call = _Call(query, caller, scene, tried, judge, line, scene.staff.get(caller.manager), [])
    listed = scene.office.lists.get(caller.list_name) if caller.list_name is not None else None
    if listed is not None and listed.action is ListAction.REJECT:
        call.trace.append(TraceStep(RouteStage.LIST, Verdict.LISTED, detail=listed.name))
        return _ended(call, RouteAction.REJECT, "listed")
    if listed is not None and listed.action is ListAction.ROUTE and listed.to:
        return _telephone(call, RouteStage.LIST, listed.to, RouteStage.LIST.value, f"{listed.name}: {listed.to}")
    entrance = enter(line, query, call.manager if call.manager is not None and call.manager.active else None, judge)
    call.trace.extend(entrance.steps)
    if entrance.menu is not None:
        return _ended(call, RouteAction.MENU, entrance.reason, sound=entrance.sound, keys=entrance.menu.digits)
    return _with_sound(call, entrance, _sent(call, entrance))


def _sent(call: _Call, entrance: Entrance) -> Outcome:
    """The call goes where its entrance sends it."""
    target = entrance.target
    if entrance.manager_first and call.manager is not None:
        found = _sought(call, _Stop(RouteStage.MANAGER, (call.manager,)))
        if found is not None:
            return found
    match target.goal if target is not None else Goal.RING:
        case Goal.REJECT:
            return _ended(call, RouteAction.REJECT, entrance.reason)
        case Goal.CALLBACK:
            call.trace.append(TraceStep(RouteStage.CALLBACK, Verdict.RINGS))
            return _ended(call, RouteAction.CALLBACK, entrance.reason)
        case Goal.ENDPOINT if target is not None:
            return _telephone(call, entrance.stage, target.name, entrance.reason, target.name)
        case Goal.GROUP | Goal.USER if target is not None:
            return _through(call, _targeted(call, entrance, target), always_callback=entrance.closed)
        case _:
            return _through(call, _usual(call))


def _through(call: _Call, stops: Iterator[_Stop], *, always_callback: bool = False) -> Outcome:
    """The first stop where somebody can be rung; behind the last there is the callback, or the PBX's own fallback."""
    rules = call.scene.rules
    for stop in stops if call.query.attempt < rules.most_attempts - 1 else ():
        found = _sought(call, stop)
        if found is not None:
            return found
    if always_callback or RouteStage.CALLBACK in rules.fallback:
        call.trace.append(TraceStep(RouteStage.CALLBACK, Verdict.RINGS))
        return _ended(call, RouteAction.CALLBACK, RouteStage.CALLBACK.value)
    return _ended(call, RouteAction.FALLBACK, "nobody")


def _usual(call: _Call) -> Iterator[_Stop]:
    """The own manager, then the configured stages."""
    manager = call.manager
    yield _Stop(RouteStage.MANAGER, (manager,) if manager is not None else ())
    yield from _behind(call, manager, manager.group if manager is not None and manager.group else _group_of(call))


def _targeted(call: _Call, entrance: Entrance, target: Target) -> Iterator[_Stop]:
    """Whom a key of a menu or the night names, then by day those who stand in."""
    scene = call.scene
    if target.goal is Goal.GROUP:
        group = scene.office.group(target.name)
        yield _Stop(RouteStage.GROUP, scene.staff.members(group.name), group, entrance.reason)
        if not entrance.closed and RouteStage.DUTY in scene.rules.fallback:
            yield _Stop(RouteStage.DUTY, scene.roster.duty)
        return
    person = scene.staff.get(target.name)
    yield _Stop(entrance.stage, (person,) if person is not None else (), None, entrance.reason)
    if not entrance.closed:
        group_name = person.group if person is not None and person.group else _group_of(call)
        yield from _behind(call, person, group_name)


def _behind(call: _Call, person: User | None, group_name: str | None) -> Iterator[_Stop]:
    """The configured stages behind a person, up to the callback."""
    scene = call.scene
    for stage in scene.rules.fallback:
        match stage:
            case RouteStage.CALLBACK:
                return
            case RouteStage.DEPUTY:
                yield _Stop(stage, deputies(person, scene))
            case RouteStage.GROUP:
                group = scene.office.group(group_name) if group_name is not None else None
                yield _Stop(stage, scene.staff.members(group_name), group)
            case RouteStage.DUTY:
                yield _Stop(stage, scene.roster.duty)
            case _:
                continue


def _sought(call: _Call, stop: _Stop) -> Outcome | None:
    """Who can be rung at a stop, if anybody."""
    if stop.group is not None:
        ringing = ring_group(stop.stage, stop.group, stop.people, call.scene, call.judge, call.trace)
        ring_s = stop.group.ring_s or call.scene.rules.ring_s
    else:
        ringing = ring_all(stop.stage, stop.people, call.judge, call.trace)
        ring_s = call.scene.rules.ring_s
    return _rung(call, ringing, ring_s, stop) if ringing.endpoints else None


def _rung(call: _Call, ringing: Ringing, ring_s: int, stop: _Stop) -> Outcome:
    decision = RouteDecision(
        RouteAction.DIAL,
        ringing.endpoints,
        ring_s,
        stop.reason or stop.stage.value,
        call.caller.contact_id,
        tuple(call.trace),
        record=_recorded(call),
    )
    turn = (stop.group.name, ringing.turn.id) if stop.group is not None and ringing.turn is not None else None
    return Outcome(decision, turn, one_of_many=stop.group is not None and len(ringing.endpoints) == 1)


def _telephone(call: _Call, stage: RouteStage, endpoint: str, reason: str, detail: str) -> Outcome:
    """A fixed telephone rings once, whatever it does; after that there is only the callback."""
    if endpoint in call.tried:
        call.trace.append(TraceStep(stage, Verdict.TRIED, detail=detail))
        return _ended(call, RouteAction.CALLBACK, reason)
    call.trace.append(TraceStep(stage, Verdict.RINGS, detail=detail))
    return _rung(call, Ringing((endpoint,)), call.scene.rules.ring_s, _Stop(stage, reason=reason))


def _ended(call: _Call, action: RouteAction, reason: str, *, sound: str = "", keys: str = "") -> Outcome:
    return Outcome(
        RouteDecision(
            action,
            (),
            0,
            reason,
            call.caller.contact_id,
            tuple(call.trace),
            sound=sound,
            keys=keys,
            record=_recorded(call),
        )
    )


def _with_sound(call: _Call, entrance: Entrance, outcome: Outcome) -> Outcome:
    """What is played first: once a call, when it comes to where the sound belongs."""
    if not entrance.sound:
        return outcome
    if entrance.manager_first and outcome.decision.reason == RouteStage.MANAGER.value:
        return outcome  # who is put through needs not hear that the office is closed
    own = call.judge.endpoint(call.manager) if entrance.manager_first and call.manager is not None else None
    heard = call.tried - {own} if own is not None else call.tried
    if heard:
        return outcome
    return replace(outcome, decision=replace(outcome.decision, sound=entrance.sound))


def _group_of(call: _Call) -> str | None:
    return call.line.policy.group if call.line is not None else None


def _recorded(call: _Call) -> bool | None:
    return call.line.record if call.line is not None else None
