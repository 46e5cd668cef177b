"""What gateways post, as the hub's facts: every type, what is wrong with a wrong one, and that nothing is lost."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.gateway.config import GatewayConfig
from channels.gateway.inbound import Malformed, events_in, read
from channels.gateway.wire import OutMessage
from crm_core.messages import (
    BlockChanged,
    BlockState,
    ContactShared,
    Delivery,
    DeliveryChanged,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Payload,
    ReactionChanged,
    Unparsable,
    Utm,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONFIG = GatewayConfig("whatsapp", "secret", url="https://bridge.example.org/hub", phones=True)
DOCS = Path(__file__).parents[3] / "docs" / "gateway.md"
EXAMPLES = [
    json.loads(found) for found in re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
]


def event(**changes: Any) -> dict[str, Any]:
    """A message, changed."""
    plain = {"id": "e1", "type": "message", "conversation": "c1", "sender": {"id": "77", "name": "Анна"}}
    return plain | {"message_id": "m1", "text": "Здравствуйте"} | changes


def payload(config: GatewayConfig = CONFIG, **changes: Any) -> Payload:
    """What the hub makes of it."""
    return read(config, "RU", event(**changes), NOW).event.payload


def test_a_message_with_everything() -> None:
    said = event(
        at="2026-11-20T10:15:00+03:00",
        sender={"id": "79161234567", "name": " Анна ", "handle": "@anna", "phone": "8 916 123-45-67"},
        files=[{"name": "окно.jpg", "content_type": "image/jpeg", "url": "https://files.example.org/1", "size": 9}],
        location={"latitude": 55.75, "longitude": 37.62},
        utm={"source": "instagram", "campaign": "ноябрь"},
        source="Stories",
        reply_to="m0",
        quoted="Добрый день",
        unknown="left alone",
    )
    arrival = read(CONFIG, "RU", said, NOW)
    fact, message = arrival.event, arrival.event.payload
    assert isinstance(message, MessageReceived)
    assert [str(each) for each in fact.sender.identities] == ["gw:whatsapp/79161234567", "tel:+79161234567"]
    assert (fact.sender.name, fact.sender.handle, fact.conversation) == ("Анна", "@anna", "c1")
    assert fact.occurred_at == datetime(2026, 11, 20, 7, 15, tzinfo=UTC)
    assert (message.text, message.ref, message.answers, message.quoted) == ("Здравствуйте", "m1", "m0", "Добрый день")
    assert (message.utm, message.source) == (Utm(source="instagram", campaign="ноябрь"), "Stories")
    assert [(each.name, each.remote_id) for each in message.attachments] == [
        ("окно.jpg", "https://files.example.org/1")
    ]
    assert message.location is not None
    assert json.loads(fact.raw) == said


def test_a_number_that_nobody_proved_links_nothing() -> None:
    config = GatewayConfig("avito", "secret")
    fact = read(config, "RU", event(sender={"id": "5", "phone": "+79161234567"}), NOW).event
    assert [str(each) for each in fact.sender.identities] == ["gw:avito/5"]
    assert fact.sender.handle == "+79161234567"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"type": "message.edited", "text": "Б"}, MessageEdited("m1", "Б", NOW)),
        ({"type": "message.deleted", "message_ids": ["m1", "m2"]}, MessageDeleted(("m1", "m2"), NOW)),
        (
            {"type": "delivery", "state": "failed", "detail": "нет WhatsApp"},
            DeliveryChanged(Delivery.FAILED, ("m1",), detail="нет WhatsApp"),
        ),
        ({"type": "reaction", "emojis": ["👍"]}, ReactionChanged("m1", ("👍",))),
        ({"type": "menu", "data": "menu:prices"}, MenuChosen("m1", "prices")),
        ({"type": "blocked"}, BlockChanged(BlockState.BLOCKED)),
        ({"type": "unblocked"}, BlockChanged(BlockState.ALLOWED)),
    ],
)
def test_every_other_type(changes: dict[str, Any], wanted: Payload) -> None:
    assert payload(**changes) == wanted


def test_the_office_wrote_elsewhere() -> None:
    said = payload(type="message.sent", author="Ольга")
    assert isinstance(said, MessageSent)
    assert (said.ref, said.text, said.author_name) == ("m1", "Здравствуйте", "Ольга")


@pytest.mark.parametrize(("own", "phones", "proven"), [(True, True, True), (True, False, False), (False, True, False)])
def test_a_card_proves_a_number_only_where_the_messenger_does(own: bool, phones: bool, proven: bool) -> None:
    config = GatewayConfig("g", "secret", phones=phones)
    card = payload(config, type="contact", name="Анна", phone="+79161234567", own=own)
    assert isinstance(card, ContactShared)
    assert (card.own, card.text) == (proven, "Анна, +79161234567")


def test_files_that_come_along_are_named_by_their_content() -> None:
    content = base64.b64encode(b"PDF").decode()
    arrival = read(CONFIG, "RU", event(files=[{"name": "a.pdf", "content": content}]), NOW)
    message = arrival.event.payload
    assert isinstance(message, MessageReceived)
    assert arrival.files == (b"PDF",)
    assert message.attachments[0].stored is not None
    assert message.attachments[0].size == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "novelty"}, "type"),
        ({"sender": {}}, "sender.id"),
        ({"message_id": ""}, "message_id"),
        ({"at": "2026-11-20T10:15:00"}, "at"),
        ({"at": "вчера"}, "at"),
        ({"files": [{}]}, "url or content"),
        ({"files": [{"content": "§"}]}, "base64"),
        ({"location": {"latitude": 95, "longitude": 0}}, "latitude"),
        ({"text": "x" * 100_001}, "text"),
        ({"files": [{"url": "https://a"}] * 21}, "files"),
    ],
)
def test_a_wrong_event_says_where(changes: dict[str, Any], words: str) -> None:
    arrival = read(CONFIG, "RU", event(**changes), NOW)
    assert isinstance(arrival.event.payload, Unparsable)
    assert words in arrival.trouble
    assert json.loads(arrival.event.raw)["id"] == "e1"


def test_a_mended_event_is_another_fact_than_the_wrong_one() -> None:
    wrong = read(CONFIG, "RU", event(type="novelty"), NOW).event.external_id
    assert wrong != read(CONFIG, "RU", event(), NOW).event.external_id == "e1"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"events": []}', b'{"events": 1}', b"\xff", b"[" * 100_000])
def test_a_body_that_holds_no_events(body: bytes) -> None:
    with pytest.raises(Malformed):
        events_in(body)


def test_at_most_so_many_events() -> None:
    assert len(events_in(json.dumps({"events": [event()] * 100}).encode())) == 100
    with pytest.raises(Malformed, match="1 to 100"):
        events_in(json.dumps({"events": [event()] * 101}).encode())


@pytest.mark.parametrize("id_", ["79161234567", "a b", "ключ", "x" * 200, "'; DROP TABLE", "\u202eabc"])
def test_any_id_of_a_sender_is_one_identity(id_: str) -> None:
    first = read(CONFIG, "RU", event(sender={"id": id_}), NOW).event.sender.identities
    assert len(first) == 1
    assert first == read(CONFIG, "RU", event(sender={"id": id_}, id="e2"), NOW).event.sender.identities


def test_the_examples_of_the_documentation_are_true() -> None:
    incoming = [each for each in EXAMPLES if "account" not in each]
    assert len(incoming) >= 9
    for example in incoming:
        arrival = read(CONFIG, "RU", example, NOW)
        assert not arrival.trouble, example
    (outgoing,) = [each for each in EXAMPLES if "account" in each]
    OutMessage.model_validate(outgoing)
    assert set(outgoing) == set(OutMessage.model_fields)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    ["id", "type", "conversation", "at", "sender", "message_id", "text", "files", "location", "utm", "emojis", "state"]
)
TYPES = st.sampled_from(["message", "message.sent", "message.edited", "delivery", "reaction", "contact", "menu"])


@given(st.one_of(JSON, st.builds(lambda kind, more: event(type=kind) | more, TYPES, st.dictionaries(FIELDS, JSON))))
def test_nothing_raises_and_nothing_is_lost(said: Any) -> None:
    arrival = read(CONFIG, "RU", said, NOW)
    assert arrival.event.external_id
    assert bool(arrival.trouble) == isinstance(arrival.event.payload, Unparsable)
    again = read(CONFIG, "RU", said, NOW)
    assert (again.event.external_id, again.event.raw) == (arrival.event.external_id, arrival.event.raw)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://bridge.example.org/f/1", True),
        ("https://bridge.example.org:443/f/1", True),
        ("https://files.example.org/1", True),
        ("https://bridge.example.org:8080/metrics", False),
        ("http://bridge.example.org/f/1", False),
        ("https://bridge.example.org:0x50/f/1", False),
        ("http://169.254.169.254/latest", False),
        ("file:///etc/passwd", False),
        ("https://bridge.example.org@evil.example/1", False),
        ("https://user@bridge.example.org/1", False),
        ("https://[", False),
    ],
)
def test_files_are_fetched_only_from_where_the_office_said(address: str, allowed: bool) -> None:
    config = GatewayConfig("g", "s", url="https://bridge.example.org/hub", file_hosts=("Files.example.org",))
    assert config.may_fetch(address) is allowed
