"""Somebody calls: who it is stands before those whose telephones ring, before they pick up. A real Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from hub.demo.peers.asterisk import AsteriskTree
from hub.demo.peers.sipp import SippRunner
from tests.e2e.workspace.exchange import CLIENT, LINE, STRANGER, Exchange, opened
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def ring_s() -> int:
    """How long each person is rung."""
    return 300


@pytest.fixture
async def exchange(
    asterisk_tree: AsteriskTree,
    short_dir: Path,
    sipp: SippRunner,
    furnished_sqlite: str,
    chromium: Browser,
    ring_s: int,
) -> AsyncIterator[Exchange]:
    async with opened(asterisk_tree, short_dir, sipp, furnished_sqlite, chromium, ring_s=ring_s) as found:
        yield found


def popup(page: Page) -> Locator:
    """The popup of a call that stands before somebody."""
    return page.locator("aside.popup[data-call]:not([hidden])")


async def test_the_card_stands_there_before_the_call_is_picked_up(exchange: Exchange) -> None:
    workspace = exchange.workspace
    contact = await exchange.anna()
    ivan, olga, head = [await workspace.enter(login) for login in ("ivan", "olga", "head")]
    await head.goto(f"{workspace.hub.url}/contacts/{contact}")
    await expect(head.locator("main")).to_contain_text("Когда замер балкона?")
    async with exchange.telephone("101") as telephone, exchange.telephone("102"):
        await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        rung = await telephone.rung()
        shown = popup(ivan)
        await expect(shown).to_contain_text("Вам звонят")
        for words in ("Анна Смирнова", "Тверь", "Окна на Ленина", "Когда замер балкона?", "Ждёт"):
            await expect(shown).to_contain_text(words)
        await expect(shown).to_contain_text("Звонит у вас, потому что: свой менеджер")
        await expect(head.locator(".timeline")).to_contain_text("звонит")
        await expect(popup(olga)).to_have_count(0)
        await expect(popup(head)).to_have_count(0)
        (call,) = await exchange.calls()
        assert (call["state"], call["answered_at"]) == ("ringing", None)
        assert [(leg["user"], leg["ring_s"]) for leg in call["rung"]] == [("ivan", None)]

        # a page that is opened meanwhile shows it as well
        tab = await workspace.beside(ivan, "/calls")
        await expect(popup(tab)).to_contain_text("Анна Смирнова")

        rung.answer()
        await expect(shown).to_contain_text("Вы говорите")
        await expect(popup(olga)).to_have_count(0)
        await shown.get_by_role("link", name="Открыть карточку").click()
        await expect(ivan).to_have_url(f"{workspace.hub.url}/contacts/{contact}")
        # on the card of that very client it covers nothing
        await expect(ivan.locator("[data-calls-here] > aside")).to_contain_text("Вы говорите")
        await expect(popup(ivan)).to_have_count(1)
        await ivan.locator("#answer").click(trial=True)
        await ivan.locator("#composer button:not([type])").last.click(trial=True)
        await rung.hang_up()
        for page in (ivan, tab):
            await expect(popup(page)).to_have_count(0)
        await expect(head.locator(".timeline")).to_contain_text("Иван Петров")


@pytest.mark.parametrize("ring_s", [12])
async def test_the_popup_goes_where_the_call_goes(exchange: Exchange) -> None:
    workspace = exchange.workspace
    await exchange.anna()
    ivan, olga = await workspace.enter("ivan"), await workspace.enter("olga")
    await exchange.people.silent_phone("101")
    async with exchange.telephone("102") as telephone:
        caller = await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        await expect(popup(ivan)).to_contain_text("Анна Смирнова")
        await expect(popup(olga)).to_have_count(0)
        await expect(popup(olga)).to_contain_text("Анна Смирнова")
        await expect(popup(olga)).to_contain_text("заместитель")
        await expect(popup(ivan)).to_have_count(0)
        await caller.stop()
        rung = await telephone.rung()
        rung.refuse(486, "Busy Here")
        await expect(popup(olga)).to_have_count(0)


async def test_a_stranger_stands_before_the_whole_group_until_somebody_picks_up(exchange: Exchange) -> None:
    workspace = exchange.workspace
    ivan, olga, head = [await workspace.enter(login) for login in ("ivan", "olga", "head")]
    async with exchange.telephone("101") as first, exchange.telephone("102") as second:
        await exchange.people.impatient_caller(STRANGER, LINE, patience_ms=int(PATIENCE_S * 1000))
        await first.rung()
        rung = await second.rung()
        for page in (ivan, olga):
            await expect(popup(page)).to_contain_text("903 111-22-33")
            await expect(popup(page)).to_contain_text("группа")
        await expect(popup(head)).to_have_count(0)
        # who hides it is not shown it again
        await popup(ivan).get_by_role("button", name="Скрыть").click()
        await expect(popup(ivan)).to_have_count(0)
        rung.answer()
        await expect(popup(olga)).to_contain_text("Вы говорите")
        await expect(popup(ivan)).to_have_count(0)
        await rung.hang_up()
        await expect(popup(olga)).to_have_count(0)


async def test_a_call_that_is_passed_on_stands_before_whom_it_goes_to(exchange: Exchange) -> None:
    workspace = exchange.workspace
    await exchange.anna()
    ivan, olga = await workspace.enter("ivan"), await workspace.enter("olga")
    async with exchange.telephone("101") as first, exchange.telephone("102") as second:
        await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        talk = await first.picked_up()
        await expect(popup(ivan)).to_contain_text("Вы говорите")
        await talk.refer("102")
        asked = await second.rung()
        await expect(popup(olga)).to_contain_text("Вам звонят")
        await expect(popup(olga)).to_contain_text("Анна Смирнова")
        await expect(popup(olga)).to_contain_text("Переводит: Иван Петров")
        await expect(popup(ivan)).to_have_count(0)
        asked.answer()
        await expect(popup(olga)).to_contain_text("Вы говорите")
        await expect(popup(olga)).to_have_count(1)
        await asked.hang_up()
        await expect(popup(olga)).to_have_count(0)
