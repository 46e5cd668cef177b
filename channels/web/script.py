"""The widget as a site's pages load it: one script with its style and the site's own settings in it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

from channels.web.config import WebConfig
from crm_core.ports import HttpRequest, HttpResponse

_FOLDER = Path(__file__).parent / "widget"
_TYPE = "text/javascript; charset=utf-8"
_AGE_S = 300
_COMMENT = re.compile(r"^\s*//[^\n]*$|/\*.*?\*/", re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r'("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)')
_CODE_SPACE = re.compile(r" ?([{}()\[\],:;?=<>*&|!%+/-]+) ?|(?<=[{,;(])\n")
_STYLE_SPACE = re.compile(r"\s*([{};:,>])\s*")


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
    style = _STYLE_SPACE.sub(r"\1", " ".join(_COMMENT.sub("", _read("widget.css")).split())).replace(";}", "}")
    lines = (line.strip() for line in _COMMENT.sub("", _read("widget.js")).split("\n"))
    pieces = _TEXT.split("\n".join(line for line in lines if line))
    text = "".join(piece if at % 2 else _CODE_SPACE.sub(_without_blanks, piece) for at, piece in enumerate(pieces))
    text = text.replace("__STYLE__", json.dumps(style)).replace("__SETTINGS__", settings)
    content = text.encode()
    return content, gzip.compress(content, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _without_blanks(found: re.Match[str]) -> str:
    return found[1] or ""


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
