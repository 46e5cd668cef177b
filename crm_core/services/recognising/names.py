"""The form in which names of companies are compared."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[\w&+]+")
_FORMS = frozenset(["ооо", "оао", "зао", "пао", "ао", "ип", "тоо", "нко", "чп", "llc", "ltd", "inc", "gmbh"])


def name_key(name: str) -> str:
    """A company's name without case, signs, «ё» and the legal form; the whole where nothing else is left.

    >>> name_key('ООО «Ромашка»') == name_key("ромашка, ооо")
    True
    """
    words = _WORDS.findall(name.casefold().replace("ё", "е"))
    return " ".join(word for word in words if word not in _FORMS) or " ".join(words)
