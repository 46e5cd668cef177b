"""Where somebody comes from, by the payload of the link they pressed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.deep_links import Origin, origin_of, started
from crm_core.messages import Utm


def packed(query: str) -> str:
    return base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("payload", "origin"),
    [
        ("spring", Origin(utm=Utm(campaign="spring"))),
        ("utm_source-vk__utm_campaign-spring", Origin(utm=Utm(source="vk", campaign="spring"))),
        ("utm_source-vk-ads", Origin(utm=Utm(source="vk-ads"))),
        ("source-Flyer__utm_medium-print", Origin("Flyer", Utm(medium="print"))),
        ("source-", Origin(utm=Utm(campaign="source-"))),
        ("manager-ivan", Origin(utm=Utm(campaign="manager-ivan"))),
        (packed("utm_source=vk&utm_campaign=x"), Origin(utm=Utm(source="vk", campaign="x"))),
        (packed("source=Листовка"), Origin("Листовка")),
        (packed("utm_term=a b&utm_content=%D0%B4%D0%B0"), Origin(utm=Utm(term="a b", content="да"))),
        (packed("source=a\x00b"), Origin("a\ufffdb")),
        (packed("просто слова"), Origin(utm=Utm(campaign=packed("просто слова")))),
        (packed("colour=red"), Origin(utm=Utm(campaign=packed("colour=red")))),
        ("____", Origin(utm=Utm(campaign="____"))),
        ("-", Origin(utm=Utm(campaign="-"))),
    ],
)
def test_payload(payload: str, origin: Origin) -> None:
    assert origin_of(payload) == origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("/start", Origin()),
        (" /start ", Origin()),
        ("/start@shop_bot spring", Origin(utm=Utm(campaign="spring"))),
        ("/start  spring", Origin(utm=Utm(campaign="spring"))),
        ("/start Здравствуйте, нужна дверь", None),
        ("/start " + "a" * 65, None),
        ("/startle", None),
        ("start", None),
        ("", None),
    ],
)
def test_start(text: str, origin: Origin | None) -> None:
    assert started(text) == origin


@given(st.text(st.sampled_from("abcXYZ019_-"), min_size=1, max_size=64))
def test_any_payload_is_read_and_none_is_lost(payload: str) -> None:
    origin = origin_of(payload)
    assert origin != Origin()


@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    started(f"/start {text}")


@given(st.binary(min_size=1, max_size=48))
def test_any_bytes_in_base64(content: bytes) -> None:
    assert origin_of(base64.urlsafe_b64encode(content).decode().rstrip("=")) != Origin()
