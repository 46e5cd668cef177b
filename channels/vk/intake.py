"""What both ways in share: facts are committed, and only then buttons are answered and names asked for. That a client
is writing is no fact: it is passed on, and nothing is kept of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from channels.vk.inbound import Arrival
from channels.vk.names import NameKeeper
from channels.vk.own_comments import OwnComments
from channels.vk.presses import PressAnswers
from crm_core.messages import Ignored, MessageSent, Receipt, ReceiptState, Sender, Unparsable
from crm_core.ports import InboundSink


class Intake:
    """Takes events of one community in; `typed` is called with clients who are writing. `counts` are how many came,
    and how many of them again or not understood."""

    def __init__(
        self, own: OwnComments, presses: PressAnswers, names: NameKeeper, typed: Callable[[int], None]
    ) -> None:
        self._own = own
        self._presses = presses
        self._names = names
        self._typed = typed
        self.counts: Counter[str] = Counter()

    async def take(self, arrivals: Sequence[Arrival], sink: InboundSink) -> Sequence[Receipt]:
        """Commit; raises IntakeFull or IntakeUnavailable where nothing was committed."""
        for arrival in arrivals:
            if arrival.typist is not None:
                self._typed(arrival.typist)
        arrivals = [arrival for arrival in arrivals if arrival.typist is None]
        if not arrivals:
            return ()
        events = [await self._own.told_apart(arrival) for arrival in arrivals]
        receipts = await sink.receive_many(events)
        for arrival, event, receipt in zip(arrivals, events, receipts, strict=True):
            self.counts["events"] += 1
            self.counts["events_repeated"] += receipt.state is ReceiptState.DUPLICATE
            self.counts["events_not_understood"] += isinstance(event.payload, Unparsable)
            self._presses.committed(arrival.press, receipt.answer)
            if not isinstance(event.payload, Ignored | Unparsable):
                self._names.met(event.sender)
            if isinstance(event.payload, MessageSent) and event.payload.author is not None:
                # Of this message the name comes too late; the colleague writes again.
                self._names.met(Sender((event.payload.author,)))
        return receipts
