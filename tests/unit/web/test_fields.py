"""What browsers and site builders post, however they write it."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from channels.web import WebConfig
from channels.web.fields import MalformedForm, read_fields
from channels.web.inbound import Arrival, read
from crm_core.messages import FormSubmitted, Ignored, Unparsable, Utm

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONFIG = WebConfig("site", "secret-key", ("https://example.org",))
JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"


def arrival(body: bytes | str, kind: str = URLENCODED) -> Arrival:
    return read(CONFIG, body.encode() if isinstance(body, str) else body, kind, NOW, fresh=lambda: "new:1")


def form(body: bytes | str, kind: str = URLENCODED) -> FormSubmitted:
    payload = arrival(body, kind).event.payload
    assert isinstance(payload, FormSubmitted)
    return payload


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--xx\r\n" + part + b"\r\n" for part in parts) + b"--xx--\r\n"


def test_named_fields_have_their_places_and_others_become_custom() -> None:
    found = form(
        "Name=%D0%98%D0%B2%D0%B0%D0%BD&PHONE=8+916+123-45-67&email=i%40example.org&message=Hi&page=https://e.org/a"
        "&utm_source=ya&utm_medium=cpc&utm_campaign=c&utm_content=d&utm_term=t&utm_id=9&City=Тверь&City=Москва&empty="
    )
    assert found == FormSubmitted(
        name="Иван",
        phone="8 916 123-45-67",
        email="i@example.org",
        message="Hi",
        page="https://e.org/a",
        utm=Utm("ya", "cpc", "c", "d", "t"),
        fields=(("utm_id", "9"), ("City", "Тверь, Москва")),
    )


def test_two_numbers_in_one_field_are_left_as_they_are() -> None:
    assert form("phone=%2B7+916+123-45-67%2C+8+495+123-45-67").phone == "+7 916 123-45-67, 8 495 123-45-67"


def test_nested_json_is_flattened_and_bounded() -> None:
    found = form(
        '{"name": "Иван", "data": {"city": {"id": 5}, "tags": ["a", 1, true], "rows": [{"x": null}]}, "n": 1.5}', JSON
    )
    assert found.name == "Иван"
    assert found.fields == (("data.city.id", "5"), ("data.tags", "a, 1, true"), ("n", "1.5"))
    deep = '{"name": "a", "d": ' + '{"d":' * 500 + "1" + "}" * 500 + "}"
    assert form(deep, JSON).name == "a"
    many = "{" + ",".join(f'"k{n}": "{n}"' for n in range(10_000)) + "}"
    assert len(form(many, JSON).fields) == 300


def test_line_breaks_and_controls_stay_out_of_single_lines() -> None:
    found = form(
        '{"name": "a\\r\\nb\\u0000", "phone": "+7\\n916", "message": "x\\r\\ny\\u0007", "f\\nk": "1\\r\\n2"}', JSON
    )
    assert (found.name, found.phone, found.message, found.fields) == ("a b", "+7 916", "x\ny", (("f k", "1\n2"),))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"name=" + quote("Пётр", encoding="cp1251").encode(), URLENCODED),
        (b"name=" + "Пётр".encode("cp1251"), URLENCODED),
        (b"name=" + quote("Пётр", encoding="koi8-r").encode(), f"{URLENCODED}; charset=koi8-r"),
        ('{"name": "Пётр"}'.encode("cp1251"), JSON),
        ('\ufeff{"name": "Пётр"}'.encode(), JSON),
        ('{"name": "Пётр"}'.encode(), "text/plain;charset=UTF-8"),
        ("name=Пётр".encode(), ""),
        ("name=Пётр".encode(), "nonsense; charset=rot13"),
        (multipart(b'Content-Disposition: form-data; name="name"\r\n\r\n' + "Пётр".encode()), MULTIPART),
        (multipart(b'Content-Disposition: form-data; name="name"\r\n\r\n' + "Пётр".encode()), ""),
    ],
)
def test_charsets_and_missing_declarations(body: bytes, kind: str) -> None:
    assert form(body, kind).name == "Пётр"


def test_files_come_whole_with_safe_names() -> None:
    content = bytes(range(256)) + b"\r\n--x\r\n\n\r"
    body = multipart(
        b'Content-Disposition: form-data; name="name"\r\n\r\nIvan',
        b'Content-Disposition: form-data; name="f"; filename="..\\..\\%22a%22.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + content,
        b"Content-Disposition: form-data; name=\"g\"; filename*=UTF-8''%D1%8F.txt\r\n\r\nx",
        b'Content-Disposition: form-data; name="none"; filename=""\r\n\r\n',
    )
    found = arrival(body, MULTIPART)
    assert [(file.field, file.name, file.content_type) for file in found.files] == [
        ("f", "a.pdf", "application/pdf"),
        ("g", "я.txt", "application/octet-stream"),
    ]
    assert found.files[0].content == content
    payload = found.event.payload
    assert isinstance(payload, FormSubmitted)
    assert [file.size for file in payload.attachments] == [len(content), 1]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{", JSON),
        ("[1]", JSON),
        ("null", JSON),
        ("[" * 100_000, JSON),
        ("just words", ""),
        ("x", MULTIPART),
        ("x", "multipart/form-data"),
    ],
)
def test_what_can_not_be_read_is_kept_as_such(body: str, kind: str) -> None:
    with pytest.raises(MalformedForm):
        read_fields(body.encode(), kind)
    found = arrival(body, kind)
    assert found.trouble
    assert isinstance(found.event.payload, Unparsable)
    assert found.event.raw == body.encode()


@pytest.mark.parametrize(
    "body", ["", "name=", "utm_source=ya&page=x", "id=5", "name=+%0d%0a", "_redirect=https://example.org"]
)
def test_nothing_is_empty(body: str) -> None:
    assert arrival(body).empty


def test_the_hidden_id_is_the_forms_own() -> None:
    assert arrival("name=a&submission_id=77").event.external_id == "id:77"
    assert arrival("name=b&submission_id=77").event.external_id == "id:77"
    assert arrival("name=a").event.external_id == "new:1"
    one, same, other = (arrival(f"name={name}&id=5").event.external_id for name in ("a", "a", "b"))
    assert one == same != other
    assert len(arrival("name=a&submission_id=" + "x" * 5000).event.external_id) < 100
    boundaries = {
        arrival(
            multipart(b'Content-Disposition: form-data; name="form_id"\r\n\r\n9').replace(b"xx", mark),
            f"multipart/form-data; boundary={mark.decode()}",
        ).event.external_id
        for mark in (b"one", b"two")
    }
    assert len(boundaries) == 1


def test_a_robot_falls_into_the_trap() -> None:
    assert isinstance(arrival("name=a&_trap=buy").event.payload, Ignored)
    assert isinstance(arrival("name=a&_trap=").event.payload, FormSubmitted)


def test_the_key_is_repeated_nowhere() -> None:
    assert form("name=a&key=secret-key&other=1").fields == (("other", "1"),)


def test_a_form_read_again_from_its_raw_body_is_the_same() -> None:
    bodies = (("name=a&x=1", URLENCODED), ('{"name": "a"}', JSON))
    for body, kind in bodies:
        event = arrival(body, kind).event
        again = read(CONFIG, event.raw, "", NOW, external_id=event.external_id).event
        assert again.payload == event.payload
        assert again.external_id == event.external_id
