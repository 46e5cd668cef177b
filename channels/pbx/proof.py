"""Trying a PBX account out, for `hub check`."""

from __future__ import annotations

from collections.abc import Sequence

from channels.pbx.ami import AmiCredentialsError, AmiError, AmiLink, AmiRefusedError, LinkHandlers
from channels.pbx.cdr_sources import CdrSource
from channels.pbx.cdr_table import CdrTable
from channels.pbx.config import PbxConfig
from channels.pbx.events import WANTED
from crm_core.errors import ChannelAuthError, TransientDeliveryError

_NO_MIRROR = "without the hub callers do not reach their own manager"


async def prove(config: PbxConfig, sources: Sequence[CdrSource] = ()) -> str:
    """Log in and ask what the hub will ask: one line saying what was proved, and what is missing for the worst day.

    Raises ChannelAuthError where user or secret are refused, TransientDeliveryError with anything else that is wrong
    and how to mend it.
    """
    said: list[str] = []
    wanting: list[str] = []

    async def ask() -> None:
        settings = await link.act("CoreSettings")
        said.append(f"Asterisk {settings.get('AsteriskVersion')} answers")
        await link.act("CoreShowChannels")
        await link.act("DeviceStateList")
        try:
            await link.act("DBPut", (("Family", "hub"), ("Key", "check"), ("Val", "1")))
            await link.act("DBDel", (("Family", "hub"), ("Key", "check")))
        except AmiRefusedError:
            wanting.append(f"user {config.ami.username!r} lacks `system` among its write classes: {_NO_MIRROR}")

    async def never() -> None:
        raise AssertionError("a visit is not a stay")

    link = AmiLink(config.ami, LinkHandlers(lambda _: None, never, lambda: None), WANTED, timing=config.timing)
    try:
        await link.visit(ask)
    except AmiCredentialsError as err:
        raise ChannelAuthError(f"{err}; mend user and secret in [[pbx]] ami, or in manager.conf") from err
    except (AmiError, OSError, TimeoutError) as err:
        mend = "is Asterisk running, and manager.conf as `hub asterisk snippet --part manager` prints it?"
        raise TransientDeliveryError(f"{str(err) or 'no answer in time'}; {mend}") from err
    if link.health.detail:
        wanting.append(link.health.detail)
    if config.cdr is not None and not config.cdr.exists():
        wanting.append(f"{config.cdr} is not there")
    if not sources and config.cdr is None:
        wanting.append("neither cdr nor cdr_sql is set: calls of an outage can't be settled")
    if not config.fallback:
        wanting.append("fallback is not set: without the hub nobody but own managers is rung")
    said += [await source.proof() for source in sources if isinstance(source, CdrTable)]
    return "; ".join((*said, *(f"but {each}" for each in wanting)))
