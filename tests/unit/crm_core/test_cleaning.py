"""What comes from outside is made storable, and left alone where it is already."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.messages import FormSubmitted, InboundEvent, MessageReceived, Sender, Utm
from crm_core.model.channel import ChannelKey
from crm_core.model.timeline import EntryKind
from crm_core.services.cleaning import clean, clean_text
from tests.fakes.clock import START

EVENT = InboundEvent(
    ChannelKey("telegram", "shop"),
    "1",
    "7",
    START,
    Sender((), "Анна"),
    MessageReceived(EntryKind.MESSAGE, "Здравствуйте 👋", "1", utm=Utm("яндекс")),
    b"{\x00}",
)


def test_a_sound_fact_is_the_very_same() -> None:
    assert clean(EVENT) is EVENT


@pytest.mark.parametrize(
    ("dirty", "expected"), [("a\x00b", "ab"), ("x\ud83dy", "x?y"), ("я" * 1_000_001, "я" * 1_000_000)]
)
def test_what_a_database_refuses_goes(dirty: str, expected: str) -> None:
    assert clean_text(dirty) == expected


def test_however_deep_it_lies_and_the_raw_fact_keeps_it() -> None:
    form = FormSubmitted(name="A\x00", utm=Utm(term="t\x00"), fields=(("k\x00", "v\ud800"),))
    cleaned = clean(replace(EVENT, payload=form, sender=Sender((), "x\x00"), external_id="\x001"))
    assert cleaned.payload == FormSubmitted(name="A", utm=Utm(term="t"), fields=(("k", "v?"),))
    assert (cleaned.sender.name, cleaned.external_id, cleaned.raw) == ("x", "1", EVENT.raw)


@given(st.text(alphabet=st.characters(categories=None, exclude_categories=()), max_size=50))
def test_every_text_can_be_stored_afterwards(text: str) -> None:
    stored = clean_text(text)
    assert "\x00" not in stored
    stored.encode("utf-8")
