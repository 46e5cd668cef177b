"""HTML of mail on the page: nothing runs, nothing loads by itself, nothing leaves its place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.html import MAX_LENGTH, sanitised, text_of

EVIL = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)><svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' jAvA\tScript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x' style='position:fixed;top:0;left:0;width:100%'>x</a>",
    "<div style='position:fixed;inset:0;z-index:9999;background:url(https://spy.example)'>x</div>",
    "<style>body{background:url(https://spy.example)} @import 'https://spy.example';</style>",
    "<link rel=stylesheet href=https://spy.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://spy.example'>",
    "<base href=https://spy.example/>",
    "<form action=https://spy.example><input name=password><button formaction=https://spy.example>x</button></form>",
    "<iframe src=https://spy.example></iframe><frameset><frame src=https://spy.example></frameset>",
    "<object data=https://spy.example></object><embed src=https://spy.example>",
    "<video src=https://spy.example poster=https://spy.example autoplay></video><audio src=https://spy.example></audio>",
    "<img srcset='https://spy.example 2x' src='https://spy.example/p.gif' width=1 height=1>",
    "<img src='//spy.example/p.gif'><img src='HTTP://spy.example/p.gif'><img src=' https://spy.example/p'>",
    "<img src='ht\ntps://spy.example/p'><image src=https://spy.example>",
    "<table background=https://spy.example><tr><td background=https://spy.example>x</td></tr></table>",
    "<body background=https://spy.example onload=alert(1)>x</body>",
    "<div class=navbar id=login>x</div>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a title='<img src=https://spy.example>'>x</a>",
    "<img alt='\" src=\"https://spy.example' src=cid:x>",
    '<a title=\'<img alt=" href=" src=https://spy.example">x</a>',
    '<p>&lt;img src="https://spy.example"&gt;</p>',
    "<!--<img src=--><img src=https://spy.example>-->",
    "<noscript><p title='</noscript><img src=https://spy.example onerror=alert(1)>'></noscript>",
    "<textarea><img src=https://spy.example></textarea><select><option><img src=https://spy.example></select>",
    "<xml><img src=https://spy.example></xml><details open ontoggle=alert(1)>x</details>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='><img src='data:text/html,x'>",
]
LOADS = re.compile(
    r'<[^>]*\s(?!data-)[a-z-]*(?:src|background|poster|srcset|data|action)\s*=\s*"(?!cid:|data:image/(?:png|jpe?g|gif|webp);)'
)
RUNS = re.compile(r"<[^>]*\s(?:on[a-z]+|style|class|id|formaction|srcdoc)\s*=", re.IGNORECASE)
TAGS = re.compile(
    r"<\s*/?\s*(?:script|style|iframe|object|embed|form|input|button|base|meta|link|svg|math|video)", re.IGNORECASE
)


def harmless(html: str) -> str:
    clean = sanitised(html)
    bare = re.sub(r'(?:title|alt)="[^"]*"', "", clean)
    assert not LOADS.search(bare), clean
    assert not RUNS.search(bare), clean
    assert not TAGS.search(bare), clean
    assert "javascript:" not in bare.lower()
    assert "vbscript:" not in bare.lower()
    return clean


@pytest.mark.parametrize("html", EVIL)
def test_tricks_come_to_nothing(html: str) -> None:
    harmless(html)
    harmless(f"<div><p>before</p>{html}<p>after</p></div>")
    harmless(html * 3)


@given(st.lists(st.one_of(st.sampled_from(EVIL), st.text(alphabet="<>/ =\"'&;img src:x\n!-", max_size=30)), max_size=6))
def test_tricks_together_come_to_nothing(pieces: list[str]) -> None:
    harmless("".join(pieces))


def test_images_wait_for_a_click() -> None:
    html = '<img src="https://client.example/a%20b.png?x=1&amp;y=2" width="120" height="bad" alt="Окно">'
    assert sanitised(html) == '<img data-src="https://client.example/a%20b.png?x=1&amp;y=2" width="120" alt="Окно">'
    assert sanitised('<img src="cid:a@b">') == '<img src="cid:a@b">'
    assert sanitised("<img src='//client.example/a b.png'>") == '<img data-src="https://client.example/a%20b.png">'
    assert sanitised('<img src="data:image/png;base64,iVBORw0=">') == '<img src="data:image/png;base64,iVBORw0=">'
    assert sanitised("<img src='file:///etc/passwd'>") == "<img>"


def test_links_stay_but_lead_nowhere_unasked() -> None:
    assert sanitised('<a href="https://client.example/?a=1&b=2" target=_blank>x</a>') == (
        '<a href="https://client.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow">x</a>'
    )
    for address in ("mailto:a@b.example", "tel:+79161234567"):
        assert f'href="{address}"' in sanitised(f'<a href="{address}">x</a>')
    assert "href" not in sanitised('<a href="/local">x</a><a href="#top">y</a>')


def test_direction_marks_mislead_nobody() -> None:
    assert sanitised("<p>a\u202egpj.exe\u2066b</p>") == "<p>agpj.exeb</p>"


def test_tables_and_lists_are_kept_and_read() -> None:
    html = "<table><tr><td>Окно</td><td>3</td></tr></table><ul><li>a</li></ul><pre>x\n y</pre>"
    assert text_of(sanitised(html)) == "Окно 3\n\n- a\nx\n y"


def test_long_html_is_cut_and_deep_html_loses_its_markup() -> None:
    assert len(sanitised("x" * 2 * MAX_LENGTH)) <= MAX_LENGTH
    assert "<" not in sanitised("<div>" * 1_000 + "words")
    assert "words" in sanitised("<div>" * 1_000 + "words")
