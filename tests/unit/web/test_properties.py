"""Whatever is posted: the reader never raises and never loses the body."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from channels.web import WebConfig
from channels.web.fields import safe_name
from channels.web.inbound import read
from crm_core.services.recognising.cleaning import clean

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONFIG = WebConfig("site", "key")
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
_PIECES = [
    *(b"--x", b"--", b"\r\n", b"\n", b"name=", b'"', b"%", b"&", b"=", b"a", b"\xff", b"\r\n\r\n"),
    b'Content-Disposition: form-data; name="f"; filename="g"',
]
_bodies = st.one_of(
    st.binary(max_size=300),
    _json.map(lambda value: json.dumps(value).encode()),
    st.lists(st.sampled_from(_PIECES), max_size=30).map(b"".join),
)  # fmt: skip
_types = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "application/json", "application/json; charset=utf-16", "multipart/form-data; boundary=x",
         "multipart/form-data; boundary*=x''%", "application/x-www-form-urlencoded; charset=idna", "text/plain"]
    ),
)  # fmt: skip


@given(_bodies, _types)
def test_nothing_raises_and_nothing_is_lost(body: bytes, content_type: str) -> None:
    event = read(CONFIG, body, content_type, NOW, fresh=lambda: "new").event
    assert event.raw == body
    assert "\n" not in event.external_id
    clean(event).external_id.encode()
    read(CONFIG, body, "", NOW, external_id=event.external_id)


@given(st.text(max_size=300))
def test_file_names_stay_in_their_folder(name: str) -> None:
    assert not {"/", "\\", "\x00", "\r", "\n"} & set(safe_name(name))
    assert len(safe_name(name)) <= 150
