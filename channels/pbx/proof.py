"""Trying a PBX account out, for `hub check`: whether it is there, and lets the hub see and do all that it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from channels.pbx.ami import AmiCredentialsError, AmiError, AmiLink, AmiRefusedError, LinkHandlers
from channels.pbx.ami_wire import AmiMessage, Fields
from channels.pbx.cdr_sources import CdrSource
from channels.pbx.cdr_table import CdrTable
from channels.pbx.config import PbxConfig
from channels.pbx.events import WANTED
from channels.pbx.snippet.manager import READ, WRITE
from crm_core.errors import ChannelAuthError, TransientDeliveryError

_DENIED = "Permission denied"
_ORIGINATED = "OriginateResponse"
_NOBODY = "check:originate"
# Asterisk gives rights to a session when it logs in, and leaves them to it
_WHEN = "a running hub has them from its next login"


async def prove(config: PbxConfig, sources: Sequence[CdrSource] = ()) -> str:
    """Log in and try what the hub will do: one line saying what was proved, and what is missing for the worst day.

    Raises ChannelAuthError where user or secret are refused or a class of rights is missing, TransientDeliveryError
    with anything else that is wrong, both with how to mend it.
    """
    visit = _Visit(config)
    try:
        await visit.pay()
    except AmiCredentialsError as err:
        raise ChannelAuthError(f"{err}; mend user and secret in [[pbx]] ami, or in manager.conf") from err
    except (AmiError, OSError, TimeoutError) as err:
        mend = "is Asterisk running, and manager.conf as `hub asterisk snippet --part manager` prints it?"
        raise TransientDeliveryError(f"{str(err) or 'no answer in time'}; {mend}") from err
    if visit.lacking:
        mend = f"write in manager.conf `read = {READ}` and `write = {WRITE}`, then `manager reload`; {_WHEN}"
        raise ChannelAuthError(f"AMI user {config.ami.username!r} lacks {', '.join(visit.lacking)}; {mend}")
    wanting: list[str] = []
    if config.cdr is not None and not config.cdr.exists():
        wanting.append(f"{config.cdr} is not there")
    if not sources and config.cdr is None:
        wanting.append("neither cdr nor cdr_sql is set: calls of an outage can't be settled")
    if not config.fallback:
        wanting.append("fallback is not set: without the hub nobody but own managers is rung")
    said = [visit.said, *[await source.proof() for source in sources if isinstance(source, CdrTable)]]
    return "; ".join((*said, *(f"but {each}" for each in wanting)))


class _Visit:
    """One login: `said` is what answered, `lacking` the classes that the user has not, in words."""

    def __init__(self, config: PbxConfig) -> None:
        handlers = LinkHandlers(self._heard, self._never, lambda: None)
        self._link = AmiLink(config.ami, handlers, WANTED | {_ORIGINATED}, timing=config.timing)
        self._originated = asyncio.Event()
        self._event_s = config.timing.event_s
        self.said = "Asterisk answers"
        self.lacking: list[str] = []

    async def pay(self) -> None:
        """Raises what `AmiLink.visit` raises."""
        await self._link.visit(self._ask)

    async def _ask(self) -> None:
        if self._link.health.detail:
            self.lacking.append("`system` among its read classes (it can't see Asterisk start)")
        settings = await self._granted("CoreSettings")
        shown = await self._granted("CoreShowChannels")
        states = await self._granted("DeviceStateList")
        if settings is not None:
            self.said = f"Asterisk {settings.get('AsteriskVersion')} answers"
        if None in (settings, shown, states):
            self.lacking.append("`reporting` among its write classes (channels and telephones can't be asked for)")
        row = (("Family", "hub"), ("Key", "check"))
        if await self._granted("DBPut", (*row, ("Val", "1"))) is None:
            self.lacking.append("`system` among its write classes (without the hub nobody reaches their own manager)")
        else:
            await self._granted("DBDel", row)
        if not await self._may_set():
            self.lacking.append("`call` among its write classes (a placed call can't be stopped)")
        await self._ask_for_calls()

    async def _ask_for_calls(self) -> None:
        """Ask for a call over a technology that does not exist: it rings nobody, and whoever may hear is told so."""
        nobody = (("Channel", "Hub/none"), ("Application", "Hangup"), ("Timeout", "1000"), ("Async", "true"))
        if await self._granted("Originate", nobody, _NOBODY) is None:
            self.lacking.append("`originate` among its write classes (the hub can't place calls)")
            return
        try:
            async with asyncio.timeout(self._event_s):
                await self._originated.wait()
        except TimeoutError:
            self.lacking.append("`call` among its read classes, or an eventfilter hides it (calls are not seen)")

    async def _granted(self, action: str, fields: Fields = (), action_id: str | None = None) -> AmiMessage | None:
        """The answer; None where the user has not the right. Raises AmiRefusedError with any other refusal."""
        try:
            return await self._link.act(action, fields, action_id=action_id)
        except AmiRefusedError as err:
            if _DENIED not in str(err):
                raise
            return None

    async def _may_set(self) -> bool:
        """Whether Setvar is granted: asked without a variable it is refused in any case, what matters is why."""
        try:
            return await self._granted("Setvar") is not None
        except AmiRefusedError:
            return True

    def _heard(self, message: AmiMessage) -> None:
        if message.event == _ORIGINATED and message.get("ActionID") == _NOBODY:
            self._originated.set()

    async def _never(self) -> None:
        raise AssertionError("a visit is not a stay")
