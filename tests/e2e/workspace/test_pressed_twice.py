"""Whatever is pressed twice, by the mouse or by Enter, while the hub is slow or at once, happens once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Locator, Page, Request, Route, expect

from tests.e2e.workspace.office import Workspace, until

pytestmark = pytest.mark.timeout(900)

_BY_ITSELF = ("/live", "/logout")


@dataclass(frozen=True, slots=True)
class Office:
    """What the acts are about: a client who wrote, with a lead and a case, and a deal of theirs."""

    workspace: Workspace
    client: int
    deal: int

    async def count(self, path: str) -> int:
        """How many records the API lists."""
        return len((await self.workspace.ask("GET", path))["items"])

    async def entries(self, text: str) -> int:
        """How many entries of the timeline say this."""
        found = (await self.workspace.ask("GET", f"/contacts/{self.client}/timeline?limit=100"))["items"]
        return sum(text in (each.get("text") or "") for each in found)


Counting = Callable[[Office], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Act:
    """`page` is where it is done (`{client}` and `{deal}` filled in), `opens` what is pressed before, `form` the form,
    `fills` what is typed into it, by name; `counts` says how many facts there are, of which one more is to be."""

    page: str
    form: str
    counts: Counting
    opens: tuple[str, ...] = ()
    fills: tuple[tuple[str, str], ...] = ()
    button: str = "button:not([type])"
    keys: str = "Enter"

    def typed(self, page: Page) -> Locator | None:
        """The field that Enter is pressed in; None where there is none, and the button has to do."""
        return page.locator(self.form).first.locator(f"[name={self.fills[-1][0]}]") if self.fills else None


def of_tasks(office: Office) -> Awaitable[int]:
    """Tasks."""
    return office.count("/tasks?limit=100")


def of_deals(office: Office) -> Awaitable[int]:
    """Deals."""
    return office.count("/deals?limit=100")


async def of_client(office: Office) -> int:
    """Changes of the client's card."""
    return int((await office.workspace.ask("GET", f"/contacts/{office.client}"))["version"])


async def of_deal(office: Office) -> int:
    """Changes of the deal."""
    return int((await office.workspace.ask("GET", f"/deals/{office.deal}"))["version"])


def of_documents(office: Office) -> Awaitable[int]:
    """Documents of the client."""
    return office.count(f"/contacts/{office.client}/documents")


async def of_takings(office: Office) -> int:
    """Leads that were taken: a second time is refused."""
    found = (await office.workspace.ask("GET", "/leads?limit=100"))["items"]
    return sum(each["status"] == "taken" for each in found)


async def of_givings(office: Office) -> int:
    """Cases that are Olga's."""
    found = (await office.workspace.ask("GET", "/cases?limit=100"))["items"]
    return sum(each["manager"] == "olga" for each in found)


def of_tokens(office: Office) -> Awaitable[int]:
    """Tokens, the one that these tests ask with among them."""
    return office.count("/tokens")


ACTS = {
    "a case given": Act("/wall", "form[action$='/give']", of_givings, (".case .closing > summary >> nth=0",)),
    "a lead taken": Act("/contacts/{client}", "form[action*='/leads/'][action$='/take']", of_takings),
    "a line of the card": Act(
        "/contacts/{client}",
        "#about form[hx-post$='/set']",
        of_client,
        ("#about dl details > summary >> nth=0",),
        (("value", "Анна Петрова"),),
    ),
    "the fields of a deal": Act(
        "/deals/{deal}", "form.editing", of_deal, ("#group-main h2 a",), (("title", "Окна на дачу"),)
    ),
    "a document": Act("/contacts/{client}", "form[action$='/documents']", of_documents),
    "a task about a client": Act(
        "/contacts/{client}", ".new-task form", of_tasks, (".new-task > summary",), (("title", "Позвонить"),)
    ),
    "a task about a deal": Act("/deals/{deal}", "form[hx-post$='/tasks']", of_tasks, (), (("title", "Замер"),)),
    "a task": Act("/tasks", ".new-task form", of_tasks, (".new-task > summary",), (("title", "Отчёт"),)),
    "a deal": Act("/deals/new", "main form", of_deals, (), (("title", "Балкон"),)),
    "a copy of a deal": Act(
        "/deals/{deal}", "form[hx-post$='/tunnel']", of_deals, ("#deal details.card > summary",), (), "[value=copy]"
    ),
    "a stage": Act("/deals/{deal}", "form[data-move]", of_deal, (), (), "button:not([disabled])"),
    "a client": Act("/contacts/new", "main form", lambda it: it.count("/contacts"), (), (("name", "Борис"),)),
    "a token": Act("/me", "form[action='/me/tokens']", of_tokens, (), (("name", "Бухгалтерия"),)),
    "a note": Act(
        "/contacts/{client}",
        "#composer",
        lambda it: it.entries("Перезвонить вечером"),
        (),
        (("target", "note"), ("text", "Перезвонить вечером")),
        keys="Control+Enter",
    ),
    "an answer": Act(
        "/contacts/{client}",
        "#composer",
        lambda it: it.entries("Сейчас посчитаю"),
        (),
        (("text", "Сейчас посчитаю"),),
        keys="Control+Enter",
    ),
}


async def office_of(workspace: Workspace) -> Office:
    """The office with all that the acts need."""
    body = {"name": "Памятка", "of": "contact", "title": "Памятка {{ number }}", "html": "<p>{{ contact.name }}</p>"}
    await workspace.ask("POST", "/document-templates", body)
    await workspace.client(5001, "Анна").say("Сколько стоит?")
    client = await workspace.contact("tg:5001")
    deal = (await workspace.ask("POST", "/deals", {"contact_id": client, "title": "Окна", "manager": "ivan"}))["id"]
    return Office(workspace, client, deal)


async def stand(page: Page, act: Act, office: Office) -> Locator:
    """Go where it is done, with everything filled in; the button."""
    await page.goto(office.workspace.hub.url + act.page.format(client=office.client, deal=office.deal))
    for each in act.opens:
        await page.locator(each).click()
    form = page.locator(act.form).first
    for name, value in act.fills:
        field = form.locator(f"[name={name}]")
        await (field.select_option(value) if name == "target" else field.fill(value))
    if act.counts is of_givings:
        await form.locator("select").select_option("olga")
    return form.locator(act.button).first


def act_of_a_person(request: Request) -> bool:
    """Whether a page sent a form."""
    return request.method == "POST" and not any(each in request.url for each in _BY_ITSELF)


@pytest.mark.parametrize("slow", [True, False], ids=["slow", "at once"])
@pytest.mark.parametrize("by", ["mouse", "keys"])
async def test_what_is_pressed_twice_happens_once(workspace: Workspace, by: str, slow: bool) -> None:
    office = await office_of(workspace)
    page = await workspace.enter("root")
    wrong = []
    for name, act in ACTS.items():
        made = await pressed(page, act, office, by=by, slow=slow)
        if made != (1, 1):
            wrong.append((name, made))
    assert wrong == []


async def kept_down(page: Page, *keys: str) -> None:
    """Keys pressed too long: the last of them comes again."""
    for each in (*keys, keys[-1], keys[-1]):
        await page.keyboard.down(each)
    for each in keys:
        await page.keyboard.up(each)


async def pressed(page: Page, act: Act, office: Office, *, by: str, slow: bool) -> tuple[int, int]:
    """How many requests were made of two presses, and how many facts."""
    button, before = await stand(page, act, office), await act.counts(office)
    made: list[str] = []
    answered = asyncio.Event()

    async def held(route: Route) -> None:
        if act_of_a_person(route.request):
            made.append(route.request.url)
            if slow:
                await answered.wait()
        await route.continue_()

    await page.route("**/*", held)
    if by == "mouse":
        await button.dblclick(no_wait_after=True)
        if slow:  # and once more, when it is seen that nothing happens
            await page.mouse.down()
            await page.mouse.up()
    else:
        field = act.typed(page)
        await (field if field is not None else button).focus()
        if slow:
            await page.keyboard.press(act.keys)
            await page.keyboard.press(act.keys)
        else:
            await kept_down(page, *act.keys.split("+"))
    answered.set()

    async def done() -> int | None:
        found = await act.counts(office)
        return found if found > before else None

    found = await until(done)
    await page.wait_for_load_state()
    await expect(page.locator("nav.side")).to_be_visible()
    await page.unroute_all(behavior="wait")
    return len(made), found - before
