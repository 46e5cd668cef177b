"""What VK's events become, from recorded ones to nonsense."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from vkbottle_types.events.objects import group_event_objects as vendor

from channels.vk.conversation import parse_conversation
from channels.vk.inbound import READERS, WANTED, Press, Reader
from crm_core.messages import (
    Attachment,
    BlockChanged,
    BlockState,
    ChannelKey,
    Delivery,
    DeliveryChanged,
    EntryKind,
    FormSubmitted,
    Ignored,
    Location,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Noted,
    Payload,
    ReactionChanged,
    Unparsable,
    Utm,
)
from crm_core.model.identity import Identity, IdentityKind

FIXTURES = Path(__file__).parents[2] / "fixtures" / "vk"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
GROUP = 123456
READER = Reader(ChannelKey("vk", "community"), GROUP, lambda user: {1001: "Анна Петрова"}.get(user, ""))
SENT = datetime.fromtimestamp(1795417200, UTC)
NOW = SENT + timedelta(hours=1)
PLACE = Location(55.751244, 37.618423)
WALL = f"wall:-{GROUP}_45"


def vk(number: int) -> Identity:
    return Identity(IdentityKind.VK, str(number))


def written(text: str, ref: int | str, **more: Any) -> MessageReceived:
    return MessageReceived(EntryKind.MESSAGE, text, str(ref), **more)


def file(name: str, content_type: str, remote_id: str, size: int | None = None) -> tuple[Attachment, ...]:
    return (Attachment(name, content_type, remote_id=remote_id, size=size),)


def on(what: str, place: str) -> str:
    return f"{what} https://vk.com/{place}"


SUN, PSV = "https://sun1-1.userapi.com", "https://psv4.userapi.com"
DOC = "https://vk.com/doc1001_670001?hash=abc&dl=def&api=1&no_preview=1"
EXPECTED: dict[str, Payload] = {
    "text": written("Здравствуйте! Сколько стоит окно?", 1),
    "mention": written("Иван, это вам", 2),
    "photo": written("Вот такое", 3, attachments=file("photo_457239001.jpg", "image/jpeg", f"{SUN}/impg/z.jpg")),
    "doc": written("", 4, attachments=file("договор №5_2.pdf", "application/pdf", DOC, 48211)),
    "voice": written("перезвоните мне", 5, attachments=file("voice_670002.ogg", "audio/ogg", f"{PSV}/audiomsg/d.ogg")),
    "video": written("Наше окно: https://vk.com/video1001_456239001", 6),
    "audio": written("Пикник — Иероглиф", 7),
    "sticker": written(
        "[стикер]", 8, attachments=file("sticker_9008.png", "image/png", "https://vk.com/sticker/1-9008-512")
    ),
    "post_in_message": written(f"Это ещё действует?\nЗапись https://vk.com/wall-{GROUP}_45\nСкидки до пятницы", 9),
    "wall_post": written("Поставили окна, спасибо!", "post", quoted=on("Запись на стене", f"wall-{GROUP}_50")),
    "link": written("Остекление балконов: https://okna.example/balkon", 10),
    "market": written(f"Товар «Окно 1,5 × 1,4», 24 900 ₽: https://vk.com/product-{GROUP}_77", 11),
    "graffiti": written("", 12, attachments=file("graffiti_33.png", "image/png", f"{PSV}/graffiti/g.png")),
    "story": written("История https://vk.com/story1001_5", 13),
    "poll": written("Какой цвет?\n— Белый\n— Дуб", 14),
    "place": written("55.751244, 37.618423", 15, location=PLACE),
    "forwarded": written(
        "Посмотрите\nПереслано от vk.com/id2002:\nОтдам даром\nПереслано от vk.com/club99:\nСкидки",
        16,
        attachments=file("photo_457239002.jpg", "image/jpeg", f"{SUN}/f.jpg"),
    ),
    "reply": written("да, этот", 17, quoted="Вам белое окно?", answers="12"),
    "unknown_attachment": written("смотрите\n[hologram]", 18),
    "start_with_ref": written("Начать", 19, asks=False, source="yandex", utm=Utm("yandex", "cpc", "balkony")),
    "ref": written("Здравствуйте", 20, source="promo2026", utm=Utm("site")),
    "menu_by_words": MenuChosen("21", "prices"),
    "chat_text": written("Когда привезёте?", 22),
    "chat_joined": Ignored("a note of VK about the chat"),
    "of_a_community": Ignored("a message of a community"),
    "emoji": written("😀" * 4096, 25),
    "edited": MessageEdited("1", "Здравствуйте! Сколько стоит окно 1,6 × 1,4?", SENT + timedelta(seconds=60)),
    "edited_by_office": MessageEdited("30", "Сто двадцать рублей", SENT + timedelta(seconds=90)),
    "edited_by_program": Ignored("an edited message of the community"),
    "echo": DeliveryChanged(Delivery.SENT, ("32", "m532"), 4242),
    "echo_of_a_further_part": DeliveryChanged(Delivery.SENT, ("33", "m533")),
    "written_by_office": MessageSent(
        EntryKind.MESSAGE, "Сто рублей", "34", number=900100200, author=vk(777), author_name="vk.com/id777"
    ),
    "written_by_office_in_chat": MessageSent(
        EntryKind.MESSAGE, "Завтра", "35", number=5, author=vk(777), author_name="vk.com/id777"
    ),
    "written_by_office_to_all": Ignored("a message of the office to a whole chat"),
    "button": MenuChosen("button:f00d", "prices"),
    "button_foreign": Ignored("a button that is not the hub's"),
    "allowed": BlockChanged(BlockState.ALLOWED),
    "denied": BlockChanged(BlockState.BLOCKED),
    "read": DeliveryChanged(Delivery.READ, ("32", "m532"), upto=True),
    "reaction": ReactionChanged("32", ("👍",)),
    "reaction_taken_back": ReactionChanged("32", ()),
    "typing": Ignored("message_typing_state"),
    "wall_post_own": Ignored("a post of a community"),
    "wall_comment": written("Сколько стоит?", 60, quoted=on("Комментарий к записи", f"wall-{GROUP}_45")),
    "wall_comment_answer": written(
        "Окна, а доставка?", 61, quoted=on("Комментарий к записи", f"wall-{GROUP}_45"), answers="60"
    ),
    "wall_comment_own": DeliveryChanged(Delivery.SENT, ("62",)),
    "wall_comment_edited": MessageEdited("60", "Сколько стоит окно?", NOW),
    "wall_comment_restored": written("Сколько стоит окно?", 60, quoted=on("Комментарий к записи", f"wall-{GROUP}_45")),
    "wall_comment_deleted": MessageDeleted(("60",), NOW),
    "photo_comment": written("Красиво", 70, quoted=on("Комментарий к фотографии", f"photo-{GROUP}_457239005")),
    "photo_comment_deleted": MessageDeleted(("70",), NOW),
    "video_comment": written("А размеры?", 71, quoted=on("Комментарий к видео", f"video-{GROUP}_456239005")),
    "video_comment_edited": MessageEdited("71", "А какие размеры?", NOW),
    "market_comment": written("Есть в наличии?", 72, quoted=on("Комментарий к товару", f"product-{GROUP}_77")),
    "market_comment_deleted": MessageDeleted(("72",), NOW),
    "board_post": written("Кто ставил балкон?", 73, quoted=on("Сообщение в обсуждении", f"topic-{GROUP}_8")),
    "lead_form": FormSubmitted(
        name="Анна Петрова",
        phone="8 916 111-00-09",
        email="anna@example.org",
        fields=(
            ("Форма", "Расчёт окна"),
            ("Сколько окон?", "Три"),
            ("Сколько окон? (2)", "или четыре"),
            ("Объявление", "55"),
        ),
        source="Расчёт окна",
    ),
    "order": FormSubmitted(
        name="Анна Петрова",
        phone="+79161110009",
        message="Позвоните после шести",
        fields=(("Заказ", "1001-12"), ("Товары", "Окно 1,5 × 1,4 × 2"), ("Сумма", "24 900 ₽")),
        source="Товары ВКонтакте",
    ),
    "joined": Noted("Вступление в сообщество ВКонтакте", source="Вступление в сообщество ВКонтакте", enquiry=True),
    "left": Ignored("group_leave"),
    "liked": Ignored("like_add"),
}

CONVERSATIONS = {
    "text": "1001",
    "chat_text": "2000000005",
    "wall_post": f"wall:-{GROUP}_50",
    "wall_comment": WALL,
    "wall_comment_answer": WALL,
    "wall_comment_deleted": WALL,
    "wall_comment_edited": WALL,
    "wall_comment_own": WALL,
    "photo_comment": f"photo:-{GROUP}_457239005",
    "photo_comment_deleted": f"photo:-{GROUP}_457239005",
    "video_comment": f"video:-{GROUP}_456239005",
    "market_comment": f"market:-{GROUP}_77",
    "market_comment_deleted": f"market:-{GROUP}_77",
    "board_post": f"board:-{GROUP}_8",
    "allowed": "1001",
    "button": "1001",
    "written_by_office": "1001",
    "written_by_office_in_chat": "2000000005",
    "lead_form": "1001",
    "joined": "1001",
}

NOT_ANNA = {"of_a_community", "wall_comment_own", "written_by_office_to_all", "edited_by_program", "wall_post_own",
            "wall_comment_deleted", "photo_comment_deleted", "market_comment_deleted", "left", "liked",
            "typing"}  # fmt: skip


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_recorded_events(name: str) -> None:
    raw = (FIXTURES / f"{name}.json").read_bytes()
    arrival = READER.body(raw, NOW)
    event = arrival.event
    assert event.payload == EXPECTED[name]
    assert event.raw == raw
    assert event.external_id == recorded(name)["event_id"]
    assert event.conversation == CONVERSATIONS.get(name, event.conversation)
    assert event.occurred_at.utcoffset() == timedelta(0)
    if name not in NOT_ANNA:
        assert event.sender.identities == (vk(1001),)
        assert event.sender.name == "Анна Петрова"
    assert event.group == (event.conversation.startswith("2000") or ":" in event.conversation)
    if event.conversation:
        assert str(parse_conversation(event.conversation)) == event.conversation
    assert (arrival.press is not None) == name.startswith("button")


@pytest.mark.parametrize("name", NAMES)
def test_recorded_events_have_the_vendors_shape(name: str) -> None:
    event = recorded(name)
    title = "".join(part.title() for part in event["type"].split("_"))
    model = getattr(vendor, f"{title}Object", None) or getattr(vendor, f"{title.removesuffix('Event')}Object")
    assert model.model_validate(event["object"])


def test_every_record_has_its_expectation() -> None:
    assert sorted(EXPECTED) == NAMES


def test_an_event_is_the_same_by_both_ways() -> None:
    event = recorded("text")
    posted = READER.body(json.dumps({**event, "secret": "s"}).encode(), NOW).event
    polled = READER.event(event, NOW).event
    assert posted.external_id == polled.external_id
    assert posted.payload == polled.payload
    assert json.loads(polled.raw) == event


def test_without_an_id_the_content_tells_repeats() -> None:
    event = recorded("text")
    for odd in (None, 5, "", "x" * 500):
        event["event_id"] = odd
        first, second = (READER.body(json.dumps(event).encode(), NOW).event for _ in range(2))
        assert first.external_id == second.external_id
        assert first.external_id.startswith("sha256:")


def test_the_old_form_of_a_message() -> None:
    event = recorded("text")
    event["object"] = event["object"]["message"]
    assert READER.event(event, NOW).event.payload == EXPECTED["text"]


def test_without_a_number_in_the_dialogue_vks_own_serves() -> None:
    event = recorded("text")
    del event["object"]["message"]["conversation_message_id"]
    payload = READER.event(event, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.ref == "m501"


def test_joins_are_enquiries_unless_the_office_says_otherwise() -> None:
    assert isinstance(Reader(READER.key, GROUP).event(recorded("joined"), NOW).event.payload, Noted)
    reader = Reader(READER.key, GROUP, joins=False)
    assert reader.event(recorded("joined"), NOW).event.payload == Ignored("group_join")


def test_presses_are_answered_whatever_they_say() -> None:
    event = recorded("button")
    event["object"]["payload"] = [1]
    assert READER.event(event, NOW).press == Press("f00d", 1001, 1001)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\x00b", "a\ufffdb"), ("\ud83d", "\ufffd"), ("\u202eabc", "\u202eabc"), ("я\u200b", "я\u200b")],
)
def test_odd_characters(text: str, stored: str) -> None:
    event = recorded("text")
    event["object"]["message"]["text"] = text
    payload = READER.event(event, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.text == stored


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b.pdf", "\u202egpj.exe", "х" * 5000 + ".pdf", "", " . "])
def test_odd_names_of_files(name: str) -> None:
    event = recorded("doc")
    event["object"]["message"]["attachments"][0]["doc"]["title"] = name
    payload = READER.event(event, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    (attachment,) = payload.attachments
    assert 0 < len(attachment.name) <= 200
    assert not set(attachment.name) & set('/\\\x00:"')


@pytest.mark.parametrize(
    "attachment",
    [None, 5, [], {}, {"type": "photo"}, {"type": "photo", "photo": 5}, {"type": "photo", "photo": {"sizes": [5]}},
     {"type": "doc", "doc": {"url": 5}}, {"type": "doc", "doc": {"id": 1, "url": "javascript:x"}}, {"type": 5},
     {"type": "poll", "poll": {"answers": {}}}, {"type": "wall", "wall": {"id": "x"}},
     {"type": "sticker", "sticker": {"images": None}}],
)  # fmt: skip
def test_an_odd_attachment_costs_only_itself(attachment: object) -> None:
    event = recorded("text")
    event["object"]["message"]["attachments"] = [attachment]
    payload = READER.event(event, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.text.startswith("Здравствуйте! Сколько стоит окно?\n")
    assert not payload.attachments


def test_messages_forwarded_without_end() -> None:
    event = recorded("text")
    message = event["object"]["message"]
    inner: dict[str, Any] = {"from_id": 5, "text": "дно"}
    for _ in range(100):
        inner = {"from_id": 5, "text": "глубже", "fwd_messages": [inner]}
    message["fwd_messages"] = [inner]
    payload = READER.event(event, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.text.count("глубже") > 5


# ---------------------------------------------------------------- nonsense

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_names = st.sampled_from(
    ["type", "object", "group_id", "event_id", "message", "peer_id", "from_id", "text", "attachments", "fwd_messages",
     "reply_message", "geo", "coordinates", "payload", "user_id", "id", "date", "action", "photo", "doc", "sizes",
     "answers", "post_id", "post_owner_id", "admin_author_id", "random_id", "conversation_message_id", "update_time",
     "ref"]
)  # fmt: skip
_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6), max_leaves=20
)


def paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def sound(body: bytes) -> None:
    """Whatever came is kept, and storable."""
    event = READER.body(body, NOW).event
    assert event.raw == body
    assert event.external_id
    assert len(event.external_id) <= 200
    assert event.occurred_at.utcoffset() is not None
    json.dumps(asdict(event.payload), default=str).encode()
    repr(event.payload).encode("utf-8", "strict")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    sound(body)


@given(_json)
def test_no_json_breaks_the_reader(value: object) -> None:
    sound(json.dumps(value).encode())


@given(st.sampled_from(WANTED), _json)
@example("message_new", {"message": {"peer_id": 2**63, "from_id": 1}})
def test_no_object_breaks_the_reader(kind: str, value: object) -> None:
    sound(json.dumps({"type": kind, "object": value, "event_id": "e", "group_id": GROUP}).encode())


@given(st.data())
def test_no_change_of_a_recorded_event_breaks_the_reader(data: st.DataObject) -> None:
    event = recorded(data.draw(st.sampled_from([name for name in NAMES if name != "emoji"])))
    path = data.draw(st.sampled_from(list(paths(event))))
    changed = json.dumps(replaced(event, path, data.draw(_json))).encode()
    sound(changed)
    again = READER.event(json.loads(changed), NOW)
    assert again.event.payload == READER.body(changed, NOW).event.payload


def test_what_is_not_understood_names_the_place() -> None:
    event = recorded("text")
    event["object"]["message"]["peer_id"] = "1001"
    assert READER.event(event, NOW).event.payload == Unparsable(
        "message_new.message.peer_id: a whole number is wanted, not str"
    )


def test_all_kinds_that_are_wanted_are_the_vendors() -> None:
    from vkbottle_types.events.enums.group_events import GroupEventType

    assert set(READERS) <= {kind.value for kind in GroupEventType}
