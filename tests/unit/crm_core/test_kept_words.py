"""Sentences that are written down: what they were made of is kept, and they are sentences again when they are read."""

import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import PermanentDeliveryError, TransientDeliveryError
from crm_core.services.wording import Phrase, say
from crm_core.wording import Counted, Joined, Sentence, cut, in_language, kept, made_of, plain, restored, said_as
from hub.tongues import speak, told, told_in

_WHY = Sentence("the client has blocked the bot: call, or write in another channel")
_REFUSED = Sentence("{meant} (Telegram: {words})", meant=_WHY, words="Forbidden: bot was blocked by the user")


@pytest.mark.parametrize(
    "said",
    [
        _REFUSED,
        Sentence("the note is empty"),
        Sentence("{count} MB, {share} of it, {nothing}", count=5, share=0.5, nothing=None),
        Counted("{count} character", "{count} characters", 3),
        Joined([Sentence("the note is empty"), "as it is", Counted("{count} line", "{count} lines", 1)], "\n"),
        Sentence("what {was given"),
        Sentence("{why}", why="{braces} \x1e «и кавычки»"),
        say("ru", Phrase.TASK_MADE, title="Замер", assignee="Иван", term=say("ru", Phrase.TASK_NO_TERM)),
        Joined((say("ru", Phrase.PROMISE_BROKEN), "Иван"), " "),
    ],
)
def test_a_sentence_that_is_kept_is_the_same_when_it_is_read(said: Sentence) -> None:
    back = restored(kept(said))
    assert (back, type(back), told(back)) == (said, type(said), told(said))


@given(st.text())
def test_plain_texts_are_kept_as_they_are(text: str) -> None:
    assert kept(text) == text
    if not text.startswith("\x1e"):
        assert restored(text) == text


def test_what_was_written_down_before_is_read_as_it_stands() -> None:
    assert restored("Forbidden: bot was blocked by the user") == "Forbidden: bot was blocked by the user"
    assert not isinstance(restored("given up after 14 tries"), Sentence)


def test_a_value_that_is_no_plain_one_is_kept_as_people_read_it() -> None:
    said = Sentence("until {day}", day=date(2026, 11, 23))
    assert restored(kept(said)) == "until 2026-11-23"
    formed = Sentence("until {day:%d.%m}", day=date(2026, 11, 23))
    assert kept(formed) == "until 23.11"  # the words alone: the value itself can't be kept


@pytest.mark.parametrize("broken", ["\x1e{", "\x1e[]", '\x1e{"say": 5}', '\x1e{"say": "{name}"}'])
def test_what_is_no_sentence_any_more_breaks_nothing(broken: str) -> None:
    assert isinstance(str(restored(broken)), str)


def test_a_sentence_that_is_short_enough_stays_one() -> None:
    assert cut(_REFUSED, 1000) is _REFUSED
    assert cut(_REFUSED, 5) == _REFUSED[:5]


def test_delivery_errors_carry_their_words() -> None:
    late = TransientDeliveryError("no answer within {seconds} s", seconds=5, retry_after=1.0)
    assert (str(late), late.retry_after, late.uncertain) == ("no answer within 5 s", 1.0, False)
    assert told_in(str(PermanentDeliveryError(_REFUSED)), "ru") == (
        "Клиент заблокировал бота: позвоните или напишите в другом канале"
        " (Telegram: Forbidden: bot was blocked by the user)"
    )


def test_what_the_hub_writes_is_in_the_offices_language() -> None:
    speak("en")
    try:
        text = say("ru", Phrase.REPLY_FAILED, client="Анна", reason=_REFUSED, text="Здравствуйте")
        assert "лиент заблокировал бота" in text
        assert told(_REFUSED) == _REFUSED  # and nobody else's language changed
    finally:
        speak("ru")
    assert in_language("plain", "ru") == "plain"


_GIVEN = say("ru", Phrase.TASK_MADE, title="Замер", assignee="Иван", term=say("ru", Phrase.TASK_NO_TERM))
_UNREAD = say("ru", Phrase.FIELD_UNREAD, field="Size", why=Sentence("«{given}» is no text", given="5"))


def test_a_text_of_the_hub_is_said_in_each_language_with_all_that_it_is_made_of() -> None:
    assert _GIVEN == "Задача «Замер»: Иван, без срока"
    assert told_in(_GIVEN, "en") == "Task «Замер»: Иван, without a deadline"
    assert told_in(_UNREAD, "en") == "The field «Size» was not filled in: «5» is no text. The text is kept beside it."
    refused = Sentence("{why}: send it again with «confirm»: true", why=say("ru", Phrase.CLIENT_TALKS))
    assert told_in(refused, "en").startswith("The client is talking")


def test_what_a_text_was_made_of_stands_beside_its_words() -> None:
    words, parts = plain(_GIVEN), made_of(_GIVEN)
    assert type(words) is str
    assert "text" not in parts, "the words are not kept twice"
    again = said_as(words, parts)
    assert (again, told_in(again, "en")) == (words, told_in(_GIVEN, "en"))
    assert pickle.loads(pickle.dumps(again)) == again
    assert made_of("Анна") is None
    assert made_of(Joined(("Анна", "Борис"))) is None


@pytest.mark.parametrize(
    "parts", [None, 5, {}, {"phrase": 5}, {"phrase": "none", "with": {}}, {"say": "{name}", "with": {"of": 1}}]
)
def test_words_of_which_nobody_knows_what_they_were_made_of_stay(parts: object) -> None:
    assert told_in(said_as("Этап: Замер", parts), "en") == "Этап: Замер"


def test_what_begins_with_words_of_people_keeps_its_beginning() -> None:
    form = Joined(("нужно окно", Joined((say("ru", Phrase.FORM_NAME), "Анна"), ": ")), "\n")
    assert told_in(form, "ru") == "нужно окно\nИмя: Анна"
    assert told_in(form, "en") == "нужно окно\nName: Анна"
    assert told_in(say("en", Phrase.TASK_NO_TERM), "ru") == "без срока"
