"""Formatting as HTML: what was formatted stays so, and nothing of a stranger's can run."""

from __future__ import annotations

from html.parser import HTMLParser

import nh3
import pytest
from aiogram.types import MessageEntity
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from channels.telegram.entities import html_of

KINDS = [
    "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote", "expandable_blockquote",
    "text_link", "url", "email", "mention", "hashtag", "custom_emoji", "text_mention", "hologram",
]  # fmt: skip
REL = ' rel="noopener noreferrer nofollow"'


def entity(kind: str, offset: int, length: int, url: str | None = None) -> MessageEntity:
    return MessageEntity(type=kind, offset=offset, length=length, url=url)


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("просто", [], None),
        ("см. e.example", [entity("url", 4, 9)], None),
        ("@anna #да", [entity("mention", 0, 5), entity("hashtag", 6, 3)], None),
        ("жирно", [entity("bold", 0, 5)], "<b>жирно</b>"),
        ("😀 да", [entity("bold", 3, 2)], "😀 <b>да</b>"),
        ("а\nб", [entity("italic", 0, 3)], "<i>а<br>б</i>"),
        ("а\nб", [entity("pre", 0, 3)], "<pre>а\nб</pre>"),
        ("тайна", [entity("spoiler", 0, 5)], '<span class="spoiler">тайна</span>'),
        ("ab cd", [entity("bold", 0, 4), entity("italic", 3, 2)], "<b>ab <i>c</i></b>d"),
        ("abc", [entity("bold", 0, 3), entity("bold", 1, 1)], "<b>abc</b>"),
        ("abc", [entity("italic", 0, 1), entity("bold", 1, 1)], "<i>a</i><b>b</b>c"),
        ("ab", [entity("bold", 1, 99)], "a<b>b</b>"),
        ("ab", [entity("bold", -1, 1), entity("bold", 5, 2), entity("bold", 0, 0)], ""),
        ("<script>", [entity("bold", 0, 8)], "<b>&lt;script&gt;</b>"),
        (
            "a@b.ru и b",
            [entity("email", 0, 6), entity("bold", 9, 1)],
            f'<a href="mailto:a@b.ru"{REL}>a@b.ru</a> и <b>b</b>',
        ),
        (
            "e.example b",
            [entity("url", 0, 9), entity("bold", 10, 1)],
            f'<a href="http://e.example"{REL}>e.example</a> <b>b</b>',
        ),
    ],
)  # fmt: skip
def test_written(text: str, entities: list[MessageEntity], html: str | None) -> None:
    assert html_of(text, entities) == (html or None)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)",
        "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//e.example", "", "https://", "tel:1;x", "mailto:",
    ],
)  # fmt: skip
def test_links_that_lead_nowhere_good_are_words(url: str) -> None:
    assert html_of("сюда", [entity("text_link", 0, 4, url)]) == "сюда"


def test_a_link_can_not_leave_its_attribute() -> None:
    html = html_of("сюда", [entity("text_link", 0, 4, 'https://e.example/"onmouseover="alert(1)')])
    assert html == f'<a href="https://e.example/&quot;onmouseover=&quot;alert(1)"{REL}>сюда</a>'


class Balance(HTMLParser):
    """Notes tags that do not close in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.words: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.words.append("\n")
        else:
            self.opened.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


TEXT = st.text(st.sampled_from("аб😀<>&\"'\n :/.@x"), max_size=40)
ENTITIES = st.lists(
    st.builds(
        entity,
        st.sampled_from(KINDS),
        st.integers(-3, 60),
        st.integers(-3, 60),
        st.none() | st.sampled_from(["https://e.example/'\"<>", "javascript:x"]) | TEXT,
    ),
    max_size=12,
)


@given(TEXT, ENTITIES)
def test_any_entities_give_balanced_html_with_all_words_and_nothing_else(
    text: str, entities: list[MessageEntity]
) -> None:
    html = html_of(text, entities)
    if html is None:
        return
    parser = Balance()
    parser.feed(html)
    parser.close()
    assert parser.opened == []
    assert "".join(parser.words) == text
    allowed = {"a", "b", "i", "u", "s", "code", "pre", "blockquote", "span", "br"}
    attributes = {"a": {"href", "rel"}, "span": {"class"}}
    kept = nh3.clean(html, tags=allowed, attributes=attributes, link_rel=None, url_schemes={"http", "https", "mailto"})
    assert kept.count("<") == html.count("<")


def test_very_many_and_very_deep_entities_are_no_burden() -> None:
    entities = [entity("bold" if number % 2 else "italic", number, 100_000 - 2 * number) for number in range(20_000)]
    html = html_of("я" * 100_000, entities)
    assert html is not None
    assert len(html) < 200_000
