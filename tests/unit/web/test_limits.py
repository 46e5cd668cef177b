"""How many forms one address may post, and whose address that is."""

from __future__ import annotations

import pytest

from channels.web.limits import RateLimit, visitor
from crm_core.ports import HttpRequest
from tests.fakes.clock import DrivenClock


def request(remote: str) -> HttpRequest:
    headers = {"x-forwarded-for": "198.51.100.1"}  # whoever made the request has read it already
    return HttpRequest("POST", "/in/web/site", {}, headers, b"", remote)


def test_one_too_many_waits_until_the_minute_is_over() -> None:
    clock = DrivenClock()
    limit = RateLimit(2, clock)
    assert [limit.wait_s("a"), limit.wait_s("a")] == [0, 0]
    clock.advance(20)
    assert limit.wait_s("a") == 41
    assert limit.wait_s("b") == 0
    clock.advance(41)
    assert limit.wait_s("a") == 0


@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", None),
        ("::1", None),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_whose_form_it_is(remote: str, counted: str | None) -> None:
    assert visitor(request(remote)) == counted


def test_a_crowd_of_addresses_is_forgotten_in_turn() -> None:
    limit = RateLimit(1, DrivenClock())
    for number in range(10_100):
        assert limit.wait_s(str(number)) == 0
    assert limit.wait_s("10099") > 0
    assert limit.wait_s("0") == 0
