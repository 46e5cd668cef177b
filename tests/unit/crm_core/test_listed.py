"""What can stand on a special list, and by what an identity stands there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import InvalidIdentity
from crm_core.model.listed import held_as, is_domain, listed_by, listed_key


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("8 (916) 123-45-67", "tel:+79161234567"),
        ("tel:+79161234567", "tel:+79161234567"),
        ("mailto:Anna@B.Example", "mailto:anna@b.example"),
        ("anna@b.example", "mailto:anna@b.example"),
        ("@Spam.Example", "mailto:@spam.example"),
        ("mailto:@spam.example.", "mailto:@spam.example"),
        ("mailto:@почта.рф", "mailto:@почта.рф"),
        ("tg:1001", "tg:1001"),
        ("vk:5", "vk:5"),
        ("gw:avito/u-17", "gw:avito/u-17"),
    ],
)
def test_whatever_is_typed_has_one_key(typed: str, key: str) -> None:
    assert listed_key(typed, "RU") == key
    assert listed_key(key, "RU") == key


@pytest.mark.parametrize("typed", ["", "@", "@ru", "mailto:@", "@a b.ru", "@.ru", "102", "spam", "tg:", "@-a.ru"])
def test_what_nobody_could_be_is_refused(typed: str) -> None:
    with pytest.raises(InvalidIdentity):
        listed_key(typed, "RU")


def test_an_address_is_listed_by_its_domain_and_the_one_above() -> None:
    found = listed_by("mailto:a@mx.spam.example")
    assert found == ("mailto:a@mx.spam.example", "mailto:@mx.spam.example", "mailto:@spam.example")
    assert listed_by("claimed:a@spam.example")[:2] == ("claimed:a@spam.example", "mailto:a@spam.example")
    assert listed_by("tg:1001") == ("tg:1001",)


def test_nobody_holds_a_domain() -> None:
    assert is_domain("mailto:@spam.example")
    assert held_as("mailto:@spam.example") is None
    assert str(held_as("tg:5")) == "tg:5"


@given(st.text(max_size=300))
def test_anything_typed_has_a_key_or_is_refused_in_words(typed: str) -> None:
    try:
        key = listed_key(typed, "RU")
    except InvalidIdentity:
        return
    assert listed_key(key, "RU") == key
    assert key in listed_by(key)
    assert len(listed_by(key)) <= 8
