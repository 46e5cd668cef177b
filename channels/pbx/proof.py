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
from crm_core.wording import Joined, Sentence

_DENIED = "Permission denied"
_ORIGINATED = "OriginateResponse"
_NOBODY = "check:originate"


async def prove(config: PbxConfig, sources: Sequence[CdrSource] = ()) -> str:
    """Log in and try what the hub will do: one line saying what was proved, and what is missing for the worst day.

    Raises ChannelAuthError where user or secret are refused or a class of rights is missing, TransientDeliveryError
    with anything else that is wrong, both with how to mend it.
    """
    visit = _Visit(config)
    try:
        await visit.pay()
    except AmiCredentialsError as err:
        raise ChannelAuthError("{why}; mend user and secret in [[pbx]] ami, or in manager.conf", why=err) from err
    except (AmiError, OSError, TimeoutError) as err:
        why = str(err) or Sentence("no answer in time")
        raise TransientDeliveryError(
            "{why}; is Asterisk running, and manager.conf as `hub asterisk snippet --part manager` prints it?", why=why
        ) from err
    if visit.lacking:
        raise ChannelAuthError(
            "AMI user {user!r} lacks {rights}; write in manager.conf `read = {read}` and `write = {write}`,"
            " then `manager reload`; a running hub has them from its next login",
            user=config.ami.username,
            rights=Joined(visit.lacking, ", "),
            read=READ,
            write=WRITE,
        )
    wanting: list[str] = []
    if config.cdr is not None and not config.cdr.exists():
        wanting.append(Sentence("{file} is not there", file=config.cdr))
    if not sources and config.cdr is None:
        wanting.append(Sentence("neither cdr nor cdr_sql is set: calls of an outage can't be settled"))
    if not config.fallback:
        wanting.append(Sentence("fallback is not set: without the hub nobody but own managers is rung"))
    said = [visit.said, *[await source.proof() for source in sources if isinstance(source, CdrTable)]]
    return Joined((*said, *(Sentence("but {what_lacks}", what_lacks=each) for each in wanting)))


class _Visit:
    """One login: `said` is what answered, `lacking` the classes that the user has not, in words."""

    def __init__(self, config: PbxConfig) -> None:
        handlers = LinkHandlers(self._heard, self._never, lambda: None)
        self._link = AmiLink(config.ami, handlers, WANTED | {_ORIGINATED}, timing=config.timing)
        self._originated = asyncio.Event()
        self._event_s = config.timing.event_s
        self.said: str = Sentence("Asterisk answers")
        self.lacking: list[str] = []

    async def pay(self) -> None:
        """Raises what `AmiLink.visit` raises."""
        await self._link.visit(self._ask)

    async def _ask(self) -> None:
        if self._link.health.detail:
            self.lacking.append(Sentence("`system` among its read classes (it can't see Asterisk start)"))
        settings = await self._granted("CoreSettings")
        shown = await self._granted("CoreShowChannels")
        states = await self._granted("DeviceStateList")
        if settings is not None:
            self.said = Sentence("Asterisk {version} answers", version=settings.get("AsteriskVersion"))
        if None in (settings, shown, states):
            self.lacking.append(
                Sentence("`reporting` among its write classes (channels and telephones can't be asked for)")
            )
        row = (("Family", "hub"), ("Key", "check"))
        if await self._granted("DBPut", (*row, ("Val", "1"))) is None:
            self.lacking.append(
                Sentence("`system` among its write classes (without the hub nobody reaches their own manager)")
            )
        else:
            await self._granted("DBDel", row)
        if not await self._may_set():
            self.lacking.append(Sentence("`call` among its write classes (a placed call can't be stopped)"))
        await self._ask_for_calls()

    async def _ask_for_calls(self) -> None:
        """Ask for a call over a technology that does not exist: it rings nobody, and whoever may hear is told so."""
        nobody = (("Channel", "Hub/none"), ("Application", "Hangup"), ("Timeout", "1000"), ("Async", "true"))
        if await self._granted("Originate", nobody, _NOBODY) is None:
            self.lacking.append(Sentence("`originate` among its write classes (the hub can't place calls)"))
            return
        try:
            async with asyncio.timeout(self._event_s):
                await self._originated.wait()
        except TimeoutError:
            self.lacking.append(
                Sentence("`call` among its read classes, or an eventfilter hides it (calls are not seen)")
            )

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
