"""What is pasted into Asterisk: the dialplan that asks the hub and does without it, the AMI user, the call records.

Nothing that a caller sends is ever evaluated: only filtered digits and the hub's own answers are used.
"""

from __future__ import annotations

from enum import StrEnum

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.callback import callback
from channels.pbx.snippet.fallback import fallback
from channels.pbx.snippet.inbound import inbound
from channels.pbx.snippet.manager import manager
from channels.pbx.snippet.outbound import outbound
from channels.pbx.snippet.recorded import recorded
from channels.pbx.snippet.records import records
from channels.pbx.snippet.robot import robot
from channels.pbx.snippet.words import DIALABLE

__all__ = ["DIALABLE", "Part", "snippet"]


class Part(StrEnum):
    """The files of Asterisk that get a piece."""

    DIALPLAN = "dialplan"
    MANAGER = "manager"
    CDR = "cdr"


def snippet(config: PbxConfig, part: Part | None = None) -> str:
    """The text to paste for one part, or for all under headings; ValueError where a setting can't stand in it."""
    if part is not None:
        return _PARTS[part](config)
    return "\n".join(f"; ===== {_FILES[each]} =====\n{_PARTS[each](config)}" for each in Part)


def _dialplan(config: PbxConfig) -> str:
    rooms = (inbound, fallback, callback, outbound, robot, recorded)
    return "\n".join(text for room in rooms if (text := room(config)))


_PARTS = {Part.DIALPLAN: _dialplan, Part.MANAGER: manager, Part.CDR: records}
_FILES = {Part.DIALPLAN: "extensions.conf", Part.MANAGER: "manager.conf", Part.CDR: "cdr.conf"}
