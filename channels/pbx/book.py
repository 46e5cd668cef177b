"""All calls of a PBX that are going on: routes each event to its call and hands out the transitions. Bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from channels.pbx.blocks import merged, remember
from channels.pbx.call_facts import CallFacts, PbxProfile, new_facts
from channels.pbx.entries import Entry, subject_of, with_facts
from channels.pbx.events import (
    BridgeEntered,
    BridgeLeft,
    CallbackWished,
    CallEvent,
    Chan,
    ChannelChanged,
    ChannelCreated,
    ChannelListed,
    DialEnded,
    Dialled,
    HungUp,
    PickedUp,
)
from channels.pbx.reducer import Transition, passed, step
from channels.pbx.states import Gone, Inside, Leaving, Over, Ringing, State, Talking
from crm_core.model.call import CallSnapshot, Direction


@dataclass(frozen=True, slots=True)
class BookLimits:
    """Calls at a time, ended calls remembered, and how long channels may outlive their client."""

    calls: int = 5000
    ended: int = 20_000
    grace_s: float = 1.0


class CallBook:
    """Not thread-safe; lives in the loop that reads the link."""

    def __init__(self, profile: PbxProfile, limits: BookLimits | None = None) -> None:
        self._profile = profile
        self._limits = limits or BookLimits()
        self._calls: OrderedDict[str, Entry] = OrderedDict()
        self._owners: dict[str, str] = {}
        # linkedids of calls that have become part of others, and channels of other clients' calls that joined
        self._absorbed: dict[str, str] = {}
        self._guests: dict[str, set[str]] = {}
        self._rooms: dict[str, set[str]] = {}
        self._where: dict[str, str] = {}
        self._ended: OrderedDict[str, bool] = OrderedDict()
        self._leaving: dict[str, float | None] = {}
        # calls in which some telephone began to ring or fell silent, or somebody else talks, since `ringing` was asked
        self._stirred: dict[str, None] = {}
        self._turn = 0
        self._linked_at = 0
        self._listing_since: int | None = None
        self._listed: set[str] = set()

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def live(self) -> frozenset[str]:
        """The linkedids of the calls that go on."""
        return frozenset(self._calls)

    def finished(self, linkedid: str) -> bool:
        """Whether this call was seen to end, not too long ago."""
        return self._ended.get(linkedid, False)

    def settled(self, linkedid: str) -> None:
        """The end of a call that was not seen has been told all the same."""
        self._end_of(linkedid, known=True)

    @property
    def stirred(self) -> bool:
        """Whether `ringing` may have something to tell."""
        return bool(self._stirred)

    def ringing(self) -> tuple[CallSnapshot, ...]:
        """The calls of clients that ring other telephones than when this was last asked, or have been passed on, as
        they stand. However many rang or fell silent in between, that is one a call; what was over at once is none."""
        stirred, self._stirred = self._stirred, {}
        found: list[CallSnapshot] = []
        for linkedid in stirred:
            entry = self._calls[linkedid]
            if isinstance(entry.state, Ringing | Talking) and entry.state.concerns != entry.told:
                entry.told = entry.state.concerns
                found.append(entry.state.snapshot())
        return tuple(found)

    def apply(self, event: CallEvent, raw: bytes) -> tuple[Transition, ...]:
        """Take an event in; the transitions that it made, mostly none."""
        self._turn += 1
        chan = subject_of(event)
        if isinstance(event, ChannelListed):
            self._listed.add(chan.uniqueid)
            if self._watched(self._absorbed.get(chan.linkedid, chan.linkedid)):
                return ()
        linkedid = self._home(event, chan)
        if linkedid is None:
            return ()
        linkedid = self._gathered(event, chan, linkedid)
        guests = self._guests.get(chan.uniqueid, ())
        return tuple(found for each in (linkedid, *guests) for found in self._told(each, event, raw))

    def _told(self, linkedid: str, event: CallEvent, raw: bytes) -> tuple[Transition, ...]:
        entry = self._calls.get(linkedid)
        if entry is None:
            return ()
        entry.touched = self._turn
        before = entry.state
        after = step(before, event, self._profile)
        if after is before:
            return ()
        remember(entry.blocks, self._turn, raw)
        return self._move(linkedid, entry, after)

    def sweep(self, monotonic: float) -> tuple[Transition, ...]:
        """End the calls whose client left a while ago and whose other channels never said good-bye.

        `monotonic` is in seconds; a call's grace begins with the first sweep that finds it so.
        """
        for linkedid, since in self._leaving.items():
            if since is None:
                self._leaving[linkedid] = monotonic
        due = [
            each
            for each, since in self._leaving.items()
            if since is not None and monotonic - since >= self._limits.grace_s
        ]
        return self._end(due)

    def expire(self) -> tuple[Transition, ...]:
        """End every call whose client has left, without grace."""
        return self._end(tuple(self._leaving))

    def _end(self, linkedids: Iterable[str]) -> tuple[Transition, ...]:
        found: list[Transition] = []
        for linkedid in linkedids:
            entry = self._calls[linkedid]
            if isinstance(entry.state, Leaving):
                found.extend(self._move(linkedid, entry, entry.state.ended()))
        return tuple(found)

    # ------------------------------------------------------------ settling with the PBX's own list

    def linked(self) -> None:
        """From now on every event is heard; what came before may have gaps."""
        self._linked_at = self._turn

    def _watched(self, linkedid: str) -> bool:
        """Whether every event of a call was heard, or will be: the PBX's list, which overtakes events that are still on
        their way, tells nothing of it but that it lives.
        """
        entry = self._calls.get(linkedid)
        return entry is not None and entry.began > self._linked_at

    def listing(self) -> None:
        """The PBX is being asked for all its channels; what happens from now on is not in its list."""
        self._listing_since = self._turn
        self._listed.clear()

    def vanished(self) -> tuple[tuple[CallFacts, tuple[bytes, ...]], ...]:
        """After the list: forget the calls that have no channel on it and were silent since; their facts and blocks.

        Internal calls are forgotten without a word.
        """
        since, self._listing_since = self._listing_since, None
        if since is None:
            return ()
        gone = [
            linkedid
            for linkedid, entry in self._calls.items()
            if entry.touched <= since
            and not any(party.uniqueid in self._listed for party in entry.state.facts.parties if party.alive)
        ]
        self._listed.clear()
        return tuple(self._forget(gone))

    def _forget(self, linkedids: Iterable[str]) -> list[tuple[CallFacts, tuple[bytes, ...]]]:
        found: list[tuple[CallFacts, tuple[bytes, ...]]] = []
        for linkedid in linkedids:
            entry = self._calls[linkedid]
            self._close(linkedid, entry)
            if not isinstance(entry.state, Inside | Gone):
                found.append((entry.state.facts, entry.raw))
        return found

    # ------------------------------------------------------------ which call an event belongs to

    def _home(self, event: CallEvent, chan: Chan) -> str | None:
        linkedid = self._absorbed.get(chan.linkedid, chan.linkedid)
        owner = self._owners.get(chan.uniqueid)
        if owner is not None and owner != linkedid and owner in self._calls:
            # a channel has moved to another call: an internal call is absorbed, a client's call keeps its own
            if isinstance(self._calls[owner].state, Inside) and self._known(event, chan, linkedid):
                if owner in self._calls:  # a full book may have let it go just now
                    self._absorb(owner, linkedid)
                return linkedid
            return owner
        return linkedid if self._known(event, chan, linkedid) else None

    def _known(self, event: CallEvent, chan: Chan, linkedid: str) -> bool:
        """Whether the call is in the book, entering it where this event may begin one."""
        if linkedid in self._calls:
            return True
        if linkedid in self._ended or not isinstance(
            event, ChannelCreated | ChannelChanged | ChannelListed | Dialled | BridgeEntered | CallbackWished
        ):
            return False
        created_now = isinstance(event, ChannelCreated)
        began = self._turn if created_now and chan.uniqueid == chan.linkedid else 0
        facts = new_facts(chan, event.at, created_now=created_now)
        self._calls[linkedid] = Entry(Inside(facts), [], self._turn, began)
        if len(self._calls) > self._limits.calls:
            self._close(*next(iter(self._calls.items())))
        return True

    def _gathered(self, event: CallEvent, chan: Chan, linkedid: str) -> str:
        """Whoever an event brings together belongs to one call: the home of the event, after that was seen to."""
        match event:
            case BridgeLeft(_, _, bridge) if self._where.get(chan.uniqueid) != bridge:
                pass  # it is elsewhere by now
            case BridgeLeft() | HungUp():
                self._leave(chan.uniqueid)
        for uniqueid in self._met(event, chan):
            other = self._owners.get(uniqueid, "")
            if other == linkedid or other not in self._calls or linkedid not in self._calls:
                continue
            mine, theirs = self._calls[linkedid].state, self._calls[other].state
            if isinstance(theirs, Inside) and not (isinstance(mine, Inside) and isinstance(event, BridgeEntered)):
                self._absorb(other, linkedid)
            elif isinstance(mine, Inside) and not isinstance(theirs, Inside | Gone):
                self._absorb(linkedid, other)
                linkedid = other
            elif isinstance(event, BridgeEntered):
                self._join(linkedid, other, uniqueid)
                self._join(other, linkedid, chan.uniqueid)
        return linkedid

    def _met(self, event: CallEvent, chan: Chan) -> tuple[str, ...]:
        """The other channels that an event brings together with its own; also notes who is in which bridge."""
        match event:
            case BridgeEntered(_, _, bridge) | ChannelListed(_, _, bridge) if bridge:
                return self._enter(bridge, chan.uniqueid)
            case DialEnded(_, _, dest, _) | Dialled(_, _, dest, _):
                return (dest.uniqueid,)
            case PickedUp(_, _, picker):
                return (picker.uniqueid,)
        return ()

    def _enter(self, bridge: str, uniqueid: str) -> tuple[str, ...]:
        """Who is in the bridge already. Late news of a channel that is gone bring nobody together."""
        owner = self._calls.get(self._owners.get(uniqueid, ""))
        party = owner.state.facts.party(uniqueid) if owner is not None else None
        if party is not None and not party.alive:
            return ()
        self._leave(uniqueid)
        room = self._rooms.setdefault(bridge, set())
        others = tuple(room)
        room.add(uniqueid)
        self._where[uniqueid] = bridge
        return others

    def _leave(self, uniqueid: str) -> None:
        bridge = self._where.pop(uniqueid, None)
        if bridge is not None:
            self._rooms[bridge].discard(uniqueid)
            if not self._rooms[bridge]:
                del self._rooms[bridge]

    def _absorb(self, inner: str, outer: str) -> None:
        entry = self._calls.pop(inner)
        self._leaving.pop(inner, None)
        self._stirred.pop(inner, None)
        facts = entry.state.facts
        for party in facts.parties:
            self._owners[party.uniqueid] = outer
        target = self._calls[outer]
        target.inner += (inner, *entry.inner)
        self._absorbed.update((each, outer) for each in (inner, *entry.inner))
        target.state = with_facts(target.state, target.state.facts.absorbing(facts))
        target.blocks = merged(target.blocks, entry.blocks)
        self._stirred[outer] = None

    def _join(self, linkedid: str, other: str, uniqueid: str) -> None:
        """A channel of another client's call comes to a client who called: it may be whom they talk with now."""
        target, source = self._calls[linkedid], self._calls[other]
        if target.state.facts.direction is not Direction.IN or linkedid in self._guests.get(uniqueid, ()):
            return
        target.state = with_facts(target.state, target.state.facts.joined_by(source.state.facts, uniqueid))
        target.blocks = merged(target.blocks, source.blocks)
        self._stirred[linkedid] = None
        self._guests.setdefault(uniqueid, set()).add(linkedid)

    # ------------------------------------------------------------ moving on

    def _move(self, linkedid: str, entry: Entry, after: State) -> tuple[Transition, ...]:
        before, entry.state = entry.state, after
        if isinstance(after, Ringing) and (isinstance(before, Inside) or after.facts.legs is not before.facts.legs):
            self._stirred[linkedid] = None
        if isinstance(after, Talking):
            if not isinstance(before, Talking):
                entry.told = after.concerns  # the answer, which is a fact, tells of them
            elif after.concerns != entry.told:
                self._stirred[linkedid] = None
        for party in after.facts.parties:
            self._owners.setdefault(party.uniqueid, linkedid)
        blocks = entry.raw
        found = tuple(Transition(kind, call, blocks) for kind, call in passed(before, after))
        match after:
            case Over() | Gone():
                self._close(linkedid, entry)
            case Leaving():
                self._leaving.setdefault(linkedid, None)
        return found

    def _close(self, linkedid: str, entry: Entry) -> None:
        self._calls.pop(linkedid, None)
        self._leaving.pop(linkedid, None)
        self._stirred.pop(linkedid, None)
        facts = entry.state.facts
        for party in facts.parties:
            if self._owners.get(party.uniqueid) == linkedid:
                del self._owners[party.uniqueid]
                self._guests.pop(party.uniqueid, None)
                self._leave(party.uniqueid)
            elif linkedid in self._guests.get(party.uniqueid, ()):
                self._guests[party.uniqueid].discard(linkedid)
        known = isinstance(entry.state, Over | Gone) and not facts.guessed
        for each in entry.inner:
            self._absorbed.pop(each, None)
            self._end_of(each, known=known)
        self._end_of(linkedid, known=known)

    def _end_of(self, linkedid: str, *, known: bool) -> None:
        self._ended[linkedid] = known
        while len(self._ended) > self._limits.ended:
            self._ended.popitem(last=False)
