"""`hub journal`, `hub explain`, `hub check`, `hub asterisk snippet` and `hub migrate`."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageReceived, Sender, Unparsable
from crm_core.model.identity import Identity, IdentityKind
from crm_core.services.intake.receive import receive
from crm_core.storage.store import Store
from hub.cli.working import open_store
from hub.settings import load_settings
from tests.integration.cli.conftest import Run

SITE = ChannelKey("web", "site")
CONFIG = """
[[web]]
name = "site"
key = "the-site-key"

[[line]]
number = "+74951234567"
group = "sales"
"""


def _in_store(act: Callable[[Store], Coroutine[Any, Any, Any]]) -> Any:
    async def acting() -> Any:
        async with open_store(load_settings()) as store:
            return await act(store)

    return asyncio.run(acting())


def _comes_in(*events: InboundEvent) -> None:
    _in_store(lambda store: store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies)))


def _message(text: str = "Добрый день") -> InboundEvent:
    sender = Sender((Identity(IdentityKind.TG, "1001"),), "Анна\x1b[31m")
    at = datetime.now(UTC) - timedelta(minutes=5)
    return InboundEvent(
        ChannelKey("telegram", "shop"), "1", "1001", at, sender, MessageReceived(EntryKind.MESSAGE, text, "1"), b"{}"
    )


def _failed(raw: bytes) -> InboundEvent:
    return InboundEvent(SITE, "f1", "", datetime.now(UTC), Sender(), Unparsable("an unknown shape"), raw)


def test_the_journal_is_listed_and_shown(hub: Run) -> None:
    assert hub("journal", "list").out == "Строк нет.\n"
    assert hub("journal", "list", "--json").json == []
    _comes_in(_message(), _failed(b'{"phone": "\x1b[2J"}'))
    rows = hub("journal", "list", "--json").json
    assert [row["state"] for row in rows] == ["failed", "done"]
    (failed,) = hub("journal", "list", "--state", "failed", "--json").json
    assert failed["error"] == "an unknown shape"
    assert "raw" not in failed
    told = hub("journal", "show", str(failed["id"]))
    assert told.code == 0
    assert "an unknown shape" in told.out
    assert "\x1b" not in told.out, "what came in does not steer the terminal"
    assert hub("journal", "show", str(failed["id"]), "--json").json["raw"] == '{"phone": "\x1b[2J"}'
    assert hub("journal", "show", "999").code == 1
    assert hub("journal", "list", "--state", "odd").code == 2


def test_a_fact_of_an_account_that_is_gone_is_not_replayed(hub: Run, folder: Path) -> None:
    _comes_in(_failed(b"{}"))
    (failed,) = hub("journal", "list", "--json").json
    told = hub("journal", "replay", str(failed["id"]))
    assert told.code == 1
    assert "web:site is not configured" in told.err
    assert hub("journal", "replay", "999").code == 1


def test_a_route_is_explained(hub: Run, folder: Path) -> None:
    (folder / "hub.toml").write_text(CONFIG)
    hub(
        "user",
        "add",
        "--login",
        "ivan",
        "--name",
        "Иван",
        "--role",
        "manager",
        "--extension",
        "101",
        "--group",
        "sales",
    )
    told = hub("explain", "route", "--number", "+79161234567", "--line", "+74951234567", "--json")
    assert told.code == 0, told.err
    first, *_, last = told.json
    assert (first["action"], first["endpoints"], first["reason"]) == ("dial", ["PJSIP/101"], "group")
    assert last["action"] == "callback"
    assert {"stage": "group", "verdict": "rings", "login": "ivan", "detail": ""} in first["trace"]
    for_people = hub("explain", "route", "--number", "+79161234567", "--line", "+74951234567").out
    assert "группа ivan: звонит" in for_people
    assert "Попытка 1: звонить PJSIP/101" in for_people
    assert "Попытка 0" not in for_people
    for at, code in (("2026-11-22T10:00", 0), ("2026-11-22T10:00:00+03:00", 0), ("tomorrow", 2)):
        assert hub("explain", "route", "--number", "1", "--line", "2", "--at", at).code == code
    assert hub("explain", "route", "--number", "1").code == 2


def test_a_case_is_explained(hub: Run, rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    hub("user", "add", "--login", "kira", "--name", "Кира", "--role", "controller")
    _comes_in(_message())
    ((case_id,),) = rows("SELECT id FROM contact_case")
    told = hub("explain", "case", str(case_id), "--json")
    assert told.code == 0, told.err
    case = told.json
    assert (case["kind"], case["state"], case["count"]) == ("message", "open", 1)
    assert [rung["told"] for rung in case["rungs"]] == [True, False]
    assert [person["login"] for person in case["rungs"][1]["people"]] == ["kira"]
    assert case["next_at"] == case["rungs"][1]["due_at"]
    for_people = hub("explain", "case", str(case_id)).out
    assert "Ступень 1 (контролёр, директор): в " in for_people
    assert "\x1b" not in for_people
    assert hub("explain", "case", "999").code == 1
    assert hub("explain", "case", "nonsense").code == 2


def test_check_finds_everything_well_on_nothing(hub: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_HTTP", "127.0.0.1:0")
    told = hub("check", "--json")
    assert told.code == 0, told.out
    assert told.json["ok"] is True
    assert {"configuration", "database", "files", "http"} <= {part["part"] for part in told.json["parts"]}
    assert "Всё в порядке." in hub("check").out


def test_check_names_each_thing_that_is_wrong(hub: Run, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        (folder / "hub.toml").write_text(
            f"""
http = "127.0.0.1:{taken.getsockname()[1]}"
redis_url = "redis://:redis-password@127.0.0.1:1/0"
files = "a-file"
[[pbx]]
name = "office"
ami = "ami://hub:ami-password@127.0.0.1:1"
agi = "127.0.0.1:{other.getsockname()[1]}"
"""
        )
        (folder / "a-file").write_text("not a folder")
        told = hub("check", "--json")
    assert told.code == 1
    parts = {part["part"]: part for part in told.json["parts"]}
    wrong = {name for name, part in parts.items() if not part["ok"]}
    assert wrong == {"http", "redis", "files", "agi:office", "pbx:office"}
    assert "redis_url" in parts["redis"]["detail"]
    assert "[[pbx]] office: agi" in parts["agi:office"]["detail"]
    assert "manager.conf" in parts["pbx:office"]["detail"]
    assert "password" not in told.out


def test_check_tells_a_wrong_configuration(hub: Run, folder: Path) -> None:
    (folder / "hub.toml").write_text('[[telegram]]\nname = "shop"\ntokn = "x"\n')
    told = hub("check", "--json")
    assert told.code == 1
    assert any("tokn" in part["detail"] and "hub.toml:3" in part["detail"] for part in told.json["parts"])


def test_check_tells_a_database_that_is_away(hub: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql+asyncpg://hub:hidden-password@127.0.0.1:1/hub")
    told = hub("check")
    assert told.code == 1
    assert "[!!] database" in told.out
    assert "hidden-password" not in told.out + told.err


def test_the_snippet_is_printed_whole_or_in_parts(hub: Run, folder: Path) -> None:
    without = hub("asterisk", "snippet", "--part", "manager")
    assert without.code == 0
    assert "CHANGE-ME" in without.out
    assert "CHANGE-ME" in without.err
    (folder / "hub.toml").write_text('[[pbx]]\nname = "office"\nami = "ami://robot:s3cret-word@127.0.0.1:5038"\n')
    manager = hub("asterisk", "snippet", "--part", "manager")
    assert "[robot]" in manager.out
    assert "s3cret-word" in manager.out, "this is what it is for"
    assert "[hub-inbound]" in hub("asterisk", "snippet", "--part", "dialplan").out
    whole = hub("asterisk", "snippet").out
    assert all(name in whole for name in ("extensions.conf", "manager.conf", "cdr.conf"))
    assert hub("asterisk", "snippet", "--part", "odd").code == 2
    assert hub("asterisk", "snippet", "--pbx", "other").code == 2


def test_migrate_tells_what_it_reached(hub: Run, folder: Path) -> None:
    told = hub("migrate")
    assert told.code == 0
    assert "hub.sqlite3" in told.out
    assert (folder / "var" / "hub.sqlite3").exists()


def test_help_names_every_command(hub: Run) -> None:
    told = hub("--help")
    assert told.code == 0
    for command in ("run", "migrate", "check", "user", "token", "journal", "explain", "asterisk", "demo"):
        assert f"\n  {command} " in told.out


def test_check_names_people_that_a_menu_wants_and_nobody_added(hub: Run, folder: Path) -> None:
    line = '[[line]]\nnumber = "+74951234567"\nmenu = { "9" = "user:ana" }\nmenu_sound = "custom/menu"\n'
    (folder / "hub.toml").write_text(f'http = "127.0.0.1:0"\n{line}', encoding="utf-8")
    hub("user", "add", "--login", "anna", "--name", "Анна", "--role", "manager")
    told = hub("check", "--json")
    assert told.code == 1
    (wrong,) = (part for part in told.json["parts"] if not part["ok"])
    assert wrong["detail"] == 'line[1].menu.9: there is no user «ana». Did you mean "user:anna"?'


def test_the_snippet_for_freepbx_and_for_two_hubs(hub: Run, folder: Path) -> None:
    (folder / "hub.toml").write_text('[[pbx]]\nname = "office"\nami = "ami://hub:s3cret@127.0.0.1:5038"\n')
    freepbx = hub("asterisk", "snippet", "--form", "freepbx").out
    assert all(name in freepbx for name in ("extensions_custom.conf", "manager_custom.conf", "[hub-inbound]"))
    assert "[hub-outbound]" not in freepbx
    two = hub("asterisk", "snippet", "--part", "dialplan", "--hub", "10.0.0.1", "--hub", "10.0.0.2:4999").out
    assert "AGI(agi://10.0.0.1:4573/route/office," in two
    assert "AGI(agi://10.0.0.2:4999/route/office," in two
    assert hub("asterisk", "snippet", "--part", "dialplan", "--hub", "10.0.0.1,10.0.0.2:4999").out == two
    assert "AGI(hagi://hub.example/route/office," in hub("asterisk", "snippet", "--hub", "hagi://hub.example").out
    assert hub("asterisk", "snippet", "--form", "odd").code == 2
    assert hub("asterisk", "snippet", "--hub", "a b").code == 1


def test_reconciling_needs_records_and_prints_what_it_found(hub: Run, folder: Path) -> None:
    assert "в hub.toml нет [[pbx]]" in hub("reconcile", "pbx").err
    pbx = '[[pbx]]\nname = "office"\nami = "ami://hub:s3cret@127.0.0.1:5038"\nagi = "127.0.0.1:0"\n'
    (folder / "hub.toml").write_text(pbx)
    without = hub("reconcile", "pbx")
    assert (without.code, "cdr или cdr_sql" in without.err) == (1, True)
    (folder / "hub.toml").write_text(f'{pbx}cdr = "Master.csv"\n')
    away = hub("reconcile", "pbx")
    assert (away.code, "Master.csv" in away.err) == (1, True)
    record = (
        '"","79161234567","s","hub-inbound","","PJSIP/trunk-1","PJSIP/101-2","Dial","","2026-11-21 09:00:00",'
        '"2026-11-21 09:00:05","2026-11-21 09:00:30",30,25,"ANSWERED","","1795251600.1","hub:+74951234567","",'
        '"1795251600.1",1\n'
    )
    (folder / "Master.csv").write_text(record)
    told = hub("reconcile", "pbx", "--day", "2026-11-21", "--json")
    assert told.code == 0
    assert [(day["calls"], day["settled"], day["missing"]) for day in told.json] == [(1, 1, 0)]
    table = hub("reconcile", "pbx", "--day", "2026-11-21", "--pbx", "office")
    assert table.code == 0
    assert "не хватает" in table.out
    assert hub("reconcile", "pbx", "--pbx", "other").code == 1
    assert hub("reconcile", "pbx", "--day", "yesterday").code == 2
