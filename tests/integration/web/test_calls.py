"""The page of calls, and the button that calls a client."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from crm_core.messages import (
    RouteAction,
    RouteDecision,
    RouteQuery,
    RouteStage,
    TraceStep,
    Verdict,
)
from crm_core.model.call import CallLeg, CallState, Direction
from crm_core.model.office import ListAction, SpecialList
from crm_core.model.recording import RecordingState
from crm_core.model.records import ListedNumberRecord, RecordingRecord
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.storage.decisions import Decided, keep
from crm_core.storage.users import NewUser, add_user
from hub.web.calls.page import wanted_of
from tests.fakes.clock import START
from tests.integration.storage.world import LINE, answered, at, ended, missed, moved, ringing, talked
from tests.integration.web.conftest import CHEAP, PASSWORD, Browser, Workspace

ANNA, BORIS = "+79161234567", "+79161234568"
_NONCE = re.compile(r'name="nonce" value="([^"]+)"')


async def hire(workspace: Workspace, login: str, role: Role = Role.MANAGER, extension: str | None = None) -> Browser:
    """Somebody with a telephone, logged in."""
    person = NewUser(login, login.title(), role, extension=extension, password_hash=CHEAP.hash(PASSWORD))
    await workspace.hub.store.run(lambda desk: add_user(desk, person))
    browser = workspace.browser()
    assert (await browser.log_in(login)).status == 303
    return browser


async def contact_of(workspace: Workspace, number: str) -> int:
    """The id of a client's card."""
    found: Any = await workspace.scalar(f"SELECT contact_id FROM identity WHERE key = 'tel:{number}'")
    return int(found)


async def test_calls_are_shown_with_who_rang_and_how_it_went(workspace: Workspace) -> None:
    browser = await hire(workspace, "ivan", extension="101")
    legs = (CallLeg("PJSIP/101", at(0), None, at(12), 19), CallLeg("PJSIP/102", at(12), at(20), at(80)))
    call = replace(ended(answered(ringing("1.1", ANNA, at(0)), 20, "PJSIP/102"), 80), legs=legs, hung_up_by="client")
    await workspace.hub.intake.receive_many([moved(call), missed("1.2", BORIS, at(100))])
    page = await browser.get("/calls")
    assert "+7 916 123-45-67" in page
    assert "разговор: PJSIP/102 · говорили 1 мин · ждал 20 с · положил трубку клиент" in page
    assert "Ivan: звонил 12 с, не берёт трубку" in page
    assert "PJSIP/102: взял трубку через 8 с" in page
    assert page.index("пропущен") < page.index("отвечен"), "the newest first"
    assert f"/contacts/{await contact_of(workspace, ANNA)}" in page


async def test_a_call_to_a_client_names_who_talked_and_whom_it_rang(workspace: Workspace) -> None:
    browser = await hire(workspace, "ivan", extension="101")
    legs = (CallLeg("PJSIP/101", at(0), at(2), at(80)), CallLeg("PJSIP/79161234567@trunk", at(2), at(20), at(80)))
    call = ended(answered(ringing("7.1", ANNA, at(0), Direction.OUT), 20, "PJSIP/101"), 80)
    await workspace.hub.intake.receive(moved(replace(call, legs=legs)))
    for page in (await browser.get("/calls"), await browser.get(f"/contacts/{await contact_of(workspace, ANNA)}")):
        assert "@trunk" not in page
        assert "разговор: Ivan" in page
        assert "ответил" not in page
    assert "звонили: Ivan, +7 916 123-45-67" in " ".join(page.split())


async def test_calls_rejected_at_night_are_missed_and_those_of_a_list_are_not(workspace: Workspace) -> None:
    browser = await hire(workspace, "ivan", extension="101")
    workspace.hub.store.office = replace(
        workspace.hub.store.office, lists={"спам": SpecialList("спам", ListAction.REJECT)}
    )
    listed = ListedNumberRecord(f"tel:{BORIS}", "спам", "", "ivan", at(0))
    await workspace.hub.store.run(lambda desk: desk.work.put(listed))
    calls = [moved(ended(ringing(f"8.{n}", who, at(n)), 1, CallState.REJECTED)) for n, who in enumerate((ANNA, BORIS))]
    await workspace.hub.intake.receive_many(calls)
    page = await browser.get("/calls?kind=missed")
    assert ("+7 916 123-45-67" in page, "+7 916 123-45-68" in page) == (True, False)


async def test_calls_are_chosen_by_kind_line_manager_and_day(workspace: Workspace) -> None:
    browser = await hire(workspace, "ivan", extension="101")
    other_line = replace(ringing("2.3", "+79161234569", at(90)), line="+74957654321")
    await workspace.hub.intake.receive_many(
        [
            talked("2.1", ANNA, at(0)),
            missed("2.2", BORIS, at(60)),
            moved(other_line),
            talked("2.4", "+79161234570", at(120), direction=Direction.OUT),
            talked("2.5", "+79161234571", at(-86400), "PJSIP/102"),
        ]
    )

    async def shown(query: str) -> set[str]:
        page = await browser.get(f"/calls?{query}")
        return {number[-2:] for number in re.findall(r"\+7 916 123-45-(?:\d\d)", page)}

    assert await shown("") == {"67", "68", "69", "70", "71"}
    assert await shown("kind=missed") == {"68"}
    assert await shown("kind=out") == {"70"}
    assert await shown("kind=in") == {"67", "68", "69", "71"}
    assert await shown("kind=answered") == {"67", "70", "71"}
    assert await shown("kind=now") == {"69"}
    assert await shown("line=%2B74957654321") == {"69"}
    assert await shown("manager=ivan") == {"67", "70"}
    assert await shown("day=2026-03-01") == {"71"}
    assert await shown("day=2026-03-01&kind=missed") == set()
    assert "Таких звонков нет." in await browser.get("/calls?day=2026-03-05")
    assert await shown("kind=nonsense&day=2026-02-31") == {"67", "68", "69", "70", "71"}


@pytest.mark.parametrize("day", ["", "x", "2026-13-01", "0001-01-01", "9999-12-31", "2026-03-02T00:00"])
def test_days_that_make_no_sense_count_for_nothing(day: str) -> None:
    assert wanted_of({"day": day}).day in {"", "2026-03-02"}


async def test_older_calls_are_on_further_pages(workspace: Workspace) -> None:
    browser = await hire(workspace, "ivan")
    await workspace.hub.intake.receive_many([missed(f"3.{n}", f"+7916000{n:04}", at(n * 60)) for n in range(1, 61)])
    first = await browser.get("/calls?kind=missed")
    link = re.search(r'href="(/calls\?[^"]*after=[^"]*)"', first)
    assert link is not None
    second = await browser.get(link[1].replace("&amp;", "&"))
    assert (first.count('class="callline"'), second.count('class="callline"')) == (50, 10)
    assert 'data-topic="calls' not in second


async def test_why_it_did_not_ring_me(workspace: Workspace) -> None:
    ivan = await hire(workspace, "ivan", extension="101")
    petr = await hire(workspace, "petr", extension="102")
    olga = await hire(workspace, "olga", extension="103")
    leg = (CallLeg("PJSIP/102", at(1), at(5), at(60)),)
    await workspace.hub.intake.receive(
        moved(replace(ended(answered(ringing("4.1", ANNA, at(0)), 5, "PJSIP/102"), 60), legs=leg))
    )
    trace = (
        TraceStep(RouteStage.MANAGER, Verdict.BUSY, "ivan"),
        TraceStep(RouteStage.GROUP, Verdict.RINGS, "petr"),
    )
    decision = RouteDecision(RouteAction.DIAL, ("PJSIP/102",), 20, "group", None, trace)
    decided = Decided(RouteQuery("office", ANNA, LINE, 0, "4.1"), decision, START, 0.4)
    await workspace.hub.store.database.write(lambda conn: keep(conn, [1], [decided]))
    page = await ivan.get("/calls")
    assert "Почему не вам: занят" in page
    assert "Попытка 1: звоним PJSIP/102" in page
    assert "свой менеджер, Ivan: занят" in page
    assert "группа, Petr: звоним" in page
    assert "Почему не вам" not in await petr.get("/calls")
    assert "Почему не вам: до вас очередь не дошла" in await olga.get("/calls")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RecordingState.STORED, "/recording"),
        (RecordingState.REMOTE, "/recording"),
        (RecordingState.MISSING, "Файл записи пропал."),
        (RecordingState.EMPTY, "В записи нет звука."),
        (RecordingState.EXPECTED, "Запись ещё не найдена."),
        (RecordingState.EXPIRED, "Запись удалена по сроку."),
    ],
)
async def test_what_became_of_a_recording_is_said(workspace: Workspace, state: RecordingState, words: str) -> None:
    boss = await hire(workspace, "boss", Role.HEAD)
    await hire(workspace, "ivan", extension="PJSIP/101")
    stranger = await hire(workspace, "petr")
    await workspace.hub.intake.receive(talked("5.1", ANNA, at(0)))
    call_id: Any = await workspace.scalar("SELECT id FROM call")

    def record(desk: Desk) -> None:
        known = dict(RecordingRecord._field_defaults)
        values = {**known, "call_id": call_id, "pbx": "office", "name": "x.wav", "state": state}
        values |= {"created_at": START, "updated_at": START, "expected_at": START, "due_at": START}
        desk.work.put(RecordingRecord(**{name: values[name] for name in RecordingRecord._fields if name in values}))

    await workspace.hub.store.run(record)
    assert words in await boss.get("/calls")
    page = await stranger.get("/calls")
    assert words not in page
    assert "Запись слышат менеджер клиента и руководители." in page


async def test_everything_from_outside_is_only_text(workspace: Workspace) -> None:
    browser = await hire(workspace, "ivan")
    evil = "<script>alert(1)</script>"
    call = replace(ended(ringing("6.1", evil, at(0)), 9, CallState.MISSED), line=evil, legs=(CallLeg(evil, at(0)),))
    await workspace.hub.intake.receive(moved(call))
    assert evil not in await browser.get("/calls")


# ---------------------------------------------------------------- calling


@dataclass
class Telephone:
    """Somebody with a telephone before a client's card, and a PBX with a trunk behind the hub."""

    workspace: Workspace
    browser: Browser
    contact_id: int

    async def press(self, page: str, **fields: str) -> Any:
        """Press the button as it stands on a page."""
        nonce = _NONCE.search(await self.browser.get(page))
        assert nonce is not None, page
        sent = {"nonce": nonce[1], "back": page, "contact_id": str(self.contact_id), **fields}
        return await self.browser.send("/calls/call", page=page, **sent)

    async def dials(self) -> int:
        """How many calls were placed."""
        found: Any = await self.workspace.scalar("SELECT count(*) FROM dial")
        return int(found)


@pytest.fixture
async def telephone(workspace: Workspace) -> Telephone:
    store = workspace.hub.store
    store.office = replace(store.office, outward=("office",))
    browser = await hire(workspace, "ivan", extension="101")
    workspace.clock.set(START)
    await workspace.hub.intake.receive(missed("7.1", ANNA, at(-60)))
    return Telephone(workspace, browser, await contact_of(workspace, ANNA))


async def test_a_client_is_called_from_wherever_they_are_shown(telephone: Telephone) -> None:
    card = f"/contacts/{telephone.contact_id}"
    for path, subject in (("/", "case_id"), (card, "contact_id"), (card, "lead_id"), ("/calls", "contact_id")):
        page = await telephone.browser.get(path)
        assert f'name="{subject}"' in page, (path, subject)
        assert "Позвонить" in page
    response = await telephone.press(card)
    assert (response.status, response.headers["Location"]) == (303, card)
    assert "сначала зазвонит ваш телефон" in await telephone.browser.get(card)
    assert await telephone.dials() == 1
    assert await telephone.workspace.scalar("SELECT number FROM dial") == ANNA


async def test_a_double_press_calls_once(telephone: Telephone) -> None:
    for _ in range(3):
        response = await telephone.press("/calls", nonce="one-and-the-same-press")
        assert response.status == 303
        assert "сначала зазвонит" in await telephone.browser.get("/calls")
    assert await telephone.dials() == 1
    again = await telephone.press("/calls")
    assert again.status == 303
    page = await telephone.browser.get("/calls")
    assert "сначала зазвонит" not in page
    assert await telephone.dials() == 1, "a client who is being dialled is not dialled twice"


async def test_cases_and_leads_are_called_too(telephone: Telephone) -> None:
    case_id: Any = await telephone.workspace.scalar("SELECT id FROM contact_case")
    response = await telephone.press("/", contact_id="", case_id=str(case_id))
    assert response.headers["Location"] == "/"
    assert await telephone.workspace.scalar("SELECT contact_id FROM dial") == telephone.contact_id


async def test_at_night_it_asks_before_it_calls(telephone: Telephone) -> None:
    telephone.workspace.clock.advance(timedelta(hours=14))  # two in the morning in Moscow
    assert (await telephone.browser.log_in("ivan")).status == 303
    response = await telephone.press("/calls")
    text = await response.text()
    assert response.status == 409
    assert "Точно позвонить?" in text
    assert f'name="contact_id" value="{telephone.contact_id}"' in text
    assert await telephone.dials() == 0
    response = await telephone.press("/calls", confirm="1")
    assert (response.status, await telephone.dials()) == (303, 1)


async def test_what_can_not_be_called_is_said(telephone: Telephone) -> None:
    stale = "Страница устарела"
    for fields in ({"nonce": "short"}, {"contact_id": "x"}, {"case_id": "1"}, {"contact_id": ""}):
        response = await telephone.press("/calls", **fields)
        assert response.status == 303, fields
        assert stale in await telephone.browser.get("/calls"), fields
    response = await telephone.press("/calls", contact_id="999999", back="//evil.example")
    assert response.headers["Location"] == "/"
    response = await telephone.press("/calls", number=BORIS)
    assert BORIS in await telephone.browser.get("/calls")
    assert await telephone.dials() == 0


async def test_a_forged_form_calls_nobody(telephone: Telephone) -> None:
    await telephone.press("/calls", csrf="forged")
    assert await telephone.dials() == 0


async def test_who_may_not_call_sees_no_button(telephone: Telephone) -> None:
    nobody = await hire(telephone.workspace, "petr")
    assert "Позвонить" not in await nobody.get("/calls")
    marketer = await hire(telephone.workspace, "mark", Role.MARKETER, "109")
    assert "Позвонить" not in await marketer.get("/calls")
    response = await marketer.send("/calls/call", page="/calls", nonce="x" * 20, contact_id=str(telephone.contact_id))
    assert response.status == 403
