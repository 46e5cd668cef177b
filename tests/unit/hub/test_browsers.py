"""What browser somebody has, by what it says of itself."""

import pytest

from hub.web.browsers import browser_word

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (f"{_WINDOWS} Safari/537.36", "Chrome, Windows"),
        (f"{_WINDOWS} Safari/537.36 Edg/138.0.0.0", "Edge, Windows"),
        (f"{_WINDOWS} YaBrowser/25.6.0.0 Safari/537.36", "Yandex Browser, Windows"),
        (f"{_WINDOWS} Safari/537.36 OPR/120.0.0.0", "Opera, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15", "Safari, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/138.0 Safari/604.1", "Chrome, iPhone"),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
        ("x" * 100, "x" * 40),
    ],
)
def test_browsers_have_words(said: str, word: str) -> None:
    assert browser_word(said) == word
