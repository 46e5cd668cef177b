"""Identities: one normal form for whatever people and providers write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import InvalidIdentity
from crm_core.model.identity import (
    Identity,
    IdentityKind,
    address,
    caller,
    find_addresses,
    find_telephones,
    internal,
    parse_identity,
    readable,
    stored_identity,
    telephone,
)

ONE = "+79161234567"


@pytest.mark.parametrize(
    "written",
    [
        "89161234567",
        "+79161234567",
        "79161234567",
        "9161234567",
        "8 (916) 123-45-67",
        "+7 916 123 45 67",
        "  +7-916-123-45-67  ",
        "８９１６１２３４５６７",
        "+７ ９１６ １２３ ４５ ６７",
        "8 916 123-45-67 доб. 12",
        "тел. 8 916 123-45-67",
        "8.916.123.45.67",
    ],
)
def test_one_number_however_it_is_written(written: str) -> None:
    assert telephone(written) == Identity(IdentityKind.TEL, ONE)


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("8 916 123-45-67, 8 495 123-45-67", [ONE, "+74951234567"]),
        ("8(916)1234567 / 8(916)1234567", [ONE]),
        ("моб. +7 916 123-45-67; раб. +7 495 123-45-67 доб. 12", [ONE, "+74951234567"]),
        ("+49 30 901820", ["+4930901820"]),
        ("", []),
        ("нет телефона", []),
        ("101", []),
        ("112", []),
        ("00000000000", []),
        ("\x00\r\n", []),
    ],
)
def test_every_number_of_a_field(field: str, numbers: list[str]) -> None:
    assert [each.value for each in find_telephones(field)] == numbers


@pytest.mark.parametrize(
    ("given_by_pbx", "expected"),
    [
        ("89161234567", "tel:+79161234567"),
        ("+79161234567", "tel:+79161234567"),
        ("00012345678", "tel:+00012345678"),
        ("1234567", "tel:+1234567"),
        ("101", None),
        ("", None),
        ("anonymous", None),
        ("unknown", None),
        ("robot1234567", None),
    ],
)
def test_who_calls(given_by_pbx: str, expected: str | None) -> None:
    found = caller(given_by_pbx)
    assert (str(found) if found is not None else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tel:8 916 123 45 67", "tel:+79161234567"),
        ("tel: 79161234567", "tel:+79161234567"),
        ("TEL:+79161234567", "tel:+79161234567"),
        ("mailto:Anna@Example.ORG ", "mailto:anna@example.org"),
        ("tg:1001", "tg:1001"),
        ("vk:5", "vk:5"),
        ("web:abc-1", "web:abc-1"),
    ],
)
def test_identities_as_they_stand_in_queries(text: str, expected: str) -> None:
    assert str(parse_identity(text)) == expected


@pytest.mark.parametrize(
    "text",
    ["", ":", "tel:", "tel:101", "tel:abc", "mailto:", "mailto:a", "mailto:a@b@c", "tg:", "tg:a b", "icq:5", "5"],
)
def test_what_is_no_identity(text: str) -> None:
    with pytest.raises(InvalidIdentity):
        parse_identity(text)


@given(st.text(max_size=400))
def test_no_text_does_worse_than_be_no_identity(text: str) -> None:
    for prefix in ("", "tel:", "mailto:", "tg:", "web:"):
        try:
            found = parse_identity(prefix + text)
        except InvalidIdentity:
            continue
        assert parse_identity(str(found)) == found, "the normal form is its own"
        assert stored_identity(str(found)) == found
    find_telephones(text)
    find_addresses(text)
    caller(text)


@given(st.lists(st.sampled_from("0123456789+-() ,;/доб."), max_size=60).map("".join))
def test_no_number_like_text_breaks_anything(text: str) -> None:
    for found in find_telephones(text):
        assert telephone(found.value) == found
    found_caller = caller(text)
    if found_caller is not None:
        assert readable(found_caller)


def test_addresses_of_a_field() -> None:
    assert [each.value for each in find_addresses("Anna <A@b.ru>, c@d.ru; c@d.ru, e@")] == ["a@b.ru", "c@d.ru"]


def test_a_long_address_is_refused() -> None:
    with pytest.raises(InvalidIdentity):
        address("a" * 250 + "@b.ru")


@pytest.mark.parametrize("key", ["tel:anonymous", "tel:+00012345678", "web:form-5"])
def test_what_is_stored_reads_back_as_it_is(key: str) -> None:
    assert str(stored_identity(key)) == key
    assert readable(stored_identity(key)) == key.partition(":")[2]


def test_no_number_is_longer_than_fifteen_digits() -> None:
    assert str(caller("+999123456789012")) == "tel:+999123456789012"
    assert caller("+9991234567890123") is None
    assert caller("7" * 80) is None
    assert [internal(raw) for raw in ("101", "", "anonymous", "7" * 80)] == [True, False, False, False]
