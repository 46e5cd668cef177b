"""The language that is spoken to whoever asked: texts stand in the code in English, catalogues hold them in others.

`_("Open cases")` in code and templates says a text in the language of the current request, `speak` sets it. What one
English text has two meanings of takes `pgettext("which", "Text")`. What is written down before somebody asks, such as
the words of an enumeration, is marked by `N_` and `NP_`, which say nothing, and said later. Names are filled in with
`format` afterwards: `_("waits {time}").format(time=…)`; in a template `(_("since {time}")|e).format(time=at|moment)`
where the name is HTML.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

import jinja2
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("ru", "en")

_language: ContextVar[str] = ContextVar("language", default=LANGUAGES[0])


def speak(language: str) -> None:
    """From here on the current request is answered in this language; Russian where there are no texts of it."""
    _language.set(language if language in LANGUAGES else LANGUAGES[0])


def language() -> str:
    """The language that the current request is answered in: `ru` or `en`."""
    return _language.get()


@lru_cache
def translations_of(language: str) -> NullTranslations:
    """The catalogues of a language as one, put together at the first call; what they lack is said as it stands in the
    code. Raises OSError and PoFileError where they can't be read."""
    together = Catalog(locale=language)
    for path in sorted((LOCALE / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language, abort_invalid=True):
                if message.id:  # that of an empty one is the heading
                    together.add(message.id, message.string, context=message.context, flags=message.flags)
    if not len(together):
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, together)
    compiled.seek(0)
    return GNUTranslations(compiled)


def gettext(text: str) -> str:
    """A text in the language of the request."""
    return translations_of(_language.get()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """The form of a text that goes with a number; the number is filled in by `format`."""
    return translations_of(_language.get()).ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    """A text of which the English alone does not tell what is meant."""
    return translations_of(_language.get()).pgettext(context, text)


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """Both: a form of a text that needs to be told apart."""
    return translations_of(_language.get()).npgettext(context, one, many, count)


def N_(text: str) -> str:  # noqa: N802 - so it is called wherever gettext is used, and extractors know it
    """A text to be said later with `_`."""
    return text


def NP_(context: str, text: str) -> str:  # noqa: N802 - as above
    """A text to be said later with `pgettext` and the same context."""
    del context
    return text


_ = gettext


def install(environment: jinja2.Environment) -> None:
    """Give the templates `_`, `gettext`, `ngettext`, `pgettext`, `npgettext` and `language`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.globals.update(
        _=gettext, gettext=gettext, ngettext=ngettext, pgettext=pgettext, npgettext=npgettext, language=language
    )
