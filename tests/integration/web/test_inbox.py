"""The inbox: whose work is shown, what is done with a lead and a task; the feed that keeps it live; who calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from aiohttp import ClientResponse

from crm_core.messages import CallRinging, InboundEvent
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallLeg, CallSnapshot, CallTalk, TalkBegan
from crm_core.model.user import Role
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.services.clients.contacts import ContactChange, change
from crm_core.services.money.products import ProductChange
from crm_core.services.money.products import create as create_product
from crm_core.services.tasking.tasks import NewTask, make, make_all
from crm_core.services.watching.alarms import raise_alarm
from crm_core.storage import leases, tables
from crm_core.storage.queries.workspace.inbox import MOST_COUNTED
from crm_core.storage.users import UserChange, update_user
from tests.fakes.clock import START
from tests.integration.http.world import PlayedChannel
from tests.integration.storage.world import PBX, answered, at, ended, fact, missed, moved, ringing
from tests.integration.web.conftest import Browser, Workspace
from tests.patience import PATIENCE_S

ANNA = "+79161234567"
EVIL = "<script>alert(1)</script>"


class Feed:
    """What a page's line of the hub tells."""

    def __init__(self, response: ClientResponse) -> None:
        self._response = response
        self.last_id = ""

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of a name."""
        return (await self.one_of(name))[1]

    async def piece(self, key: str) -> dict[str, Any]:
        """The next piece whose key begins so."""
        while not (told := await self.event("piece"))["key"].startswith(key):
            pass
        return told

    async def of(self, *topics: str) -> None:
        """Wait until each of these was told of: as stale or by a piece, at once or one by one."""
        left = set(topics)
        while left:
            name, told = await self.one_of("stale", "piece")
            left -= set(told["topics"]) if name == "stale" else {told["topic"]}

    async def rest(self) -> str:
        """What is told until the line ends."""
        async with asyncio.timeout(PATIENCE_S):
            return (await self._response.content.read()).decode()

    async def one_of(self, *names: str) -> tuple[str, dict[str, Any]]:
        """The next event of one of these names, and what it says."""
        found = ""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = (await self._response.content.readline()).decode().rstrip("\n")
                if line.startswith("id: "):
                    self.last_id = line[4:]
                elif line.startswith("event: "):
                    found = line[7:]
                elif line.startswith("data: ") and found in names:
                    return found, json.loads(line[6:])


@asynccontextmanager
async def following(browser: Browser, topics: str, last_id: str = "") -> AsyncIterator[Feed]:
    """Follow topics as a page does."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with browser.client.get(f"/live?topics={topics}", headers=headers) as response:
        assert response.status == 200
        feed = Feed(response)
        await feed.event("hello")
        yield feed


async def test_a_page_is_told_what_became_stale_and_given_the_new_line(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    async with following(ivan, "cases,happening") as feed:
        await workspace.write(f"Добрый день {EVIL}", name=EVIL)
        piece = await feed.event("piece")
        assert piece["topic"] == "happening"
        assert EVIL not in piece["html"]
        assert "Добрый день &lt;script&gt;" in piece["html"]
        assert (await feed.event("stale"))["topics"] == ["cases"], "what came as a piece need not be asked for"


async def test_whoever_comes_back_hears_what_they_missed(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    contact_id = await workspace.write("Добрый день")
    async with following(ivan, f"client:{contact_id}") as feed:
        await workspace.write("Ещё раз", number="2")
        await feed.event("stale")
        seen = feed.last_id
    await workspace.write("И ещё", number="3")
    async with following(ivan, f"client:{contact_id},calls,happening", last_id=seen) as feed:
        await feed.of(f"client:{contact_id}", "happening")
    await workspace.hub.store.database.write(lambda conn: conn.exec_driver_sql("DELETE FROM feed WHERE position <= 1"))
    async with following(ivan, "calls", last_id="0") as feed:
        assert (await feed.event("stale"))["topics"] == ["*"], "nobody knows any more what was missed"


async def test_what_is_no_topic_is_refused_and_strangers_hear_nothing(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    assert (await ivan.client.get("/live?topics=client:x")).status == 400
    assert (await ivan.client.get("/live?topics=cases", headers={"Last-Event-ID": "x"})).status == 400
    stranger = await workspace.browser().client.get("/live?topics=cases", allow_redirects=False)
    assert (stranger.status, stranger.headers["Location"][:6]) == (302, "/login")


async def test_colleagues_hear_who_writes(workspace: Workspace) -> None:
    ivan, olga = await workspace.visitor("ivan", Role.MANAGER), await workspace.visitor("olga", Role.MANAGER)
    contact_id = await workspace.write("Добрый день")
    async with following(olga, f"client:{contact_id}") as feed:
        said = await ivan.send("/live/whisper", page="/", topic=f"client:{contact_id}", kind="writes")
        assert said.status == 204
        heard = await feed.event("whisper")
        assert (heard["kind"], heard["login"]) == ("writes", "ivan")
    assert (await ivan.send("/live/whisper", page="/", topic="cases,calls", kind="writes")).status == 400
    assert (await ivan.send("/live/whisper", page="/", csrf="forged", topic="cases", kind="writes")).status == 303


async def test_a_lead_is_taken_and_another_rejected(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.write("Сколько стоит?", name="Анна")
    page = await ivan.get("/")
    assert "Новые лиды" in page
    new = page.partition("Новые лиды")[2].partition("</article>")[0]
    assert new.count("Сколько стоит?") == 1, "named by their words, these are not said again"
    lead = await workspace.scalar("SELECT id FROM lead")
    await ivan.send(f"/leads/{lead}/take", page="/", back="/")
    assert await workspace.scalar("SELECT manager FROM lead") == "ivan"
    assert "Новые лиды" not in await ivan.get("/")
    await ivan.send(f"/leads/{lead}/reject", page="/", back="/", reason="ошиблись номером")
    assert await workspace.scalar("SELECT status FROM lead") == "rejected"
    await ivan.send(f"/leads/{lead}/reject", page="/", back="/", reason="ошиблись номером")
    assert "Лид отклонён" not in await ivan.get("/")


async def test_everybody_sees_their_own_and_a_head_chooses_whose(workspace: Workspace) -> None:
    head, ivan = await workspace.visitor("head", Role.HEAD), await workspace.visitor("ivan", Role.MANAGER)
    await workspace.visitor("olga", Role.MANAGER)
    await workspace.write("Добрый день", name="Анна")
    case_id = await workspace.scalar("SELECT id FROM contact_case")
    olga = workspace.browser()
    await olga.log_in("olga")
    await olga.send(f"/cases/{case_id}/take", page="/", back="/")
    assert "Чьи" in await head.get("/")
    assert f'id="case-{case_id}"' in await head.get("/?whose=everybody")
    assert f'id="case-{case_id}"' not in await head.get("/?whose=mine")
    assert f'id="case-{case_id}"' not in await ivan.get("/?whose=everybody"), "a manager sees no more than their own"


async def test_who_took_a_case_and_when_is_seen_though_it_was_theirs_already(workspace: Workspace) -> None:
    head, ivan = await workspace.visitor("head", Role.HEAD), await workspace.visitor("ivan", Role.MANAGER)
    contact = await workspace.write("Добрый день", name="Анна")
    await workspace.hub.store.run(lambda desk: change(desk, contact, ContactChange(manager="ivan")))
    first = await workspace.scalar("SELECT id FROM contact_case")
    await head.send(f"/cases/{first}/close", page="/wall", back="/wall", reason="решено")
    workspace.clock.advance(timedelta(minutes=1))
    await workspace.write("И ещё вопрос", number="2")
    case = await workspace.scalar("SELECT id FROM contact_case WHERE state = 'open' AND manager = 'ivan'")
    lines = "SELECT count(*) FROM timeline WHERE author = 'ivan' AND text LIKE '%занимается обращением'"
    assert "занимается с" not in await head.get("/wall")
    for _time in range(2):
        await ivan.send(f"/cases/{case}/take", page="/", back="/")
        workspace.clock.advance(timedelta(minutes=1))
    assert await workspace.scalar(lines) == 1
    for page in ("/wall", "/?whose=everybody", f"/contacts/{contact}"):
        assert "занимается с" in await head.get(page), page
    await workspace.hire("olga", Role.MANAGER)
    await head.send(f"/cases/{case}/give", page="/wall", back="/wall", to="olga")
    assert "занимается с" not in await head.get("/wall"), "it was given to her, she did not say so yet"


async def test_tasks_are_given_ticked_off_put_off_and_done(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.visitor("olga", Role.MANAGER)
    await ivan.send(
        "/tasks/new", page="/tasks", back="/tasks", title="Замер <b>", text="Ленина, 1", due="2026-03-02T18:00"
    )
    assert "Замер &lt;b&gt;" in await ivan.get("/tasks?when=today")
    assert "Замер" in await ivan.get("/"), "on the first page, too"
    task = await workspace.scalar("SELECT id FROM task")
    here = f"/tasks/{task}"
    assert "Ленина, 1" in await ivan.get(here)
    await ivan.send(f"{here}/change", page=here, back=here, due="2026-03-09T10:00", assignee="ivan", version="1")
    assert "Замер" not in await ivan.get("/tasks?when=today")
    assert "Замер" in await ivan.get("/tasks?when=later")
    await ivan.send(f"{here}/close", page=here, back=here, result=" ")
    assert await workspace.scalar("SELECT state FROM task") == "open", "a result is asked for"
    await ivan.send(f"{here}/close", page=here, back=here, result="замерили, 2 окна")
    assert "замерили, 2 окна" in await ivan.get("/tasks?when=done")
    await ivan.send(f"{here}/reopen", page=here, back=here)
    await ivan.send(f"{here}/cancel", page=here, back=here, reason="передумали")
    assert await workspace.scalar("SELECT state FROM task") == "cancelled"
    await ivan.send("/tasks/new", page="/tasks", back="/tasks", title="Потом", due="вчера")
    assert "не дата и время" in await ivan.get("/tasks")


async def test_what_is_counted_no_further_is_said_to_be_more(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    due = workspace.clock.now() - timedelta(minutes=1)
    await workspace.hub.store.run(lambda desk: make_all(desk, [NewTask("Замер", "ivan", due)] * (MOST_COUNTED + 5)))
    page = await ivan.get("/")
    assert ">1000+</span>" in page
    assert "Показать все: 1000+" in page
    assert ">и ещё 800+</p>" in await ivan.get("/?all=1")


async def test_a_line_of_a_checklist_is_ticked_off(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    new = NewTask("Собрать документы", assignee="ivan", checklist=("паспорт", "договор"), author="ivan")
    task = await workspace.hub.store.run(lambda desk: make(desk, new).id)
    here = f"/tasks/{task}"
    await ivan.send(f"{here}/tick", page=here, back=here, line="1", version="1")
    page = await ivan.get(here)
    assert page.count('aria-pressed="true"') == 1
    await ivan.send(f"{here}/tick", page=here, back=here, line="9", version="2")
    assert "нет такой строки" in await ivan.get(here)


async def test_everything_is_searched_from_every_page(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    contact_id = await workspace.write("Добрый день", name=f"Анна Смирнова {EVIL}")
    quick = await ivan.get("/search?part=quick&q=смирн")
    assert f'href="/contacts/{contact_id}"' in quick
    assert EVIL not in quick
    assert "<html" not in quick
    assert "Ничего не найдено" in await ivan.get("/search?q=никого такого")
    assert "по началам слов" in await ivan.get("/search?q=смирн")
    assert f'href="/contacts/{contact_id}"' in await ivan.get("/search?q=смирн")


async def test_tasks_products_and_documents_are_searched_too(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    contact_id = await workspace.write("Добрый день", name="Анна Смирнова")
    new = NewTask(f"Замер террасы {EVIL}", assignee="ivan", author="ivan", contact_id=contact_id)
    task = await workspace.hub.store.run(lambda desk: make(desk, new).id)
    goods = ProductChange(name="Терраса под ключ", sku="ТР-40", archived=True)
    product = await workspace.hub.store.run(lambda desk: create_product(desk, goods).id)
    number = {"id": 77, "template": "Счёт", "number": 1240, "title": "Счёт за террасу", "created_at": at(0)}
    file = {"author": "ivan", "name": "a.pdf", "content_type": "application/pdf", "size": 1, "sha256": "a"}
    paper = number | file | {"contact_id": contact_id}
    await workspace.hub.store.database.write(lambda conn: conn.execute(tables.document.insert(), [paper]))
    quick = await ivan.get("/search?part=quick&q=террас")
    for address in (f"/tasks/{task}", f"/products/{product}", "/api/v1/documents/77/file"):
        assert f'href="{address}"' in quick
    assert EVIL not in quick
    assert "не продаём" in quick
    assert "Анна Смирнова" in quick
    assert f'href="/products/{product}"' in await ivan.get("/search?q=тр-40")
    assert 'href="/api/v1/documents/77/file"' in await ivan.get("/search?q=%E2%84%961240")


async def test_who_calls_is_shown_to_those_alone_whose_telephone_rings(workspace: Workspace) -> None:
    ivan, olga = await workspace.visitor("ivan", Role.MANAGER), await workspace.visitor("olga", Role.MANAGER)
    for login, extension in (("ivan", "PJSIP/101"), ("olga", "PJSIP/102")):
        hired = partial(update_user, login=login, change=UserChange(extension=extension))
        _done, position = await workspace.hub.store.run_at(hired)
        assert await workspace.hub.live.reached(position, PATIENCE_S)
    workspace.clock.set(START)
    await workspace.hub.intake.receive(missed("7.1", ANNA, at(-600)))
    call = replace(ringing("8.1", ANNA, at(0)), legs=(CallLeg("PJSIP/101", at(0), None, None),))
    async with following(ivan, "me") as feed, following(olga, "me,calls") as other:
        await workspace.hub.intake.receive_many([moved(call)])
        popup = await feed.piece("popup-")
        assert "+7 916 123-45-67" in popup["html"]
        assert "Вам звонят" in popup["html"]
        assert "Ждёт ответа" in popup["html"], "they missed her ten minutes ago"
        assert (await other.event("stale"))["topics"] == ["calls"], "but no popup"
        assert "Вам звонят" in await ivan.get("/popups"), "for a page that was opened meanwhile"
        assert "Вам звонят" not in await olga.get("/popups")
        await workspace.hub.intake.receive_many([moved(ended(answered(call, 5, "PJSIP/102"), 60))])
        gone = await feed.piece("popup-")
        assert gone["key"] == popup["key"]
        assert "hidden" in gone["html"]
    assert await ivan.get("/popups") == ""


async def on_the_telephone(workspace: Workspace) -> tuple[Browser, Browser, CallSnapshot]:
    """Ivan and Olga, each with a telephone, and a call that Ivan has picked up."""
    ivan, olga = await workspace.visitor("ivan", Role.MANAGER), await workspace.visitor("olga", Role.MANAGER)
    for login, extension in (("ivan", "PJSIP/101"), ("olga", "PJSIP/102")):
        hired = partial(update_user, login=login, change=UserChange(extension=extension))
        _done, position = await workspace.hub.store.run_at(hired)
        assert await workspace.hub.live.reached(position, PATIENCE_S)
    workspace.clock.set(at(30))
    legs = (CallLeg("PJSIP/101", at(0), at(4), None), CallLeg("PJSIP/102", at(0), None, None))
    began = replace(ringing("8.1", ANNA, at(0)), legs=legs)
    call = replace(answered(began, 5), talks=(CallTalk("PJSIP/101", at(5)),))
    await workspace.hub.intake.receive_many([moved(began), moved(call)])
    return ivan, olga, call


def told(call: CallSnapshot, number: int) -> InboundEvent:
    """The PBX tells in passing how a call stands."""
    return fact(PBX, CallRinging(call), at(20 + number), conversation=ANNA, external_id=f"8.1:ringing:{number}")


async def test_a_call_is_passed_on_and_shown_to_whom_it_goes(workspace: Workspace) -> None:
    ivan, olga, call = await on_the_telephone(workspace)
    assert "Вы говорите" in await ivan.get("/popups")
    assert await olga.get("/popups") == "", "she rang with it, and was not quicker"
    asked = replace(call, legs=(*call.legs, CallLeg("PJSIP/102", at(20), None, None)))
    alone = replace(asked, talks=(CallTalk("PJSIP/101", at(5), at(19)),))
    async with following(ivan, "me") as his, following(olga, "me,calls") as hers:
        await workspace.hub.intake.receive_many([told(alone, 1)])
        rings = (await hers.piece("popup-"))["html"]
        assert "Вам звонят" in rings
        assert "Переводит: Ivan" in rings
        assert "hidden" in (await his.piece("popup-"))["html"]
        through = replace(alone, talks=(*alone.talks, CallTalk("PJSIP/102", at(25), None, TalkBegan.BLIND_TRANSFER)))
        await workspace.hub.intake.receive_many([told(through, 2), told(alone, 3)])
        assert "Вы говорите" in (await hers.piece("popup-"))["html"]
    assert await ivan.get("/popups") == ""
    page = await olga.get("/popups")
    assert page.count("<aside") == 1, "one popup a call"
    assert "Вы говорите" in page
    await workspace.hub.intake.receive_many([moved(ended(through, 60))])
    assert await olga.get("/popups") == ""
    assert await workspace.scalar("SELECT count(*) FROM journal WHERE external_id LIKE '8.1:ringing%'") == 0


async def test_a_popup_says_that_nobody_hears_the_telephone_system(workspace: Workspace) -> None:
    ivan, olga, _call = await on_the_telephone(workspace)
    hub, lost = workspace.hub, "Связь с АТС потеряна"
    pbx = PlayedChannel(PBX)
    hub.channels.put(pbx)
    assert lost not in await ivan.get("/popups")
    async with following(ivan, "channels") as feed:
        pbx.health = ChannelHealth(ChannelState.RECONNECTING, "connection reset")
        assert "channels" in (await feed.event("stale"))["topics"]
        assert lost not in await ivan.get("/popups"), "another node may own the link"
        await hub.store.database.write(lambda conn: leases.acquire(conn, str(PBX), hub.node, timedelta(hours=1)))
        assert lost in await ivan.get("/popups")
        await hub.store.database.write(lambda conn: leases.release(conn, str(PBX), hub.node))
        await hub.store.database.write(lambda conn: leases.acquire(conn, str(PBX), "another", timedelta(hours=1)))
        assert lost not in await ivan.get("/popups")
        await hub.store.run(lambda desk: raise_alarm(desk, AlarmKind.LINK_DOWN, str(PBX), "down", since=desk.now))
        assert lost in await ivan.get("/popups"), "as the node that owns it has told"
        pbx.health = ChannelHealth(ChannelState.CONNECTED)
        while "channels" not in (await feed.event("stale"))["topics"]:
            pass
    assert lost not in await ivan.get("/popups")
    # What rang when the PBX fell silent for good does not ring for ever.
    await hub.intake.receive_many([moved(replace(ringing("9.1", ANNA, at(0)), legs=(CallLeg("PJSIP/102", at(0)),)))])
    assert "Вам звонят" in await olga.get("/popups")
    workspace.clock.set(at(900))
    assert await olga.get("/popups") == ""
