"""What the hub says, in both languages."""

import string

import pytest

from crm_core.services.wording import TEXTS, Phrase


@pytest.mark.parametrize("phrase", list(Phrase))
def test_every_phrase_is_said_in_both_languages_with_the_same_fields(phrase: Phrase) -> None:
    fields = {
        language: {name for _, name, _, _ in string.Formatter().parse(texts[phrase]) if name}
        for language, texts in TEXTS.items()
    }
    assert fields["ru"] == fields["en"]
