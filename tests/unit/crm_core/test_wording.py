"""What the hub says, in both languages."""

import string
from datetime import timedelta

import pytest

from crm_core.services.wording import TEXTS, Phrase, lasting


@pytest.mark.parametrize("phrase", list(Phrase))
def test_every_phrase_is_said_in_both_languages_with_the_same_fields(phrase: Phrase) -> None:
    fields = {
        language: {name for _, name, _, _ in string.Formatter().parse(texts[phrase]) if name}
        for language, texts in TEXTS.items()
    }
    assert fields["ru"] == fields["en"]


@pytest.mark.parametrize(
    ("length", "ru", "en"),
    [
        (timedelta(seconds=-5), "0 мин", "0 min"),
        (timedelta(seconds=59), "0 мин", "0 min"),
        (timedelta(minutes=59, seconds=59), "59 мин", "59 min"),
        (timedelta(hours=23, minutes=5), "23 ч 5 мин", "23 h 5 min"),
        (timedelta(days=3, hours=1, minutes=30), "3 дн. 1 ч", "3 d 1 h"),
    ],
)
def test_lengths_of_time(length: timedelta, ru: str, en: str) -> None:
    assert (lasting("ru", length), lasting("en", length)) == (ru, en)


def test_what_a_messenger_shows_beside_a_button_is_short() -> None:
    for texts in TEXTS.values():
        for phrase in (Phrase.HOW_TO_WRITE, Phrase.MENU_GONE, Phrase.NOT_STAFF, Phrase.GONE):
            assert len(texts[phrase]) <= 200
