"""[hub-recorded]: begins to record when somebody picks up, so that calls nobody took leave no empty file."""

from __future__ import annotations

import re

from channels.pbx.config import PbxConfig

_FOLDER = re.compile(r"[^,;|&()\[\]{}$\"'\\\s^]+\Z")


def recorded(config: PbxConfig) -> str:
    """The context, empty where nothing is recorded; ValueError where the folder can't stand in a dialplan."""
    if config.recordings is None:
        return ""
    folder = str(config.recordings)
    if not _FOLDER.match(folder):
        raise ValueError(f"recordings {folder!r} holds characters that a dialplan can't hold")
    return _RECORDED.format(folder=folder, usual=int(config.record))


def recorded_talk(config: PbxConfig, *, asked: bool = False) -> str:
    """The option that a Dial is given, with the comma before it; empty where nothing can be recorded.

    `asked`: the hub was asked about this call and may have said in HUB_RECORD whether it is recorded.
    """
    if config.recordings is None:
        return ""
    # Behind ^ stands the argument; the context runs on the channel that was rung, which has not the caller's variables.
    return ",U(hub-recorded^${FILTER(01,${HUB_RECORD})})" if asked else ",U(hub-recorded)"


_RECORDED = """\
[hub-recorded]
; Give your own Dial of colleagues the option U(hub-recorded), so that a call that was transferred goes on in its file.
; Its argument is the hub's word: 1 record, 0 do not; without one it is done as set for this PBX ({usual}).
exten => s,1,GotoIf($["${{IF($["${{ARG1}}"=""]?{usual}:${{ARG1}})}}"!="1"]?done)
 same => n,MixMonitor({folder}/${{CHANNEL(linkedid)}}.wav,a)
 same => n(done),Return()
"""
