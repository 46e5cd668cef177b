"""Troubles of the installation that somebody must know of, whether or not a client complains."""

from __future__ import annotations

from enum import StrEnum


class AlarmKind(StrEnum):
    """What is wrong: a line that usually rings is silent, a PBX is out of reach, calls of its records are missing,
    recordings can't be kept, another program does not take events, a rule fails."""

    SILENT_LINE = "silent_line"
    LINK_DOWN = "link_down"
    CALLS_MISSING = "calls_missing"
    RECORDINGS = "recordings"
    WEBHOOK = "webhook"
    RULE = "rule"
