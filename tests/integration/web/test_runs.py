"""The journals of rules and chains: what was done, with whom and why it failed; of one rule, one client, one record."""

from __future__ import annotations

from datetime import timedelta

from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord, RunOutcome
from crm_core.model.definitions import Section
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.wording import Sentence
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_office import RULE, record, sent


async def card_of(workspace: Workspace, contact_id: int, title: str, **settings: object) -> int:
    """A card of a client in a pipeline of its own."""

    def make(desk: Desk) -> int:
        now, ident = desk.now, desk.work.next_id
        pipeline = PipelineRecord(ident(), f"Воронка {title}", 99, settings=dict(settings))
        stage = StageRecord(ident(), pipeline.id, "Первая", 0)
        card = DealRecord(
            id=ident(),
            contact_id=contact_id,
            pipeline_id=pipeline.id,
            stage_id=stage.id,
            title=title,
            created_at=now,
            updated_at=now,
            stage_since=now,
            manager="root",
        )
        for each in (pipeline, stage, card):
            desk.work.put(each)
        return card.id

    return await workspace.hub.store.run(make)


async def ran(workspace: Workspace, key: str, rule: str, deal_id: int, contact_id: int, error: str = "") -> None:
    outcome = RunOutcome.FAILED if error else RunOutcome.DONE

    def put(desk: Desk) -> None:
        run = RuleRunRecord(key, rule, "deal", deal_id, contact_id, desk.now, outcome, "created", [], error)
        desk.work.put(run._replace(actions=[{"do": "tag", "tags": "горячий"}] if not error else []))

    await workspace.hub.store.run(put)


async def test_what_a_rule_did_stands_in_the_journal_with_the_client(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, "/office/rules/new", 303, RULE, act="save")
    await workspace.write("Окна?", client=1009, name="", number="9")
    assert "Клиент из Telegram" in await browser.get("/runs"), "who has no name is called as everywhere"
    anna = await workspace.write("Сколько стоят окна?", name="Анна")
    await workspace.write("Просто здравствуйте", client=1002, name="Борис", number="2")
    page = await browser.get("/runs")
    assert f'<a href="/contacts/{anna}">Анна</a>' in page
    assert "Борис" not in page, "the condition did not hold for him"
    assert "клиент написал в чат" in page
    assert "окна" in page
    rule = await browser.get(f"/office/rules/{await record(workspace, Section.RULE, 'Метка')}")
    assert "/runs?rule=%D0%9C%D0%B5%D1%82%D0%BA%D0%B0" in rule
    assert 'href="/runs"' in await browser.get("/office")


async def test_the_journal_is_narrowed_to_a_rule_a_client_a_card_and_what_failed(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    anna = await workspace.write("Добрый день", name="Анна")
    boris = await workspace.write("Добрый день", client=1002, name="Борис", number="2")
    hers, his = await card_of(workspace, anna, "Окна"), await card_of(workspace, boris, "Двери")
    await ran(workspace, "1", "Первое", hers, anna)
    refused = Sentence("{act}: {why}", act="message", why=Sentence("VK error {code}", code=901))
    await ran(workspace, "2", "Второе", his, boris, refused)
    for path, seen, unseen in (
        ("/runs?rule=%D0%9F%D0%B5%D1%80%D0%B2%D0%BE%D0%B5", "Окна", "Двери"),
        ("/runs?outcome=failed", "Двери", "Окна"),
        (f"/runs?client={anna}", "Окна", "Двери"),
        ("/runs?q=Борис", "Двери", "Окна"),
        (f"/runs?kind=deal&subject={hers}", "Окна", "Двери"),
    ):
        page = await browser.get(path)
        assert f">{seen}</a>" in page, path
        assert f">{unseen}</a>" not in page, path
    assert "ошибка VK 901" in await browser.get("/runs?outcome=failed"), "why it failed"
    assert "Такого клиента нет" in await browser.get("/runs?q=Никого")
    await workspace.write("Добрый день", client=1003, name="Борис Второй", number="3")
    page = await browser.get("/runs?q=Борис&outcome=failed")
    assert f'href="/runs?client={boris}&amp;outcome=failed"' in page, "of two somebody is chosen first"
    assert ">Двери</a>" not in page
    tomorrow = (workspace.clock.now() + timedelta(days=2)).date().isoformat()
    assert ">Окна</a>" not in await browser.get(f"/runs?since={tomorrow}")
    assert ">Окна</a>" in await browser.get(f"/runs?until={tomorrow}")
    trace = await browser.get(f"/deals/{hers}?part=trace")
    assert f"/runs?kind=deal&amp;subject={hers}" in trace
    assert f"/runs?client={anna}" in await browser.get(f"/contacts/{anna}/consent")


async def test_nobody_reads_there_of_cards_they_do_not_see(workspace: Workspace) -> None:
    await workspace.hire()
    anna = await workspace.write("Добрый день", name="Анна")
    hidden = await card_of(workspace, anna, "Тайная", reach={Role.MANAGER.value: "own"})
    await ran(workspace, "1", "Первое", hidden, anna)
    chain = ChainRunRecord(1, "Письма", anna, hidden, ChainState.RUNNING, 0, workspace.clock.now())
    await workspace.hub.store.run(lambda desk: desk.work.put(chain._replace(id=desk.work.next_id())))
    for role, shown in ((Role.HEAD, True), (Role.MANAGER, False)):
        browser = await workspace.visitor(role.value, role)
        for path in ("/runs", f"/runs?kind=deal&subject={hidden}", f"/runs?client={anna}"):
            assert ("Тайная" in await browser.get(path)) is shown, (role, path)
        assert (f'href="/deals/{hidden}"' in await browser.get("/runs/chains")) is shown, role


async def test_chains_are_listed_with_why_they_stopped(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    anna = await workspace.write("Добрый день", name="Анна")
    now = workspace.clock.now()
    runs = (
        ChainRunRecord(0, "Первые письма", anna, None, ChainState.STOPPED, 1, now, None, now, "user:root"),
        ChainRunRecord(0, "Вторые письма", anna, None, ChainState.RUNNING, 1, now, now + timedelta(days=1)),
    )

    def put(desk: Desk) -> None:
        for each in runs:
            desk.work.put(each._replace(id=desk.work.next_id()))

    await workspace.hub.store.run(put)
    page = await browser.get(f"/runs/chains?client={anna}")
    assert "Первые письма" in page
    assert '<div class="soft small">Root</div>' in page, "who stopped it"
    page = await browser.get("/runs/chains?running=1")
    assert "Первые письма" not in page
    assert "Вторые письма" in page
