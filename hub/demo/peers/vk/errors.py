"""Refusals, in VK's own numbers, words and shape."""

from __future__ import annotations

import json


class VkError(Exception):
    """An answer with `error`; the HTTP status stays 200, as with VK."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words

    def encoded(self) -> bytes:
        """The body as bytes."""
        error = {"error_code": self.code, "error_msg": self.words, "request_params": []}
        return json.dumps({"error": error}, ensure_ascii=False).encode()


def missing(what: str) -> VkError:
    """100: a parameter is missing or makes no sense."""
    return VkError(100, f"One of the parameters specified was missing or invalid: {what}")


def unauthorized(what: str) -> VkError:
    """5: no such token."""
    return VkError(5, f"User authorization failed: {what}.")


def denied(what: str) -> VkError:
    """15: not for this token."""
    return VkError(15, f"Access denied: {what}")


def too_many() -> VkError:
    """6: more calls a second than a token has."""
    return VkError(6, "Too many requests per second")


def flood() -> VkError:
    """9: too much of the same."""
    return VkError(9, "Flood control")


def not_allowed() -> VkError:
    """901: the user has not written first, or forbids it now."""
    return VkError(901, "Can't send messages for users without permission")


def too_long() -> VkError:
    """914: the text is longer than VK takes."""
    return VkError(914, "Message is too long")


def bad_keyboard(what: str) -> VkError:
    """911: the keyboard is not what the documentation says."""
    return VkError(911, f"Keyboard format is invalid: {what}")
