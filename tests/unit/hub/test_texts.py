"""The texts of the pages, and how values are shown."""

import re
from dataclasses import fields
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest

from crm_core.messages import Delivery, EntryKind, RouteAction, RouteStage, Verdict
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallState
from crm_core.model.case import CaseKind
from crm_core.model.file_warning import FileWarning
from crm_core.model.ladder import Told
from crm_core.model.office import ListAction
from crm_core.model.recording import RecordingState
from crm_core.model.records import ContactRecord, IdentityRecord, JournalState, LeadStatus
from crm_core.model.user import Role
from crm_core.ports import ChannelState
from crm_core.services.duplicates.deciding import Because
from crm_core.storage.queries.contacts import ContactCard
from hub.web.pages import local_path
from hub.web.shown import Shown, first_line
from hub.web.texts import EN, PARTS, RU, Texts, plural, texts_of
from tests.fakes.clock import START

COVERED: dict[str, type[StrEnum]] = {
    "kinds": EntryKind,
    "alarm_kinds": AlarmKind,
    "case_kinds": CaseKind,
    "call_in": CallState,
    "call_out": CallState,
    "delivery": Delivery,
    "states": ChannelState,
    "lead_states": LeadStatus,
    "journal_states": JournalState,
    "tells": Told,
    "roles": Role,
    "recording_is": RecordingState,
    "route_actions": RouteAction,
    "route_stages": RouteStage,
    "route_verdicts": Verdict,
    "file_warnings": FileWarning,
    "survivor_because": Because,
    "list_actions": ListAction,
}


@pytest.mark.parametrize("texts", [RU, EN], ids=["ru", "en"])
@pytest.mark.parametrize("name", COVERED)
def test_every_state_has_its_word(texts: Texts, name: str) -> None:
    assert set(getattr(texts, name)) == set(COVERED[name])


def test_both_languages_fill_the_same_fields() -> None:
    for each in fields(Texts):
        russian, english = getattr(RU, each.name), getattr(EN, each.name)
        if isinstance(russian, str):
            assert re.findall(r"\{\w+\}", russian) == re.findall(r"\{\w+\}", english), each.name
        elif isinstance(russian, dict):
            assert set(russian) == set(english), each.name


def test_no_text_stands_in_two_parts() -> None:
    names = [each.name for part in PARTS for each in fields(part.RU)]
    assert sorted(set(names)) == sorted(names)
    assert set(names) == {each.name for each in fields(Texts)}


def test_russian_is_spoken_unless_english_is_wanted() -> None:
    assert texts_of("en") is EN
    assert texts_of("ru") is RU


@pytest.mark.parametrize(
    ("count", "russian", "english"),
    [(1, "раз", "time"), (2, "раза", "times"), (5, "раз", "times"), (11, "раз", "times"), (21, "раз", "times"),
     (22, "раза", "times"), (112, "раз", "times")],
)  # fmt: skip
def test_numbers_and_their_words(count: int, russian: str, english: str) -> None:
    assert plural(count, RU.facts) == russian
    assert plural(count, EN.facts) == english


def _shown() -> Shown:
    return Shown(RU, ZoneInfo("Europe/Moscow"), lambda: START)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 с"), (59, "59 с"), (61, "1 мин 1 с"), (3600, "1 ч"), (7500, "2 ч 5 мин"), (90000, "1 д 1 ч"), (-5, "0 с")],
)
def test_durations(seconds: float, said: str) -> None:
    assert _shown().duration(seconds) == said


def test_how_long_ago_has_no_seconds_after_a_minute() -> None:
    assert _shown().ago(START - timedelta(seconds=59)) == "59 с"
    assert _shown().ago(START - timedelta(seconds=119)) == "1 мин"


def test_moments_are_the_offices_and_as_short_as_they_can_be() -> None:
    shown = _shown()
    assert ">12:00<" in shown.moment(START)
    assert ">01.03 12:00<" in shown.moment(START - timedelta(days=1))
    assert ">02.03.2025 12:00<" in shown.moment(START - timedelta(days=365))
    assert 'title="02.03.2026 12:00:00"' in shown.moment(START)
    assert shown.moment(None) == ""


def test_identities_as_people_say_them() -> None:
    shown = _shown()
    assert shown.identity("tel:+79161234567") == "+7 916 123-45-67"
    assert shown.identity("tel:+0000") == "+0000"
    assert shown.identity("mailto:a@b.ru") == "a@b.ru"
    assert shown.identity("tg:1001") == "Telegram 1001"


def test_a_client_is_called_by_what_is_known() -> None:
    shown, contact = _shown(), ContactRecord(7, "", START, START, "")
    number = IdentityRecord("tel:+79161234567", 7, "", START)
    chat = IdentityRecord("tg:1", 7, "", START)
    assert shown.client(ContactCard(contact, ())) == "Клиент № 7"
    assert shown.client(ContactCard(contact, (chat, number))) == "+7 916 123-45-67"
    assert shown.client(ContactCard(contact._replace(name="Анна"), (chat,))) == "Анна"


def test_sizes_and_first_lines() -> None:
    shown = _shown()
    assert [shown.size(count) for count in (None, 5, 2048, 3 * 1024 * 1024)] == ["", "5 Б", "2 КБ", "3.0 МБ"]
    assert first_line("a\n b") == "a b"
    assert first_line("слово " * 100, 20) == "слово слово слово с…"


@pytest.mark.parametrize("evil", ["", "//evil", "/\\evil", "http://evil", "evil", "/a\nb", None, 5, "javascript:x"])
def test_only_paths_of_this_hub_are_gone_back_to(evil: object) -> None:
    assert local_path(evil, "/") == "/"
    assert local_path("/contacts/5?after=x", "/") == "/contacts/5?after=x"
