"""The widget as a site's pages load it: one script with its style and the site's own settings in it."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import lru_cache
from pathlib import Path

import rcssmin
import rjsmin

from channels.web.config import WebConfig
from crm_core.ports import HttpRequest, HttpResponse

_FOLDER = Path(__file__).parent / "widget"
_PARTS = ("words", "talking", "drawing", "panel", "colours")
"""Of the one function that `widget.js` is: files of these names, which share all their names with each other."""

_TYPE = "text/javascript; charset=utf-8"
_AGE_S = 300


def widget(config: WebConfig, request: HttpRequest) -> HttpResponse:
    """The script; 304 where the browser has it, compressed where it can take that."""
    chat = config.chat
    settings = {
        "path": config.path,
        "title": chat.title,
        "color": chat.color,
        "side": chat.side.value,
        "size": chat.file_size,
    }
    content, packed, tag = _written(
        json.dumps(settings, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    )
    headers = (
        ("ETag", tag),
        ("Cache-Control", f"public, max-age={_AGE_S}"),
        ("Access-Control-Allow-Origin", "*"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        ("Vary", "Accept-Encoding"),
    )
    if request.headers.get("if-none-match") == tag:
        return HttpResponse(304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return HttpResponse(200, packed, _TYPE, (*headers, ("Content-Encoding", "gzip")))
    return HttpResponse(200, content, _TYPE, headers)


@lru_cache(maxsize=32)
def _written(settings: str) -> tuple[bytes, bytes, str]:
    """(script, the same compressed, its tag). `<` is escaped, should somebody put the script into a page's text."""
    style, text = str(rcssmin.cssmin(_read("widget.css"))), str(rjsmin.jsmin(_whole()))
    text = text.replace("__STYLE__", json.dumps(style)).replace("__SETTINGS__", settings)
    content = text.encode()
    return content, gzip.compress(content, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _whole() -> str:
    text = _read("widget.js")
    for part in _PARTS:
        text = text.replace(f"__{part.upper()}__", _read(f"{part}.js"))
    return text


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
