"""What is done once an update is committed, beside everything else: pressed buttons are answered, and whoever shared
their number is thanked, so that the keyboard that asked for it goes away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from channels.telegram.api import BotApi
from channels.telegram.background import Background
from channels.telegram.calls import thanks
from channels.telegram.conversation import Conversation, parse_conversation
from channels.telegram.inbound import Arrival
from channels.telegram.pacing import Pacer
from channels.telegram.words import Words
from crm_core.errors import DeliveryError, PermanentDeliveryError
from crm_core.messages import ContactShared, Receipt, ReceiptState

log = logging.getLogger(__name__)

ANSWER_LIMIT = 200
TRIES = 2


class Afterwards:
    """Calls in the background. A lost one leaves a spinning button or a keyboard, never a lost fact."""

    def __init__(self, api: BotApi, background: Background, pacer: Pacer, words: Words) -> None:
        self._api = api
        self._background = background
        self._pacer = pacer
        self._words = words

    def committed(self, arrivals: Sequence[Arrival], receipts: Sequence[Receipt]) -> None:
        """Answer every press, and thank for every number, among what was just committed."""
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            if arrival.callback_id is not None:
                answer = self._answer(arrival.callback_id, receipt.answer[:ANSWER_LIMIT])
                self._background.start(answer, "answering a pressed button")
            chat = _number_shared(arrival, receipt)
            if chat is not None:
                self._background.start(self._thank(chat, arrival.event.external_id), "thanking for a number")

    async def _answer(self, query_id: str, text: str) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                return await self._api.answer_callback(query_id, text)
            except PermanentDeliveryError as error:
                log.info("a pressed button was not answered: %s", error)  # too old, or answered on an earlier delivery
                return None
            except DeliveryError as error:
                log.warning("a pressed button was not answered, try %d of %d: %s", attempt, TRIES, error)
        return None

    async def _thank(self, where: Conversation, key: str) -> None:
        try:
            await self._pacer.admit(where.chat_id, f"thanks:{key}")
            await self._api.call(thanks(where, self._words))
        except DeliveryError as error:
            log.info("nobody was thanked for a number: %s", error)


def _number_shared(arrival: Arrival, receipt: Receipt) -> Conversation | None:
    """The chat with the bot in which somebody has just proven their number; none where the update came before."""
    event = arrival.event
    if receipt.state is not ReceiptState.DONE or not isinstance(event.payload, ContactShared) or not event.payload.own:
        return None
    where = parse_conversation(event.conversation)
    return where if where.business is None and not event.group else None
