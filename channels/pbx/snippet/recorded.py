"""[hub-recorded]: runs when somebody picks up, so that calls nobody took leave no empty file."""

from __future__ import annotations

from channels.pbx.config import PbxConfig


def recorded(config: PbxConfig) -> str:
    """The context, empty where nothing is recorded."""
    return _RECORDED.format(folder=config.recordings) if config.recordings is not None else ""


_RECORDED = """\
[hub-recorded]
exten => s,1,MixMonitor({folder}/${{CHANNEL(linkedid)}}.wav,a)
 same => n,Return()
"""
