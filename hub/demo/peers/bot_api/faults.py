"""Faults to order from the Bot API: those of all servers, and its own."""

from __future__ import annotations

from hub.demo.peers.bot_api.errors import ApiError, too_many_requests
from hub.demo.peers.faults import Act, Fault, When, drop, garbage, hang

__all__ = ["Act", "Fault", "When", "bad_gateway", "drop", "garbage", "hang", "status", "too_many"]


def too_many(retry_after: int, method: str | None = None) -> Fault:
    """429 with `retry_after` seconds."""
    return Fault(
        Act.ANSWER,
        status=429,
        body=too_many_requests(retry_after).encoded(),
        method=method,
    )


def status(code: int, description: str = "Internal Server Error", method: str | None = None) -> Fault:
    """An error answer with a JSON body."""
    return Fault(
        Act.ANSWER,
        status=code,
        body=ApiError(code, description).encoded(),
        method=method,
    )


def bad_gateway(method: str | None = None) -> Fault:
    """502 with the HTML page of a proxy, which is no JSON."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Fault(Act.ANSWER, status=502, body=page, content_type="text/html", method=method)
