"""[hub-recorded]: begins to record when somebody picks up, so that calls nobody took leave no empty file. [hub-record]:
the lines that say whether they are recorded.

What a line or the hub says is kept in HUB_RECORD, inherited by every channel that the call makes: so the fallback and
whoever is given the call keep to it.
"""

from __future__ import annotations

import re

from channels.pbx.config import PbxConfig

_FOLDER = re.compile(r"[^,;|&()\[\]{}$\"'\\\s^]+\Z")
_DIGITS = re.compile(r"[0-9]")
# As the record tells lines apart: `8495…` and `+7495…` are one.
_TAIL = 10

RECORD_SAID = " same => n,Set(__HUB_RECORD=${FILTER(01,${HUB_RECORD})})\n"
"""The step behind asking the hub: what it said is inherited too."""


def recorded(config: PbxConfig) -> str:
    """The contexts, empty where nothing is recorded; ValueError where the folder can't stand in a dialplan."""
    if config.recordings is None:
        return ""
    folder = str(config.recordings)
    if not _FOLDER.match(folder):
        raise ValueError(f"recordings {folder!r} holds characters that a dialplan can't hold")
    return _RECORDED.format(folder=folder, usual=int(config.record)) + _lines(config)


def recorded_talk(config: PbxConfig) -> str:
    """The option that a Dial is given, with the comma before it; empty where nothing can be recorded."""
    if config.recordings is None:
        return ""
    return ",U(hub-recorded^${FILTER(01,${HUB_RECORD})})"  # behind ^ stands the argument


def recorded_line(config: PbxConfig) -> str:
    """The step that looks the dialled line up; empty where no line says anything."""
    return _LOOK_UP if _said(config) else ""


def _said(config: PbxConfig) -> dict[str, bool]:
    """What lines say, by the end of their number; a line that is no number is never dialled here."""
    if config.recordings is None:
        return {}
    tails = (("".join(_DIGITS.findall(number))[-_TAIL:], record) for number, record in config.record_lines)
    return {tail: record for tail, record in tails if tail}


def _lines(config: PbxConfig) -> str:
    said = _said(config)
    if not said:
        return ""
    rows = (
        f"exten => r{tail},1,Set(__HUB_RECORD={int(record)})\n same => n,Return()\n" for tail, record in said.items()
    )
    return _RECORD + "".join(rows) + "exten => _r!,1,Return()\n"


# The number is cut in two steps: `${VAR:-10}` takes no function.
_LOOK_UP = """\
 same => n,Set(HUB_DIALLED=${FILTER(0-9,${EXTEN})})
 same => n,Gosub(hub-record,r${HUB_DIALLED:-10},1)
"""
_RECORD = """
[hub-record]
; The lines that say whether they are recorded, by the last ten digits; others are as set for this PBX.
"""
_RECORDED = """\
[hub-recorded]
; Give your own Dial of colleagues the option U(hub-recorded), so that a call that was transferred goes on in its file.
; Its argument, or else HUB_RECORD, which the call brings along, is the word of the hub or the line: 1 record, 0 do not;
; without one it is done as set for this PBX ({usual}).
exten => s,1,Set(__HUB_RECORD=${{FILTER(01,${{IF($["${{ARG1}}"=""]?${{HUB_RECORD}}:${{ARG1}})}})}})
 same => n,GotoIf($["${{IF($["${{HUB_RECORD}}"=""]?{usual}:${{HUB_RECORD}})}}"!="1"]?done)
 same => n,MixMonitor({folder}/${{CHANNEL(linkedid)}}.wav,a)
 same => n(done),Return()
"""
