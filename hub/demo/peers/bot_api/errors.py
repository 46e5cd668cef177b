"""Refusals, in Telegram's own words and shape."""

from __future__ import annotations

import json
from http import HTTPStatus

from hub.demo.peers.bot_api.wire import JsonObject


class ApiError(Exception):
    """An answer with `ok: false`. `retry_after` is in seconds, `moved_to` the chat that a group became."""

    def __init__(
        self, code: int, description: str, retry_after: int | None = None, moved_to: int | None = None
    ) -> None:
        super().__init__(description)
        self.code = int(code)
        self.description = description
        self.retry_after = retry_after
        self.moved_to = moved_to

    def body(self) -> JsonObject:
        """The answer as Telegram shapes it."""
        body: JsonObject = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        if self.moved_to is not None:
            body["parameters"] = {"migrate_to_chat_id": self.moved_to}
        return body

    def encoded(self) -> bytes:
        """The body as bytes."""
        return json.dumps(self.body(), ensure_ascii=False).encode()


def bad_request(what: str) -> ApiError:
    """400, for instance `message text is empty`."""
    return ApiError(HTTPStatus.BAD_REQUEST, f"Bad Request: {what}")


def migrated(chat_id: int) -> ApiError:
    """400: the group became the supergroup `chat_id`."""
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return ApiError(HTTPStatus.BAD_REQUEST, words, moved_to=chat_id)


def forbidden(what: str) -> ApiError:
    """403, for instance `bot was blocked by the user`."""
    return ApiError(HTTPStatus.FORBIDDEN, f"Forbidden: {what}")


def conflict(what: str) -> ApiError:
    """409, for instance `terminated by other getUpdates request`."""
    return ApiError(HTTPStatus.CONFLICT, f"Conflict: {what}")


def too_many_requests(retry_after: int) -> ApiError:
    """429 with the seconds to wait."""
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"Too Many Requests: retry after {retry_after}",
        retry_after,
    )


def unauthorized() -> ApiError:
    """401: no such token."""
    return ApiError(HTTPStatus.UNAUTHORIZED, "Unauthorized")


def not_found(what: str = "") -> ApiError:
    """404, for instance `method not found`."""
    return ApiError(HTTPStatus.NOT_FOUND, f"Not Found: {what}" if what else "Not Found")


def too_large() -> ApiError:
    """413: the request is longer than Telegram takes."""
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
