"""Trying an account out asks the real thing, step by step, and says what to do where it does not work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from channels.pbx.ami_wire import AmiMessage
from crm_core.messages import ChannelKey
from crm_core.model.definitions.accounts import AccountKind
from crm_core.ports import ChannelState
from hub.accounts.findings import Finding, Findings, Step
from hub.accounts.keeping import Given
from hub.accounts.trying import try_account
from hub.demo.peers.bot_api import BotApiServer
from hub.demo.peers.process import free_port
from hub.demo.peers.vk import VkServer
from tests.fakes.ami import BOOTED, ScriptedAmi, refusal, success
from tests.integration.accounts.world import Node, a_node
from tests.peers.mail import LOGIN, PASSWORD, DovecotServer, EximServer

TOKEN = "7654321:AAE-strict_local_token"


@pytest.fixture
async def node(furnished_sqlite: str, tmp_path: Path) -> AsyncIterator[Node]:
    async with a_node(furnished_sqlite, tmp_path) as found:
        yield found


async def _try(node: Node, kind: AccountKind, language: str = "ru", **settings: Any) -> Findings:
    found = await try_account(node.hub, Given(kind, "tried", settings), language)
    assert not node.hub.channels, "nothing was left behind"
    return found


def _steps(found: Findings) -> dict[Step, bool]:
    return {each.step: each.ok for each in found.steps}


def _wrong(found: Findings) -> Finding:
    (wrong,) = [each for each in found.steps if not each.ok]
    return wrong


async def test_a_bot(node: Node) -> None:
    async with BotApiServer() as server:
        server.bot(TOKEN)
        found = await _try(node, AccountKind.TELEGRAM, token=TOKEN, api_base=server.url)
        assert found.ok
        assert _steps(found) == {Step.LOGIN: True, Step.EVENTS: True}
        hook = {"mode": "webhook", "secret": "hook-secret"}
        found = await _try(node, AccountKind.TELEGRAM, token=TOKEN, api_base=server.url, **hook)
        assert _steps(found) == {Step.LOGIN: True, Step.EVENTS: True, Step.ADDRESS: True}
        wrong = _wrong(
            await _try(node, AccountKind.TELEGRAM, token="7654321:AAE-of_nobody_at_all", api_base=server.url)
        )
        assert wrong.step is Step.LOGIN
        assert "@BotFather" in wrong.mend
        assert "AAE-of_nobody_at_all" not in wrong.detail
    wrong = _wrong(await _try(node, AccountKind.TELEGRAM, "en", token=TOKEN, api_base=server.url))
    assert "The server does not answer" in wrong.mend


async def test_settings_that_make_no_sense(node: Node) -> None:
    wrong = _wrong(await _try(node, AccountKind.TELEGRAM, token=TOKEN, mode="webhook"))
    assert (wrong.step, wrong.field) == (Step.SETTINGS, "secret")
    assert wrong.mend


async def test_a_community(node: Node) -> None:
    server = VkServer()
    await server.start()
    try:
        community = server.community(123456, "vk1.a.strict-local-token")
        account: dict[str, Any] = {"group_id": 123456, "token": "vk1.a.strict-local-token", "api_base": server.url}
        account |= {"secret": "s3cret", "confirmation": "c0nf1rm"}
        wrong = _wrong(await _try(node, AccountKind.VK, **account))
        assert wrong.step is Step.EVENTS
        assert "добавьте сервер" in wrong.mend
        community.hook(f"http://127.0.0.1:{node.port}/in/vk/tried", "s3cret", "c0nf1rm")
        assert (await _try(node, AccountKind.VK, **account)).ok
        wrong = _wrong(await _try(node, AccountKind.VK, **(account | {"confirmation": "another"})))
        assert "Подтвердить" in wrong.mend
        found = await _try(node, AccountKind.VK, **(account | {"token": "vk1.a.of-nobody"}))
        assert "Ключи доступа" in _wrong(found).mend
    finally:
        await server.stop()


def _mailbox(server: DovecotServer, password: str) -> str:
    return f"imap://{quote(LOGIN, safe='')}:{quote(password, safe='')}@127.0.0.1:{server.port}"


async def test_a_mailbox(node: Node, dovecot: DovecotServer, mail_relay: EximServer) -> None:
    port = free_port()
    account = {"address": "sales@example.org", "listen": f"127.0.0.1:{port}"}
    account |= {"smtp": f"smtp://127.0.0.1:{mail_relay.port}", "imap": _mailbox(dovecot, PASSWORD)}
    found = await _try(node, AccountKind.EMAIL, **account)
    assert found.ok, found
    assert _steps(found) == {Step.OUTGOING: True, Step.INCOMING: True, Step.PORT: True}
    wrong = _wrong(await _try(node, AccountKind.EMAIL, **(account | {"imap": _mailbox(dovecot, "wr0ngpassword")})))
    assert wrong.step is Step.INCOMING
    assert "пароль приложения" in wrong.mend
    assert "wr0ngpassword" not in wrong.detail
    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    async with taken:
        wrong = _wrong(await _try(node, AccountKind.EMAIL, **account))
    assert wrong.step is Step.PORT
    assert "ss -ltnp" in wrong.mend
    await asyncio.to_thread(mail_relay.stop)
    wrong = _wrong(await _try(node, AccountKind.EMAIL, **account))
    assert wrong.step is Step.OUTGOING
    assert "Сервер не отвечает" in wrong.mend


def _healthy(_: ScriptedAmi, message: AmiMessage) -> bytes:
    if message.get("Action") == "Login":
        return success(message) + BOOTED
    if message.get("Action") == "Originate":
        said = f"Event: OriginateResponse\r\nActionID: {message.get('ActionID')}\r\nResponse: Failure\r\n\r\n"
        return success(message) + said.encode()
    return success(message, AsteriskVersion="22.1")


async def test_a_telephone_exchange(node: Node) -> None:
    agi = f"127.0.0.1:{free_port()}"
    async with ScriptedAmi(_healthy) as pbx:
        account = {"ami": f"ami://hub:s3cret@127.0.0.1:{pbx.port}", "agi": agi}
        found = await _try(node, AccountKind.PBX, **account)
        assert _steps(found) == {Step.LOGIN: True, Step.PORT: True}
        assert "Asterisk 22.1" in found.steps[0].detail
        pbx.script = lambda _, message: refusal(message, "Authentication failed")
        wrong = _wrong(await _try(node, AccountKind.PBX, **account))
        assert "manager.conf" in wrong.mend
    wrong = _wrong(await _try(node, AccountKind.PBX, **account))
    assert "АТС не отвечает" in wrong.mend


async def test_what_a_running_account_holds_is_no_obstacle_to_its_change(node: Node) -> None:
    port = free_port()
    record = await node.add(AccountKind.EMAIL, "help", address="help@example.org", listen=f"127.0.0.1:{port}")
    await node.became(ChannelKey("email", "help"), ChannelState.CONNECTED)
    async with node.api.post(f"/api/v1/accounts/{record.id}/try") as response:
        tried = await response.json()
    assert [(each["step"], each["ok"]) for each in tried["steps"]] == [("port", True)]
    trial = {"channel": "email", "name": "help", "id": record.id, "settings": {"listen": f"127.0.0.1:{free_port()}"}}
    async with node.api.post("/api/v1/accounts/try", json=trial) as response:
        assert (await response.json())["ok"]
    async with node.api.post("/api/v1/accounts/try", json=trial | {"channel": "web"}) as response:
        assert response.status == 422


async def test_a_site_says_where_its_forms_go(node: Node) -> None:
    found = await _try(node, AccountKind.WEB, key="form-key", origins=["https://example.org"])
    assert _steps(found) == {Step.EVENTS: True, Step.ADDRESS: True}
    assert f"http://127.0.0.1:{node.port}/in/web/tried" in found.steps[0].detail
