"""Why something that came in was not understood is said in the language of whoever reads the journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import channels.cti.inbound as cti
import channels.gateway.inbound as gateway
import channels.telegram.inbound as telegram
import channels.vk.inbound as vk
import channels.web.inbound as web
from channels.cti import CtiConfig
from channels.gateway import GatewayConfig
from channels.web import WebConfig
from crm_core.messages import ChannelKey, InboundEvent, Unparsable
from crm_core.messages.unread import failed_at
from crm_core.wording import kept, restored
from hub.tongues import speak, told

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _russian() -> Iterator[None]:
    speak("ru")
    yield
    speak("ru")


def _telegram(raw: bytes) -> InboundEvent:
    return telegram.Reader(ChannelKey("telegram", "shop")).body(raw, NOW).event


def _vk(raw: bytes) -> InboundEvent:
    return vk.Reader(ChannelKey("vk", "club"), 5).body(raw, NOW).event


def _cti(raw: bytes) -> InboundEvent:
    return cti.read(CtiConfig("other", "token"), "RU", raw, NOW).event


def _web(raw: bytes) -> InboundEvent:
    return web.read(WebConfig("site", "key"), raw, "application/json", NOW).event


def _gateway(raw: bytes) -> InboundEvent:
    config = GatewayConfig("max", "secret")
    try:
        (event,) = gateway.events_in(raw)
    except gateway.Malformed as error:
        return gateway.unreadable(config, raw, NOW, error.sentence).event
    return gateway.read(config, "RU", event, NOW).event


@pytest.mark.parametrize(
    ("event", "english", "russian"),
    [
        (_telegram(b"{"), "it is not JSON: Expecting", "Это не JSON: Expecting"),
        (_telegram(b'{"update_id": 1, "message": {"text": 5}}'), "message.", "и ещё"),
        (_telegram(b"{}"), "update_id: is missing", "Нет поля update_id"),
        (_vk(b'{"group_id": 5}'), "event.type: is missing", "Нет поля event.type"),
        (_vk(b'{"type": "message_new", "object": 7}'), "an object is wanted, not int", "нужен объект, а не int"),
        (_cti(b""), "The body is empty", "Ничего не пришло"),
        (_cti(b'{"event": "boom"}'), "Unknown event 'boom'", "Неизвестное событие 'boom'"),
        (_web(b"[1"), "The JSON can't be read", "JSON не читается"),
        (_gateway(b"nothing"), "it is not JSON", "Это не JSON"),
        (_gateway(b'{"type": "message"}'), "is missing", "Нет поля"),
    ],
)
def test_it_is_said_in_both_languages_also_once_it_was_kept(event: InboundEvent, english: str, russian: str) -> None:
    assert isinstance(event.payload, Unparsable)
    error = restored(kept(event.payload.error))
    assert english in str.__str__(error)
    assert russian in told(error)


def test_what_fails_within_the_hub_can_be_kept_whatever_it_says() -> None:
    error = restored(kept(failed_at(ValueError("a half \ud800 and \x00" + "x" * 5000))))
    assert told(error).startswith("Ошибка в самом хабе: ValueError: a half \ufffd and \ufffd")
    assert len(error) < 500
