"""`hub user` and `hub token`, from an empty folder."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.integration.cli.conftest import Run

Rows = Callable[[str], list[tuple[Any, ...]]]
IVAN = ("user", "add", "--login", "ivan", "--name", "Иван Петров", "--role", "manager")


def test_the_first_command_makes_the_database_by_itself(hub: Run) -> None:
    told = hub("user", "list", "--json")
    assert (told.code, told.json) == (0, [])


def test_a_user_with_everything(hub: Run, rows: Rows) -> None:
    assert hub("user", "add", "--login", "olga", "--name", "Ольга", "--role", "controller").code == 0
    told = hub(
        *IVAN,
        *("--extension", "PJSIP/101", "--telegram-id", "1001", "--email", "Ivan@Example.org", "--group", "sales"),
        *("--deputy", "olga", "--controller", "olga", "--password-stdin"),
        stdin="длинный пароль\nа это уже не пароль\n",
    )
    assert told.code == 0, told.err
    ivan = next(each for each in hub("user", "list", "--json").json if each["login"] == "ivan")
    wanted = {
        "name": "Иван Петров",
        "role": "manager",
        "extension": "PJSIP/101",
        "telegram_id": 1001,
        "email": "ivan@example.org",
        "group": "sales",
        "deputy": "olga",
        "controller": "olga",
        "active": True,
    }
    assert {key: ivan[key] for key in wanted} == wanted
    assert "password" not in str(ivan)
    assert rows("SELECT name FROM user_group") == [("sales",)]
    (kept,) = rows("SELECT password_hash FROM app_user WHERE login = 'ivan'")[0]
    assert PasswordHasher().verify(kept, "длинный пароль")


def test_without_a_password_there_is_none(hub: Run, rows: Rows) -> None:
    assert hub(*IVAN).code == 0
    assert rows("SELECT password_hash FROM app_user") == [(None,)]


def test_every_change_is_told_to_a_running_hub(hub: Run, rows: Rows) -> None:
    hub(*IVAN)
    (before,) = rows("SELECT value FROM revision WHERE name = 'staff'")[0]
    fed = len(rows("SELECT 1 FROM feed"))
    assert hub("user", "disable", "--login", "ivan").code == 0
    (after,) = rows("SELECT value FROM revision WHERE name = 'staff'")[0]
    assert after > before
    assert len(rows("SELECT 1 FROM feed")) == fed + 1
    assert '"app_user"' in rows("SELECT changes FROM feed ORDER BY position DESC")[0][0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--telegram-id", "1001"), "telegram id 1001 belongs to user «olga»"),
        (("--deputy", "nobody"), "there is no user «nobody»"),
        (("--controller", "nobody"), "there is no user «nobody»"),
        (("--deputy", "ivan"), "their own deputy"),
        (("--email", "no address"), "is not a mail address"),
        (("--extension", "101\r\nAction: Command"), "extension"),
        (("--password-stdin",), "no password on standard input"),
        (("--telegram-id", "-5"), "telegram id -5"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(hub: Run, rows: Rows, more: tuple[str, ...], said: str) -> None:
    hub("user", "add", "--login", "olga", "--name", "Ольга", "--role", "head", "--telegram-id", "1001")
    told = hub(*IVAN, *more)
    assert told.code == 1
    assert told.err.startswith("hub: ")
    assert said in told.err
    assert "Traceback" not in told.err
    assert rows("SELECT login FROM app_user") == [("olga",)], "nothing half-written"


def test_a_login_is_taken_once(hub: Run) -> None:
    assert hub(*IVAN).code == 0
    told = hub(*IVAN)
    assert told.code == 1
    assert "«ivan» already" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "add", "--login", "x"),
        (*IVAN[:-1], "emperor"),
        ("user", "add", "--nonsense"),
        ("user", "disable"),
        ("nonsense",),
        ("token", "issue"),
        ("user", "update", "--login", "ivan"),
    ],
)
def test_wrong_use_is_2(hub: Run, arguments: tuple[str, ...]) -> None:
    told = hub(*arguments)
    assert told.code == 2
    assert told.err
    assert "Traceback" not in told.err


def test_disabled_stays_in_the_list_and_can_come_back(hub: Run) -> None:
    hub(*IVAN)
    assert hub("user", "disable", "ivan").code == 0
    assert hub("user", "disable", "--login", "ivan").code == 0, "twice is the same as once"
    assert [each["active"] for each in hub("user", "list", "--json").json] == [False]
    assert hub("token", "issue", "--login", "ivan").code == 1
    assert hub("user", "update", "--login", "ivan", "--enable").code == 0
    assert [each["active"] for each in hub("user", "list", "--json").json] == [True]
    assert hub("user", "disable", "--login", "nobody").code == 1


def test_update_changes_what_is_named_and_clears_what_is_empty(hub: Run) -> None:
    hub(*IVAN, "--email", "a@example.org", "--group", "sales")
    assert hub("user", "update", "--login", "ivan", "--role", "head", "--email", "").code == 0
    (ivan,) = hub("user", "list", "--json").json
    assert (ivan["role"], ivan["email"], ivan["group"], ivan["name"]) == ("head", None, "sales", "Иван Петров")


def test_a_token_is_printed_alone_and_only_its_digest_kept(hub: Run, rows: Rows) -> None:
    hub(*IVAN)
    told = hub("token", "issue", "--login", "ivan")
    assert told.code == 0
    token = told.out.strip()
    assert told.out == f"{token}\n"
    assert " " not in token
    assert told.err == ""
    assert rows("SELECT login, digest FROM api_token") == [("ivan", hashlib.sha256(token.encode()).hexdigest())]


def test_a_token_of_nobody_is_refused(hub: Run) -> None:
    told = hub("token", "issue", "--login", "nobody")
    assert told.code == 1
    assert told.out == ""
    assert "there is no user «nobody»" in told.err


def test_lists_read_well_and_names_cannot_steer_the_terminal(hub: Run) -> None:
    assert "Пока никого нет" in hub("user", "list").out
    hub(*IVAN)
    assert "Иван Петров" in hub("user", "list").out


def test_a_broken_configuration_is_told_in_sentences(hub: Run, folder: Any) -> None:
    (folder / "hub.toml").write_text('databse_url = "x"\n')
    told = hub("user", "list")
    assert told.code == 1
    assert "hub.toml:1" in told.err
    assert "database_url" in told.err
    assert "Traceback" not in told.err


def test_a_database_that_is_away_is_told_in_a_sentence(hub: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql+asyncpg://hub:hidden-password@127.0.0.1:1/hub")
    told = hub("user", "list")
    assert told.code == 1
    assert told.err.startswith("hub: the database can't be reached")
    assert "hidden-password" not in told.err


HOURS = """
time_zone = "Europe/Moscow"
[[hours]]
name = "office"
days = { mon-fri = "09:00-18:00" }
"""


def test_working_hours_are_a_calendar_of_the_configuration(hub: Run, folder: Any) -> None:
    (folder / "hub.toml").write_text(HOURS, encoding="utf-8")
    assert hub(*IVAN, "--hours", "office").code == 0
    assert hub("user", "list", "--json").json[0]["hours"] == "office"
    told = hub("user", "update", "--login", "ivan", "--hours", "ofice")
    assert told.code == 1
    assert "there is no [[hours]] named «ofice»; known are office, any" in told.err
    assert hub("user", "update", "--login", "ivan", "--hours", "any").code == 0
    assert hub("user", "list", "--json").json[0]["hours"] == "any"
    assert hub("user", "update", "--login", "ivan", "--hours", "").code == 0
    assert hub("user", "list", "--json").json[0]["hours"] is None


def test_an_absence_from_and_to_with_a_deputy(hub: Run, folder: Any) -> None:
    (folder / "hub.toml").write_text(HOURS, encoding="utf-8")
    hub("user", "add", "--login", "olga", "--name", "Ольга", "--role", "manager")
    hub(*IVAN)
    told = hub("user", "absent", "ivan", "--from", "2026-12-01", "--to", "2026-12-07", "--deputy", "olga")
    assert told.code == 0, told.err
    assert told.out == "ivan: отсутствует с 01.12.2026 00:00 до 08.12.2026 00:00, заместитель olga\n"
    ivan = next(each for each in hub("user", "list", "--json").json if each["login"] == "ivan")
    assert (ivan["absent_since"], ivan["absent_until"]) == ("2026-11-30T21:00:00Z", "2026-12-07T21:00:00Z")
    assert ivan["deputy"] == "olga"
    assert hub("user", "absent", "ivan", "--back").out == "ivan: на месте\n"
    ivan = next(each for each in hub("user", "list", "--json").json if each["login"] == "ivan")
    assert ivan["absent_since"] is None


@pytest.mark.parametrize(
    "arguments", [("--to", "2020-01-01"), ("--from", "завтра"), ("--back", "--to", "2030-01-01"), ("--deputy", "ivan")]
)
def test_absences_that_make_no_sense(hub: Run, arguments: tuple[str, ...]) -> None:
    hub(*IVAN)
    assert hub("user", "absent", "ivan", *arguments).code in {1, 2}
    assert hub("user", "list", "--json").json[0]["absent_since"] is None


def test_not_to_be_disturbed(hub: Run) -> None:
    hub(*IVAN)
    assert hub("user", "dnd", "ivan").out == "ivan: не беспокоить\n"
    assert hub("user", "list", "--json").json[0]["do_not_disturb"] is True
    assert hub("user", "dnd", "ivan", "--off").out == "ivan: принимает звонки\n"
    assert hub("user", "dnd", "nobody").code == 1


def test_tokens_are_issued_listed_and_revoked(hub: Run) -> None:
    hub("user", "add", "--login", "ivan", "--name", "Иван", "--role", "manager")
    issued = hub("token", "issue", "--login", "ivan", "--name", "CRM", "--scope", "calls:read", "--expires", "90d")
    assert issued.code == 0
    assert issued.out.startswith("hub_")
    assert issued.out.count("\n") == 1
    (token,) = hub("token", "list", "--login", "ivan", "--json").json
    assert (token["name"], token["scopes"], token["last_used_at"]) == ("CRM", ["calls:read"], None)
    assert token["expires_at"]
    assert "calls:read" in hub("token", "list").out
    assert hub("token", "revoke", str(token["id"])).code == 0
    assert hub("token", "list", "--json").json == []
    assert hub("token", "list", "--revoked", "--json").json[0]["revoked_at"]


def test_a_token_that_makes_no_sense_is_refused(hub: Run) -> None:
    hub("user", "add", "--login", "ivan", "--name", "Иван", "--role", "manager")
    assert hub("token", "issue", "--login", "ivan", "--scope", "ufo:read").code != 0
    assert hub("token", "issue", "--login", "ivan", "--expires", "soon").code != 0
    assert hub("token", "issue", "--login", "nobody").code != 0
    assert hub("token", "revoke", "77").code != 0


def test_a_second_factor_is_taken_off_and_an_account_written_down(hub: Run, folder: Path) -> None:
    hub("user", "add", "--login", "ivan", "--name", "Иван", "--role", "manager")
    assert "второго фактора нет" in hub("user", "reset-factor", "ivan").out
    assert hub("user", "reset-factor", "nobody").code != 0
    assert hub("user", "update", "--login", "ivan", "--oidc-subject", "1001").code != 0
    oidc = '[oidc]\nissuer = "https://id.example.org"\nclient_id = "hub"\nclient_secret = "x"\n'
    (folder / "hub.toml").write_text(oidc, encoding="utf-8")
    assert hub("user", "update", "--login", "ivan", "--oidc-subject", "1001").code == 0
    hub("user", "add", "--login", "olga", "--name", "Ольга", "--role", "manager")
    assert hub("user", "update", "--login", "olga", "--oidc-subject", "1001").code != 0
    assert hub("user", "update", "--login", "ivan", "--oidc-subject", "").code == 0


def test_what_commands_do_to_people_is_in_the_audit_log(hub: Run, rows: Rows) -> None:
    hub(*IVAN)
    hub("user", "update", "--login", "ivan", "--role", "head")
    hub("user", "dnd", "ivan")
    hub("user", "absent", "ivan", "--from", "2026-12-01")
    hub("user", "disable", "ivan")
    hub("user", "sign-out", "ivan")
    assert rows("SELECT what, detail FROM access_log WHERE login = 'cli' ORDER BY id") == [
        ("user.added", "ivan: manager"),
        ("user.changed", "ivan: role: head"),
        ("user.changed", "ivan: do_not_disturb"),
        ("user.changed", "ivan: absence"),
        ("user.changed", "ivan: active"),
        ("login.ended", "ivan"),
    ]
    assert hub("user", "sign-out", "nobody").code == 1
