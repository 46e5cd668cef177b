"""The language that is spoken to whoever asked: texts stand in the code in English, catalogues hold them in others.

`_("Open cases")` in code and templates says a text in the language of the current request, `speak` sets it. What one
English text has two meanings of takes `pgettext("which", "Text")`. What is written down before somebody asks, such as
the words of an enumeration, is marked by `N_` and `NP_`, which say nothing, and said later. Names are filled in with
`format` afterwards: `_("waits {time}").format(time=…)`; in a template `(_("since {time}")|e).format(time=at|moment)`
where the name is HTML.

A sentence (`crm_core.wording.Sentence`) is said by `told`; templates do so by themselves with whatever they are given.
What is written for somebody else than who asks, or by nobody's request, is said by `told_in`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TypeVar, cast

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from crm_core.services.wording import say_again
from crm_core.wording import Counted, Joined, Said, Sentence, tell_with

Value = TypeVar("Value")

LOCALE = Path(__file__).parent / "web" / "locale"
LANGUAGES = ("ru", "en")

_words: dict[str, Callable[[str], str]] = {}
"""What says those values of refusals that are keys of something, by the name of the value."""
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


def told(text: str) -> str:
    """A refusal in the language of the request, with what it is made of; any other text as it is.

    A text that was cut or put together is no `Sentence` any more: say its parts first.
    """
    said = _said(text)
    return said[:1].upper() + said[1:] if language() != "en" and _begins_small(text) else said


def aloud(value: Value) -> Value:
    """The same of a value of a record, which is none of these sentences as a rule."""
    return cast(Value, told(value)) if isinstance(value, Sentence) else value


def told_in(text: str, language: str) -> str:
    """The same in a language: what an office is notified of, what a file holds that is made by nobody's request."""
    before = _language.set(language if language in LANGUAGES else LANGUAGES[0])
    try:
        return told(text)
    finally:
        _language.reset(before)


def told_at(text: str, place: str) -> str:
    """The same of a refusal that begins with the place of what is wrong (`stages.0.name: …`), without it."""
    said = told(text)
    return said[len(place) + 2 :] if said.lower().startswith(f"{place}: ".lower()) else said


def _begins_small(text: str) -> bool:
    """Whether a text begins as refusals do in English: small, as programs know them by now."""
    match text:
        case Said():
            return False
        case Joined():
            return bool(text.parts) and _begins_small(text.parts[0])
        case _:
            return isinstance(text, Sentence)


def _said(text: str) -> str:
    match text:
        case Said():
            return say_again(text, language())
        case Counted():
            return ngettext(text.one, text.many, text.number).format(count=text.number)
        case Joined():
            return text.between.join(_said(each) for each in text.parts)
        case Sentence() if not text.values:
            return gettext(text.template) if text else ""  # the catalogue says its heading for nothing
        case Sentence():
            values = {name: _value(name, each) for name, each in text.values.items()}
            return gettext(text.template).format(**values)
        case _:
            return text


def _value(name: str, value: object) -> object:
    if isinstance(value, Sentence):
        return _said(value)
    return _words[name](value) if name in _words and isinstance(value, str) else value


def say_values(words: Mapping[str, Callable[[str], str]]) -> None:
    """Have values of refusals said as words: `kind` for instance, a kind of records, which is named by its key."""
    _words.update(words)


def N_(text: str) -> str:  # noqa: N802 - so it is called wherever gettext is used, and extractors know it
    """A text to be said later with `_`."""
    return text


def NP_(context: str, text: str) -> str:  # noqa: N802 - as above
    """A text to be said later with `pgettext` and the same context."""
    del context
    return text


_ = gettext

tell_with(told_in)
