"""The timeline of a client's card as one reads it: goes to a day, back with the browser, stays where it is read."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, Route, expect

from crm_core.messages import EntryKind
from crm_core.model.call import Direction
from crm_core.model.office import Office
from crm_core.model.records import EntryRecord
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from hub.clock import SystemClock
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)

DAYS = 150
_STANDS = """() => {
  const { top } = document.querySelector('#flow .stream').getBoundingClientRect();
  const read = [...document.querySelectorAll('#flow li[id]')].find((each) => each.getBoundingClientRect().bottom > top);
  return [read.id, Math.round(read.getBoundingClientRect().top)];
}"""
_UP = "document.querySelector('#flow .stream').scrollTop = -900"


async def with_history(workspace: Workspace) -> tuple[int, datetime]:
    """A client of whom there is a note of every day for a while; their card and the day of the first note."""
    await workspace.client(5001, "Анна").say("Добрый день")
    contact = await workspace.contact("tg:5001")
    first = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)

    def fill(desk: Desk) -> None:
        for number in range(DAYS):
            at = first + timedelta(days=number)
            kind = EntryKind.NOTE if number % 2 else EntryKind.EMAIL
            note = EntryRecord(desk.work.next_id(), 0, contact, kind, Direction.OUT, at, 0, at)
            desk.work.put(note._replace(text=f"запись {number:03}", author="ivan", by_person=True))

    database = Database(workspace.hub.database_url)
    await Store(database, SystemClock(), Office(), Policies(LeastLoaded(), TellByRole())).run(fill)
    await database.stop()
    return contact, first


def picture(width: int, height: int) -> bytes:
    """A grey PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x9a" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def entry(page: Page, number: int) -> str:
    """The words of a note."""
    return f"запись {number:03}"


async def test_a_day_is_gone_to_and_the_browser_goes_back(workspace: Workspace) -> None:
    contact, first = await with_history(workspace)
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    flow, answer = ivan.locator("#flow"), ivan.locator("#answer")
    await expect(flow).to_contain_text("Добрый день")
    await answer.fill("Недописанное")
    await ivan.evaluate("document.body.dataset.same = 'yes'")
    day = (first + timedelta(days=40)).date().isoformat()
    await ivan.locator("#to-day").fill(day)
    target = flow.locator("li.here")
    await expect(target).to_contain_text("запись 040")
    await expect(target).to_be_in_viewport()
    assert ivan.url.endswith(f"?day={day}")
    await expect(flow).not_to_contain_text("Добрый день")
    await expect(flow.locator(".new-below")).to_have_text("К последнему")

    # Both ways it goes on as one scrolls; what is read stays where it is.
    for number, where in ((10, "-1e6"), (70, "0")):
        await ivan.evaluate(f"document.querySelector('#flow .stream').scrollTop = {where}")
        await expect(flow).to_contain_text(f"запись {number:03}")
    while await flow.locator(".more.newer").count():
        await ivan.evaluate("document.querySelector('#flow .more.newer')?.scrollIntoView()")
    await expect(flow).to_contain_text("Добрый день")
    await expect(flow.locator("li", has_text="запись 040")).to_have_count(1)
    await workspace.client(5001, "Анна").say("Вы где?")
    await expect(flow).to_contain_text("Вы где?")

    await flow.locator(".tabs a", has_text="Почта").click()
    await expect(flow.locator(".tabs a[aria-current]")).to_have_text("Почта")
    assert ivan.url.endswith("?show=mail")
    await expect(flow).not_to_contain_text("Добрый день")
    await ivan.go_back()
    await expect(flow.locator("li.here")).to_contain_text("запись 040")
    assert ivan.url.endswith(f"?day={day}")
    await ivan.go_back()
    await expect(flow).to_contain_text("Вы где?")
    await ivan.go_forward()
    await expect(flow.locator("li.here")).to_contain_text("запись 040")
    await flow.locator(".new-below").click()
    await expect(flow).to_contain_text("Вы где?")
    await expect(answer).to_have_value("Недописанное")
    assert await ivan.evaluate("document.body.dataset.same") == "yes", "the page was never loaded anew"


async def test_what_was_said_is_found_by_its_words(workspace: Workspace) -> None:
    contact, _first = await with_history(workspace)
    anna = workspace.client(5001, "Анна")
    await anna.say("Лоджия под ключ")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    flow = ivan.locator("#flow")
    await expect(flow).to_contain_text("Лоджия под ключ")
    assert await ivan.locator("#to-words").evaluate("(each) => each.offsetWidth") < 40, "its sign alone"
    await ivan.locator("#to-words").focus()
    assert await ivan.locator("#to-words").evaluate("(each) => each.offsetWidth") > 100, "who writes words sees them"
    await ivan.locator("#to-words").fill("ЗАПИСЬ 007")
    await ivan.locator("#to-words").press("Enter")
    await expect(flow.locator("li.entry")).to_have_text([re.compile("запись 007")])  # far above what was loaded
    await expect(flow).to_contain_text("Раньше ничего не найдено")
    assert ivan.url.endswith("?q=%D0%97%D0%90%D0%9F%D0%98%D0%A1%D0%AC+007"), ivan.url
    await expect(ivan.locator("#to-words")).to_have_value("ЗАПИСЬ 007")
    other = await ivan.context.new_page()
    await other.goto(f"{workspace.hub.url}/contacts/{contact}")
    await anna.say("Вы где?")
    await expect(other.locator("#flow")).to_contain_text("Вы где?")
    await other.close()
    await expect(flow.locator("li.entry")).to_have_count(1)  # it is not among what was found

    await flow.locator("a.when").click()  # what stands around it
    await expect(flow.locator("li.here")).to_contain_text("запись 007")
    await expect(flow).to_contain_text("запись 006")
    await ivan.go_back()
    await expect(flow.locator("li.entry")).to_have_count(1)

    # An answer shows the end again; a tab shows everything.
    await ivan.locator("#answer").fill("Уже едем")
    await ivan.locator("#answer").press("Control+Enter")
    await expect(flow).to_contain_text("Уже едем")
    await expect(ivan.locator("#to-words")).to_have_value("")
    await ivan.locator("#to-words").fill("чего нет")
    await ivan.locator("#to-words").press("Enter")
    await expect(flow).to_contain_text("Ничего не найдено")
    await expect(flow.locator("li.entry")).to_have_count(0)
    await flow.get_by_role("link", name="Всё").click()
    await expect(flow).to_contain_text("Уже едем")


@pytest.mark.parametrize("show", ["", "?show=chats"])
async def test_what_comes_in_below_is_told_and_moves_nothing(workspace: Workspace, show: str) -> None:
    contact, _first = await with_history(workspace)
    anna = workspace.client(5001, "Анна")
    for number in range(30):
        await anna.say(f"сообщение {number}\nв две строки")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}{show}")
    flow = ivan.locator("#flow")
    await expect(flow).to_contain_text("сообщение 29")
    await expect(flow.locator(".new-below")).to_be_hidden()
    await ivan.evaluate(_UP)
    stood = await ivan.evaluate(_STANDS)
    for text in ("Ещё вопрос", "И ещё один"):
        await anna.say(text)
        await expect(flow).to_contain_text(text)
        stands = await ivan.evaluate(_STANDS)
        assert (stands[0], abs(stands[1] - stood[1]) <= 2) == (stood[0], True), "but for the rounding of pixels"
    await expect(flow.locator(".new-below")).to_have_text(re.compile(r"Ниже новое: [2-9]"))
    await flow.locator(".new-below").click()
    await expect(flow.locator("li", has_text="И ещё один")).to_be_in_viewport()
    await expect(flow.locator(".new-below")).to_be_hidden()
    await anna.say("Внизу")
    await expect(flow.locator("li", has_text="Внизу")).to_be_in_viewport()
    await expect(flow.locator(".new-below")).to_be_hidden()


async def test_a_card_that_another_took_over_says_so_and_what_was_written_goes_to_that(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Добрый день")
    await workspace.client(5002, "Анна Иванова").say("Это тоже я")
    gone, left = [await workspace.contact(f"tg:{number}") for number in (5001, 5002)]
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{gone}")
    other = await workspace.beside(ivan, f"/contacts/{gone}")
    for page, text in ((ivan, "Сейчас посчитаю"), (other, "А это потом")):
        await page.locator("#answer").fill(text)
    await workspace.ask("POST", f"/contacts/{left}/merge", {"contact_id": gone})
    for page in (ivan, other):
        await expect(page.locator("#merged")).to_contain_text("«Анна»")
    await ivan.locator("#composer button:not([type])").last.click()
    await expect(ivan.locator("#answer")).to_have_value("")
    await other.locator("#merged a").click()
    await expect(other).to_have_url(f"{workspace.hub.url}/contacts/{left}")
    await expect(other.locator("#answer")).to_have_value("А это потом")
    await expect(other.locator("#flow")).to_contain_text("Сейчас посчитаю")


async def test_photos_are_seen_where_they_came_and_move_nothing(workspace: Workspace) -> None:
    anna = workspace.client(5001, "Анна")
    await anna.say("Вот окно")
    for size in ((40, 300), (900, 200)):
        await anna.send_photo(picture(*size), caption=f"размером {size[0]}")
    await anna.send_document(b"%PDF-1.4 x", "договор.pdf")
    await anna.say("Посчитаете?")
    contact = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    asked, go = [], asyncio.Event()

    async def later(route: Route) -> None:
        asked.append(route.request.url)
        await go.wait()
        await route.continue_()

    await ivan.route("**/api/v1/attachments/*", later)
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}", wait_until="domcontentloaded")
    flow = ivan.locator("#flow")
    await expect(flow.locator(".photo img")).to_have_count(2)
    await expect(flow.locator("a.file")).to_have_text(["договор.pdf"])
    places = "() => [...document.querySelectorAll('#flow li[id]')].map((each) => each.getBoundingClientRect().top)"
    before = await ivan.evaluate(places)
    go.set()
    for width in (40, 900):
        await _photo_of(ivan, width)
    assert await ivan.evaluate(places) == before, "nothing is moved by what is loaded"
    assert len(asked) == 2

    # One that comes in before their eyes, too.
    await anna.send_photo(picture(60, 60))
    await expect(flow.locator(".photo img")).to_have_count(3)
    await _photo_of(ivan, 60)


async def _photo_of(page: Page, width: int) -> None:
    """Wait until a photo of so many pixels is drawn, in the box that was kept for it."""
    drawn = """(wanted) => [...document.querySelectorAll(".photo img")]
        .some((each) => each.complete && each.naturalWidth === wanted && each.offsetWidth === 176)"""
    await page.wait_for_function(drawn, arg=width)


async def test_the_kinds_and_the_day_of_a_timeline_stand_on_one_line(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Добрый день")
    contact = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    line = ivan.locator("#flow .tabs-line")
    await expect(line.locator(".tabs a")).to_have_count(8)
    height = await line.evaluate("(each) => each.clientHeight")
    tops = "(each) => [...each.querySelectorAll('a')].map((one) => Math.round(one.getBoundingClientRect().top))"
    assert len(set(await line.evaluate(tops))) == 1
    seen = "(each) => each.scrollWidth - each.clientWidth"
    assert await line.locator(".tabs").evaluate(seen) == 0, "all of them are seen"
    await ivan.locator("#to-day").focus()
    assert await ivan.locator("#to-day").evaluate("(each) => each.offsetWidth") > 100, "who writes a day sees it"
    assert await line.evaluate("(each) => each.clientHeight") == height
