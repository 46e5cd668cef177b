"""Telegram's flood limits, measured on an injected clock."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass

from crm_core.ports import Clock

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a bot may send: seconds between two to one chat, per second in all, per minute to a group.

    `slack_s` forgives as many seconds of too early arrival, since the network does not keep distances.
    """

    per_chat_s: float = 1.0
    per_bot_second: int = 30
    per_group_minute: int = 20
    slack_s: float = 0.1


class FloodControl:
    """Counts the messages of one bot."""

    def __init__(self, limits: Limits | None, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._bot: deque[float] = deque()
        self._chats: defaultdict[int, deque[float]] = defaultdict(deque)

    def admit(self, chat_id: int, count: int = 1) -> int | None:
        """None where a message to `chat_id`, or an album of `count`, may pass (it is counted), else whole seconds."""
        if self._limits is None:
            return None
        now, limits, chat = self._clock.monotonic(), self._limits, self._chats[chat_id]
        _forget(self._bot, now - 1.0)
        _forget(chat, now - MINUTE_S)
        waits = [0.0]
        if chat:
            waits.append(chat[-1] + limits.per_chat_s - limits.slack_s - now)
        if self._bot and len(self._bot) + count > limits.per_bot_second:
            waits.append(self._bot[0] + 1.0 - limits.slack_s - now)
        if chat_id < 0 and chat and len(chat) + count > limits.per_group_minute:
            waits.append(chat[0] + MINUTE_S - now)
        wait = max(waits)
        if wait > 0:
            return max(1, math.ceil(wait))
        self._bot.extend([now] * count)
        chat.extend([now] * count)
        return None


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] <= before:
        times.popleft()
