"""Where settings come from: the environment over hub.toml over the defaults."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm_core.model.ladder import LadderEvent
from hub.settings import (
    DatabaseEngine,
    Endpoint,
    Language,
    LogFormat,
    Secret,
    Settings,
    SettingsError,
    load_settings,
    parse_settings,
)

EXAMPLE = Path(__file__).parents[2] / "hub.example.toml"


def write(folder: Path, text: str, name: str = "hub.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings({}, folder=tmp_path)
    assert settings.file is None
    assert settings.database_url.engine is DatabaseEngine.SQLITE
    assert settings.database_url.path == tmp_path / "var/hub.sqlite3"
    assert settings.database_url.reveal() == f"sqlite+aiosqlite:///{tmp_path}/var/hub.sqlite3"
    assert settings.redis_url is None
    assert settings.http == Endpoint("127.0.0.1", 8080)
    assert settings.public_url is None
    assert settings.base_url == "http://127.0.0.1:8080"
    assert settings.time_zone == ZoneInfo("Europe/Moscow")
    assert (settings.region, settings.language, settings.log) == ("RU", Language.RU, LogFormat.TEXT)
    assert settings.secret_key is None
    assert settings.files == tmp_path / "var/files"
    assert (*settings.telegram, *settings.lines, *settings.ladders) == ()
    assert set(settings.ladders_in_force.by_event) == {
        LadderEvent.CALL_MISSED,
        LadderEvent.MESSAGE_UNANSWERED,
        LadderEvent.TASK_OVERDUE,
    }


def test_a_file_in_the_folder_is_read_unasked(tmp_path: Path) -> None:
    file = write(tmp_path, 'http = "127.0.0.1:9000"\nfiles = "attachments"\n')
    settings = load_settings({}, folder=tmp_path)
    assert settings.file == file
    assert settings.http.port == 9000
    assert settings.files == tmp_path / "attachments"


def test_paths_start_at_the_folder_of_the_file_wherever_they_are_given(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    write(
        tmp_path / "etc",
        'database_url = "sqlite+aiosqlite:///a/b.db"\n[[pbx]]\nname = "o"\nami = "ami://u:p@h"\ncdr = "m.csv"',
    )
    settings = load_settings({"HUB_CONFIG": "etc/hub.toml", "HUB_FILES": "elsewhere"}, folder=tmp_path)
    assert settings.database_url.path == tmp_path / "etc/a/b.db"
    assert settings.files == tmp_path / "etc/elsewhere"
    assert settings.pbx[0].cdr == tmp_path / "etc/m.csv"


def test_an_absolute_database_path_stays(tmp_path: Path) -> None:
    settings = load_settings({"HUB_DATABASE_URL": "sqlite+aiosqlite:////data/hub.db?timeout=5"}, folder=tmp_path)
    assert settings.database_url.path == Path("/data/hub.db")
    assert settings.database_url.reveal() == "sqlite+aiosqlite:////data/hub.db?timeout=5"


def test_the_environment_wins(tmp_path: Path) -> None:
    write(tmp_path, 'time_zone = "Europe/Moscow"\nsecret_key = "${MISSING}"\nlog = "text"\nredis_url = "redis://h"')
    environ = {
        "HUB_DATABASE_URL": "postgresql+asyncpg://hub:p%40ss@127.0.0.1:5433/hub",
        "HUB_REDIS_URL": "",
        "HUB_HTTP": "[::1]:0",
        "HUB_PUBLIC_URL": "https://hub.example.org/",
        "HUB_TIME_ZONE": "Asia/Yekaterinburg",
        "HUB_REGION": "kz",
        "HUB_LANGUAGE": "en",
        "HUB_SECRET_KEY": "a$$b${C}",
        "HUB_LOG": "json",
    }
    settings = load_settings(environ, folder=tmp_path)
    assert settings.database_url.engine is DatabaseEngine.POSTGRESQL
    assert settings.database_url.reveal() == environ["HUB_DATABASE_URL"]
    assert settings.redis_url is None
    assert settings.http == Endpoint("::1", 0)
    assert settings.public_url == settings.base_url == "https://hub.example.org"
    assert settings.time_zone.key == "Asia/Yekaterinburg"
    assert (settings.region, settings.language, settings.log) == ("KZ", Language.EN, LogFormat.JSON)
    assert settings.secret_key == Secret("a$$b${C}")


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    write(tmp_path, 'public_url = ""\nlanguage = "en"')
    settings = load_settings({"HUB_LANGUAGE": "", "HUB_SECRET_KEY": "", "HUB_CONFIG": ""}, folder=tmp_path)
    assert settings.language is Language.EN
    assert settings.secret_key is None
    assert settings.public_url is None


def test_variables_fill_in_texts(tmp_path: Path) -> None:
    text = """
        public_url = "https://${HUB_HOSTNAME}"
        [[telegram]]
        name = "shop"
        token = "${TG_TOKEN}"
        staff = "${STAFF}"
        [[vk]]
        name = "v"
        group_id = "${GROUP}"
        token = "a$$b"
        mode = "longpoll"
        [[web]]
        name = "site"
        key = "k-${A}${B}-$"
        origins = ["https://${HUB_HOSTNAME}:8443"]
    """
    write(tmp_path, text)
    environ = {"HUB_HOSTNAME": "h.ru", "TG_TOKEN": "1:xyz", "GROUP": "77", "A": "1", "B": "", "STAFF": "true"}
    settings = load_settings(environ, folder=tmp_path)
    assert settings.public_url == "https://h.ru"
    assert settings.telegram[0].token.reveal() == "1:xyz"
    assert settings.vk[0].group_id == 77
    assert settings.vk[0].token.reveal() == "a$b"
    assert settings.web[0].key.reveal() == "k-1-$"
    assert settings.web[0].origins == ("https://h.ru:8443",)


@pytest.mark.parametrize("text", ["${}", "${A", "${A-B}", "${A B}"])
def test_a_broken_variable_is_an_error(text: str) -> None:
    with pytest.raises(SettingsError, match=r"hub.toml:1: files: .*is no variable.*\$\$ for a dollar"):
        parse_settings(f'files = "x{text}"')


def test_windows_editors_are_welcome(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_bytes('\ufeffregion = "KZ"\r\n[[web]]\r\nname = "я"\r\nkey = 5\r\n'.encode())
    with pytest.raises(SettingsError) as caught:
        load_settings({}, folder=tmp_path)
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [(4, "web[1].key")]


def test_a_named_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"etc/hub.toml: the file can't be read: No such file.*See HUB_CONFIG"):
        load_settings({"HUB_CONFIG": "etc/hub.toml"}, folder=tmp_path)
    with pytest.raises(SettingsError, match="the file can't be read: Is a directory"):
        load_settings({"HUB_CONFIG": str(tmp_path)}, folder=tmp_path)
    with pytest.raises(SettingsError, match="HUB_CONFIG: is not the name of a file"):
        load_settings({"HUB_CONFIG": "a\0b"}, folder=tmp_path)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_bytes('region = "RU"\n# пояс\n'.encode("cp1251"))
    with pytest.raises(SettingsError, match=r"hub.toml:2: the text is not UTF-8\. Save"):
        load_settings({}, folder=tmp_path)


def test_so_many_connections_as_are_allowed() -> None:
    assert parse_settings("").database_connections == 15
    assert parse_settings("database_connections = 3").database_connections == 3
    assert load_settings({"HUB_DATABASE_CONNECTIONS": "40"}, folder=Path("/")).database_connections == 40
    assert load_settings({"HUB_WEBHOOK_PRIVATE": "true"}, folder=Path("/")).webhook_private
    with pytest.raises(SettingsError, match="Give a number from 3 to 100"):
        parse_settings("database_connections = 2")


def test_the_shipped_example_is_right_and_complete() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    settings = parse_settings(text)
    empty = parse_settings("")
    unused = {"redis_url", "secret_key", "folder", "file", "webhook_private"}
    for name in Settings.__dataclass_fields__:
        value = getattr(settings, name)
        assert value or name in unused, f"{name} is missing in the example"
    assert settings.staff_telegram is settings.telegram[0]
    # what the example shows as a default is one
    for name in (
        "database_url",
        "database_connections",
        "http",
        "time_zone",
        "region",
        "language",
        "files",
        "log",
        "routing",
        "robot",
    ):
        assert getattr(settings, name) == getattr(empty, name)
