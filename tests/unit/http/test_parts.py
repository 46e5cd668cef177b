"""The small parts of the face: cursors, headers of files, events as text, what a query says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import (
    Conflict,
    Duplicate,
    IntakeFull,
    IntakeUnavailable,
    InvalidIdentity,
    InvalidInput,
    NotFound,
    StorageUnavailable,
)
from crm_core.model.access import Access
from crm_core.model.definitions import Catalogue
from crm_core.model.user import Role, Staff, User
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.storage.feed import HINTS, FeedRow
from crm_core.storage.queries.contacts import identity_in_query
from crm_core.storage.queries.pages import moment_cursor, number_cursor, parse_moment_cursor
from crm_core.storage.searching import like
from crm_core.storage.types import from_micros
from hub.http.api.workspace.events import event_text
from hub.http.engine import route_path
from hub.http.problems import problem_of
from hub.http.rights import Right
from hub.http.sending import attachment_headers

BIG = 2**63 - 1


@given(st.integers(-(2**50), 2**57), st.integers(0, BIG), st.integers(-BIG, BIG))
def test_a_cursor_keeps_its_place(micros: int, sequence: int, number: int) -> None:
    moment = from_micros(micros)
    assert parse_moment_cursor(moment_cursor(moment, sequence, number), 2) == (moment, (sequence, number))


@given(st.text())
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    for parse in (lambda: parse_moment_cursor(text, 2), lambda: number_cursor(text)):
        try:
            parse()
        except InvalidInput:
            continue


@given(st.text(max_size=300), st.text(max_size=100))
def test_no_name_breaks_out_of_its_header(name: str, media: str) -> None:
    headers = attachment_headers(name, media)
    for value in headers.values():
        assert value.isascii()
        assert not any(ord(char) < 32 or ord(char) == 127 for char in value)
    assert headers["Content-Disposition"].count('"') == 2
    encoded = headers["Content-Disposition"].rpartition("''")[2]
    assert unquote(encoded) == (clean_file_name(name) or "file")


@pytest.mark.parametrize("media", ["text/html", "TEXT/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml"])
def test_what_a_browser_runs_is_bytes_to_be_saved(media: str) -> None:
    headers = attachment_headers("a.html", media)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


def test_only_the_last_event_of_a_transaction_carries_the_id() -> None:
    row = FeedRow(7, datetime(2026, 3, 2, tzinfo=UTC), (("contact", 5, 5), ("lead", 6, 5)))
    first, second, rest = event_text(row).decode().split("\n\n")
    assert rest == ""
    assert "id:" not in first
    assert second.startswith("id: 7\nevent: lead\ndata: ")
    data = json.loads(second.partition("data: ")[2])
    assert data == {"table": "lead", "id": 6, "contact_id": 5, "position": 7, "at": "2026-03-02T00:00:00Z"}


def test_what_is_only_hinted_at_is_no_event() -> None:
    at, hints = datetime(2026, 3, 2, tzinfo=UTC), tuple((table, 0, None) for table in sorted(HINTS))
    (told, rest) = event_text(FeedRow(7, at, (("contact", 5, 5), *hints))).decode().split("\n\n")
    assert (told.startswith("id: 7\nevent: contact\n"), rest) == (True, "")
    assert event_text(FeedRow(8, at, hints)) == b": 8\n\n"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("tel:+79161234567", "tel:+79161234567"),
        ("tel: 79161234567", "tel:+79161234567"),
        ("tel:89161234567", "tel:+79161234567"),
        ("tel: 442071838750", "tel:+442071838750"),
        ("tel:+70000000001", "tel:+70000000001"),
        ("mailto:a b@x.ru", "mailto:a+b@x.ru"),
        ("mailto:A@X.ru", "mailto:a@x.ru"),
        ("tg:1001", "tg:1001"),
        ("vk: 5", "vk:5"),
    ],
)
def test_an_identity_as_it_stands_in_an_address(text: str, key: str) -> None:
    assert identity_in_query(text, "RU") == key


@pytest.mark.parametrize("text", ["", "tel:", "tel:abc", "5", "mailto:x", "tg:a b c!"])
def test_what_is_no_identity(text: str) -> None:
    with pytest.raises(InvalidIdentity):
        identity_in_query(text, "RU")


def test_like_finds_what_is_typed_literally() -> None:
    assert like("100%_\\") == "%100\\%\\_\\\\%"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("x"), 422),
        (InvalidIdentity("x"), 422),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Duplicate("x"), 409),
        (StorageUnavailable("x"), 503),
        (IntakeFull(), 503),
        (IntakeUnavailable("x"), 503),
    ],
)
def test_errors_have_their_status(error: Exception, status: int) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert problem.status == status
    assert (status == 503) == ("Retry-After" in problem.headers)


def test_an_error_of_the_hub_itself_is_no_problem_of_anybody() -> None:
    assert problem_of(RuntimeError("x")) is None


def test_numbers_of_a_path_are_bounded() -> None:
    assert (
        route_path("/pipelines/{id}/stages/{stage_id}") == "/pipelines/{id:[0-9]{1,18}}/stages/{stage_id:[0-9]{1,18}}"
    )
    assert route_path("/users/{login}") == "/users/{login}"


def test_disabled_people_have_no_rights() -> None:
    root = User(1, "root", "Root", Role.ADMIN)
    assert _access(root).may(Right.KEEP_JOURNAL)
    assert not _access(User(1, "root", "Root", Role.ADMIN, active=False)).may(Right.SEE_CLIENTS)
    assert not _access(User(2, "ivan", "Ivan", Role.MANAGER)).may(Right.KEEP_STAFF)


def _access(user: User) -> Access:
    return Access.of(user, Catalogue(), Staff.of((user,)))
