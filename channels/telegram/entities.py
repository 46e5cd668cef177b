"""The formatting of a message as harmless HTML: every tag is written here, and nothing of the sender's is unescaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from aiogram.types import MessageEntity

_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
}
_LINKS = frozenset({"text_link", "url", "email"})
_HARMLESS = re.compile(r"(?:https?://[^\s\x00-\x1f]+|mailto:[^\s\x00-\x1f]+|tel:[+0-9-]+)\Z", re.IGNORECASE)
_HOST = re.compile(r"[^\s:/?#]+\.[^\s]+\Z")
_MOST = 500
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class _Span:
    """A formatted piece: characters from `start` to `end`, and its tag with what belongs into it."""

    start: int
    end: int
    tag: str
    attributes: str = ""


def html_of(text: str, entities: Sequence[MessageEntity]) -> str | None:
    """The text as HTML; None where nothing is formatted. Line breaks are `<br>`.

    Pieces that overlap without one lying in the other are cut at the end of the outer one.
    """
    spans = sorted(_spans(text, entities), key=lambda span: (span.start, -span.end))
    if not any(span.tag != "a" for span in spans) and not any(entity.type == "text_link" for entity in entities):
        return None
    return "".join(_written(text, spans))


def escaped(text: str) -> str:
    """Plain text as HTML."""
    return escape(text).replace("\n", "<br>")


def _written(text: str, spans: Iterable[_Span]) -> Iterator[str]:
    at = 0
    opened: list[_Span] = []
    for span in spans:
        while opened and opened[-1].end <= span.start:
            yield from _closed(text, at, opened[-1], opened)
            at = max(at, opened.pop().end)
        end = min(span.end, opened[-1].end) if opened else span.end
        if end <= span.start or len(opened) >= _DEEPEST or any(each.tag == span.tag for each in opened):
            continue
        yield _between(text, at, span.start, opened)
        at = max(at, span.start)
        yield f"<{span.tag}{span.attributes}>"
        opened.append(_Span(span.start, end, span.tag))
    while opened:
        yield from _closed(text, at, opened[-1], opened)
        at = max(at, opened.pop().end)
    yield escaped(text[at:])


def _closed(text: str, at: int, span: _Span, opened: Sequence[_Span]) -> Iterator[str]:
    yield _between(text, at, span.end, opened)
    yield f"</{span.tag}>"


def _between(text: str, start: int, end: int, opened: Sequence[_Span]) -> str:
    piece = text[start:end]
    return escape(piece) if any(span.tag == "pre" for span in opened) else escaped(piece)


def _spans(text: str, entities: Sequence[MessageEntity]) -> Iterator[_Span]:
    place = _places(text)
    for entity in entities[:_MOST]:
        start, end = place(entity.offset), place(entity.offset + entity.length)
        if entity.offset < 0 or entity.length <= 0 or end <= start:
            continue
        if entity.type in _LINKS:
            target = _target(entity, text[start:end])
            if target is not None:
                yield _Span(start, end, "a", f' href="{escape(target)}" rel="noopener noreferrer nofollow"')
        elif entity.type == "spoiler":
            yield _Span(start, end, "span", ' class="spoiler"')
        elif entity.type in _TAGS:
            yield _Span(start, end, _TAGS[entity.type])


def _target(entity: MessageEntity, words: str) -> str | None:
    """Where a link leads, if nowhere that anything runs."""
    match entity.type:
        case "text_link":
            target = entity.url or ""
        case "email":
            target = f"mailto:{words}"
        case _:
            target = words if _HARMLESS.match(words) else f"http://{words}" if _HOST.match(words) else ""
    return target if _HARMLESS.match(target) else None


class _places:  # noqa: N801 - used as a function
    """From UTF-16 units, by which Telegram counts, to characters."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._starts: list[int] | None = None
        if any(char > "\uffff" for char in text):
            starts: list[int] = []
            for index, char in enumerate(text):
                starts += [index, index] if char > "\uffff" else [index]
            self._starts = starts

    def __call__(self, units: int) -> int:
        starts = self._starts
        if starts is None:
            return max(0, min(units, self._length))
        return starts[units] if 0 <= units < len(starts) else (0 if units < 0 else self._length)
