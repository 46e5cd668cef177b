"""HTML of a mail: made harmless for the page, and read as text where the mail has no text of its own."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import nh3

_TAGS = {
    "a", "abbr", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd",
    "del", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol",
    "p", "pre", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "tt", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
    "ol": {"start"},
    "font": {"color"},
    "img": {"src", "alt", "width", "height"},
}
_DROPPED = {
    "script", "style", "title", "noscript", "template", "svg", "math", "object", "iframe", "frameset", "noembed",
    "noframes", "textarea", "select", "applet", "audio", "video", "canvas", "xml",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_LINKS = ("http://", "https://", "mailto:", "tel:")
_DRAWN = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")
_BREAK = re.compile(r"[\t\r\n\f]")
_SIZE = re.compile(r"[0-9]{1,4}\Z")
_IMAGE = re.compile(r"<img(?: [a-z]+=\"[^\"<>]*\")* ?/?>")
_REMOTE = re.compile(r" src=\"(?=https?:)", re.IGNORECASE)
# What takes part of the page for itself, or writes another direction over what follows.
_UNSEEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BLOCKS = {
    "p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre",
    "hr", "center", "dl", "dt", "dd",
}  # fmt: skip
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "pre"}
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_MAX_QUOTES = 20
# The cost of sanitising grows with the square of the depth, and that of reading is noticed beyond this length.
MAX_LENGTH = 200_000
_MAX_DEPTH = 300
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]{0,15})", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_NEVER_DEEP = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr", "p", "li", "td", "tr", "th", "dt", "dd", "option", "html", "head", "body", "tbody", "thead",
    "tfoot", "colgroup",
}  # fmt: skip


def sanitised(html: str) -> str:
    """The same HTML without anything that runs, loads from elsewhere, or reaches out of its place on the page.

    Images from elsewhere have their address in `data-src`, so that a page may load them when it is asked to; images
    that came with the mail keep `src="cid:…"`.
    Of a very long one the beginning; one that is nested beyond reason loses its markup. The raw mail has the rest.
    """
    begun = html[:MAX_LENGTH].replace("\x00", "")
    if _depth(begun) > _MAX_DEPTH:
        return escape(_SPACE.sub(" ", _ANY_TAG.sub(" ", begun)))
    clean = nh3.clean(
        _UNSEEN.sub("", begun),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_DROPPED,
        url_schemes=_SCHEMES,
        attribute_filter=_attribute,
        link_rel="noopener noreferrer nofollow",
    )
    # No attribute holds a bracket any more, so that only images begin like this.
    return _IMAGE.sub(lambda found: _REMOTE.sub(' data-src="', found[0]), clean)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The value that an attribute may have; None drops it."""
    plain = value.replace("<", "").replace(">", "")
    match tag, name:
        case "a", "href":
            return plain.strip() if plain.strip().lower().startswith(_LINKS) else None
        case "img", "src":
            return _source(_BREAK.sub("", plain).strip().replace(" ", "%20"))
        case "img", ("width" | "height"):
            return plain if _SIZE.match(plain) else None
        case _:
            return plain


def _source(address: str) -> str | None:
    low = address[:40].lower()
    if low.startswith(("http://", "https://", "cid:")) or _DRAWN.match(address):
        return address
    return f"https:{address}" if low.startswith("//") else None


def _depth(html: str) -> int:
    """How deep elements may lie in each other, at most."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() in _NEVER_DEEP:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def text_of(clean_html: str) -> str:
    """Sanitised HTML as plain text; quotations get `> ` before each line, as plain mail has them."""
    reader = _Reader()
    reader.feed(clean_html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects lines. Fed only with what `sanitised` wrote, so that its tags are in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._pre = 0
        self._blank = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base names it
        match tag:
            case "br":
                self._break()
            case "blockquote":
                self._end_line()
                self._depth += 1
            case "li":
                self._end_line()
                self._line.append("- ")
            case "td" | "th":
                if self._line:
                    self._line.append(" ")
            case _ if tag in _BLOCKS:
                self._end_line()
                self._pre += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag not in _BLOCKS:
            return
        self._end_line()
        if tag == "blockquote":
            self._depth = max(0, self._depth - 1)
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        self._blank = self._blank or tag in _PARAGRAPHS

    def handle_data(self, data: str) -> None:
        if self._pre:
            first, *rest = data.split("\n")
            self._line.append(first)
            for line in rest:
                self._break()
                self._line.append(line)
            return
        piece = _SPACE.sub(" ", data)
        if piece.strip() or self._line:
            self._line.append(piece if self._line else piece.lstrip())

    def text(self) -> str:
        """What was read."""
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def _break(self) -> None:
        self._write("".join(self._line).rstrip())

    def _end_line(self) -> None:
        line = "".join(self._line).rstrip()
        if line:
            self._write(line)
        self._line.clear()

    def _write(self, line: str) -> None:
        prefix = "> " * min(self._depth, _MAX_QUOTES)
        if self._blank and self._lines and line:
            self._lines.append(prefix.rstrip())
        self._blank = False
        self._lines.append((prefix + line).rstrip())
        self._line.clear()
