"""Faults to order from VK: those of all servers, and its own."""

from __future__ import annotations

from hub.demo.peers.faults import Act, Fault, When, drop, garbage, hang
from hub.demo.peers.vk.errors import VkError

__all__ = ["Act", "Fault", "When", "drop", "error", "garbage", "hang", "status"]


def error(code: int, words: str = "it is so", method: str | None = None) -> Fault:
    """One of VK's errors, with status 200."""
    return Fault(Act.ANSWER, status=200, body=VkError(code, words).encoded(), method=method)


def status(code: int, method: str | None = None) -> Fault:
    """A status of a proxy, with a page that is no JSON."""
    return Fault(Act.ANSWER, status=code, body=b"<html><body>nginx</body></html>", method=method)
