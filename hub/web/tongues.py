"""The language of the pages: all of `hub.tongues`, and what templates are given of it."""

from __future__ import annotations

import jinja2

from crm_core.wording import Sentence
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
    "install",
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


def install(environment: jinja2.Environment) -> None:
    """Give the templates `_`, `gettext`, `ngettext`, `pgettext`, `npgettext`, `told` and `language`; what they show is
    told."""
    environment.finalize = _shown
    environment.add_extension("jinja2.ext.i18n")
    environment.globals.update(
        _=gettext,
        gettext=gettext,
        ngettext=ngettext,
        pgettext=pgettext,
        npgettext=npgettext,
        language=language,
        told=told,
    )


def _shown(value: object) -> object:
    return told(value) if isinstance(value, Sentence) else value
