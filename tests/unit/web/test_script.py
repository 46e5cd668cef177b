"""The script as pages load it."""

from __future__ import annotations

import gzip

from channels.web.config import ChatConfig, WebConfig
from channels.web.script import widget
from crm_core.ports import HttpRequest

CONFIG = WebConfig(
    "site", "key-of-the-forms", ("https://example.org",), chat=ChatConfig(title='О "нас" </script>', color="#0a7d4f")
)


def asked(**headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest("GET", "/in/web/site/widget.js", {}, named, b"", "127.0.0.1")


def test_it_is_small_and_knows_its_site() -> None:
    answer = widget(CONFIG, asked())
    assert len(answer.body) < 30_000
    script = answer.body.decode()
    assert '"color":"#0a7d4f"' in script
    assert "__" not in script, "all of it was put in"
    assert CONFIG.key not in script
    assert "</script" not in script
    packed = widget(CONFIG, asked(accept_encoding="gzip, br"))
    assert gzip.decompress(packed.body) == answer.body
    assert ("Content-Encoding", "gzip") in packed.headers


def test_a_browser_that_has_it_is_told_so() -> None:
    tag = dict(widget(CONFIG, asked()).headers)["ETag"]
    again = widget(CONFIG, asked(if_none_match=tag))
    assert (again.status, again.body) == (304, b"")
    assert widget(WebConfig("other", "k"), asked(if_none_match=tag)).status == 200


def test_it_uses_nothing_that_makes_text_into_page() -> None:
    script = widget(CONFIG, asked()).body.decode()
    for dangerous in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "cookie",
    ):
        assert dangerous not in script
