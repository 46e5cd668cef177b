"""cdr.conf: what the call records must hold so that calls can be settled from them."""

from __future__ import annotations

from channels.pbx.config import PbxConfig


def records(_: PbxConfig) -> str:
    """The sections."""
    return _RECORDS


_RECORDS = """\
; cdr.conf. With unanswered = yes also calls that rang nobody leave a record; linkedid joins the rows of one call.
[general]
enable = yes
unanswered = yes
congestion = yes

[csv]
usegmtime = yes
loguniqueid = yes
loguserfield = yes
newcdrcolumns = yes
"""
