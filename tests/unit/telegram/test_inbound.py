"""What Telegram's updates become, from recorded ones to nonsense."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.messages import (
    ContactShared,
    Ignored,
    MessageReceived,
    Sender,
    Unparsable,
)
from hub.demo.peers.bot_api.wire import checked_update
from tests.unit.telegram.expected import (
    AMONG_PEOPLE,
    CONVERSATIONS,
    EXPECTED,
    FIXTURES,
    NAMES,
    NOW,
    READER,
    SENT,
    tg,
    written,
)


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
    return loaded


def test_every_fixture_is_expected_and_every_expectation_recorded() -> None:
    assert sorted(EXPECTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_fixtures_are_what_the_vendors_types_know(name: str) -> None:
    assert checked_update(load(name))


@pytest.mark.parametrize("name", NAMES)
def test_payload(name: str) -> None:
    raw = (FIXTURES / f"{name}.json").read_bytes()
    arrival = READER.body(raw, NOW)
    assert arrival.event.payload == EXPECTED[name]
    assert arrival.event.raw == raw
    assert arrival.event.external_id == str(arrival.update_id) == str(load(name)["update_id"])
    assert arrival.event.key == READER.key
    assert (arrival.callback_id is not None) == name.startswith("button_")


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_reads_the_same_as_a_posted_body(name: str) -> None:
    update = load(name)
    polled = READER.update(update, NOW)
    assert json.loads(polled.event.raw) == update
    posted = READER.body(json.dumps(update).encode(), NOW)
    assert polled == posted


@pytest.mark.parametrize(("name", "conversation", "sender"), [(name, *rest) for name, rest in CONVERSATIONS.items()])
def test_who_and_where(name: str, conversation: str, sender: Sender) -> None:
    event = READER.update(load(name), NOW).event
    assert (event.conversation, event.sender) == (conversation, sender)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_said_among_several_is_marked(name: str) -> None:
    event = READER.update(load(name), NOW).event
    assert event.group == (name in AMONG_PEOPLE)


def test_time_and_order_are_the_providers() -> None:
    event = READER.update(load("text"), NOW).event
    assert (event.occurred_at, event.sequence) == (SENT, 501)
    assert READER.update(load("button_taken"), NOW).event.occurred_at == NOW
    assert READER.update(load("edited_text"), NOW).event.occurred_at == SENT + timedelta(seconds=60)


# ---------------------------------------------------------------- what is not quite right


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"update_id": 1, "message": {"text": "\xd0"}}',
        b"[" * 100_000,
        b"1" * 5000,
        b"null",
        b"[]",
    ],
)
def test_what_is_no_update_is_kept_as_unparsable(raw: bytes) -> None:
    arrival = READER.body(raw, NOW)
    assert isinstance(arrival.event.payload, Unparsable)
    assert arrival.event.raw == raw
    assert arrival.event.external_id.startswith("sha256:")
    assert arrival.update_id is None
    assert arrival.event == READER.body(raw, NOW).event


def test_a_malformed_update_keeps_its_id() -> None:
    arrival = READER.update({"update_id": 7, "message": {"text": 5}}, NOW)
    assert arrival.update_id == 7
    assert arrival.event.external_id == "7"
    assert isinstance(arrival.event.payload, Unparsable)
    assert arrival.event.payload.error.startswith("message.")


@pytest.mark.parametrize("update_id", [True, -1, 1.5, "7", None, 2**70])
def test_an_id_that_is_none_moves_no_offset(update_id: object) -> None:
    assert READER.update({"update_id": update_id, "message": {}}, NOW).update_id is None


def test_a_kind_from_the_future_is_ignored_by_name() -> None:
    assert READER.update({"update_id": 7, "hologram": {"a": 1}}, NOW).event.payload == Ignored("hologram")


def test_a_message_of_an_unknown_kind_is_still_somebody_writing() -> None:
    update = load("text")
    del update["message"]["text"]
    update["message"]["hologram"] = {"size": 3}
    assert READER.update(update, NOW).event.payload == written("[hologram]", 501)


def test_a_broken_button_press_is_answered_all_the_same() -> None:
    arrival = READER.update({"update_id": 7, "callback_query": {"id": "99"}}, NOW)
    assert isinstance(arrival.event.payload, Unparsable)
    assert arrival.callback_id == "99"


@pytest.mark.parametrize(
    "data", ["taken", "taken:", "taken:x:", "taken:-1:", f"taken:{'9' * 40}:", "fly:1:", "taken:٤٢:"]
)
def test_buttons_that_are_not_ours(data: str) -> None:
    update = load("button_taken")
    update["callback_query"]["data"] = data
    assert READER.update(update, NOW).event.payload == Ignored("a button that is not the hub's")


def test_what_no_database_stores_is_replaced() -> None:
    update = load("text")
    update["message"]["text"] = "a\x00b\ud83dc"
    update["message"]["from"]["first_name"] = "Ан\x00на"
    event = READER.update(update, NOW).event
    assert event.payload == written("a\ufffdb\ufffdc", 501)
    assert event.sender.name == "Ан\ufffdна Петрова"


def test_names_of_files_are_harmless() -> None:
    update = load("document")
    update["message"]["document"]["file_name"] = "../../etc/\r\npasswd\x00" + "я" * 300 + ".pdf"
    payload = READER.update(update, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    name = payload.attachments[0].name
    assert not set(name) & set("/\\\r\n\x00")
    assert len(name) == 200
    assert name.endswith(".pdf")


def test_a_number_that_is_none_proves_nothing() -> None:
    update = load("contact_own")
    update["message"]["contact"]["phone_number"] = "112"
    payload = READER.update(update, NOW).event.payload
    assert payload == ContactShared("514", "Анна, 112", False, (tg(1001),), "Анна")


# ---------------------------------------------------------------- nothing raises, nothing is lost

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # halves of surrogate pairs and NUL among them
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    assert READER.body(raw, NOW).event.raw == raw


@given(JSON)
def test_any_json(value: object) -> None:
    event = READER.update(value, NOW).event
    assert json.loads(event.raw) == value


@given(st.sampled_from(NAMES), st.data())
def test_recorded_updates_with_something_wrong(name: str, data: st.DataObject) -> None:
    update = load(name)
    holder: Any = update
    for _ in range(data.draw(st.integers(1, 4))):
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and data.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = data.draw(JSON)
        break
    arrival = READER.update(update, NOW)
    assert json.loads(arrival.event.raw) == update
    assert arrival.event.occurred_at.tzinfo is not None
    arrival.event.raw.decode()
    for text in texts(asdict(replace(arrival.event, raw=b""))):
        text.encode()
        assert "\x00" not in text


def texts(value: object) -> Iterator[str]:
    """Every string in a nest of dictionaries and tuples."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | tuple | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
