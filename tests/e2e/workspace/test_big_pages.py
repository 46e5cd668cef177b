"""A board of five hundred deals and a timeline of a thousand entries: all of it is reached by scrolling, once each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from crm_core.messages import Delivery, EntryKind
from crm_core.model.call import CallState, Direction
from crm_core.model.office import Office
from crm_core.model.records import CallRecord, EntryRecord
from crm_core.ports import Policies
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from hub.clock import SystemClock
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.e2e.workspace.office import Workspace
from tests.e2e.workspace.test_board import column

pytestmark = pytest.mark.timeout(600)

STAGES: Final = {"Новая": 300, "Замер": 120, "Предложение": 60, "Договор": 15, "Производство": 5}
ENTRIES: Final = 1000
_SIDEWAYS: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_DOWN: Final = "document.documentElement.scrollHeight - document.documentElement.clientHeight"


async def filled(workspace: Workspace, fill: Callable[[Desk], None]) -> None:
    """Put something into the record past the hub: it would take long by its door."""
    database = Database(workspace.hub.database_url)
    await Store(database, SystemClock(), Office(), Policies(LeastLoaded(), TellByRole())).run(fill)
    await database.stop()


def grouped(roubles: int) -> str:
    """A sum as columns show it."""
    return f"{roubles:,}".replace(",", "\u00a0")


async def to_the_end(cards: Locator) -> list[str]:
    """Scroll a column until nothing more comes; the titles of its cards."""
    while await cards.locator(".more").count():
        await cards.locator(".more").evaluate_all("(each) => each.at(-1)?.scrollIntoView()")
        await cards.page.wait_for_timeout(20)
    return await cards.locator(".deal-title").all_text_contents()


async def test_five_hundred_deals_are_scrolled_and_the_last_is_dragged(workspace: Workspace) -> None:
    stages = [*({"name": each} for each in STAGES), {"name": "Оплачена", "kind": "won"}]
    sales = (await workspace.ask("POST", "/pipelines", {"name": "Окна", "stages": stages}))["id"]
    worth = dict.fromkeys(STAGES, 0)

    def fill(desk: Desk) -> None:
        number = 0
        for stage, many in STAGES.items():
            for _ in range(many):
                number += 1
                worth[stage] += number * 1000
                change = DealChange(title=f"Сделка {number:03}", manager="ivan", amount=number * 100_000)
                deals.create(desk, "ivan", change, "Окна", stage)

    await filled(workspace, fill)
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/deals/board/{sales}")
    await shown(ivan, STAGES, worth)
    at_once = await ivan.locator("li.deal").count()
    assert at_once < 80, "a screen of each column, not all of them"
    for stage, many in STAGES.items():
        titles = await to_the_end(column(ivan, stage).locator(".cards"))
        assert (len(titles), len(set(titles))) == (many, many), stage
    assert await ivan.evaluate(_SIDEWAYS) <= 0
    assert await ivan.evaluate(_DOWN) <= 0, "columns scroll, not the page"

    last = column(ivan, "Новая").locator("li.deal").last
    title = await last.locator(".deal-title").text_content() or ""
    await last.scroll_into_view_if_needed()
    await last.drag_to(column(ivan, "Договор").locator(".cards"), source_position={"x": 30, "y": 60})
    await expect(column(ivan, "Договор").locator("li.deal", has_text=title)).to_have_count(1)
    await expect(ivan.locator("li.deal", has_text=title)).to_have_count(1)
    moved = int(title.rpartition(" ")[2]) * 1000
    after = {**worth, "Новая": worth["Новая"] - moved, "Договор": worth["Договор"] + moved}
    await shown(ivan, {**STAGES, "Новая": 299, "Договор": 16}, after)
    assert await ivan.locator("li.deal").count() == 500, "what was scrolled to stays open"


async def shown(page: Page, many: dict[str, int], worth: dict[str, int]) -> None:
    """What the heads of the columns say."""
    for stage, count in many.items():
        head = column(page, stage).locator("header")
        await expect(head.locator(".many-cards")).to_have_text(str(count))
        await expect(head.locator(".sums span").first).to_have_text(f"{grouped(worth[stage])}\u00a0₽")


def put(desk: Desk, contact: int, number: int, at: datetime) -> None:
    """An entry with what belongs to one of its kind: calls their call, messages their channel, mails their subject."""
    kind = tuple(EntryKind)[number % len(EntryKind)]
    way = Direction.IN if kind is EntryKind.FORM or number % 3 == 0 else Direction.OUT
    entry = EntryRecord(desk.work.next_id(), 0, contact, kind, way, at, 0, at, text=f"запись {number:04}")
    match kind:
        case EntryKind.MESSAGE:
            delivery = Delivery.READ if way is Direction.OUT else None
            entry = entry._replace(channel="telegram", account="bot", author="ivan", delivery=delivery)
            reaction = {"who": "tg:5001", "emoji": "👍", "at": at.isoformat(), "sequence": 0}
            entry = entry._replace(quoted="о чём речь", reactions=[reaction])
        case EntryKind.EMAIL:
            entry = entry._replace(channel="email", account="office", subject="Окна", html="<p>вёрстка</p>")
        case EntryKind.FORM:
            entry = entry._replace(channel="web", account="site", subject="Заявка")
        case EntryKind.CALL:
            state = CallState.ANSWERED if number % 2 else CallState.MISSED
            call = CallRecord(
                id=desk.work.next_id(),
                pbx="office",
                linkedid=f"call-{number}",
                contact_id=contact,
                entry_id=entry.id,
                direction=way,
                number="+79161234567",
                line="78120000000",
                state=state,
                progress=0,
                started_at=at,
                finished_at=at + timedelta(seconds=65),
            )
            desk.work.put(call)
            entry = entry._replace(call_id=call.id, channel="pbx", account="office")
        case EntryKind.SYSTEM:
            entry = entry._replace(author="hub")
        case _:
            entry = entry._replace(author="ivan", by_person=True)
    desk.work.put(entry)


async def test_a_thousand_entries_come_as_one_scrolls_each_once_and_in_order(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Добрый день")
    contact = await workspace.contact("tg:5001")
    first = datetime.now().astimezone() - timedelta(days=90)

    def fill(desk: Desk) -> None:
        for number in range(ENTRIES):
            put(desk, contact, number, first + timedelta(hours=2 * number))

    await filled(workspace, fill)
    ivan = await workspace.enter("ivan")
    asked: list[str] = []
    ivan.on("request", lambda request: asked.append(request.url) if "part=older" in request.url else None)
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    flow = ivan.locator("#flow")
    await expect(flow).to_contain_text("Добрый день")
    assert await flow.locator("li.entry").count() <= 50, "a page of it, not all"
    older = flow.locator(".more:not(.newer)")
    await flow.locator("li.day").last.evaluate("(each) => { each.dataset.stays = ''; }")
    while await older.count():
        before = await flow.locator("li.entry").count()
        await ivan.evaluate("document.querySelector('#flow .stream').scrollTop = -1e7")
        await expect(flow.locator("li.entry")).not_to_have_count(before)
        await expect(older.locator(".htmx-request")).to_have_count(0)
    texts = [each for each in await flow.locator("li.entry .text").all_inner_texts() if each.startswith("запись")]
    assert texts == [f"запись {number:04}" for number in range(ENTRIES)]
    for kind in EntryKind:
        assert await flow.locator(f"li.entry.{kind}").count() >= ENTRIES // len(EntryKind), kind
    order = await flow.locator("li.entry").evaluate_all("(all) => all.map((each) => [each.id, each.dataset.order])")
    assert len({ident for ident, _ in order}) == len(order)
    assert [place for _, place in order] == sorted(place for _, place in order)
    assert len(set(asked)) == len(asked), "no stretch is asked for twice"
    assert await flow.locator("li.day[data-stays]").count() == 1, "what stands is not drawn anew with each stretch"
    assert await ivan.evaluate(_SIDEWAYS) <= 0
    assert await ivan.evaluate(_DOWN) <= 0, "the timeline scrolls, not the page"

    # It is still followed, and quick enough to be written in.
    await ivan.evaluate("document.querySelector('#flow .stream').scrollTop = 0")
    await workspace.client(5001, "Анна").say("А теперь?")
    await expect(flow.locator("li.entry", has_text="А теперь?")).to_be_in_viewport()
