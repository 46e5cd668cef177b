"""The texts of the pages, and how values are shown."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
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
from hub import catalogues
from hub.web import tongues, words
from hub.web.client import knowing
from hub.web.pages import local_path
from hub.web.shown import Shown, duration, first_line
from tests.fakes.clock import START

COVERED: list[tuple[Mapping[str, str], type[StrEnum]]] = [
    (words.ROLES, Role),
    (words.LINKS, ChannelState),
    (words.ENTRIES, EntryKind),
    (words.DELIVERIES, Delivery),
    (words.LEADS, LeadStatus),
    (words.JOURNAL, JournalState),
    (words.TOLD, Told),
    (words.CASES, CaseKind),
    (words.ALARMS, AlarmKind),
    (words.CALLS_IN, CallState),
    (words.CALLS_OUT, CallState),
    (words.LIST_ACTIONS, ListAction),
    (words.FILE_WARNINGS, FileWarning),
    (words.RECORDINGS, RecordingState),
    (words.ACTIONS, RouteAction),
    (words.STAGES, RouteStage),
    (words.VERDICTS, Verdict),
    (knowing.BECAUSE, Because),
]
ROOM = """
msgid "Take it"
msgstr "Беру"

msgid "{count} day"
msgid_plural "{count} days"
msgstr[0] "{count} день"
msgstr[1] "{count} дня"
msgstr[2] "{count} дней"
"""


@pytest.fixture(autouse=True)
def _russian() -> Iterator[None]:
    tongues.speak("ru")
    yield
    tongues.speak("ru")


@pytest.mark.parametrize(("table", "values"), COVERED, ids=[each.__name__ for _, each in COVERED])
def test_every_state_has_its_word(table: Mapping[str, str], values: type[StrEnum]) -> None:
    assert set(table) == set(values)


def test_every_text_is_translated_and_none_is_left_over() -> None:
    assert list(catalogues.problems()) == []


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of one room with two texts, both translated."""
    monkeypatch.setattr(catalogues, "HOME", tmp_path)
    monkeypatch.setattr(catalogues, "CODE", (tmp_path,))
    room = tmp_path / "templates" / "shop" / "shop.html"
    room.parent.mkdir(parents=True)
    room.write_text('{% if a %}\n{{ _("Take it") }}{% endif %}{{ ngettext("{count} day", "{count} days", 2) }}')
    (tmp_path / "locale" / "ru" / "LC_MESSAGES").mkdir(parents=True)
    _catalogue(tmp_path).write_text(ROOM)
    return tmp_path


def _catalogue(house: Path, room: str = "shop") -> Path:
    return house / "locale" / "ru" / "LC_MESSAGES" / f"{room}.po"


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("", "", ""),
        ("Беру", "", "not translated"),
        ("{count} дней", "", "not translated"),
        ("{count} дня", "{n} дня", "other names"),
        ('\nmsgid "Take it"', '\n#, fuzzy\nmsgid "Take it"', "fuzzy"),
        ("Take it", "Take them", "used nowhere"),
        ("Take it", "Take them", "missing in shop.po"),
        ('msgid_plural "{count} days"\n', "", "plural"),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_told(house: Path, before: str, after: str, fault: str) -> None:
    if "plural" in fault:
        _catalogue(house).write_text(ROOM[: ROOM.index("msgid_plural")] + 'msgstr "{count} день"\n')
    else:
        _catalogue(house).write_text(ROOM.replace(before, after) if before else ROOM)
    told = list(catalogues.problems())
    assert any(fault in each for each in told) if fault else told == []


def test_a_text_of_two_rooms_moves_to_the_common_ones_with_its_translation(house: Path) -> None:
    (house / "bank").mkdir()
    (house / "bank" / "desk.py").write_text('told = _("Take it") + pgettext("bank", "Draft")')
    assert any("belongs into common.po" in each for each in catalogues.problems())
    assert catalogues.update() == ["bank.po: to be translated: 'Draft'"]
    assert "Беру" in _catalogue(house, "common").read_text()
    assert "Беру" not in _catalogue(house).read_text()
    assert 'msgctxt "bank"' in _catalogue(house, "bank").read_text()


def test_one_room_is_updated_without_the_others(house: Path) -> None:
    _catalogue(house, "bank").write_text('msgid "Not used yet"\nmsgstr "Пока не нужно"\n')
    _catalogue(house).write_text(ROOM.replace("Take it", "Take them"))
    assert catalogues.update(["shop"]) == [
        "shop.po: gone: 'Take them' = 'Беру'",
        "shop.po: to be translated: 'Take it'",
    ]
    assert "Пока не нужно" in _catalogue(house, "bank").read_text()


def test_texts_that_the_extractor_cannot_see_are_refused(house: Path) -> None:
    (house / "desk.py").write_text("said = f\"№ 1: {_('Take it')}\"")
    with pytest.raises(ValueError, match="f-strings of lines"):
        catalogues.texts_used()


def test_russian_is_spoken_unless_english_is_wanted() -> None:
    assert words.role_word(Role.HEAD) == "руководитель"
    tongues.speak("en")
    assert (tongues.language(), words.role_word(Role.HEAD)) == ("en", "head")
    tongues.speak("tlh")
    assert (tongues.language(), words.role_word(Role.HEAD)) == ("ru", "руководитель")


@pytest.mark.parametrize(
    ("count", "russian", "english"),
    [(1, "1 раз", "1 time"), (2, "2 раза", "2 times"), (5, "5 раз", "5 times"), (11, "11 раз", "11 times"),
     (21, "21 раз", "21 times"), (22, "22 раза", "22 times"), (112, "112 раз", "112 times")],
)  # fmt: skip
def test_numbers_and_their_words(count: int, russian: str, english: str) -> None:
    assert _shown().times(count) == russian
    tongues.speak("en")
    assert _shown().times(count) == english


def _shown() -> Shown:
    return Shown(ZoneInfo("Europe/Moscow"), lambda: START)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 с"),
        (59, "59 с"),
        (61, "1 мин 1 с"),
        (3600, "1 ч"),
        (7500, "2 ч 5 мин"),
        (90000, "1 дн. 1 ч"),
        (-5, "0 с"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


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
    assert [shown.size(count) for count in (None, 5, 2048, 3 * 1024 * 1024)] == ["", "5 Б", "2 КБ", "3,0 МБ"]
    assert first_line("a\n b") == "a b"
    assert first_line("слово " * 100, 20) == "слово слово слово с…"


@pytest.mark.parametrize("evil", ["", "//evil", "/\\evil", "http://evil", "evil", "/a\nb", None, 5, "javascript:x"])
def test_only_paths_of_this_hub_are_gone_back_to(evil: object) -> None:
    assert local_path(evil, "/") == "/"
    assert local_path("/contacts/5?after=x", "/") == "/contacts/5?after=x"
