"""The words of the room: how somebody left the mailings, where a chain stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crm_core.model.automation import ChainState
from crm_core.services.letters import opting_out
from hub.web.tongues import NP_, pgettext

_HOW: Final[Mapping[str, str]] = {
    opting_out.BY_HAND: NP_("opt-out", "told us"),
    opting_out.BY_LINK: NP_("opt-out", "by the link in a mail"),
    opting_out.BY_WORDS: NP_("opt-out", "answered so"),
    opting_out.BY_BLOCK: NP_("opt-out", "blocked us"),
}
_CHAINS: Final[Mapping[ChainState, str]] = {
    ChainState.RUNNING: NP_("chain", "goes on"),
    ChainState.FINISHED: NP_("chain", "has come to its end"),
    ChainState.STOPPED: NP_("chain", "stopped"),
}


def how_word(how: str) -> str:
    """How somebody left."""
    return pgettext("opt-out", _HOW[how]) if how in _HOW else how


def chain_word(state: ChainState) -> str:
    """Where a chain stands."""
    return pgettext("chain", _CHAINS[state])
