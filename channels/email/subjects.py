"""What a mail is about, without the marks that mail programs put before it."""

from __future__ import annotations

import re

_MAX = 500
_MARKS = (
    "re", "fwd", "fw", "ответ", "отв", "на", "ha", "hа", "нa", "пересл", "переслано", "пересылка", "aw", "wg",
    "vs", "sv", "antw", "vb", "tr", "rv", "res", "enc", "ynt", "odp",
)  # fmt: skip
_MARK = re.compile(
    rf"\s*(?:(?:{'|'.join(_MARKS)})\s*(?:\[\d{{1,4}}\]|\(\d{{1,4}}\)|\^\d{{1,4}}|\d{{1,2}})?\s*[:：]"
    r"|\[(?:external|внешнее|внешнее письмо|external sender|spam|спам)\])\s*",
    re.IGNORECASE,
)


def topic(subject: str) -> str:
    """The subject without `Re:`, `Fwd:`, `RE[2]:`, `Ответ:`, `На:` and their like, however many; blanks made single."""
    text = " ".join(subject[:_MAX].split())
    while True:
        match = _MARK.match(text)
        if match is None or not match[0].strip():
            return text
        text = text[match.end() :]
