"""Who takes a call: own manager, deputy, group, duty, the offer of a callback; busy and absent people are passed over.

Pure: a decision follows from what is known of the caller, of the office and of its telephones at one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from crm_core.messages import (
    DeviceState,
    RouteAction,
    RouteDecision,
    RouteQuery,
    RouteStage,
    TraceStep,
    Verdict,
)
from crm_core.model.office import ListAction, Office
from crm_core.model.user import Staff, User

_PASSED_OVER = {
    DeviceState.BUSY: Verdict.BUSY,
    DeviceState.RINGING: Verdict.BUSY,
    DeviceState.UNREACHABLE: Verdict.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a number: whose it is, who looks after them, the special list they stand on."""

    contact_id: int | None = None
    manager: str | None = None
    list_name: str | None = None


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """The stages after the own manager, in order, and how long each rings, in seconds."""

    fallback: tuple[RouteStage, ...] = (
        RouteStage.DEPUTY,
        RouteStage.GROUP,
        RouteStage.DUTY,
        RouteStage.CALLBACK,
    )
    ring_s: int = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment: the office, its people, what the telephones of the asking PBX do."""

    office: Office
    staff: Staff
    rules: DispatchRules
    device: Callable[[str], DeviceState]
    at: datetime


def dispatch(query: RouteQuery, caller: Caller, scene: Scene, tried: frozenset[str] = frozenset()) -> RouteDecision:
    """Whom the call rings now; `tried` are the endpoints that earlier attempts of this call rang."""
    listed = scene.office.lists.get(caller.list_name) if caller.list_name is not None else None
    if listed is not None and listed.action is ListAction.REJECT:
        step = TraceStep(RouteStage.LIST, Verdict.LISTED, detail=listed.name)
        return RouteDecision(RouteAction.REJECT, (), 0, "listed", caller.contact_id, (step,))
    if listed is not None and listed.action is ListAction.ROUTE and listed.to:
        return _to_list(listed.name, listed.to, caller, scene, tried)
    trace: list[TraceStep] = []
    for stage in (RouteStage.MANAGER, *scene.rules.fallback):
        if stage is RouteStage.CALLBACK:
            trace.append(TraceStep(stage, Verdict.RINGS))
            return RouteDecision(RouteAction.CALLBACK, (), 0, stage.value, caller.contact_id, tuple(trace))
        endpoints = _ringing(stage, _people(stage, query, caller, scene), query.pbx, scene, tried, trace)
        if endpoints:
            return RouteDecision(
                RouteAction.DIAL, endpoints, scene.rules.ring_s, stage.value, caller.contact_id, tuple(trace)
            )
    return RouteDecision(RouteAction.FALLBACK, (), 0, "nobody", caller.contact_id, tuple(trace))


def _to_list(name: str, to: str, caller: Caller, scene: Scene, tried: frozenset[str]) -> RouteDecision:
    """A listed caller goes where the list says, once; after that there is only the callback."""
    if to not in tried:
        step = TraceStep(RouteStage.LIST, Verdict.RINGS, detail=f"{name}: {to}")
        return RouteDecision(RouteAction.DIAL, (to,), scene.rules.ring_s, "list", caller.contact_id, (step,))
    step = TraceStep(RouteStage.LIST, Verdict.TRIED, detail=f"{name}: {to}")
    return RouteDecision(RouteAction.CALLBACK, (), 0, "list", caller.contact_id, (step,))


def _people(stage: RouteStage, query: RouteQuery, caller: Caller, scene: Scene) -> tuple[User, ...]:
    manager = scene.staff.get(caller.manager)
    match stage:
        case RouteStage.MANAGER:
            return (manager,) if manager is not None else ()
        case RouteStage.DEPUTY:
            return _deputies(manager, scene)
        case RouteStage.GROUP:
            line = scene.office.line(query.pbx, query.line)
            of_line = line.policy.group if line is not None else None
            of_manager = manager.group if manager is not None else None
            return scene.staff.members(of_manager or of_line)
        case RouteStage.DUTY:
            return tuple(sorted(scene.staff.by_login.values(), key=lambda user: user.id))
        case _:
            return ()


def _deputies(manager: User | None, scene: Scene) -> tuple[User, ...]:
    """The deputy; where that one is away too, the deputy's own."""
    if manager is None:
        return ()
    found: list[User] = []
    current = scene.staff.get(manager.deputy)
    while current is not None and current.login != manager.login and current not in found:
        found.append(current)
        if current.present(scene.at):
            break
        current = scene.staff.get(current.deputy)
    return tuple(found)


def _ringing(
    stage: RouteStage,
    people: Iterable[User],
    pbx: str,
    scene: Scene,
    tried: frozenset[str],
    trace: list[TraceStep],
) -> tuple[str, ...]:
    """The endpoints of those who can be rung; everybody's verdict goes on the trace."""
    endpoints: list[str] = []
    considered = False
    for user in people:
        if stage is RouteStage.DUTY and (not user.active or not user.extension):
            continue  # most of an office: not worth a line each
        considered = True
        endpoint = scene.office.endpoint(user, pbx)
        verdict = _verdict(user, endpoint, scene, tried)
        trace.append(TraceStep(stage, verdict, user.login))
        if verdict is Verdict.RINGS and endpoint is not None:
            endpoints.append(endpoint)
    if not considered:
        trace.append(TraceStep(stage, Verdict.NOBODY))
    return tuple(dict.fromkeys(endpoints))


def _verdict(user: User, endpoint: str | None, scene: Scene, tried: frozenset[str]) -> Verdict:
    if not user.active:
        return Verdict.DISABLED
    if not user.present(scene.at):
        return Verdict.ABSENT
    if user.do_not_disturb:
        return Verdict.DO_NOT_DISTURB
    if endpoint is None:
        return Verdict.NO_EXTENSION
    if endpoint in tried:
        return Verdict.TRIED
    return _PASSED_OVER.get(scene.device(endpoint), Verdict.RINGS)
