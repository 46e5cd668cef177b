"""Which language a request of the API asks for."""

import pytest

from hub.http.language import asked_for


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("ru", "ru"),
        ("EN", "en"),
        ("en-GB,en;q=0.9,ru;q=0.8", "en"),
        ("de, fr;q=0.9", None),
        ("de, ru;q=0.5", "ru"),
        ("en;q=0.3, ru;q=0.7", "ru"),
        ("en;q=0", None),
        ("*", None),
        ("ru;q=x, en;q=0.1", "en"),
        ("en;q=nan", None),
        ("en;level=1", "en"),
        ("," * 5000 + "en", None),
        ("рус", None),
    ],
)
def test_the_best_liked_of_ours_is_taken(header: str, language: str | None) -> None:
    assert asked_for(header) == language
