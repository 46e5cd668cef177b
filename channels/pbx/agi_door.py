"""Who answers behind a FastAGI address: several PBXs may share one, told apart by the path or by being the only one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from channels.pbx.agi import AgiAnswer, AgiHandlers, AgiServer, AgiStats
from channels.pbx.agi_wire import AgiRequest, Variables
from channels.pbx.config import PbxConfig
from channels.pbx.snippet.words import DIALABLE, PLAYABLE
from crm_core.messages import RouteAction, RouteDecision, RouteQuery
from crm_core.ports import CallRouter

_UNKNOWN = RouteDecision(RouteAction.FALLBACK, reason="unknown script or PBX")
_LATE = RouteDecision(RouteAction.FALLBACK, reason="the hub took too long")

Noted = Callable[[RouteQuery, RouteDecision, float], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """One PBX at the door: its configuration, who decides, and who is told of decisions (in the server's thread)."""

    config: PbxConfig
    router: CallRouter
    noted: Noted


class AgiDoor:
    """One listening address and the PBXs behind it."""

    def __init__(self, host: str, port: int, deadline_s: float) -> None:
        self.desks: dict[str, Desk] = {}
        self.server = AgiServer(host, port, AgiHandlers(self._decide, self._late, self._answered), deadline_s)

    def _desk(self, request: AgiRequest) -> Desk | None:
        if not request.pbx and len(self.desks) == 1:
            return next(iter(self.desks.values()))
        return self.desks.get(request.pbx)

    def _decide(self, request: AgiRequest) -> AgiAnswer:
        desk = self._desk(request)
        if desk is None or request.script != "route":
            return AgiAnswer(variables(_UNKNOWN, None))
        query = _query(desk, request)
        decision = dialable(desk.router.route(query), desk.config)
        return AgiAnswer(variables(decision, desk.config), (desk, query, decision))

    def _late(self, request: AgiRequest) -> AgiAnswer:
        desk = self._desk(request)
        about = (desk, _query(desk, request), _LATE) if desk is not None else None
        return AgiAnswer(variables(_LATE, None), about, late=True)

    def _answered(self, _: AgiRequest, answer: AgiAnswer, took_ms: float) -> None:
        if answer.about is not None:
            desk, query, decision = answer.about
            desk.noted(query, decision, took_ms)


class AgiDoors:
    """The doors of this process, by address. A door opens with its first PBX and closes behind its last."""

    def __init__(self) -> None:
        self._doors: dict[tuple[str, int], AgiDoor] = {}
        self._lock = asyncio.Lock()

    async def join(self, desk: Desk) -> AgiDoor:
        """Let a PBX in; raises OSError where the address can't be had, ValueError where its name is there already."""
        config = desk.config
        async with self._lock:
            door = self._doors.get((config.agi_host, config.agi_port))
            if door is None:
                door = AgiDoor(config.agi_host, config.agi_port, config.deadline_s)
                await door.server.start()
                if config.agi_port:
                    self._doors[config.agi_host, config.agi_port] = door
            elif config.name in door.desks:
                raise ValueError(f"PBX {config.name} asks at {config.agi_host}:{config.agi_port} already")
            door.desks[config.name] = desk
            return door

    async def leave(self, door: AgiDoor, name: str) -> None:
        """Let a PBX out. Idempotent."""
        async with self._lock:
            door.desks.pop(name, None)
            if not door.desks:
                for address, each in tuple(self._doors.items()):
                    if each is door:
                        del self._doors[address]
                await door.server.stop()


def dialable(decision: RouteDecision, config: PbxConfig) -> RouteDecision:
    """The decision, or the fallback where its endpoints are none that a dialplan can be given."""
    if decision.action is not RouteAction.DIAL:
        return decision
    dial = dial_string(decision, config)
    if DIALABLE.match(dial):
        return decision
    reason = "nobody to ring" if not dial else "an extension holds characters that can't be dialled"
    return RouteDecision(RouteAction.FALLBACK, reason=reason, contact_id=decision.contact_id, trace=decision.trace)


def dial_string(decision: RouteDecision, config: PbxConfig) -> str:
    """What Dial() is given: all endpoints, ringing together."""
    return "&".join(config.endpoint(extension) for extension in decision.endpoints)


def variables(decision: RouteDecision, config: PbxConfig | None) -> Variables:
    """The channel variables of a decision; the action last, so that whoever sees it sees the rest.

    What most calls have no use for is left out: each variable costs Asterisk a step.
    """
    extra = (
        ("HUB_SOUND", decision.sound if PLAYABLE.match(decision.sound) else ""),
        ("HUB_KEYS", decision.keys),
        ("HUB_RECORD", str(int(decision.record)) if decision.record is not None else ""),
    )
    return (
        ("HUB_DIAL", dial_string(decision, config) if config is not None else ""),
        ("HUB_RING_S", str(max(decision.ring_s, 1)) if decision.action is RouteAction.DIAL else ""),
        ("HUB_REASON", decision.reason),
        ("HUB_CONTACT", str(decision.contact_id) if decision.contact_id is not None else ""),
        *(each for each in extra if each[1]),
        ("HUB_ACTION", decision.action.value),
    )


def _query(desk: Desk, request: AgiRequest) -> RouteQuery:
    return RouteQuery(desk.config.name, request.number, request.line, request.attempt, request.uniqueid, request.key)


__all__ = ["AgiDoor", "AgiDoors", "AgiStats", "Desk", "dial_string", "dialable", "variables"]
