"""Accounts of the record start, change and stop while the hub runs; a broken one keeps nobody from their work."""

from __future__ import annotations

import asyncio
import json
import smtplib
import socket
import time
from pathlib import Path

import aiohttp
import pytest

from channels.pbx import PbxChannel
from crm_core.errors import InvalidInput, TransientDeliveryError
from crm_core.messages import ChannelKey, OutboundMessage
from crm_core.model.definitions.accounts import AccountKind
from crm_core.model.signature import signature
from crm_core.ports import ChannelState
from hub.accounts.channels import BrokenChannel
from hub.demo.peers.bot_api import Bot, BotApiServer
from hub.demo.peers.process import free_port
from hub.demo.peers.vk import VkServer
from tests.integration.accounts.world import Node, a_node
from tests.peers.bots import OTHER, TOKEN

SHOP = ChannelKey("telegram", "shop")
TELEGRAM = AccountKind.TELEGRAM


async def _says(bot: Bot, text: str, who: int = 1001) -> None:
    await bot.user(id=who, first_name="Анна").say(text)


async def test_a_bot_comes_changes_and_goes_without_a_restart(
    migrated_url: str, tmp_path: Path, bots: BotApiServer
) -> None:
    bot, other = bots.bot(TOKEN), bots.bot(OTHER)
    async with a_node(migrated_url, tmp_path) as node:
        record = await node.add(TELEGRAM, "shop", token=TOKEN, api_base=bots.url)
        await node.became(SHOP, ChannelState.CONNECTED)
        await _says(bot, "здравствуйте")
        await node.told("здравствуйте")
        before = node.hub.channels[SHOP]
        record = await node.change(record, source="Реклама")
        assert node.hub.channels[SHOP] is before, "what the connector does not see needs no other connector"
        assert node.hub.store.office.policies[SHOP].source == "Реклама"
        await node.change(record, token=OTHER)
        assert node.hub.channels[SHOP] is not before
        assert before.health.state is ChannelState.STOPPED
        await node.became(SHOP, ChannelState.CONNECTED)
        await _says(other, "другому боту", 1002)
        await node.told("другому боту")
        await node.remove(record)
        assert SHOP not in node.hub.channels
        assert node.hub.store.office.staff_channel is None


async def test_a_webhook_is_answered_for_an_account_that_came_later(
    furnished_sqlite: str, tmp_path: Path, bots: BotApiServer
) -> None:
    bot = bots.bot(TOKEN)
    async with a_node(furnished_sqlite, tmp_path) as node:
        async with node.api.post("/in/telegram/shop", data=b"{}") as response:
            assert response.status == 404
        record = await node.add(TELEGRAM, "shop", token=TOKEN, api_base=bots.url, mode="webhook", secret="hook-secret")
        await node.became(SHOP, ChannelState.CONNECTED)
        async with node.api.post("/in/telegram/shop", data=b"{}") as response:
            assert response.status == 401
        async with node.api.get("/in/telegram/shop") as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")
        await _says(bot, "через вебхук")
        await node.told("через вебхук")
        await node.remove(record)
        async with node.api.post("/in/telegram/shop", data=b"{}") as response:
            assert response.status == 404


async def test_a_community_and_a_site_come_later(furnished_sqlite: str, tmp_path: Path) -> None:
    server = VkServer()
    await server.start()
    try:
        community = server.community(123456, "vk1.a.strict-local-token")
        async with a_node(furnished_sqlite, tmp_path) as node:
            community.hook(f"http://127.0.0.1:{node.port}/in/vk/shop", "s3cret", "c0nf1rm")
            await node.add(
                AccountKind.VK,
                "shop",
                group_id=123456,
                token="vk1.a.strict-local-token",
                secret="s3cret",
                confirmation="c0nf1rm",
                api_base=server.url,
            )
            await node.became(ChannelKey("vk", "shop"), ChannelState.CONNECTED)
            await community.user(1001, "Анна", "Петрова").say("из ВК")
            await node.told("из ВК")
            await node.add(AccountKind.WEB, "site", key="form-key", origins=["https://example.org"])
            form = {"name": "Анна", "phone": "+7 916 123-45-67", "comment": "с сайта"}
            async with node.api.post("/in/web/site?key=form-key", json=form) as response:
                assert response.status == 200, await response.text()
            async with node.api.get("/in/web/site/widget.js") as response:
                assert response.status == 200
    finally:
        await server.stop()


async def _post_event(node: Node, ident: str) -> int:
    """The status that a signed post to the gateway `sms` is answered with."""
    event = {"id": ident, "type": "message", "conversation": "c1", "message_id": ident, "text": ident}
    body = json.dumps({**event, "sender": {"id": "79161234567", "phone": "+79161234567"}}).encode()
    stamp = str(int(time.time()))
    headers = {"X-Hub-Timestamp": stamp, "X-Hub-Signature": f"sha256={signature('s3cret-of-sms', stamp, body)}"}
    async with node.api.post("/in/gateway/sms", data=body, headers=headers) as response:
        return response.status


async def _break_down(node: Node, key: ChannelKey) -> None:
    """Have a message to a gateway that is away fail."""
    message = OutboundMessage(key, "c1", "ответ", "k1")
    with pytest.raises(TransientDeliveryError):
        await node.hub.channels[key].send(message)
    assert node.hub.channels[key].health.state is ChannelState.RECONNECTING


async def test_posts_reach_whatever_serves_an_account_of_hub_toml_now(furnished_sqlite: str, tmp_path: Path) -> None:
    key = ChannelKey("gateway", "sms")
    table = f'[[gateway]]\nname = "sms"\nsecret = "s3cret-of-sms"\nurl = "http://127.0.0.1:{free_port()}/"\n'
    async with a_node(furnished_sqlite, tmp_path, table) as node:
        assert await _post_event(node, "e1") == 200
        await _break_down(node, key)
        before = node.hub.channels[key]
        assert await node.hub.starts.again(key)
        assert node.hub.channels[key] is not before
        assert await _post_event(node, "e2") == 200
        async with node.api.get("/in/gateway/sms") as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")
        async with node.api.get("/metrics") as response:
            assert 'method="POST",route="/in/gateway/sms",status="200"} 2.0' in await response.text()
        serves = node.hub.channels[key]
        node.hub.channels.put(BrokenChannel(key))
        assert await _post_event(node, "e3") == 503, "it exists: whoever posts comes again"
        node.hub.channels.put(serves)
        assert await _post_event(node, "e3") == 200
        async with node.api.post("/in/gateway/nobody", data=b"{}") as response:
            assert response.status == 404


def _send_mail(port: int, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("anna@example.com", [to], "From: anna@example.com\r\nSubject: ?\r\n\r\nпо почте".encode())


async def test_mailboxes_come_to_a_listener_that_is_open(furnished_sqlite: str, tmp_path: Path) -> None:
    port = free_port()
    table = f'[[email]]\nname = "sales"\naddress = "sales@example.org"\nlisten = "127.0.0.1:{port}"\n'
    async with a_node(furnished_sqlite, tmp_path, table) as node:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await asyncio.to_thread(_send_mail, port, "help@example.org")
        record = await node.add(AccountKind.EMAIL, "help", address="help@example.org", listen=f"127.0.0.1:{port}")
        await node.became(ChannelKey("email", "help"), ChannelState.CONNECTED)
        await asyncio.to_thread(_send_mail, port, "help@example.org")
        await asyncio.to_thread(_send_mail, port, "sales@example.org")
        await node.remove(record)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await asyncio.to_thread(_send_mail, port, "help@example.org")
        await asyncio.to_thread(_send_mail, port, "sales@example.org")


async def test_a_mailbox_of_hub_toml_is_begun_again_without_its_neighbours(
    furnished_sqlite: str, tmp_path: Path
) -> None:
    port, key = free_port(), ChannelKey("email", "sales")
    place = f'listen = "127.0.0.1:{port}"\n'
    table = f'[[email]]\nname = "sales"\naddress = "sales@example.org"\n{place}'
    table += f'imap = "imap://hub:s3cret@127.0.0.1:{free_port()}"\n'
    table += f'[[email]]\nname = "help"\naddress = "help@example.org"\n{place}'
    async with a_node(furnished_sqlite, tmp_path, table) as node:
        boxes = ("sales@example.org", "help@example.org")
        for each in boxes:
            await asyncio.to_thread(_send_mail, port, each)
        assert node.hub.channels[key].health.state is not ChannelState.CONNECTED, "its folder can't be read"
        before = node.hub.channels[key]
        assert await node.hub.starts.again(key)
        assert node.hub.channels[key] is not before
        for each in boxes:
            await asyncio.to_thread(_send_mail, port, each)


async def test_a_telephone_exchange_comes_later_and_its_door_moves(furnished_sqlite: str, tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    key = ChannelKey("pbx", "office")
    async with a_node(furnished_sqlite, tmp_path) as node:
        record = await node.add(
            AccountKind.PBX,
            "office",
            ami="ami://hub:s3cret@127.0.0.1:9",
            agi=f"127.0.0.1:{first}",
            wrap="5s",
            recordings=str(tmp_path / "monitor"),
        )
        channel = node.hub.channels[key]
        assert isinstance(channel, PbxChannel)
        assert channel.agi_address == ("127.0.0.1", first)
        assert node.hub.recordings.folder("office") == tmp_path / "monitor"
        assert "office" in node.hub.store.office.dial
        await node.change(record, agi=f"127.0.0.1:{second}")
        channel = node.hub.channels[key]
        assert isinstance(channel, PbxChannel)
        assert channel.agi_address == ("127.0.0.1", second)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", first)


async def test_lines_and_sounds_know_a_pbx_of_the_record(furnished_sqlite: str, tmp_path: Path) -> None:
    table = '[[line]]\nnumber = "+74951112233"\npbx = "later"\n'
    async with a_node(furnished_sqlite, tmp_path, table) as node:
        assert 'line[1].pbx: there is no PBX named "later"' in " ".join(node.hub.configured.problems)
        async with node.api.get("/api/v1/pbxs/later/sounds") as response:
            assert response.status == 404
        door = f"127.0.0.1:{free_port()}"
        await node.add(AccountKind.PBX, "later", ami="ami://hub:s3cret@127.0.0.1:9", agi=door, sounds=str(tmp_path))
        assert node.hub.configured.problems == ()
        assert node.hub.store.office.line("later", "+74951112233") is not None
        async with node.api.get("/api/v1/pbxs/later/sounds") as response:
            assert (response.status, (await response.json())["items"]) == (200, [])


async def test_what_hub_toml_says_wins(furnished_sqlite: str, tmp_path: Path, bots: BotApiServer) -> None:
    bots.bot(TOKEN)
    bots.bot(OTHER)
    async with a_node(furnished_sqlite, tmp_path) as node:
        await node.add(TELEGRAM, "shop", token=OTHER, api_base=bots.url)
    table = f'[[telegram]]\nname = "shop"\ntoken = "{TOKEN}"\napi_base = "{bots.url}"\n'
    async with a_node(furnished_sqlite, tmp_path, table) as node:
        await node.became(SHOP, ChannelState.CONNECTED)
        assert node.hub.configured.accounts[SHOP].overridden
        assert [each.token.reveal() for each in node.hub.configured.settings.telegram] == [TOKEN]
        with pytest.raises(InvalidInput, match=r"hub\.toml has the account telegram:shop"):
            await node.add(TELEGRAM, "shop", token=OTHER)


async def test_a_broken_account_is_shown_and_keeps_nobody_from_their_work(
    furnished_sqlite: str, tmp_path: Path, bots: BotApiServer
) -> None:
    bot = bots.bot(TOKEN)
    async with a_node(furnished_sqlite, tmp_path) as node:
        await node.add(TELEGRAM, "shop", token=TOKEN, api_base=bots.url)
    async with a_node(furnished_sqlite, tmp_path, key="another-key-that-opens-nothing-of-it") as node:
        health = node.hub.channels[SHOP].health
        assert health.state is ChannelState.STOPPED
        assert "another key" in health.detail
        assert any("another key" in each for each in node.hub.configured.problems)
        async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{node.port}/readyz") as response:
            assert response.status == 200
            assert (await response.json())["parts"]["telegram:shop"]["state"] == "stopped"
        record = node.hub.configured.accounts[SHOP].record
        with pytest.raises(InvalidInput, match="token: the key is missing"):
            await node.change(record, source="Реклама")
        await node.change(record, token=TOKEN)
        await node.became(SHOP, ChannelState.CONNECTED)
        await _says(bot, "снова")
        await node.told("снова")


async def test_of_two_nodes_one_polls_and_the_other_takes_over(
    postgres_url: str, tmp_path: Path, bots: BotApiServer
) -> None:
    bot = bots.bot(TOKEN)
    async with a_node(postgres_url, tmp_path / "two") as second:
        async with a_node(postgres_url, tmp_path / "one") as first:
            record = await second.add(TELEGRAM, "shop", token=TOKEN, api_base=bots.url)
            await first.settled()
            assert SHOP in first.hub.channels, "the change was heard of on the other node"
            states = {node.hub.channels[SHOP].health.state for node in (first, second)}
            await _says(bot, "кому-то из двоих")
            await first.told("кому-то из двоих")
            assert states <= {ChannelState.CONNECTED, ChannelState.CONNECTING}
        await second.became(SHOP, ChannelState.CONNECTED)
        await _says(bot, "оставшемуся")
        await second.told("оставшемуся")
        assert [each["text"] for each in await second.messages()].count("оставшемуся") == 1
        await second.remove(record)


async def test_a_listener_that_is_taken_is_opened_as_soon_as_somebody_tries_again(
    furnished_sqlite: str, tmp_path: Path
) -> None:
    key = ChannelKey("email", "sales")
    async with a_node(furnished_sqlite, tmp_path) as node:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            await node.add(AccountKind.EMAIL, "sales", address="sales@example.org", listen=f"127.0.0.1:{port}")
            assert node.hub.channels[key].health.state is not ChannelState.CONNECTED
            async with node.api.get("/api/v1/accounts") as response:
                (account,) = (await response.json())["items"]
            assert account["health"]["since"] is not None
            assert "Адрес занят" in account["health"]["advice"]
        assert await node.hub.starts.again(key)
        await asyncio.to_thread(_send_mail, port, "sales@example.org")
