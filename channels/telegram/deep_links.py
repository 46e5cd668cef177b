"""`/start PAYLOAD`: where somebody who pressed a link to the bot comes from.

A payload has up to 64 letters, digits, `_` and `-`. It is read as

1. pairs, `utm_source-vk__utm_campaign-spring`, also `source-Flyer`;
2. else as base64url of a query string, `utm_source=vk&source=Листовка`;
3. else it is the name of the campaign itself: `https://t.me/shop_bot?start=spring`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from channels.telegram.names import clean
from crm_core.messages import Utm

_START = re.compile(r"/start(?:@\w{1,64})?(?:\s+(?P<rest>.*))?\Z", re.DOTALL)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_MARKS = ("source", "medium", "campaign", "content", "term")
_SOURCE = "source"
_KNOWN = frozenset({_SOURCE, *(f"utm_{mark}" for mark in _MARKS)})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody comes from; `source` is empty where the link does not name it."""

    source: str = ""
    utm: Utm = field(default_factory=Utm)


def started(text: str) -> Origin | None:
    """The origin of whoever pressed Start; None where the text is anything else, also words typed after `/start`."""
    form = _START.match(text.strip())
    if form is None:
        return None
    rest = (form["rest"] or "").strip()
    if not rest:
        return Origin()
    return origin_of(rest) if _PAYLOAD.match(rest) else None


def origin_of(payload: str) -> Origin:
    """What a payload says."""
    found = _known(_pairs(payload)) or _known(_query(payload))
    if not found:
        return Origin(utm=Utm(campaign=payload))
    marks = {mark: found.get(f"utm_{mark}", "") for mark in _MARKS}
    return Origin(found.get(_SOURCE, ""), Utm(**marks))


def _pairs(payload: str) -> Iterable[tuple[str, str]]:
    for part in payload.split("__"):
        name, _, value = part.partition("-")
        yield name, value


def _query(payload: str) -> Iterable[tuple[str, str]]:
    try:
        query = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        return parse_qsl(query, max_num_fields=20)
    except (binascii.Error, ValueError):
        return ()  # not of this form: it is the campaign's name


def _known(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: clean(value).strip() for name, value in pairs if name in _KNOWN and value.strip()}
