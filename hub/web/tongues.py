"""The language of the pages: all of `hub.tongues`."""

from __future__ import annotations

from hub.tongues import (
    LANGUAGES,
    LOCALE,
    N_,
    NP_,
    _,
    gettext,
    language,
    ngettext,
    npgettext,
    pgettext,
    say_values,
    speak,
    told,
    told_at,
    told_in,
    translations_of,
)

__all__ = [
    "LANGUAGES",
    "LOCALE",
    "NP_",
    "N_",
    "_",
    "gettext",
    "language",
    "ngettext",
    "npgettext",
    "pgettext",
    "say_values",
    "speak",
    "told",
    "told_at",
    "told_in",
    "translations_of",
]
