"""What may stand in a dialplan."""

from __future__ import annotations

import re

# a semicolon would begin a comment in the dialplan
DIALABLE = re.compile(r"[A-Za-z0-9_/@:.+&=*#-]+\Z")
# names of sounds, several joined by &
PLAYABLE = re.compile(r"[A-Za-z0-9_/.&-]+\Z")


def safe(what: str, value: str) -> str:
    """The value of the setting `what`; ValueError where it holds characters that a dialplan can't hold."""
    if value and not DIALABLE.match(value):
        raise ValueError(f"{what} {value!r} holds characters that a dialplan can't hold")
    return value
