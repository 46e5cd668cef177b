"""Subjects of mails without the marks that mail programs put before them."""

from __future__ import annotations

import re

# «НА» stands there with Latin and Cyrillic letters mixed.
_MARKS = (
    "re", "fwd", "fw", "aw", "wg", "antw", "sv", "vs", "vb", "tr", "rv", "ref", "res", "enc", "ynt", "odp", "fs", "вс",
    "ответ", "отв", "ha", "на", "hа", "нa", "пер", "перес", "пересл", "переслано", "пересылка",
)  # fmt: skip
_MARK = re.compile(
    rf"\s*(?:(?:{'|'.join(_MARKS)})\s*(?:\[\d{{1,4}}\]|\(\d{{1,4}}\)|\^\d{{1,4}}|\d{{1,3}})?\s*[:：]"
    r"|\[(?:external|внешнее|внешнее письмо|external sender|spam|спам)\])",
    re.IGNORECASE,
)
_LONGEST = 1_000


def bare_subject(subject: str) -> str:
    """The subject without `Re:`, `RE[2]:`, `Fwd:`, `Ответ:`, `На:` and their like, however many, and without needless
    blanks. Of a subject beyond a thousand characters the beginning."""
    text = " ".join(subject[:_LONGEST].split())
    while True:
        found = _MARK.match(text)
        if found is None:
            return text
        text = text[found.end() :].lstrip()


def topic_of(subject: str) -> str:
    """What makes two subjects one topic."""
    return bare_subject(subject).casefold()
