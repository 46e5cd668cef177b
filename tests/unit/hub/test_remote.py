"""Whose word is taken about where a request comes from."""

from ipaddress import ip_network

import pytest

from hub.access.remote import forwarded
from hub.settings.model import LOOPBACK

HERE = LOOPBACK
OFFICE = (*LOOPBACK, ip_network("10.0.0.0/24"))


@pytest.mark.parametrize(
    ("remote", "headers", "trusted", "found"),
    [
        ("203.0.113.5", [], HERE, "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], HERE, "203.0.113.5"),
        ("127.0.0.1", ["198.51.100.1"], HERE, "198.51.100.1"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.1"], HERE, "198.51.100.1"),
        ("127.0.0.1", ["6.6.6.6", "198.51.100.1"], HERE, "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1, 10.0.0.7"], HERE, "10.0.0.7"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.1, 10.0.0.7"], OFFICE, "198.51.100.1"),
        ("127.0.0.1", ["unknown"], HERE, "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, unknown"], HERE, "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], (), "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1:4711"], HERE, "198.51.100.1"),
        ("::1", ["[2001:db8::1]:4711"], HERE, "2001:db8::1"),
        ("::1", ["2001:DB8::0:1"], HERE, "2001:db8::1"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], HERE, "198.51.100.1"),
        ("127.0.0.1", ["127.0.0.1"], HERE, "127.0.0.1"),
        ("", ["198.51.100.1"], HERE, "198.51.100.1"),
        ("", [], HERE, ""),
    ],
)
def test_a_proxy_is_believed_about_the_hop_before_it(
    remote: str, headers: list[str], trusted: tuple[object, ...], found: str
) -> None:
    assert forwarded(remote, headers, trusted) == found  # type: ignore[arg-type]  # networks, as parametrize gives them
