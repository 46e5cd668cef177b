"""What a person types of how a client is reached."""

from __future__ import annotations

import pytest

from crm_core.errors import InvalidIdentity
from crm_core.model.ways import Way, is_name, way_typed


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("8 (916) 123-45-67", Way("tel:+79161234567")),
        ("tel:+79161234567", Way("tel:+79161234567")),
        ("Anna@Example.org ", Way("mailto:anna@example.org")),
        ("@Anna_S", Way("tg:@anna_s", "anna_s")),
        ("https://t.me/Anna_S", Way("tg:@anna_s", "anna_s")),
        ("t.me/anna_s/", Way("tg:@anna_s", "anna_s")),
        ("tg:1001", Way("tg:1001")),
        ("tg:@anna", Way("tg:@anna", "anna")),
        ("vk.com/anna.s", Way("vk:@anna.s", "anna.s")),
        ("https://vk.ru/id77", Way("vk:77")),
        ("vk:77", Way("vk:77")),
    ],
)
def test_it_is_read(typed: str, way: Way) -> None:
    assert way_typed(typed, "RU") == way
    assert is_name(way.key) is bool(way.handle)


@pytest.mark.parametrize(
    "typed", ["", "12", "слово", "@", "@1", "a@", "t.me/", "t.me/joinchat/AAA", "vk.com/<b>", "gw:x:1"]
)
def test_what_is_none_is_refused(typed: str) -> None:
    with pytest.raises(InvalidIdentity):
        way_typed(typed, "RU")
