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

__all__ = ["DIALABLE", "Form", "Part", "snippet"]


class Part(StrEnum):
    """The files of Asterisk that get a piece."""

    DIALPLAN = "dialplan"
    MANAGER = "manager"
    CDR = "cdr"


class Form(StrEnum):
    """For whom the pieces are: an Asterisk configured by hand, or FreePBX, which writes its files itself."""

    PLAIN = "plain"
    FREEPBX = "freepbx"


def snippet(config: PbxConfig, part: Part | None = None, form: Form = Form.PLAIN) -> str:
    """The text to paste for one part, or for all under headings; ValueError where a setting can't stand in it."""
    if part is not None:
        return _text(config, part, form)
    return "\n".join(f"; ===== {_FILES[form][each]} =====\n{_text(config, each, form)}" for each in Part)


def _text(config: PbxConfig, part: Part, form: Form) -> str:
    head = f"; {_FILES[form][part]}: {_PLACE[part]}\n" if form is Form.FREEPBX else ""
    match part:
        case Part.DIALPLAN:
            # FreePBX leads its telephones' calls to clients by its own outbound routes
            rooms = (inbound, fallback, callback, *((outbound,) if form is Form.PLAIN else ()), robot, recorded)
            return head + "\n".join(text for room in rooms if (text := room(config)))
        case Part.MANAGER:
            return head + manager(config)
        case Part.CDR:
            return head + records(config)


_FILES = {
    Form.PLAIN: {Part.DIALPLAN: "extensions.conf", Part.MANAGER: "manager.conf", Part.CDR: "cdr.conf"},
    Form.FREEPBX: {
        Part.DIALPLAN: "extensions_custom.conf",
        Part.MANAGER: "manager_custom.conf",
        Part.CDR: "cdr.conf",
    },
}
_PLACE = {
    Part.DIALPLAN: "FreePBX leaves this file alone. Admin, Custom Destinations: hub-inbound,${EXTEN},1.",
    Part.MANAGER: "FreePBX leaves this file alone. In [general] of manager.conf it sets enabled = yes by itself.",
    Part.CDR: "only where [[pbx]] cdr names a file; FreePBX's own table is read with [[pbx]] cdr_sql instead.",
}
