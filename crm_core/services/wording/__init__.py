"""What the hub itself says to staff and on the timeline, in Russian and English."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm_core.model.case import CaseKind
from crm_core.services.wording import english, russian
from crm_core.services.wording.phrases import Phrase
from crm_core.wording import Said, Sentence, in_language, plain

__all__ = ["TEXTS", "Phrase", "case_phrase", "dial_failure_in", "lasting", "local_time", "say", "say_again"]

TEXTS: dict[str, dict[Phrase, str]] = {"ru": russian.TEXTS, "en": english.TEXTS}


def say(language: str, phrase: Phrase, **fields: object) -> Said:
    """A text in the office's language, which may be said again in another; field values are taken as they are, never
    as a format, sentences are said in that language, too."""
    said = {name: _in(language, each) if isinstance(each, Sentence) else each for name, each in fields.items()}
    return Said(phrase.value, TEXTS.get(language, TEXTS["ru"])[phrase].format(**said), **fields)


def say_again(text: Said, language: str) -> str:
    """The same in another language; as it was said where that has no such text."""
    try:
        return plain(say(language, Phrase(text.phrase), **text.values))
    except (ValueError, LookupError):
        return plain(text)  # its words, or what they are filled in with, are others by now


def dial_failure_in(language: str, text: str) -> str:
    """Why a call of ours was not placed, of which the words alone are kept; any other text as it is."""
    for phrase in (Phrase.DIAL_NOT_SENT, Phrase.DIAL_UNHEARD):
        if any(text == texts[phrase] for texts in TEXTS.values()):
            return plain(say(language, phrase))
    return text


def _in(language: str, text: Sentence) -> str:
    return say_again(text, language) if isinstance(text, Said) else in_language(text, language)


def case_phrase(kind: CaseKind, rung: int) -> Phrase:
    """What a rung says of a case."""
    if kind is CaseKind.CALL:
        return Phrase.CALL_MISSED if rung == 0 else Phrase.CALL_STILL_MISSED
    return Phrase.MESSAGE_WAITING if rung == 0 else Phrase.MESSAGE_STILL_WAITING


def local_time(at: datetime, zone: str) -> str:
    """A moment as people of the office read it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%d.%m %H:%M")


def lasting(language: str, length: timedelta) -> str:
    """A length of time as people say it, to the minute."""
    minutes = max(int(length.total_seconds()), 0) // 60
    hours, minutes = divmod(minutes, 60)
    days, rest = divmod(hours, 24)
    if days:
        return say(language, Phrase.LASTS_DAYS, days=days, hours=rest)
    if hours:
        return say(language, Phrase.LASTS_HOURS, hours=hours, minutes=minutes)
    return say(language, Phrase.LASTS_MINUTES, minutes=minutes)
