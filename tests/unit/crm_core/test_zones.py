"""In which zone a client's clock runs."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.zones import client_zone, zone_of_city, zones_of_number

MOSCOW = ZoneInfo("Europe/Moscow")
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "city", "zone"),
    [
        ("+74951234567", None, "Europe/Moscow"),
        ("+73832123456", None, "Asia/Novosibirsk"),
        ("+73832123456", "Москва", "Asia/Novosibirsk"),  # a number of a place says more than what somebody typed
        ("+79161234567", None, "Europe/Moscow"),  # a mobile number fits every zone of the country: the office's
        ("+79161234567", "Владивосток", "Asia/Vladivostok"),
        ("+79161234567", "где-то", "Europe/Moscow"),
        ("+79161234567", "", "Europe/Moscow"),
        ("+77172123456", None, "Asia/Almaty"),
        ("+77011234567", None, "Asia/Almaty"),  # shares its code with Russia, and has one zone
        ("+77011234567", "Омск", "Asia/Almaty"),
        ("+442071838750", None, "Europe/London"),
        ("+375291234567", None, "Europe/Minsk"),
        ("+12125550123", None, "America/New_York"),
    ],
)
def test_the_number_tells_then_the_city_then_the_office(number: str, city: str | None, zone: str) -> None:
    found = client_zone(number, city, MOSCOW, AT)
    assert AT.astimezone(found).utcoffset() == AT.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize("number", ["", "+", "+0", "+999", "abc", "101", "+7", "+99999999999999", "+7916\r\n", "☎"])
def test_what_is_no_number_is_of_the_office(number: str) -> None:
    assert client_zone(number, None, MOSCOW, AT) == MOSCOW


def test_numbers_of_several_zones_agree_only_where_their_clocks_do() -> None:
    assert len(zones_of_number("+79161234567")) > 5
    assert len(zones_of_number("+77011234567")) == 1
    assert zones_of_number("nonsense") == ()


@pytest.mark.parametrize(
    ("city", "zone"),
    [
        ("Новосибирск", "Asia/Novosibirsk"),
        ("новосибирск", "Asia/Novosibirsk"),
        (" НОВОСИБИРСК ", "Asia/Novosibirsk"),
        ("г. Новосибирск", "Asia/Novosibirsk"),
        ("г.Новосибирск", "Asia/Novosibirsk"),
        ("г Новосибирск", "Asia/Novosibirsk"),
        ("город Новосибирск", "Asia/Novosibirsk"),
        ("Россия, г. Новосибирск", "Asia/Novosibirsk"),
        ("Россия, город Новосибирск", "Asia/Novosibirsk"),
        ("Новосибирск, ул. Ленина 5", "Asia/Novosibirsk"),
        ("Novosibirsk", "Asia/Novosibirsk"),
        ("Екатеринбург.", "Asia/Yekaterinburg"),
        ("Екатеринбург., центр", "Asia/Yekaterinburg"),
        ("г. Оренбург.", "Asia/Yekaterinburg"),
        ("Санкт-Петербург.", "Europe/Moscow"),
        ("Королёв", "Europe/Moscow"),
        ("Нижний  Новгород", "Europe/Moscow"),
        ("Алматы", "Asia/Almaty"),
    ],
)
def test_cities_as_people_write_them(city: str, zone: str) -> None:
    found = zone_of_city(city)
    assert found is not None
    assert AT.astimezone(found).utcoffset() == AT.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize("city", ["", " ", ",", "г.", "город", "Атлантида", "<script>", "#", "ул. Ленина", "\0", ": "])
def test_what_is_no_city_has_no_zone(city: str) -> None:
    assert zone_of_city(city) is None


@given(st.text(max_size=30), st.none() | st.text(max_size=60))
def test_whatever_was_typed_there_is_a_zone(number: str, city: str | None) -> None:
    assert isinstance(client_zone(number, city, MOSCOW, AT), ZoneInfo)
