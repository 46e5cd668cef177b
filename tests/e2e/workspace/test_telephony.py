"""What the telephone leaves on pages, and what pages make it do: a recording that is played, a robot that dials."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from crm_core.model.user import Role
from hub.demo.peers.asterisk import AsteriskTree
from hub.demo.peers.sipp import SippRunner
from tests.e2e.workspace.exchange import CLIENT, LINE, opened
from tests.e2e.workspace.office import person, until

pytestmark = pytest.mark.timeout(600)

_ROBOT = """
[robot]
on_take = true
client_hours = "00:00-24:00"
"""


async def test_a_recording_is_played_in_the_browser_and_noted(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, furnished_sqlite: str, chromium: Browser
) -> None:
    mark = person("mark", "Марк Рекламин", Role.MARKETER)
    async with opened(asterisk_tree, short_dir, sipp, furnished_sqlite, chromium, mark, recorded=True) as exchange:
        workspace = exchange.workspace
        contact = await exchange.anna()
        await exchange.speaking_phone("101", hold_ms=3000)
        ivan = await workspace.enter("ivan")
        await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
        await exchange.people.caller(CLIENT, LINE, hold_ms=60_000)

        # It appears on the open card as soon as the file is there.
        player = ivan.locator(".timeline audio")
        await expect(player).to_have_count(1)
        (call,) = await exchange.calls()
        assert call["recording_state"] == "stored"
        heard = "/access-log?what=recording.played"
        assert (await workspace.ask("GET", heard))["items"] == [], "a page that shows a player has played nothing"
        await player.evaluate("each => { each.muted = true; return each.play(); }")
        await ivan.wait_for_function(
            "() => { const each = document.querySelector('.timeline audio');"
            " return Number.isFinite(each.duration) && each.duration > 1 && each.currentTime > 0.3; }"
        )
        assert await player.evaluate("each => each.error") is None
        (note,) = (await workspace.ask("GET", heard))["items"]
        assert (note["login"], note["subject_id"]) == ("ivan", call["id"])

        # Who has no right to hear is told of it, and the address alone gives nothing.
        other = await workspace.enter("mark")
        await other.goto(f"{workspace.hub.url}/contacts/{contact}")
        await expect(other.locator(".timeline")).to_contain_text("слушать её вам нельзя")
        await expect(other.locator("audio")).to_have_count(0)
        answer = await other.request.get(f"{workspace.hub.url}/api/v1/calls/{call['id']}/recording")
        assert answer.status == 403
        assert len((await workspace.ask("GET", heard))["items"]) == 1


async def test_whoever_takes_a_lead_on_the_page_is_rung_and_the_client_after_them(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, furnished_sqlite: str, chromium: Browser
) -> None:
    async with opened(asterisk_tree, short_dir, sipp, furnished_sqlite, chromium, more=_ROBOT) as exchange:
        workspace = exchange.workspace
        await exchange.people.client_phone(hold_ms=60_000)
        olga = await workspace.enter("olga")
        await exchange.enquiry("Пётр Новый", f"+{CLIENT}", "Замер на субботу")
        lead = olga.locator("article.new-lead", has_text="Замер на субботу")
        async with exchange.telephone("101") as others, exchange.telephone("102") as telephone:
            await lead.get_by_role("button", name="Взять").click()
            rung = await telephone.rung()
            assert await exchange.calls(state="answered") == [], "the client is not rung before the manager is there"
            rung.answer()

            async def together() -> dict[str, object] | None:
                found = await exchange.calls(direction="out")
                return next((each for each in found if each["answered_by"] == "olga"), None)

            call = await until(together)
            assert str(call["number"]).endswith(CLIENT)
            assert others.dialogs == {}, "the other of the group is left in peace"
            await rung.hang_up()
            await olga.goto(f"{workspace.hub.url}/contacts/{call['contact_id']}")
            entry = olga.locator(".timeline li.call")
            await expect(entry).to_contain_text("дозвонились")
            await expect(entry).to_contain_text("разговор: Ольга Сергеева")


async def test_whoever_presses_call_on_a_card_is_rung_first_and_talks_with_the_client(
    asterisk_tree: AsteriskTree, short_dir: Path, sipp: SippRunner, furnished_sqlite: str, chromium: Browser
) -> None:
    async with opened(asterisk_tree, short_dir, sipp, furnished_sqlite, chromium) as exchange:
        workspace = exchange.workspace
        contact = await exchange.anna()
        await exchange.people.client_phone(hold_ms=2000)
        ivan = await workspace.enter("ivan")
        await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
        number = ivan.locator("#about .ways > li", has_text="+7 916 123-45-67")
        async with exchange.telephone("101") as telephone, exchange.telephone("102") as others:
            await number.get_by_role("button", name="Позвонить").click()
            await expect(ivan.locator("p.notice")).to_contain_text("сначала зазвонит ваш телефон")
            rung = await telephone.rung()
            assert await exchange.calls(state="answered") == [], "the client is not rung before the manager is there"
            rung.answer()
            await rung.until_ended()  # they were together: it is the client who hangs up
            assert (len(telephone.dialogs), others.dialogs) == (1, {})
        # The open card tells of it by itself.
        entry = ivan.locator(".timeline li.call")
        await expect(entry).to_have_count(1)
        await expect(entry).to_contain_text("дозвонились")
        await expect(entry).to_contain_text("разговор: Иван Петров")
        await expect(entry).to_contain_text(re.compile(r"говорили [1-9]"))
        (call,) = await exchange.calls()
        assert (call["direction"], call["state"], call["answered_by"]) == ("out", "answered", "ivan")
        assert (call["number"], call["line"], call["contact_id"]) == (f"+{CLIENT}", LINE, contact)
        assert call["talk_s"] >= 1
        (dial,) = (await workspace.ask("GET", "/dials"))["items"]
        assert (dial["outcome"], dial["number"], dial["user"]) == ("answered", f"+{CLIENT}", "ivan")
