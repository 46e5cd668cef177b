"""What a browser posts to the chat, and the facts that it makes."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.web import talk
from channels.web.talk import Act, ActKind, BadTalk, Posted, again, facts, marks, posted
from crm_core.messages import ChannelKey, FormSubmitted, MenuChosen, MessageReceived, Noted, Unparsable

KEY = ChannelKey("web", "site")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
VISITOR = "0123456789abcdef0123456789abcdef"


def sent(**more: str) -> Act:
    return talk.act(ActKind.SEND, VISITOR, Posted({"id": "message-1", "text": "Привет", **more}))


@given(st.binary(max_size=300))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadTalk):
        assert isinstance(posted(body), Posted)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
FIELDS = st.dictionaries(
    st.sampled_from(["id", "text", "name", "phone", "email", "item", "page", "title", "landing", "referrer", "seq"]),
    JSON,
)


@given(FIELDS, st.sampled_from(list(ActKind)))
def test_any_act_is_refused_or_read_again_to_the_same_facts(fields: dict[str, object], kind: ActKind) -> None:
    given_ = posted(json.dumps({"id": "message-1", **fields}).encode())
    file = ("0" * 64, 5, "a.png", "image/png") if kind is ActKind.FILE else None
    try:
        done = talk.act(kind, VISITOR, given_, file)
    except BadTalk:
        return
    for event in facts(KEY, done, NOW):
        assert event.raw
        read = again(KEY, event.external_id, event.raw, NOW)
        assert (read.payload, read.external_id, read.sender, read.conversation) == (
            event.payload,
            event.external_id,
            event.sender,
            event.conversation,
        )


@given(st.binary(max_size=200), st.text(max_size=50))
def test_a_raw_fact_of_whatever_is_never_lost(raw: bytes, external_id: str) -> None:
    read = again(KEY, external_id, raw, NOW)
    assert isinstance(read.payload, Unparsable)
    assert read.raw == raw


def test_the_token_is_no_part_of_what_is_kept() -> None:
    given_ = posted(json.dumps({"token": "s3cret-token", "id": "message-1", "text": "x"}).encode())
    assert all(b"s3cret-token" not in event.raw for event in facts(KEY, talk.act(ActKind.SEND, VISITOR, given_), NOW))


def test_the_page_is_noted_once_whatever_is_said_on_it() -> None:
    page = "https://user:secret@example.org:8443/okna?utm_source=vk&id=5#part"
    first = facts(KEY, sent(page=page, title="Окна", referrer="https://ya.ru/"), NOW)
    second = facts(KEY, sent(page=page), NOW)
    assert [type(event.payload) for event in first] == [Noted, MessageReceived]
    assert first[0].external_id == second[0].external_id
    noted = first[0].payload
    assert isinstance(noted, Noted)
    assert noted.text == "Окна · https://example.org:8443/okna?utm_source=vk&id=5 ← https://ya.ru/"
    message = first[1].payload
    assert isinstance(message, MessageReceived)
    assert message.utm.source == "vk"


def test_marks_come_from_the_page_else_from_where_the_visit_began() -> None:
    assert marks("https://a.ru/", "https://a.ru/?UTM_Source=ya&utm_term=%D0%BE%D0%BA%D0%BD%D0%B0").term == "окна"
    assert marks("https://a.ru/?utm_source=1", "https://a.ru/?utm_source=2").source == "1"
    assert marks("https://a.ru/?" + "&" * 500, "http://[", "").source == ""


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "//evil", "http://", "http://[::1", "data:text/html,x", "http://a:b/"]
)
def test_only_web_addresses_are_kept(text: str) -> None:
    assert talk.address(text) == ""


def test_names_show_what_they_are() -> None:
    named = talk.act(ActKind.CONTACT, VISITOR, Posted({"id": "contact-1", "name": "Ан\u202eна\u200b\x00\n Иванова"}))
    (event,) = facts(KEY, named, NOW)
    assert isinstance(event.payload, FormSubmitted)
    assert event.payload.name == "Анна Иванова"


def test_a_choice_names_its_item() -> None:
    chosen = talk.act(ActKind.CHOOSE, VISITOR, Posted({"id": "choice-01", "item": "prices"}))
    assert facts(KEY, chosen, NOW)[-1].payload == MenuChosen("choice-01", "prices")


@pytest.mark.parametrize("id_", ["", "short", "x" * 65, "with space", "я" * 10, "a/b/c/d/e"])
def test_an_id_has_a_shape(id_: str) -> None:
    with pytest.raises(BadTalk):
        talk.act(ActKind.SEND, VISITOR, Posted({"id": id_, "text": "x"}))
