"""The wholesaler (E1–E6): a call goes to the client's own manager, a missed one climbs; statuses come of shipments."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from crm_core.messages import ChannelKey
from crm_core.model.user import Role
from crm_core.ports import ChannelState
from hub.demo.peers.process import free_port
from hub.demo.peers.scripted_pbx import Call, ScriptedPbx
from tests.contract.channels.telegram import Telegram
from tests.e2e.companies.company import OFFICE, Company, company, token_of
from tests.fakes.clock import DrivenClock
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.timeout(300)
PEOPLE = (*OFFICE, ("olga", "Ольга", Role.MANAGER, "продажи"), ("anna", "Отдел кадров", Role.MANAGER, "кадры"))
PHONES = {"ivan": "101", "olga": "102", "anna": "150"}
LINE = "+78432001020"
CLIENT = "+79161234567"
# How many clients there are of each status, and how many days ago they bought.
CLIENTS: dict[str, tuple[int, tuple[int, ...]]] = {
    "потенциальный": (6_000, ()),
    "разовый свежий": (1_500, (20,)),
    "постоянный": (2_659, (100, 70, 40, 10)),
    "разовый старый": (1_500, (300,)),
    "ушедший": (1_000, (440, 420, 400)),
}
# So many of them were entered years ago, the others today.
LONG_AGO = 600
_SETTINGS = """
[[pbx]]
name = "office"
ami = "ami://hub:secret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
trunk = "PJSIP/{{number}}@trunk"

[[line]]
number = "{line}"
group = "продажи"
"""


@dataclass
class Dispatch:
    """The company and its telephones, whose time is the test's."""

    office: Company
    pbx: ScriptedPbx
    known: set[int] = field(default_factory=set)

    async def call(self, number: str, *, picked_up: str = "", patience_s: float = 120) -> dict[str, Any]:
        """A client calls, and only the telephone `picked_up` is answered: the call as it is recorded in the end."""
        self.pbx.phones = {each: 3.0 if each == picked_up else None for each in PHONES.values()}
        await self.pbx.call(Call(number, LINE, patience_s=patience_s, talk_s=90))
        return await self.over()

    async def call_back(self, number: str) -> dict[str, Any]:
        """Ivan calls a client, who picks up."""
        await self.pbx.call_client(PHONES["ivan"], number, talk_s=60)
        return await self.over()

    async def over(self) -> dict[str, Any]:
        """The new call, as soon as it is recorded as over: the exchange tells of it by and by."""

        async def newest() -> dict[str, Any] | None:
            found = [each for each in await self.office.items("/calls") if each["id"] not in self.known]
            return found[0] if found and found[0]["finished_at"] is not None else None

        call = await self.once(newest)
        self.known.add(call["id"])
        return dict(await self.office.get(f"/calls/{call['id']}"))

    async def once(self, question: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
        """The answer to a question, as soon as there is one."""
        async with asyncio.timeout(PATIENCE_S):
            position = self.office.hub.live.position
            if (answer := await question()) is not None:
                return answer
            async for _ in self.office.hub.live.follow(position):
                if (answer := await question()) is not None:
                    return answer
        raise AssertionError("the hub ended")

    async def told(self, words: str) -> list[str]:
        """Who was to be told something with these words, in the order of being told."""
        sql = "SELECT payload ->> 'login', payload ->> 'text' FROM outbox WHERE kind = 'notification' ORDER BY id"
        rows = await self.office.hub.store.read(lambda conn: [tuple(row) for row in conn.exec_driver_sql(sql)])
        return [login for login, text in rows if words in text]

    async def client(self, number: str, **more: Any) -> dict[str, Any]:
        """A client of Ivan's, entered by him."""
        body = {"name": "ООО «Мир труб»", "identities": [f"tel:{number}"], "manager": "ivan", **more}
        return dict(await self.office.post("/contacts", body, status=201))


@pytest.fixture
async def dispatch(tmp_path: Path) -> AsyncIterator[Dispatch]:
    clock, ports = DrivenClock(), (free_port(), free_port())

    async def passes(seconds: float) -> None:
        clock.advance(seconds)

    pbx = ScriptedPbx("secret", ("127.0.0.1", ports[1]), ports[0], now=lambda: clock.now().timestamp(), passes=passes)
    await pbx.start()
    settings = _SETTINGS.format(ami=ports[0], agi=ports[1], line=LINE)
    providers = {"telegram": Telegram("webhook")}
    async with company("dispatch", tmp_path, PEOPLE, providers, settings, clock=clock) as office:
        for login, extension in PHONES.items():
            await office.patch(f"/users/{login}", {"extension": f"PJSIP/{extension}"}, by="root")
        await office.patch("/users/ivan", {"deputy": "olga", "controller": "kira"}, by="root")
        link = office.hub.channels[ChannelKey("pbx", "office")]
        await until(lambda: link.health.state is ChannelState.CONNECTED)
        yield Dispatch(office, pbx)
    await pbx.stop()


def rung(call: dict[str, Any]) -> list[str]:
    """The telephones that were rung, in order."""
    return [each["endpoint"].removeprefix("PJSIP/") for each in call["rung"]]


async def test_a_caller_reaches_the_own_manager(dispatch: Dispatch) -> None:
    client = await dispatch.client(CLIENT)
    call = await dispatch.call(CLIENT, picked_up="101")
    assert (rung(call), call["answered_by"], call["contact_id"]) == (["101"], "ivan", client["id"])
    # Who does not pick up is stood in for; nobody is lost.
    call = await dispatch.call(CLIENT, picked_up="102")
    assert (rung(call), call["answered_by"]) == (["101", "102"], "olga")
    entries = await dispatch.office.items(f"/contacts/{client['id']}/timeline?limit=100")
    assert [each["kind"] for each in entries].count("call") == 2
    assert await dispatch.office.items("/cases?state=open") == []


async def test_a_missed_call_climbs_within_a_day(dispatch: Dispatch) -> None:
    client = await dispatch.client(CLIENT)
    call = await dispatch.call(CLIENT)
    # The manager, the deputy, and whoever is there at all: none of them picked up.
    assert (call["state"], rung(call)) == ("missed", ["101", "102", "150"])
    await dispatch.office.settled()
    told = await dispatch.told("Мир труб")
    assert sorted(told) == ["ivan", "kira"], "the client's manager and that manager's controller, at once"
    (case,) = await dispatch.office.items("/cases?state=open")
    assert (case["contact_id"], case["kind"], case["manager"]) == (client["id"], "call", "ivan")
    await dispatch.office.passes(hours=23, minutes=50)
    assert await dispatch.told("Мир труб") == told
    await dispatch.office.passes(minutes=20)
    assert Counter(await dispatch.told("Мир труб")) == Counter({"ivan": 1, "kira": 2, "dina": 1})
    missed = await dispatch.office.get("/reports/never_returned")
    assert [row["contact_id"] for row in missed["rows"]] == [client["id"]]


async def test_who_is_called_back_in_time_climbs_no_further(dispatch: Dispatch) -> None:
    await dispatch.client(CLIENT)
    await dispatch.call(CLIENT)
    await dispatch.office.passes(hours=3)
    call = await dispatch.call_back(CLIENT)
    assert (call["direction"], call["answered_by"]) == ("out", "ivan")
    assert await dispatch.office.items("/cases?state=open") == []
    await dispatch.office.passes(days=2)
    assert sorted(await dispatch.told("Мир труб")) == ["ivan", "kira"]


async def test_every_number_is_a_client_or_on_a_list(dispatch: Dispatch) -> None:
    office = dispatch.office
    strangers = {number: f"+7917000000{number}" for number in range(1, 5)}
    calls = {number: await dispatch.call(each, picked_up="101") for number, each in strangers.items()}
    assert set(rung(calls[1])) == {"101", "102"}, "whoever is nobody's is everybody's"
    unknown = await office.get("/reports/numbers_unknown")
    assert {row["number"] for row in unknown["rows"]} == set(strangers.values())
    for number, list_name in ((1, "чёрный список"), (2, "соискатели"), (3, "поставщики")):
        await office.post(f"/calls/{calls[number]['id']}/list", {"list": list_name, "reason": "не клиент"})
    (lead,) = await office.items(f"/leads?contact_id={calls[4]['contact_id']}")
    await office.task("Внести клиента и его телефоны в карточку", assignee=lead["manager"], lead_id=lead["id"])
    await office.patch(f"/contacts/{calls[4]['contact_id']}", {"name": "ООО «Новый»"})
    assert (await office.get("/reports/numbers_unknown"))["rows"] == []
    for each in await office.tasks(assignee="ivan"):
        await office.post(f"/tasks/{each['id']}/close", {"result": "Внесён"})

    # The next time nobody is rung for the first, the second goes to personnel. Nothing is owed to either.
    told = len(await dispatch.told(""))
    assert rung(await dispatch.call(strangers[1], picked_up="101")) == []
    call = await dispatch.call(strangers[2], picked_up="150")
    assert (call["answered_by"], rung(call)) == ("anna", ["150"])
    await office.passes(days=2)
    assert await office.items("/cases") == []
    assert len(await dispatch.told("")) == told
    # A supplier is called back like anybody, but is nobody's lead.
    await dispatch.call(strangers[3])
    (case,) = await office.items("/cases?state=open")
    assert case["contact_id"] == calls[3]["contact_id"]
    assert [each["contact_id"] for each in await office.items("/leads?status=new")] == [calls[4]["contact_id"]]


# ------------------------------------------------------------ what shipments tell of 12,659 clients


@dataclass(frozen=True, slots=True)
class Buyer:
    """A client as accounting knows it: its code, its status, how many days ago it bought and for how much each time."""

    code: str
    number: str
    manager: str
    status: str
    days: tuple[int, ...]
    amount: int


def buyers() -> list[Buyer]:
    """All clients. Sixty of those who bought once did it long enough ago to grow old one after the other."""
    found: list[Buyer] = []
    for status, (count, days) in CLIENTS.items():
        for place in range(count):
            of_day = tuple(each + place if status == "разовый свежий" and place < 60 else each for each in days)
            number, manager = len(found), ("ivan", "olga")[len(found) % 2]
            amount = 1_000_00 * (1 + place % 50)
            found.append(Buyer(f"К{number:05}", f"+7900{number:07}", manager, status, of_day, amount))
    return found


async def bring_in(dispatch: Dispatch, clients: list[Buyer]) -> None:
    """The clients come as a table of the accounting program, their shipments over its API."""
    office = dispatch.office
    lines = ["Код контрагента;Контрагент;Телефон;Менеджер;Дата создания"]
    for place, each in enumerate(clients):
        since = "15.01.2024" if place < LONG_AGO else ""
        lines.append(f"{each.code};ООО «Клиент {each.code}»;{each.number};{each.manager};{since}")
    form = FormData()
    form.add_field("kind", "contacts")
    form.add_field("system", "1c")
    form.add_field("map", '{"Контрагент": "name"}')
    form.add_field("file", "\n".join(lines).encode("cp1251"), filename="clients.csv")
    headers = {"Authorization": f"Bearer {token_of('root')}"}
    async with office.session.post("/api/v1/imports", data=form, headers=headers) as response:
        begun = await response.json()
        assert response.status == 201, begun

    async def ended() -> dict[str, Any] | None:
        found = dict(await office.get(f"/imports/{begun['id']}"))
        return found if found["ended_at"] is not None else None

    done = await dispatch.once(ended)
    assert (done["state"], done["counts"]["created"], done["counts"]["failed"]) == ("done", len(clients), 0)
    await shipped(office, [(each, days) for each in clients for days in each.days])


async def shipped(office: Company, sales: list[tuple[Buyer, int]]) -> None:
    """Accounting tells of shipments so many days ago; nothing of it is refused."""
    now = office.clock.now()
    rows = [
        {
            "external_id": f"РТ-{each.code}/{(now - timedelta(days=days)).date()}",
            "client": each.code,
            "name": "Кабель ВВГ",
            "quantity": 100,
            "amount": each.amount,
            "at": (now - timedelta(days=days)).isoformat(),
        }
        for each, days in sales
    ]
    for start in range(0, len(rows), 1000):
        body = {"system": "1c", "rows": rows[start : start + 1000]}
        taken = await office.post("/sales", body, by="root")
        assert (taken["created"], taken["refused"]) == (len(body["rows"]), [])


async def counted(office: Company, sql: str) -> Counter[str]:
    """How many clients there are of each kind."""
    rows = await office.hub.store.read(lambda conn: [tuple(row) for row in conn.exec_driver_sql(sql)])
    return Counter(dict(rows))


async def statuses(office: Company) -> Counter[str]:
    """How many clients there are of each status."""
    return await counted(office, "SELECT status, COUNT(*) FROM contact GROUP BY status")


def letters(clients: list[Buyer]) -> Counter[str]:
    """How many clients bring the first 80 % of the year's revenue, how many the next 15 %, how many the rest."""
    revenue = sorted(
        (sum(each.amount for days in each.days if days < 365) for each in clients if each.days), reverse=True
    )
    whole, before, found = sum(revenue), 0, Counter[str]()
    for each in revenue:
        found["C" if each == 0 or before >= 0.95 * whole else "B" if before >= 0.8 * whole else "A"] += 1
        before += each
    found[""] = sum(not each.days for each in clients)
    return found


async def test_weeks_of_12659_clients(dispatch: Dispatch) -> None:
    office, clients = dispatch.office, buyers()
    assert len(clients) == 12_659
    first = {status: next(each for each in clients if each.status == status) for status in CLIENTS}
    await bring_in(dispatch, clients)

    # The next morning everybody has a status and a group, and nobody was troubled about it.
    await office.passes(days=1)
    assert await statuses(office) == {status: count for status, (count, _) in CLIENTS.items()}
    assert await counted(office, "SELECT abc, COUNT(*) FROM client_score GROUP BY abc") == letters(clients)
    assert await office.tasks() == []
    regular = await office.client(f"tel:{first['постоянный'].number}")
    score = await office.get(f"/contacts/{regular['id']}/score")
    # The 4,000 others bought less lately and less often: three fifths of all buyers, and a little more.
    assert (score["orders"], score["revenue"], score["xyz"], score["rfm"][:2]) == (4, 4_000_00, "X", "44")
    assert (regular["status"], regular["manager"]) == ("постоянный", first["постоянный"].manager)
    gone = await office.client(f"tel:{first['ушедший'].number}")
    assert (await office.get(f"/contacts/{gone['id']}/score"))["abc"] == "C"
    # What they will buy next: every 30 days so far, and the one forecast that could be checked came true.
    (need,) = (await office.get(f"/contacts/{regular['id']}/needs"))["items"]
    day = (office.clock.now() + timedelta(days=30 - 11)).date().isoformat()
    assert (need["name"], need["quantity"], need["period_days"], need["next_on"]) == ("Кабель ВВГ", 100, 30, day)
    assert (need["hits"], need["checks"], need["probability"]) == (1, 1, 67)

    # Nobody has spoken to any of them; whoever calls is no longer forgotten.
    report = await office.get("/reports/forgotten?by=manager")
    assert {row["manager"]: row["clients"] for row in report["rows"]} == {"ivan": 300, "olga": 300}
    call = await dispatch.call(first["потенциальный"].number, picked_up="101")
    assert (rung(call), call["answered_by"]) == (["101"], "ivan")
    report = await office.get("/reports/forgotten?by=manager")
    assert {row["manager"]: row["clients"] for row in report["rows"]} == {"ivan": 299, "olga": 300}

    # Weeks later: some have come back, some have grown old, and their managers know of it.
    back = [each for each in clients if each.status == "ушедший"][:40]
    await shipped(office, [(each, 0) for each in back])
    await office.passes(days=35)
    old = [each for each in clients if each.status == "разовый свежий" and each.days[0] + 36 > 90]
    expected = Counter({status: count for status, (count, _) in CLIENTS.items()})
    expected.update({"ушедший": -40, "постоянный": 40, "разовый свежий": -len(old), "разовый старый": len(old)})
    assert await statuses(office) == expected
    tasks = [each for each in await office.tasks() if each["title"].startswith("Узнать, почему перестал покупать")]
    assert Counter(each["assignee"] for each in tasks) == Counter(each.manager for each in old)
    assert "вернуть" not in (await office.get(f"/contacts/{gone['id']}"))["tags"]
    left = await office.client(f"tel:{old[-1].number}")
    assert "вернуть" in left["tags"]
    # The forecast did not come true: it is seen in the figures.
    (need,) = (await office.get(f"/contacts/{regular['id']}/needs"))["items"]
    assert (need["hits"], need["checks"], need["probability"]) == (1, 2, 25)
    assert "срок прошёл" in need["explanation"]

    await shipped(office, [(old[-1], 0)])
    await office.passes(days=1)
    left = await office.client(f"tel:{old[-1].number}")
    assert (left["status"], "вернуть" in left["tags"]) == ("постоянный", False)


async def test_a_client_whom_nobody_talks_with_for_a_quarter(dispatch: Dispatch) -> None:
    await dispatch.client(CLIENT)
    await dispatch.call(CLIENT, picked_up="101")
    await dispatch.office.passes(days=89)
    assert await dispatch.office.tasks() == []
    await dispatch.office.passes(days=2)
    await dispatch.office.task("Три месяца без общения: ООО «Мир труб»", assignee="ivan")
