"""4R (D1–D5): what clients say becomes fields and grades; events within stages; pipelines that feed each other."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from aiohttp import web

from crm_core import presets
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.signature import signature
from crm_core.model.user import Role
from hub.demo.peers.process import free_port
from hub.office.presets import parsed
from tests.contract.channels.telegram import Telegram
from tests.e2e.companies.company import OFFICE, Company, company
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.timeout(300)
PEOPLE = (*OFFICE, ("olga", "Ольга Ключева", Role.MANAGER, "ключевые клиенты"))
SECRET = "erp-secret-of-this-test"
RUB = {"currency": "RUB"}
MEDDPICC = ("metrics", "economic_buyer", "criteria", "process", "paper", "pain", "champion", "competition")
# What one firm keeps of every client.
FIELDS = 108


@dataclass
class Erp:
    """Another program on this machine. It takes what is signed, and is away at first where told so."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    away: bool = False
    _come: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, port: int) -> web.AppRunner:
        """Listen at a port of this machine."""
        app = web.Application()
        app.router.add_post("/hub", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner

    async def told(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        """What it was told of an event, as soon as that is so often."""
        async with asyncio.timeout(PATIENCE_S), self._come:
            await self._come.wait_for(lambda: len(self._of(event)) >= times)
            return self._of(event)

    async def tried(self, times: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(PATIENCE_S), self._come:
            await self._come.wait_for(lambda: len(self.seen) >= times)

    def _of(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.taken if each["event"] == event]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        right = f"sha256={signature(SECRET, request.headers['X-Hub-Timestamp'], body)}"
        if not hmac.compare_digest(request.headers["X-Hub-Signature"], right):
            return web.Response(status=401)
        async with self._come:
            self.seen.append(request.headers["X-Hub-Delivery"])
            if not self.away:
                self.taken.append(orjson.loads(body))
            self._come.notify_all()
        return web.Response(status=503 if self.away else 204)


@dataclass
class FourR:
    """The company, a client of it with Telegram, and its accounting program."""

    office: Company
    telegram: Telegram
    erp: Erp

    async def client_says(self, text: str) -> None:
        """The client writes, and the hub has what follows."""
        await self.telegram.say(text)
        await self.office.client(self.telegram.identity)

    async def fresh_deal(self, **fields: Any) -> int:
        """A sale of the client who has written."""
        client = await self.office.client(self.telegram.identity)
        made = await self.office.post(
            "/deals",
            {"title": "Фурнитура", "contact_id": client["id"], "pipeline": "React", "fields": fields},
            status=201,
        )
        return int(made["id"])

    async def move(self, deal_id: int, *stages: str, by: str = "ivan") -> None:
        """Through these stages, one after another."""
        for stage in stages:
            await self.office.post(f"/deals/{deal_id}/move", {"stage": stage}, by=by)

    async def titles(self, **equal: Any) -> set[str]:
        """What is to be done."""
        return {each["title"] for each in await self.office.tasks(**equal)}


@pytest.fixture
async def four_r(tmp_path: Path) -> AsyncIterator[FourR]:
    erp, telegram, port = Erp(), Telegram("webhook"), free_port()
    events = '["contract.signed", "deal.copied", "deal.changed"]'
    settings = f'[[webhook]]\nurl = "http://127.0.0.1:{port}/hub"\nsecret = "{SECRET}"\nevents = {events}\n'
    accounts = 'leads = false\npipeline = "Reach"\ngroup = "продажи"\n'
    runner = await erp.serve(port)
    try:
        async with company("four-r", tmp_path, PEOPLE, {"telegram": telegram}, settings, accounts) as office:
            yield FourR(office, telegram, erp)
    finally:
        await runner.cleanup()


async def test_weeks_of_a_client_from_reach_to_refresh(four_r: FourR) -> None:
    office = four_r.office
    # Reach: an enquiry is a card, what is said becomes values of its fields.
    await four_r.client_says("Нужна фурнитура для завода, летом будет тендер")
    client = await office.client(four_r.telegram.identity)
    (card,) = await office.deals("Reach")
    assert (card["stage"], card["tags"], card["manager"]) == ("Обращение", ["тендер"], "ivan")
    assert await four_r.titles(deal_id=card["id"]) == {"Связаться: Анна"}
    await office.passes(minutes=5)
    await office.post(f"/contacts/{client['id']}/messages", {"channel": "telegram", "text": "Есть ли бюджет?"})
    await four_r.telegram.heard(1)
    await office.passes(minutes=1)
    await four_r.client_says("Бюджет уже выделен, решаю сам")
    await office.becomes(card["id"], "Контакт установлен")
    said = (await office.get(f"/deals/{card['id']}"))["fields"]
    assert (said["budget_range"], said["authority"], said["bant"]) == ("Есть", "Решает", 2)
    refused = await office.post(f"/deals/{card['id']}/move", {"stage": "Квалифицирован"}, status=422)
    assert "Потребность" in refused["detail"]
    await office.patch(f"/deals/{card['id']}", {"fields": {"Задача": "Окна для цеха", "timeline": "2026-06-01"}})
    assert await office.stage(card["id"]) == "Квалифицирован", "three of BANT are known"
    await office.task("Назначить встречу: Анна", deal_id=card["id"])

    # Who decides with the client, and in which role.
    for name, role in (("Борис Кассин", "Экономический покупатель"), ("Вера Чертёжная", "Проектировщик")):
        person = await office.post("/contacts", {"name": name}, status=201)
        link = {"kind": "contact", "id": person["id"], "role": role}
        await office.post(f"/deals/{card['id']}/links", link, status=201)

    # React, by a tunnel: fields, tags and those who decide come along.
    await four_r.move(card["id"], "Передан в продажу")
    (sale,) = await office.deals("React")
    sale_id = sale["id"]
    assert (sale["stage"], sale["manager"], sale["tags"]) == ("Проблема определена", "ivan", ["тендер"])
    assert (sale["source_id"], sale["fields"]["need"]) == (card["id"], "Окна для цеха")
    roles = {each["title"]: each["role"] for each in await office.items(f"/deals/{sale_id}/links")}
    assert roles == {"Борис Кассин": "Экономический покупатель", "Вера Чертёжная": "Проектировщик"}
    (copied,) = await four_r.erp.told("deal.copied")
    assert (copied["data"]["pipeline"], copied["data"]["source_id"]) == ("React", card["id"])

    # MEDDPICC: eight fields, points, a grade in the title.
    assert sale["grade"] is None
    await office.patch(
        f"/deals/{sale_id}", {"title": "Фурнитура для завода", "fields": dict.fromkeys(MEDDPICC, "Частично")}
    )
    graded = await office.get(f"/deals/{sale_id}")
    assert (graded["fields"]["meddpicc"], graded["title"]) == (8, "[C] Фурнитура для завода")
    await office.patch(f"/deals/{sale_id}", {"fields": {**dict.fromkeys(MEDDPICC, "Да"), "champion": "Нет"}})
    graded = await office.get(f"/deals/{sale_id}")
    assert (graded["fields"]["meddpicc"], graded["grade"], graded["title"]) == (14, "A", "[A] Фурнитура для завода")
    weak = await four_r.fresh_deal(metrics="Частично")
    (board,) = [each for each in await office.items("/pipelines") if each["name"] == "React"]
    stages = (await office.get(f"/pipelines/{board['id']}/board?sort=grade"))["stages"]
    assert [each["id"] for each in stages[0]["cards"]] == [sale_id, weak], "the best first"

    # A date in a field, forward only, fields required from a stage on.
    await office.patch(f"/deals/{sale_id}", {"fields": {"tender_on": "2026-03-10", "tender_number": "44-ФЗ/17"}})
    await four_r.move(sale_id, "Обзор решений", "Требования сформированы")
    await office.task("Найти сторонника у клиента: [A] Фурнитура", deal_id=sale_id)
    back = await office.post(f"/deals/{sale_id}/move", {"stage": "Обзор решений"}, status=409)
    assert "вперёд" in back["detail"]
    refused = await office.post(f"/deals/{sale_id}/move", {"stage": "КП подготовлено"}, status=422)
    assert "Стоимость владения: цена" in refused["detail"]
    await office.until_day("2026-03-06")
    assert not [each for each in await four_r.titles(deal_id=sale_id) if each.startswith("Тендер")]
    await office.until_day("2026-03-07")
    await office.task("Тендер 10.03.2026", deal_id=sale_id)

    # The whole cost of ownership; on the second day after «КП подготовлено» more is sent, by itself.
    costs = {"tco_price": 900_000, "tco_delivery": 40_000, "tco_service": "60 000,50", "champion": "Да"}
    told = await office.patch(f"/deals/{sale_id}", {"fields": costs})
    assert (told["fields"]["tco_total"], told["fields"]["meddpicc"]) == (1_000_000.5, 16)
    await office.until_day("2026-03-10")
    await four_r.move(sale_id, "Тендер", "КП подготовлено")
    await office.passes(hours=47)
    assert len(await four_r.telegram.heard(1)) == 1
    await office.passes(hours=2)
    assert "дополнительные материалы" in (await four_r.telegram.heard(2))[1].text
    assert not [each for each in await four_r.titles(deal_id=sale_id) if each.startswith("Обсудить")]
    await office.passes(hours=47)
    await office.task("Обсудить предложение: Анна", deal_id=sale_id)

    # Won: the key account and the review each have a card of their own, and the accounting knows.
    more = {
        "segment": "A",
        "potential": 5_000_000,
        "last_visit": "2026-03-16",
        "end_on": "2026-12-31",
        "start_on": "2026-04-01",
    }
    await office.patch(f"/deals/{sale_id}", {"amount": {"amount": 900_000_00, **RUB}, "fields": more})
    await four_r.move(sale_id, "Поставщик выбран", "Договор заключён")
    (signed,) = await four_r.erp.told("contract.signed")
    assert (signed["data"]["id"], signed["data"]["amount"], signed["data"]["grade"]) == (sale_id, "900000", "A")
    assert signed["data"]["start_on"] == "2026-04-01"
    (key,) = await office.deals("Reengage")
    assert (key["manager"], key["amount"]["amount"], key["stage"]) == ("olga", 5_000_000_00, "План развития клиента")
    assert set(key["tags"]) == {"тендер", "ключевой клиент"}
    await office.ask("GET", f"/deals/{key['id']}", by="ivan", status=404)
    await office.task("План развития: Анна", assignee="olga")

    # Refresh: three days later the client is asked, and the answer is the figure.
    (review,) = await office.deals("Refresh")
    await office.passes(hours=73)
    assert "от 0 до 10" in (await four_r.telegram.heard(3))[2].text
    await four_r.client_says("6")
    await office.becomes(review["id"], "Отзыв получен")
    assert (await office.get(f"/deals/{review['id']}"))["fields"]["nps"] == 6
    await office.task("Низкая оценка, разобраться: Анна", assignee="boss")
    assert "nps" not in (await office.get(f"/deals/{sale_id}"))["fields"], "said of the project, not of the sale"

    # Reengage: a visit a quarter; an extension is a sale again, and no second key account comes of it.
    await office.until_day("2026-06-13")
    assert not [each for each in await four_r.titles(assignee="olga") if each.startswith("Визит")]
    await office.until_day("2026-06-14")
    await office.task("Визит к ключевому клиенту: Анна", assignee="olga")
    await four_r.move(key["id"], "Прогресс-встреча проведена", "Расширение предложено", by="olga")
    (again,) = [each for each in await office.deals("React") if each["source_id"] == key["id"]]
    assert (again["stage"], again["amount"]["amount"]) == ("Обзор решений", 5_000_000_00)
    await four_r.move(again["id"], "Договор заключён")
    assert len(await office.deals("Reengage")) == 1
    assert len(await office.deals("Refresh")) == 2
    await four_r.erp.told("contract.signed", 2)


async def test_two_axes_and_with_whom_to_speak_first(four_r: FourR) -> None:
    office = four_r.office
    people = {
        "ключевой": (
            {
                "wallet_share": 60,
                "price_focus": "Низкая",
                "dependence": "Высокая",
                "loyalty": "Высокая",
                "access": "Прямой",
            },
            {"turnover": 2_000_000_000, "ltv": 20_000_000, "margin": 35, "frequency": 12, "range_share": 70},
        ),
        "развивать": (
            {
                "wallet_share": 10,
                "price_focus": "Высокая",
                "dependence": "Низкая",
                "loyalty": "Средняя",
                "access": "Нет",
            },
            {"turnover": 2_000_000_000, "ltv": 20_000_000, "margin": 35, "frequency": 12, "range_share": 70},
        ),
        "мелкий": (
            {
                "wallet_share": 60,
                "price_focus": "Низкая",
                "dependence": "Высокая",
                "loyalty": "Высокая",
                "access": "Прямой",
            },
            {"turnover": 50_000_000, "ltv": 300_000, "margin": 10, "frequency": 1, "range_share": 5},
        ),
        "середина": (
            {
                "wallet_share": 30,
                "price_focus": "Средняя",
                "dependence": "Средняя",
                "loyalty": "Средняя",
                "access": "Прямой",
            },
            {"turnover": 500_000_000, "ltv": 5_000_000, "margin": 20, "frequency": 6, "range_share": 40},
        ),
        "неизвестный": ({}, {}),
    }
    ids, rows = {}, []
    for name, (relation, attraction) in people.items():
        made = await office.post("/contacts", {"name": name, "fields": {**relation, **attraction}}, status=201)
        ids[name] = made["id"]
        sale = {"contact_id": made["id"], "at": "2026-02-20T10:00:00Z", "amount": 1000_00}
        rows.append({"external_id": name, "name": "Фурнитура", **sale})
    taken = await office.post("/sales", {"system": "1c", "rows": rows}, by="boss")
    assert taken["refused"] == []
    await office.passes(days=1)
    found = {name: await office.get(f"/contacts/{each}/score") for name, each in ids.items()}
    assert {name: (each["relation"], each["attraction"]) for name, each in found.items()} == {
        "ключевой": (100, 100),
        "развивать": (13, 100),
        "мелкий": (100, 0),
        "середина": (63, 50),
        "неизвестный": (0, 0),
    }
    today = await office.items("/scores/today")
    assert [(each["name"], each["priority"]) for each in today] == [
        ("ключевой", 100),
        ("середина", 31),
        ("развивать", 13),
        ("мелкий", 0),
        ("неизвестный", 0),
    ]
    # What is known of a client changes, and with it the place in the queue.
    await office.patch(
        f"/contacts/{ids['развивать']}", {"fields": {"wallet_share": 55, "loyalty": "Высокая", "access": "Прямой"}}
    )
    await office.passes(days=1)
    changed = await office.get(f"/contacts/{ids['развивать']}/score")
    assert (changed["relation"], changed["attraction"]) == (75, 100)
    assert [each["name"] for each in await office.items("/scores/today")][:2] == ["ключевой", "развивать"]


async def test_who_is_invited_and_who_came(four_r: FourR) -> None:
    office = four_r.office
    await four_r.client_says("Здравствуйте")
    client = await office.client(four_r.telegram.identity)
    invitation = {"title": "Анна", "contact_id": client["id"], "fields": {"event": "День проектировщика"}}
    refused = await office.post("/records/invitation", invitation, status=422)
    assert "Когда" in refused["detail"]
    for event, day in (("День проектировщика", "2026-03-20"), ("Выставка", "2026-04-20")):
        invitation["fields"] = {"event": event, "event_on": day}
        await office.post("/records/invitation", invitation, status=201)

    async def of(event: str) -> dict[str, Any]:
        return next(each for each in await office.items("/records/invitation") if each["fields"]["event"] == event)

    await office.until_day("2026-03-18")
    assert "20.03.2026 — День проектировщика" in (await four_r.telegram.heard(1))[0].text
    first = await of("День проектировщика")
    await office.post(f"/records/invitation/{first['id']}/move", {"stage": "Подтвердил"})
    await office.until_day("2026-03-21")
    await office.task("Отметить, был ли на мероприятии: Анна", deal_id=first["id"])
    await office.patch(f"/records/invitation/{first['id']}", {"fields": {"interest": "Скрытые петли"}})
    await office.post(f"/records/invitation/{first['id']}/move", {"stage": "Был"})
    await office.task("Позвонить после мероприятия: Анна", deal_id=first["id"])
    assert (await of("Выставка"))["stage"] == "Приглашён"
    await four_r.client_says("Обязательно буду")
    second = (await of("Выставка"))["id"]
    await office.becomes(second, "Подтвердил")
    # Invitations are no sales.
    assert {each["type"] for each in await office.items("/deals?limit=1000")} == {"deal"}


async def test_all_fields_of_a_deal_are_kept_found_and_told(four_r: FourR) -> None:
    office = four_r.office
    await four_r.client_says("Здравствуйте")
    deal_id = await four_r.fresh_deal()
    before = await office.patch(f"/deals/{deal_id}", {"fields": wide()})
    assert len(before["fields"].keys() & wide().keys()) == FIELDS
    card = await office.get(f"/deals/{deal_id}")
    assert card["fields"]["pf_referrals"] == 7
    assert len([key for key in card["fields"] if key.startswith("pf_")]) == 23, "all of the profit formula"
    # What a window shows of it stays small.
    assert len(orjson.dumps(card)) < 12_000
    (react,) = [each for each in await office.items("/pipelines") if each["name"] == "React"]
    board = await office.get(f"/pipelines/{react['id']}/board?fields=meddpicc,segment")
    assert board["stages"][0]["cards"][0]["fields"] == {"meddpicc": 16, "segment": "C"}
    (listed,) = await office.items("/deals?pipeline=React&fields=segment")
    assert listed["fields"] == {"segment": "C"}
    assert len(orjson.dumps(listed)) < 1_500
    potential = '{"field": "fields.potential", "op": ">=", "value": 1000}'
    wanted = f'{{"all": [{potential}, {{"field": "fields.meddpicc", "op": "=", "value": 16}}]}}'
    assert [each["id"] for each in await office.items(f"/deals?filter={quote(wanted)}")] == [deal_id]
    twice = await office.post(
        "/deals",
        {"title": "Другая", "pipeline": "React", "fields": {"tender_number": wide()["tender_number"]}},
        status=409,
    )
    assert "Номер тендера" in twice["detail"]
    # One change of one field among all is one row of history, and the others are not told of as changed.
    await office.patch(f"/deals/{deal_id}", {"fields": {"rival5_share": 12.5}})
    (last, *_) = await office.items(f"/deals/{deal_id}/history")
    assert [(each["title"], each["after_text"]) for each in last["changes"]] == [("Доля конкурента 5, %", "12,5")]
    changes = (await four_r.erp.told("deal.changed", 2))[-1]["data"]["changes"]
    assert changes == [{"name": "fields.rival5_share", "old": 7, "new": 12.5}]


async def test_a_program_that_was_away_is_told_all_the_same(four_r: FourR) -> None:
    office, erp = four_r.office, four_r.erp
    await four_r.client_says("Здравствуйте")
    deal_id = await four_r.fresh_deal()
    erp.away = True
    await office.patch(f"/deals/{deal_id}", {"fields": {"segment": "B"}})
    await erp.tried(1)
    erp.away = False
    await office.passes(hours=1)
    await erp.told("deal.changed")
    assert len(set(erp.seen)) == 1, "the same delivery, again"
    log = "/webhook-deliveries?event=deal.changed"
    async with asyncio.timeout(PATIENCE_S):
        while (delivery := (await office.items(log))[0])["state"] == "waiting":  # noqa: ASYNC110 - nobody tells of rows
            await asyncio.sleep(0.01)
    assert (delivery["state"], delivery["status"], delivery["delivery"]) == ("done", 204, erp.seen[0])
    await office.post(f"/webhook-deliveries/{delivery['id']}/replay", by="root")
    await erp.told("deal.changed", 2)
    assert len(set(erp.seen)) == 1


def wide() -> dict[str, Any]:
    """A value for each field of a deal that people fill in."""
    declared = parsed(presets.text("four-r"), "four-r").definitions[Section.FIELD].values()
    bodies = [each for each in declared if isinstance(each, FieldBody) and each.of == "deal"]
    return {each.key: _value(each) for each in bodies if each.type is not FieldType.FORMULA}


def _value(body: FieldBody) -> Any:
    match body.type:
        case FieldType.NUMBER:
            return 7
        case FieldType.MONEY:
            return {"amount": 1_234_567_00, **RUB}
        case FieldType.DATE:
            return "2026-06-01"
        case FieldType.FLAG:
            return True
        case FieldType.LIST:
            return body.options[-1]
        case FieldType.MULTI:
            return body.options
        case _:
            return f"{body.title}: так, как сказал клиент"
