"""What `[[cti]]` says in the configuration, and what it may not say."""

from __future__ import annotations

import pytest

from crm_core.model.user import Role, Staff, User
from hub.settings import SettingsError, parse_settings
from hub.settings.office import office_of

_ACCOUNT = '[[cti]]\nname = "other"\ntoken = "t"\n'


def test_numbers_to_show_are_read_in_order() -> None:
    text = _ACCOUNT + 'caller_id = "+7 495 111-11-11"\ncaller_ids = { "7812*" = "78121111111", "*" = "+74952222222" }'
    (cti,) = parse_settings(text).cti
    assert cti.caller_id == "+74951111111"
    assert cti.caller_ids == (("7812*", "78121111111"), ("*", "+74952222222"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('caller_id = "office"', "not a number to show"),
        ("caller_ids = 5", "expected a table"),
        ('caller_ids = { "abc" = "1234" }', "fits no number"),
        ('caller_ids = { "7*" = "x" }', "not a number to show"),
        ('[[pbx]]\nname = "other"\nami = "ami://hub:secret@127.0.0.1:5038"', "is a [[pbx]] already"),
        (_ACCOUNT.replace("other", "third"), "stands in cti[1] already"),
    ],
)
def test_mistakes_are_named(more: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_settings(_ACCOUNT + more)
    assert words in str(raised.value)


def test_people_are_found_by_whatever_name_they_are_called() -> None:
    office = office_of(parse_settings(_ACCOUNT))
    people = (
        User(1, "ivan", "Иван Петров", Role.MANAGER, extension="PJSIP/101", email="ivan@example.org"),
        User(2, "olga", "Ольга Ким", Role.MANAGER, extension="102"),
        User(3, "olga2", "Ольга Ким", Role.MANAGER),
        User(4, "gone", "Ушла Давно", Role.MANAGER, extension="104", active=False),
    )
    staff = Staff.of(people)

    def called(name: str) -> str | None:
        user = office.user_of_endpoint(staff, "other", name)
        return user.login if user is not None else None

    assert {called(name) for name in ("101", "pjsip/101", "IVAN", "ivan@Example.org", "иван  петров")} == {"ivan"}
    assert called("102") == "olga"
    assert [called(name) for name in ("Ольга Ким", "Ушла Давно", "104", "", " ", "1")] == [None] * 6
    assert office.user_of_endpoint(staff, "office", "ivan") is None
