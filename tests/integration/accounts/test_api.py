"""Accounts over the API: administrators alone, secrets never given again, every field of what is wrong, 409 in time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from crm_core.messages import ChannelKey
from crm_core.model.definitions import Section
from crm_core.ports import ChannelState
from crm_core.services.configuration.giving import given_out
from crm_core.storage.queries.definitions import list_definitions
from hub.demo.peers.bot_api import BotApiServer
from tests.integration.accounts.world import IVAN, Node, a_node
from tests.looking import somebody
from tests.peers.bots import OTHER, TOKEN


async def _ask(node: Node, method: str, path: str = "", status: int = 200, **body: Any) -> Any:
    async with node.api.request(method, f"/api/v1/accounts{path}", json=body or None) as response:
        assert response.status == status, await response.text()
        text = await response.text()
        assert TOKEN not in text
        assert OTHER not in text
        assert "pa55word" not in text
        return await response.json() if text else None


async def test_an_account_is_kept_and_its_secrets_are_not_given_again(
    migrated_url: str, tmp_path: Path, bots: BotApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_node(migrated_url, tmp_path) as node:
        settings = {"token": TOKEN, "api_base": bots.url, "source": "Реклама"}
        added = await _ask(node, "POST", status=201, channel="telegram", name="shop", settings=settings)
        assert added["settings"] == settings | {"token": "set"}
        assert added["secrets"] == ["token"]
        await node.settled()
        await node.became(ChannelKey("telegram", "shop"), ChannelState.CONNECTED)
        shown = await _ask(node, "GET", f"/{added['id']}")
        health = shown["health"]
        assert (health["state"], health["detail"], health["trouble"], health["advice"]) == ("connected", "", False, "")
        assert health["again_at"] is None
        # As a page sends it back: what is shown of a secret leaves it as it is.
        same = await _ask(node, "PATCH", f"/{added['id']}", settings=shown["settings"], version=1)
        assert same["version"] == 1
        changed = await _ask(node, "PATCH", f"/{added['id']}", settings={"source": None}, version=1)
        assert (changed["version"], changed["settings"]) == (2, {"token": "set", "api_base": bots.url})
        late = await _ask(node, "PATCH", f"/{added['id']}", 409, settings={"token": OTHER}, version=1)
        assert late["current"]["version"] == 2
        assert (await _ask(node, "POST", f"/{added['id']}/try"))["ok"]
        listed = await _ask(node, "GET")
        assert [each["name"] for each in listed["items"]] == ["shop"]
        store = node.hub.store
        (record,) = await store.read(lambda conn: list_definitions(conn, somebody(store, conn), Section.ACCOUNT))
        assert TOKEN not in str(record)
        assert "account" not in await node.hub.store.run(given_out)
        await _ask(node, "DELETE", f"/{added['id']}", 204)
        await node.settled()
        assert (await _ask(node, "GET"))["items"] == []
        (gone,) = (await _ask(node, "GET", "?archived=true"))["items"]
        assert gone["archived"]
        again = await _ask(node, "POST", status=201, channel="telegram", name="shop", settings=settings)
        assert again["id"] == added["id"]
    assert TOKEN not in caplog.text


async def test_what_is_wrong_is_told_field_by_field(furnished_sqlite: str, tmp_path: Path) -> None:
    table = '[[web]]\nname = "site"\nkey = "form-key"\n[[email]]\nname = "a"\naddress = "a@example.org"\n'
    table += 'smtp = "smtp://127.0.0.1:9"\n'
    async with a_node(furnished_sqlite, tmp_path, table) as node:
        settings = {"token": "nonsense", "mode": "webhok", "tokn": 1}
        told = await _ask(node, "POST", status=422, channel="telegram", name="shop", settings=settings)
        flaws = {each["pointer"]: each["detail"] for each in told["errors"]}
        assert set(flaws) == {"/settings/token", "/settings/mode", "/settings/tokn"}
        assert "Может быть, «token»?" in flaws["/settings/tokn"]
        settings = {"address": "a@example.org", "smtp": "smtp://127.0.0.1:9"}
        told = await _ask(node, "POST", status=422, channel="email", name="b", settings=settings)
        assert [each["pointer"] for each in told["errors"]] == ["/settings/address"]
        await _ask(node, "POST", status=422, channel="web", name="site", settings={"key": "another"})
        await _ask(node, "POST", status=422, channel="web", name="новый сайт", settings={"key": "another"})
        await _ask(node, "POST", status=422, channel="web", name="x", settings={"key": "k", "title": "\x00"})
        await _ask(node, "POST", status=422, channel="pigeon", name="x", settings={"key": "k"})
        await _ask(node, "POST", status=201, channel="web", name="x", settings={"key": "k"})
        await _ask(node, "POST", status=409, channel="web", name="x", settings={"key": "k"})
        await _ask(node, "PATCH", "/999", 404, settings={"key": "k"})


async def test_addresses_are_shown_without_their_passwords(furnished_sqlite: str, tmp_path: Path) -> None:
    async with a_node(furnished_sqlite, tmp_path) as node:
        settings = {"ami": "ami://hub:pa55word@127.0.0.1:9", "agi": "127.0.0.1:0"}
        added = await _ask(node, "POST", status=201, channel="pbx", name="office", settings=settings)
        assert added["settings"]["ami"] == "ami://hub:***@127.0.0.1:9"
        changed = await _ask(
            node, "PATCH", f"/{added['id']}", settings={"ami": "ami://hub:***@127.0.0.1:9", "wrap": "5s"}
        )
        assert changed["version"] == 2
        await node.settled()
        (office,) = node.hub.configured.settings.pbx
        assert office.ami.password.reveal() == "pa55word"


async def test_hub_toml_is_shown_and_stays(furnished_sqlite: str, tmp_path: Path) -> None:
    async with a_node(furnished_sqlite, tmp_path, '[[web]]\nname = "site"\nkey = "form-key"\n') as node:
        listed = await _ask(node, "GET")
        assert listed["items"] == []
        (site,) = listed["configured"]
        assert (site["channel"], site["name"], site["health"]["state"]) == ("web", "site", "connected")


async def test_only_administrators_connect_channels(furnished_sqlite: str, tmp_path: Path) -> None:
    async with a_node(furnished_sqlite, tmp_path) as node:
        headers = {"Authorization": f"Bearer {IVAN}"}
        async with ClientSession(f"http://127.0.0.1:{node.port}", headers=headers) as director:
            for method, path in (("GET", ""), ("POST", ""), ("POST", "/try"), ("PATCH", "/1"), ("DELETE", "/1")):
                async with director.request(method, f"/api/v1/accounts{path}", json={}) as response:
                    assert response.status == 403
