"""Whatever stands in hub.toml or in the environment, the loader answers with settings or with SettingsError."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from hub.settings import SettingsError, parse_settings
from hub.settings.model import Settings
from tests.unit.toml_writing import trees, values, write_toml

_TABLES = (
    "telegram",
    "vk",
    "email",
    "pbx",
    "web",
    "line",
    "list",
    "ladder",
    "hours",
    "webhook",
    "cti",
    "routing",
    "robot",
)
_KEYS = (
    *("name", "token", "mode", "secret", "api_base", "staff", "source", "group", "enquiry", "leads", "pipeline"),
    *("group_id", "confirmation", "address", "listen", "imap", "smtp", "max_size", "ami", "agi", "dial", "trunk"),
    *("recordings", "cdr", "fallback", "wrap", "key", "origins", "number", "pbx", "action", "to", "on", "steps"),
    *("hours", "after", "tell", "days", "holidays", "time_zone", "url", "events", "deadline_ms", "ring_s"),
    *("short_abandon", "client_hours", "attempts", "spacing", "mon-fri", "sat"),
)
_TOP = (
    "database_url",
    "redis_url",
    "http",
    "public_url",
    "time_zone",
    "region",
    "language",
    "secret_key",
    "files",
    "log",
)
_ALMOST = st.sampled_from(
    [
        *(
            "sqlite+aiosqlite:///x?y",
            "sqlite+aiosqlite://",
            "postgresql+asyncpg://[::1/d",
            "redis://[v1.x]/0",
            "https://",
        ),
        *(
            "imaps://u:p@h:99999/",
            "smtp://u:p@h:x",
            "ami://u:%@h",
            "http://h:٣",
            "imaps://\u2100@h",
            "https://xn--a-b--.ru",
        ),
        *(
            "127.0.0.1:",
            "[]:1",
            "+7",
            "+7495123456789012345",
            "${",
            "${X}",
            "$$",
            "5m",
            "99999999999d",
            "25MB",
            "*",
            "any",
        ),
        *(
            "09:00-18:00",
            "9-",
            "99:99-99:99",
            "RU",
            "RU-",
            "-",
            "Europe/Moscow",
            "../etc/passwd",
            "webhook",
            "route",
            "~x/y",
        ),
        *(
            "a" * 300,
            "https://" + "a" * 300,
            "https://a..b",
            "\x00",
            "{extension}",
            "{extension",
            "call.missed",
            "duty",
        ),
    ]
)
_TABLE = st.dictionaries(st.sampled_from(_KEYS), values(_ALMOST), max_size=8)
_KNOWN = st.fixed_dictionaries(
    {}, optional={name: st.one_of(_TABLE, st.lists(_TABLE, max_size=3), values(_ALMOST)) for name in _TABLES}
).flatmap(
    lambda tables: st.fixed_dictionaries({}, optional={key: values(_ALMOST) for key in _TOP}).map(
        lambda top: {**top, **tables}
    )
)
_ENVIRON = st.dictionaries(
    st.sampled_from(["X", "HUB_X", "HUB_CONFIG", *(f"HUB_{key.upper()}" for key in _TOP)]),
    st.one_of(_ALMOST, st.text(max_size=20)),
    max_size=4,
)


def load(text: str, environ: dict[str, str]) -> None:
    with suppress(SettingsError):
        assert isinstance(parse_settings(text, environ=environ), Settings)


@given(trees(), _ENVIRON)
@example({}, {"HUB_FILES": "~x/y"})
def test_arbitrary_trees(tree: dict[str, object], environ: dict[str, str]) -> None:
    load(write_toml(tree), environ)


@given(_KNOWN, _ENVIRON)
def test_known_keys_with_arbitrary_values(tree: dict[str, object], environ: dict[str, str]) -> None:
    load(write_toml(tree), environ)


@given(st.text())
@example("a = " + "{a = " * 3000)
@example("a." * 3000 + "b = 1")
@example("[" + "a." * 3000 + "b]")
@example("a = 1e999999\nb = -nan\nhttp = inf")
def test_arbitrary_text(text: str) -> None:
    load(text, {})
