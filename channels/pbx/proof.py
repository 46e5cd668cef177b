"""Trying a PBX account out, for `hub check`."""

from __future__ import annotations

from channels.pbx.ami import AmiCredentialsError, AmiError, AmiLink, LinkHandlers
from channels.pbx.config import PbxConfig
from channels.pbx.events import WANTED
from crm_core.errors import ChannelAuthError, TransientDeliveryError


async def prove(config: PbxConfig) -> str:
    """Log in and ask what the hub will ask: one line saying what was proved.

    Raises ChannelAuthError where user or secret are refused, TransientDeliveryError with anything else that is wrong
    and how to mend it.
    """
    said: list[str] = []

    async def ask() -> None:
        settings = await link.act("CoreSettings")
        said.append(f"Asterisk {settings.get('AsteriskVersion')} answers")
        await link.act("CoreShowChannels")
        await link.act("DeviceStateList")

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
    warning = f", but {link.health.detail}" if link.health.detail else ""
    missing = f"; {config.cdr} is not there" if config.cdr is not None and not config.cdr.exists() else ""
    return "".join((*said, warning, missing))
