"""What a first visit loads: the page, and all that it names and that these name in turn, as it is transferred."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from benchmarks.workspace.wire import Visitor

_NAMED = (
    re.compile(r"<script[^>]*\ssrc=\"([^\"]+)\""),
    re.compile(r"<link[^>]*\shref=\"([^\"]+)\""),
    re.compile(r"<(?:img|source|iframe)[^>]*\ssrc=\"([^\"]+)\""),
    re.compile(r"<use[^>]*\shref=\"([^\"#]+)"),
)
_IMPORTED = (
    re.compile(r"(?:^|[\s;}])(?:import|export)\s[^;]*?from\s*[\"']([^\"']+)[\"']"),
    re.compile(r"(?:^|[\s;}])import\s*\(?\s*[\"']([^\"']+)[\"']"),
    re.compile(r"new URL\(\s*[\"']([^\"']+)[\"']\s*,\s*import\.meta\.url"),
)
_DRAWN = (re.compile(r"url\(\s*[\"']?([^\"')]+)"), re.compile(r"@import\s+[\"']([^\"']+)"))
# A page asks for these by itself as soon as it stands.
_ASKED = re.compile(r"hx-get=\"([^\"]+)\"[^>]*hx-trigger=\"[^\"]*\bload\b")


async def first_visit(visitor: Visitor, path: str) -> dict[str, int]:
    """Bytes on the wire of each address that a visit to a page with an empty cache loads, the page's own first. Raises
    RuntimeError where something that is named is not there."""
    found: dict[str, int] = {}
    waiting = [path]
    while waiting:
        address = waiting.pop(0)
        if address in found:
            continue
        answer = await visitor.get(address)
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status}")
        found[address] = answer.sent
        waiting += _further(address, answer.text, answer.headers)
    return found


def _further(address: str, text: str, headers: Mapping[str, str]) -> list[str]:
    kind = headers.get("content-type", "").partition(";")[0]
    patterns = {"text/html": (*_NAMED, _ASKED), "text/javascript": _IMPORTED, "text/css": _DRAWN}.get(kind, ())
    named = [each.replace("&amp;", "&") for pattern in patterns for each in pattern.findall(text)]
    there = (urljoin(address, each) for each in named if not each.startswith(("data:", "#")))
    return [each for each in there if not urlsplit(each).netloc]
