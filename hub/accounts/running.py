"""Starting and stopping the connectors of the record's accounts as people change them, without a restart.

Every node does so for itself when it hears of the change; who of them polls is decided by the leases of the connectors.
An account that can't be used, or does not start, keeps nobody else from their work: its health says why.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm_core.messages import ChannelKey
from crm_core.ports import Channel, ChannelContext
from crm_core.wording import Joined
from hub.accounts.channels import BrokenChannel, Channels
from hub.accounts.in_force import Found, NowInForce
from hub.accounts.keeping import words_of
from hub.accounts.kinds import alone
from hub.accounts.starting import Starts
from hub.connectors import CONNECTORS, Connect, config_of
from hub.log import get_logger, hide
from hub.settings import Settings

log = get_logger(__name__)

_STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to run. `sign` is what makes two connectors the same: another one means a new connector."""

    key: ChannelKey
    sign: object
    make: Callable[[], Channel]


class Accounts:
    """Keeps the connectors of `channels` that come from the record as the record wants them.

    Those of hub.toml, which are in `channels` from the beginning, it leaves alone. `followers` hear of the settings in
    force, before connectors are changed.
    """

    def __init__(
        self,
        configured: NowInForce,
        channels: Channels,
        starts: Starts,
        context: ChannelContext,
        connectors: Mapping[str, Connect] | None = None,
        followers: tuple[Callable[[Settings], None], ...] = (),
    ) -> None:
        self._configured = configured
        self._channels = channels
        self._starts = starts
        self._context = context
        self._connectors = {**CONNECTORS, **(connectors or {})}
        self._followers = followers
        self._signs: dict[ChannelKey, object] = {}
        self._woken = asyncio.Event()
        self._settled = asyncio.Condition()
        self._seen = 0
        self._done = 0
        self._ending = False
        self._task: asyncio.Task[None] | None = None
        configured.listen(self._changed)

    async def prepare(self) -> None:
        """Make the connectors of what is configured now without starting them, for whoever only tries them out."""
        await self._settle()

    async def start(self) -> None:
        """Start what is configured now, and follow what changes."""
        await self._settle()
        self._task = asyncio.create_task(self._follow(), name="accounts")

    async def stop(self) -> None:
        """Change nothing any more; what runs is stopped by whoever stops all connectors. Idempotent."""
        self._ending = True
        self._woken.set()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait({task}, timeout=_STOP_S)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settled(self, timeout_s: float = 5.0) -> bool:
        """Wait until all changes heard of so far are done; False where that takes too long."""
        seen = self._seen
        try:
            async with asyncio.timeout(timeout_s), self._settled:
                await self._settled.wait_for(lambda: self._done >= seen)
        except TimeoutError:
            return False
        return True

    async def _changed(self) -> None:
        self._seen += 1
        self._woken.set()

    async def _follow(self) -> None:
        while not self._ending:
            await self._woken.wait()
            self._woken.clear()
            await self._settle_for_sure()

    async def _settle_for_sure(self) -> None:
        try:
            if not self._ending:
                await self._settle()
        except Exception:
            log.exception("accounts can't be made what they are configured to be")

    async def _settle(self) -> None:
        seen = self._seen
        settings = self._configured.settings
        hide(settings.secrets())
        for follower in self._followers:
            follower(settings)
        wanted = {key: found for key, found in self._configured.accounts.items() if not found.overridden}
        for key in [key for key in self._signs if key not in wanted]:
            del self._signs[key]
            await self._starts.leave(key)
            log.info("an account was taken out of use", channel=str(key))
        for key, found in wanted.items():
            await self._become(await self._wanted(key, found, settings))
        async with self._settled:
            self._done = seen
            self._settled.notify_all()

    async def _wanted(self, key: ChannelKey, found: Found, settings: Settings) -> _Wanted:
        """What this account is to run as; never raises."""
        if found.account is None:
            why: str = Joined(words_of(each) for each in found.problems)
            return _Wanted(key, why, lambda: BrokenChannel(key, why))
        kind, account = found.kind, found.account
        try:
            # Its library takes seconds to load, for which nobody is to wait.
            await asyncio.to_thread(importlib.import_module, f"channels.{key.channel}")
            sign = config_of(account, settings)
        except Exception as err:
            log.exception("an account can't be made", channel=str(key))
            why = f"{type(err).__name__}: {err}"
            return _Wanted(key, why, lambda: BrokenChannel(key, why))

        def make() -> Channel:
            (channel,) = self._connectors[kind.value](alone(settings, kind, account), self._context)
            return channel

        return _Wanted(key, sign, make)

    async def _become(self, wanted: _Wanted) -> None:
        """Replace the connector of an account where another one is wanted."""
        if self._signs.get(wanted.key) == wanted.sign and wanted.key in self._channels:
            return
        self._signs[wanted.key] = wanted.sign
        await self._starts.replace(wanted.key, wanted.make)
