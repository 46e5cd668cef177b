"""Text as Telegram takes it: parse_mode HTML, entities, lengths."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.entities import html5

from aiogram.types import MessageEntity

from hub.demo.peers.bot_api.errors import ApiError, bad_request
from hub.demo.peers.bot_api.wire import utf16_length

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
}
_NAMED = frozenset({"lt", "gt", "amp", "quot"})
_TOKEN = re.compile(
    r"<(?P<close>/)?(?P<tag>[A-Za-z][A-Za-z0-9-]*)(?P<attrs>[^<>]*)>|&(?P<ref>#\d+|#[xX][0-9a-fA-F]+|[a-z]+);|(?P<lt><)"
)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Formatted:
    """Text without markup, and what the markup said."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


def formatted(
    text: str | None,
    parse_mode: object,
    entities: list[MessageEntity] | None,
    *,
    limit: int,
    what: str,
) -> Formatted:
    """The text of a message (`what` is `message` or `message caption`), checked as Telegram does; raises ApiError."""
    if not text:
        return Formatted("")
    mode = parse_mode.lower() if isinstance(parse_mode, str) else ""
    if mode not in {"", "html"}:
        raise bad_request("unsupported parse_mode")
    result = _from_html(text) if mode == "html" else Formatted(text, tuple(entities or ()))
    length = utf16_length(result.text)
    for entity in result.entities:
        if entity.offset < 0 or entity.length <= 0 or entity.offset + entity.length > length:
            raise bad_request(f"entity beginning at UTF-16 offset {entity.offset} ends after the end of the text")
    # Telegram trims the text after it has read the markup, and counts what is left.
    stripped = Formatted(result.text.strip(), result.entities)
    if utf16_length(stripped.text) > limit:
        raise bad_request(f"{what} is too long")
    return stripped


def _from_html(source: str) -> Formatted:
    out: list[str] = []
    length = 0
    position = 0
    opened: list[tuple[str, int, str | None]] = []
    entities: list[MessageEntity] = []
    for token in _TOKEN.finditer(source):
        literal = source[position : token.start()]
        out.append(literal)
        length += utf16_length(literal)
        position = token.end()
        if token["ref"]:
            char = _reference(token["ref"], token[0])
            out.append(char)
            length += utf16_length(char)
            continue
        tag = (token["tag"] or "").lower()
        offset = len(source[: token.start()].encode())
        if token["close"]:
            entities.extend(_close(tag, offset, length, opened))
        else:
            opened.append((tag, length, _attribute(tag, token["attrs"] or "", offset)))
    out.append(source[position:])
    if opened:
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return Formatted(
        "".join(out),
        tuple(sorted(entities, key=lambda entity: (entity.offset, -entity.length))),
    )


def _close(tag: str, offset: int, length: int, opened: list[tuple[str, int, str | None]]) -> list[MessageEntity]:
    if not opened:
        raise _unparsable(f"Unexpected end tag at byte offset {offset}")
    name, start, url = opened.pop()
    if name != tag:
        raise _unparsable(f'Unmatched end tag at byte offset {offset}, expected "</{name}>", found "</{tag}>"')
    if length == start:
        return []
    kind = "spoiler" if name == "span" else _TAGS[name]
    return [MessageEntity(type=kind, offset=start, length=length - start, url=url)]


def _attribute(tag: str, attributes: str, offset: int) -> str | None:
    if tag == "span" and "tg-spoiler" in attributes:
        return None
    if tag not in _TAGS:
        raise _unparsable(f'Unsupported start tag "{tag}" at byte offset {offset}')
    href = _HREF.search(attributes) if tag == "a" else None
    return html.unescape(href[1] or href[2] or "") if href else None


def _reference(name: str, whole: str) -> str:
    if name.startswith("#"):
        return html.unescape(whole)
    return html5[f"{name};"] if name in _NAMED else whole


def _unparsable(why: str) -> ApiError:
    return bad_request(f"can't parse entities: {why}")
