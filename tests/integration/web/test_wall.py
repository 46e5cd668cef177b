"""The supervisor's wall: who waits and how far it climbed, calls and people now, what is given to whom."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from crm_core.model.call import CallLeg
from crm_core.model.case import CaseKind, CaseState
from crm_core.model.records import CaseRecord, OutboxState
from crm_core.model.user import Role
from crm_core.storage.queries.workspace.clients import Client
from crm_core.storage.queries.workspace.climbing import ClimbingCase, ToldPerson
from crm_core.storage.users import UserChange, update_user
from tests.fakes.clock import START
from tests.integration.storage.world import answered, at, missed, moved, ringing
from tests.integration.web.conftest import Workspace

ANNA = "+79161234567"
EVIL = "<script>alert(1)</script>"


async def grouped(workspace: Workspace, login: str, group: str, extension: str | None = None) -> None:
    """Somebody is of a group, with a telephone maybe."""
    change = UserChange(group=group) if extension is None else UserChange(group=group, extension=extension)
    _done, position = await workspace.hub.store.run_at(lambda desk: update_user(desk, login, change))
    await workspace.hub.directory.caught_up(position)


async def test_the_wall_shows_who_waits_and_for_how_long(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    assert "Всем ответили" in await boss.get("/wall")
    await workspace.write("Когда замер?", name=EVIL)
    workspace.clock.advance(600)
    page = await boss.get("/wall")
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert f'data-since="{START.isoformat()}">10 мин' in page
    assert 'data-topic="cases leads"' in page
    assert "Лиды, которые никто не взял" in page
    assert "<html" not in await boss.get("/wall?part=acts")
    assert "Сотрудники" in await boss.get("/wall?part=now")


async def test_of_how_many_somebody_is_free_are_those_who_can_be_called(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    for login, extension in (("ivan", "101"), ("olga", "102"), ("petr", None)):
        await workspace.hire(login, Role.MANAGER)
        await grouped(workspace, login, "sales", extension)
    _done, position = await workspace.hub.store.run_at(
        lambda desk: update_user(desk, "olga", UserChange(do_not_disturb=True))
    )
    await workspace.hub.directory.caught_up(position)
    now = " ".join((await boss.get("/wall?part=now")).split())
    assert "<b>1 / 2</b>свободны" in now


async def test_a_case_is_pushed_to_somebody_who_is_told(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER, name="Иван Петров")
    await workspace.write("Когда замер?")
    await workspace.hub.store.database.write(
        lambda conn: conn.exec_driver_sql("UPDATE contact_case SET manager = NULL")
    )
    case = await workspace.scalar("SELECT id FROM contact_case")
    done = await boss.send(f"/cases/{case}/give", page="/wall", to="ivan", back="/wall")
    assert (done.status, done.headers["Location"]) == (303, "/wall")
    assert await workspace.scalar("SELECT manager FROM contact_case") == "ivan"
    assert "Обращение поручено" in await boss.get("/wall")
    said = await workspace.scalar("SELECT text FROM timeline WHERE author = 'boss' ORDER BY id DESC LIMIT 1")
    assert said == "Boss поручает обращение: Иван Петров"
    await boss.send(f"/cases/{case}/give", page="/wall", to="nobody", back="/wall")
    assert await workspace.scalar("SELECT manager FROM contact_case") == "ivan"


async def test_an_untaken_lead_is_given_to_somebody(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER)
    await workspace.write("Сколько стоит?")
    lead = await workspace.scalar("SELECT id FROM lead")
    await boss.send(f"/leads/{lead}/give", page="/wall", to="ivan", back="/wall")
    assert await workspace.scalar("SELECT manager FROM lead") == "ivan"
    assert await workspace.scalar("SELECT status FROM lead") == "new", "whoever has it takes it"


async def test_a_manager_gives_away_their_own_alone(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hire("olga", Role.MANAGER)
    await workspace.write("Когда замер?")
    case = await workspace.scalar("SELECT id FROM contact_case")
    await workspace.hub.store.database.write(
        lambda conn: conn.exec_driver_sql("UPDATE contact_case SET manager='olga'")
    )
    await ivan.send(f"/cases/{case}/give", page="/wall", to="ivan", back="/wall")
    assert await workspace.scalar("SELECT manager FROM contact_case") == "olga"
    await workspace.hub.store.database.write(
        lambda conn: conn.exec_driver_sql("UPDATE contact_case SET manager='ivan'")
    )
    await ivan.send(f"/cases/{case}/give", page="/wall", to="olga", back="/wall")
    assert await workspace.scalar("SELECT manager FROM contact_case") == "olga"


async def test_calls_of_this_moment_and_those_missed_today(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER, name="Иван Петров")
    await grouped(workspace, "ivan", "окна", "101")
    call = ringing("c-1", ANNA, at(0))
    rung = CallLeg("PJSIP/101", at(0))
    await workspace.hub.intake.receive(moved(replace(call, legs=(rung,))))
    page = await boss.get("/wall?part=now")
    assert "звонит: Иван Петров" in page
    assert "+7 916 123-45-67" in page
    await workspace.hub.intake.receive(moved(answered(call, 10)))
    workspace.clock.advance(100)
    page = await boss.get("/wall?part=now")
    assert "говорит: Иван Петров" in page
    assert f'data-since="{at(10).isoformat()}"' in page
    await workspace.hub.intake.receive(missed("c-2", "+79167654321", at(20)))
    page = await boss.get("/wall?part=now")
    assert "Пропущенные сегодня" in page
    assert "+7 916 765-43-21" in page.split("Пропущенные сегодня")[1]


async def test_only_one_group_is_shown(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER, name="Иван Окнов")
    await workspace.hire("olga", Role.MANAGER, name="Ольга Балконова")
    assert 'aria-label="Группа"' not in await boss.get("/wall"), "there is nothing to choose"
    await grouped(workspace, "ivan", "окна")
    await grouped(workspace, "olga", "балконы")
    page = await boss.get("/wall?group=окна")
    people = page.split("Сотрудники</h2>")[1].split("</section>")[0]
    assert "Иван Окнов" in people
    assert "Ольга Балконова" not in people
    assert "Ольга Балконова" in await boss.get("/wall?part=now")


async def test_a_screen_that_hangs_in_the_office_has_nothing_to_press(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.write("Когда замер?")
    page = await boss.get("/wall?screen=1")
    assert 'class="wide wall screen"' in page
    assert "/give" not in page
    assert "/give" in await boss.get("/wall")
    assert "/give" not in await boss.get("/wall?screen=1&part=acts")


@pytest.mark.parametrize(("role", "status"), [(Role.MARKETER, 403), (Role.CONTROLLER, 200), (Role.MANAGER, 200)])
async def test_who_comes_in(workspace: Workspace, role: Role, status: int) -> None:
    somebody = await workspace.visitor("somebody", role)
    await somebody.get("/wall", status=status)
    assert ('href="/wall"' in await somebody.get("/")) is (status == 200)


async def test_whoever_cannot_be_rung_counts_as_away(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER, name="Иван")
    await grouped(workspace, "ivan", "окна", "101")
    page = await boss.get("/wall?part=now")
    assert '<li class="away">' in page


async def test_whose_ladder_is_at_its_end_stands_first(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.write("Жду давно", name="Анна")
    await workspace.hub.store.database.write(lambda conn: conn.exec_driver_sql("DELETE FROM deadline"))
    workspace.clock.advance(3600)
    await workspace.write("Жду недавно", client=2002, number="2", name="Борис")
    page = await boss.get("/wall?part=acts")
    assert page.index("Анна") < page.index("Борис"), "nobody more will be told of her"
    assert "лестница пройдена" in page


async def test_only_whoever_says_what_they_know_shares_an_answer(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.write("Когда замер?", name="Анна")
    known = await workspace.scalar("SELECT MAX(position) FROM feed")
    assert isinstance(known, int)
    assert await workspace.hub.live.reached(known, 20)
    assert "Анна" in await boss.get(f"/wall?part=acts&at={known}")
    await workspace.hub.store.database.write(  # nothing that the feed tells of
        lambda conn: conn.exec_driver_sql("UPDATE contact SET name = 'Борис'")
    )
    assert "Анна" in await boss.get(f"/wall?part=acts&at={known}"), "asked a moment ago by somebody else"
    assert "Борис" in await boss.get("/wall?part=acts")


def test_who_is_told_is_named_once() -> None:
    failed, done = OutboxState.FAILED, OutboxState.DONE
    told = (
        ToldPerson("kira", 1, "email", failed, START),
        ToldPerson("kira", 1, "telegram", done, START),
        ToldPerson("boss", 0, "telegram", failed, START),
        ToldPerson("kira", 0, "telegram", done, START),
    )
    anna = Client(1, "Анна", "", None, True, None, None, None, None, None)
    case = CaseRecord(1, 1, CaseKind.CALL, CaseState.OPEN, 1, START, "pbx", "office")
    climbing = ClimbingCase(case, anna, 2, told, None, ())
    assert [(each.login, each.state) for each in climbing.told_people] == [("kira", done), ("boss", failed)]


async def test_twenty_who_wait_are_drawn_and_all_of_them_on_demand(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    for number in range(23):
        await workspace.hub.intake.receive(missed(f"call-{number}", f"+791612300{number:02}", at(number)))
    for address, card in (("/", 'id="case-'), ("/wall", 'id="wall-case-')):
        page = await boss.get(address)
        assert page.count(card) == 20
        assert "Показать все: 23" in page
        whole = await boss.get(f"{address}?all=1")
        assert whole.count(card) == 23
        assert "Показать все" not in whole
        part = re.search(r'hx-get="([^"]*part=(?:live|acts)[^"]*)"', whole)
        assert part is not None
        assert (await boss.get(part[1].replace("&amp;", "&"))).count(card) == 23, "what stands refreshes whole"
