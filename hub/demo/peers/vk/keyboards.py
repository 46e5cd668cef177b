"""Keyboards as VK takes them: shape, sizes, texts."""

from __future__ import annotations

import json
from typing import Any

from hub.demo.peers.vk.errors import VkError, bad_keyboard

BUTTONS, ROWS, COLUMNS = 10, 6, 5
LABEL, PAYLOAD = 40, 255
_TYPES = frozenset({"text", "callback", "open_link", "location", "vkpay", "open_app"})
_COLORS = frozenset({"primary", "secondary", "negative", "positive"})


def checked_keyboard(text: str) -> dict[str, Any]:
    """The keyboard of a call; raises VkError 911."""
    try:
        keyboard = json.loads(text)
    except ValueError as error:
        raise bad_keyboard("no JSON") from error
    if not isinstance(keyboard, dict) or not isinstance(keyboard.get("buttons"), list):
        raise bad_keyboard("no buttons")
    if unknown := set(keyboard) - {"one_time", "inline", "buttons", "author_id"}:
        raise bad_keyboard(f"unknown fields {sorted(unknown)}")
    if keyboard.get("inline") and keyboard.get("one_time"):
        raise bad_keyboard("inline keyboards are not one_time")
    rows = keyboard["buttons"]
    if keyboard.get("inline") and (len(rows) > ROWS or sum(len(row) for row in rows) > BUTTONS):
        raise bad_keyboard("too many buttons for an inline keyboard")
    for row in rows:
        if not isinstance(row, list) or not 1 <= len(row) <= COLUMNS:
            raise bad_keyboard("a row has 1 to 5 buttons")
        for button in row:
            _check(button)
    return keyboard


def _check(button: object) -> None:
    problem = _problem(button)
    if problem is not None:
        raise problem


def _problem(button: object) -> VkError | None:
    action = button.get("action") if isinstance(button, dict) else None
    if not isinstance(button, dict) or not isinstance(action, dict) or action.get("type") not in _TYPES:
        return bad_keyboard("a button has an action of a known type")
    label, payload = action.get("label", ""), action.get("payload", "{}")
    if not isinstance(label, str) or not 1 <= len(label) <= LABEL:
        return bad_keyboard("a label has 1 to 40 characters")
    if not isinstance(payload, str) or len(payload) > PAYLOAD:
        return bad_keyboard("a payload is a text of at most 255 characters")
    try:
        json.loads(payload)
    except ValueError:
        return bad_keyboard("a payload is JSON")
    if button.get("color", "secondary") not in _COLORS:
        return bad_keyboard("no such colour")
    return None
