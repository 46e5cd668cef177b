"""How far a folder was read, whatever its server and the store of places say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.config import MailServer
from channels.email.imap_link import FolderState, Listed
from channels.email.imap_place import ALWAYS, Place, cursor_name, first_place, parse_place
from channels.email.providers import hint

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FOLDER = FolderState(validity=7, next_uid=101, exists=50)


def test_only_new_mails_are_wanted_where_nothing_else_is_said() -> None:
    place = first_place(FOLDER, timedelta(0), NOW)
    assert (place.validity, place.uid) == (7, 100)
    assert place.wants(Listed(101, 10, NOW - timedelta(days=400))), "moved into the folder today"


def test_older_mails_are_wanted_as_far_back_as_is_said() -> None:
    place = first_place(FOLDER, timedelta(days=30), NOW)
    assert place.uid == 0
    assert place.wants(Listed(5, 10, NOW - timedelta(days=29)))
    assert not place.wants(Listed(5, 10, NOW - timedelta(days=31)))
    assert place.wants(Listed(5, 10, None)), "a server that does not say when"
    assert first_place(FOLDER, None, NOW).since == ALWAYS


def test_a_server_that_does_not_name_its_next_uid_is_read_from_the_beginning() -> None:
    place = first_place(FolderState(7, 0, 50), timedelta(0), NOW)
    assert place.uid == 0
    assert not place.wants(Listed(5, 10, NOW - timedelta(days=1)))
    assert place.wants(Listed(6, 10, NOW))


def test_uids_given_anew_begin_anew_with_the_same_wish() -> None:
    place = Place(7, 80, 100, NOW)
    assert place.now_in(FOLDER) is place
    moved = place.now_in(FolderState(8, 41, 40))
    assert (moved.validity, moved.uid, moved.old, moved.since) == (8, 0, 40, NOW)


@given(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(0, 2**32), st.datetimes(timezones=st.just(UTC)))
def test_a_place_survives_being_kept(validity: int, uid: int, old: int, since: datetime) -> None:
    place = Place(validity, uid, old, since)
    assert parse_place(place.text()) == place


@given(st.one_of(st.none(), st.text()))
def test_what_is_no_place_is_none(text: str | None) -> None:
    assert parse_place(text) is None or isinstance(parse_place(text), Place)


def test_another_login_server_or_folder_begins_anew() -> None:
    servers = [
        MailServer("imap.example.org", 993, user="a"),
        MailServer("imap.example.org", 993, user="b"),
        MailServer("imap.example.net", 993, user="a"),
        MailServer("imap.example.org", 993, user="a", folder="Sent"),
    ]
    assert len({cursor_name(server) for server in servers}) == 4
    assert cursor_name(servers[0]) == cursor_name(MailServer("IMAP.example.org", 143, user="a"))


@pytest.mark.parametrize(
    ("host", "word"),
    [
        ("imap.yandex.ru", "Yandex"),
        ("imap.mail.ru", "Mail.ru"),
        ("imap.gmail.com", "Gmail"),
        ("outlook.office365.com", "forwarded"),
        ("mail.example.org", "percent-encoded"),
    ],
)
def test_a_refused_login_is_told_what_its_provider_wants(host: str, word: str) -> None:
    assert word in hint(host)
