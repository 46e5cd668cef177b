"""What the world posts to the hub's HTTP ports: one fact of a stranger each, as the provider would write it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.parse import urlencode

from crm_core.model.signature import signature

SECRET = "bench-secret"
GROUP = 1001
_TEXT = "Здравствуйте, сколько стоит окно?"
_JSON = "application/json"

Post = Callable[[int], bytes]


def _http(path: str, body: bytes, content_type: str, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {content_type}", *headers)
    return ("\r\n".join((*lines, f"Content-Length: {len(body)}")) + "\r\n\r\n").encode() + body


def _json(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def telegram(number: int) -> bytes:
    """An update of the Bot API."""
    who = {"id": 5_000_000 + number, "first_name": f"Клиент {number}"}
    message = {
        "message_id": 1,
        "date": int(time.time()),
        "chat": {**who, "type": "private"},
        "from": {**who, "is_bot": False},
        "text": _TEXT,
    }
    body = _json({"update_id": number, "message": message})
    return _http("/in/telegram/shop", body, _JSON, f"X-Telegram-Bot-Api-Secret-Token: {SECRET}")


def vk(number: int) -> bytes:
    """An event of the Callback API."""
    who = 6_000_000 + number
    message = {
        "id": number, "date": int(time.time()), "peer_id": who, "from_id": who, "conversation_message_id": 1, "out": 0,
        "text": _TEXT, "attachments": [], "fwd_messages": [], "important": False, "is_hidden": False, "random_id": 0,
        "version": 1,
    }  # fmt: skip
    event = {"type": "message_new", "group_id": GROUP, "event_id": f"{number:040x}", "v": "5.199", "secret": SECRET}
    return _http("/in/vk/community", _json({**event, "object": {"message": message, "client_info": {}}}), _JSON)


def form(number: int) -> bytes:
    """A form of a website."""
    fields = {"name": f"Клиент {number}", "phone": f"+7916{number:07d}", "message": _TEXT, "submission_id": number}
    return _http(f"/in/web/site?key={SECRET}", urlencode(fields).encode(), "application/x-www-form-urlencoded")


def gateway(number: int) -> bytes:
    """A signed event of a gateway."""
    sender = {"id": str(7_000_000 + number), "name": f"Клиент {number}"}
    event = {"id": str(number), "type": "message", "conversation": str(number), "sender": sender}
    body = _json({**event, "message_id": "1", "text": _TEXT})
    stamp = str(int(time.time()))
    signed = f"X-Hub-Signature: sha256={signature(SECRET, stamp, body)}"
    return _http("/in/gateway/bridge", body, _JSON, f"X-Hub-Timestamp: {stamp}", signed)


POSTS: dict[str, Post] = {"telegram": telegram, "vk": vk, "form": form, "gateway": gateway}
