"""What the telephones of the office do, as their PBXs report it: states, pauses in queues, the rest after a call.

Nothing here runs on timers: whether somebody still rests follows from when their call ended and from the time asked
about.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crm_core.messages import DeviceState, Verdict
from crm_core.ports import Clock

log = logging.getLogger(__name__)

Heard = Callable[[str, str], None]

# What another node said of a PBX is believed for this long; its owner repeats everything far more often.
BELIEVED_S = 20.0

_PASSED_OVER = {
    DeviceState.BUSY: Verdict.BUSY,
    DeviceState.RINGING: Verdict.BUSY,
    DeviceState.UNREACHABLE: Verdict.UNREACHABLE,
}
_NO_REST = timedelta(0)


@dataclass(frozen=True, slots=True)
class Telephone:
    """What is known of one telephone: its state since when, the queues it pauses in, when its last call ended."""

    state: DeviceState = DeviceState.UNKNOWN
    since: datetime | None = None
    queues: frozenset[str] = frozenset()
    call_ended: datetime | None = None


_UNKNOWN = Telephone()


class Presence:
    """The newest state of every telephone; a PBX whose link is lost knows nothing. Safe to share between threads.

    `wraps` says for each PBX how long people are left in peace after a call.
    """

    def __init__(self, clock: Clock, wraps: Mapping[str, timedelta] | None = None) -> None:
        self._clock = clock
        self._wraps = dict(wraps or {})
        self._phones: dict[str, dict[str, Telephone]] = {}
        self._told_at: dict[str, float] = {}  # PBXs that other nodes tell of, and when they did last (monotonic)
        self._listeners: list[Heard] = []
        self._lock = threading.Lock()

    def rests(self, wraps: Mapping[str, timedelta]) -> None:
        """How long people are left in peace after a call, by PBX, from now on."""
        self._wraps = dict(wraps)

    # ------------------------------------------------------------ what the own link reports

    def device(self, pbx: str, endpoint: str, state: DeviceState) -> None:
        """A telephone changed."""
        now = self._clock.now()

        def moved(phone: Telephone) -> Telephone:
            if phone.state is state:
                return phone
            hung_up = phone.state is DeviceState.BUSY
            return replace(phone, state=state, since=now, call_ended=now if hung_up else phone.call_ended)

        self._change(pbx, endpoint, moved)

    def paused(self, pbx: str, endpoint: str, queue: str, *, paused: bool) -> None:
        """Somebody paused in a queue, or came back."""

        def moved(phone: Telephone) -> Telephone:
            if (queue in phone.queues) == paused:
                return phone
            return replace(phone, queues=phone.queues | {queue} if paused else phone.queues - {queue})

        self._change(pbx, endpoint, moved)

    def forget(self, pbx: str) -> None:
        """The link is lost: what is not known is rung rather than passed over."""
        with self._lock:
            self._told_at.pop(pbx, None)
            lost = self._phones.pop(pbx, {})
        for endpoint in lost:
            self._tell(pbx, endpoint)

    # ------------------------------------------------------------ what the owner of the link tells other nodes

    def owned(self) -> frozenset[str]:
        """The PBXs of which this node's own link reports."""
        with self._lock:
            return frozenset(self._phones) - frozenset(self._told_at)

    def phones(self, pbx: str) -> Mapping[str, Telephone]:
        """Every known telephone of a PBX, by endpoint."""
        with self._lock:
            return dict(self._phones.get(pbx, {})) if self._believed(pbx) else {}

    def told(self, pbx: str, phones: Mapping[str, Telephone], *, whole: bool) -> None:
        """Another node, which owns the link, tells of telephones; `whole` is everything it knows.

        Ignored where this node's own link reports of the PBX.
        """
        with self._lock:
            known = self._phones.get(pbx, {})
            if known and pbx not in self._told_at:
                return
            self._told_at[pbx] = self._clock.monotonic()
            changed = [endpoint for endpoint, phone in phones.items() if known.get(endpoint) != phone]
            if whole:
                changed += [endpoint for endpoint in known if endpoint not in phones]
            self._phones[pbx] = dict(phones) if whole else {**known, **phones}
        for endpoint in changed:
            self._tell(pbx, endpoint)

    # ------------------------------------------------------------ questions

    def listen(self, heard: Heard) -> None:
        """Have `heard(pbx, endpoint)` called whenever something about a telephone changed, in the thread that told it
        (for the own link: the loop's). The end of a rest is no change: see `rests_until`."""
        self._listeners.append(heard)

    def phone(self, pbx: str, endpoint: str) -> Telephone:
        """What is known of a telephone."""
        found = self._phones.get(pbx)
        if found is None or not self._believed(pbx):
            return _UNKNOWN
        return found.get(endpoint, _UNKNOWN)

    def call_ended(self, pbx: str, endpoint: str) -> datetime | None:
        """When the last call of a telephone ended."""
        return self.phone(pbx, endpoint).call_ended

    def state(self, pbx: str, endpoint: str) -> DeviceState:
        """The state of a telephone."""
        return self.phone(pbx, endpoint).state

    def rests_until(self, pbx: str, endpoint: str) -> datetime | None:
        """When the rest after the last call ends; None where none is owed. May lie in the past."""
        ended, wrap = self.phone(pbx, endpoint).call_ended, self._wraps.get(pbx, _NO_REST)
        return ended + wrap if ended is not None and wrap else None

    def verdict(self, pbx: str, endpoint: str, at: datetime) -> Verdict | None:
        """Why a telephone is passed over at `at`: busy, unreachable, paused or resting; None where it may ring.

        A telephone nobody knows anything of may ring.
        """
        phones = self._phones.get(pbx)
        phone = phones.get(endpoint) if phones is not None else None
        if phone is None:
            return None
        if pbx in self._told_at and not self._believed(pbx):
            return None
        passed_over = _PASSED_OVER.get(phone.state)
        if passed_over is not None:
            return passed_over
        if phone.queues:
            return Verdict.PAUSED
        if phone.call_ended is not None:
            wrap = self._wraps.get(pbx, _NO_REST)
            # a wall clock that was set back must not make anybody rest for ever
            if wrap and phone.call_ended <= at < phone.call_ended + wrap:
                return Verdict.WRAP_UP
        return None

    def free(self, pbx: str, endpoint: str) -> bool:
        """Whether a telephone may ring now, as far as is known."""
        return self.verdict(pbx, endpoint, self._clock.now()) is None

    # ------------------------------------------------------------ inside

    def _believed(self, pbx: str) -> bool:
        told_at = self._told_at.get(pbx)
        return told_at is None or self._clock.monotonic() - told_at < BELIEVED_S

    def _change(self, pbx: str, endpoint: str, moved: Callable[[Telephone], Telephone]) -> None:
        with self._lock:
            if self._told_at.pop(pbx, None) is not None:
                self._phones.pop(pbx, None)  # the link is ours now: hearsay gives way
            phones = self._phones.setdefault(pbx, {})
            before = phones.get(endpoint, _UNKNOWN)
            after = moved(before)
            if after is before and endpoint in phones:
                return
            phones[endpoint] = after
        self._tell(pbx, endpoint)

    def _tell(self, pbx: str, endpoint: str) -> None:
        for heard in tuple(self._listeners):
            try:
                heard(pbx, endpoint)
            except Exception:
                log.exception("a listener failed on telephone %s of %s", endpoint, pbx)
