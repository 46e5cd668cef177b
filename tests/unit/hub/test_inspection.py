"""Files of strangers: what they truly are, and every bomb recognised without setting it off."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_core.model.file_warning import FileWarning, read_warnings, written
from hub.files import DiskFiles
from hub.http.sending import attachment_headers, may_be_shown
from hub.inspection import FileInspector, Judgement, door, judge

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def look(folder: Path, content: bytes, name: str, declared: str) -> Judgement:
    path = folder / "content"
    path.write_bytes(content)
    return judge(path, name, declared)


def png(width: int, height: int, body: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    start = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return start + frame + b"\xff\xd9"


def zipped(*names: str, content: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return target.getvalue()


def test_sound_files_are_what_they_say(tmp_path: Path) -> None:
    for content, name, declared, kept in (
        (png(100, 50), "a.png", "image/png", "image/png"),
        (jpeg(640, 480), "a.jpg", "image/jpeg", "image/jpeg"),
        (b"GIF89a\x10\x00\x10\x00\x00\x00\x00;", "a.gif", "image/gif", "image/gif"),
        (b"%PDF-1.7\n1 0 obj", "a.pdf", "application/pdf", "application/pdf"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x13OpusHead", "v.oga", "audio/ogg", "audio/ogg"),
        (
            b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00M4A mp42isom\x00\x00\x00\x00",
            "v.m4a",
            "audio/x-m4a",
            "audio/x-m4a",
        ),
        ("Привет".encode(), "a.txt", "text/plain", "text/plain; charset=utf-8"),
        (b"a;b\n1;2\n", "a.csv", "text/csv", "text/csv"),
        (b"BMW and MZ are letters", "a.txt", "text/plain", "text/plain; charset=utf-8"),
        (zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "a.docx", DOCX, DOCX),
        (zipped("readme.txt", "photo.jpg"), "a.zip", "application/zip", "application/zip"),
        (b"", "empty.txt", "text/plain", "text/plain"),
    ):
        found = look(tmp_path, content, name, declared)
        assert found == Judgement(kept), name


@pytest.mark.parametrize(
    ("content", "name", "declared", "warning"),
    [
        (b"MZ\x90\x00" + bytes(200), "photo.jpg", "image/jpeg", FileWarning.EXECUTABLE),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "a", "application/octet-stream", FileWarning.EXECUTABLE),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x34", "a.dat", "", FileWarning.EXECUTABLE),
        (b"anything", "счёт.pdf.exe", "application/pdf", FileWarning.EXECUTABLE),
        (b"anything", "счёт.pdf.scr . ", "application/pdf", FileWarning.EXECUTABLE),
        (zipped("META-INF/MANIFEST.MF", "A.class"), "a.zip", "application/zip", FileWarning.EXECUTABLE),
        (b"#!/bin/sh\nrm -rf /", "readme", "text/plain", FileWarning.SCRIPT),
        (b"WScript.Echo(1)", "a.js", "text/plain", FileWarning.SCRIPT),
        (b"<html><script>alert(1)</script>", "a.txt", "text/plain", FileWarning.SCRIPT),
        (b"<?xml version='1.0'?><svg onload='x()'><script/></svg>", "a.svg", "image/svg+xml", FileWarning.SCRIPT),
        (b"%PDF-1.7\n<< /S /JavaScript /JS (app.alert(1)) >>", "a.pdf", "application/pdf", FileWarning.SCRIPT),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx", DOCX, FileWarning.MACROS),
        (b"anything", "a.xlsm", "", FileWarning.MACROS),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "_VBA_PROJECT".encode("utf-16-le"),
            "a.doc",
            "application/msword",
            FileWarning.MACROS,
        ),
        (zipped("счёт.exe"), "a.zip", "application/zip", FileWarning.HIDES_EXECUTABLE),
        (zipped("inner.zip"), "a.zip", "application/zip", FileWarning.NESTED),
        (b"Rar!\x1a\x07\x01\x00" + bytes(20), "a.rar", "application/vnd.rar", FileWarning.UNSEEN),
        (b"PK\x03\x04" + bytes(100), "a.zip", "application/zip", FileWarning.UNSEEN),
        (b"%PDF-1.7\n", "a.png", "image/png", FileWarning.MISMATCH),
        (b"plain words", "a.png", "image/png", FileWarning.MISMATCH),
        (png(100, 100)[:20], "a.png", "image/png", FileWarning.MISMATCH),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a.txt", "text/plain", FileWarning.MISMATCH),
    ],
)
def test_what_is_suspicious_is_said(
    tmp_path: Path, content: bytes, name: str, declared: str, warning: FileWarning
) -> None:
    found = look(tmp_path, content, name, declared)
    assert warning in found.warnings
    assert not may_be_shown(found.content_type, len(content), written(found.warnings))


def test_a_pixel_bomb_is_known_by_its_header(tmp_path: Path) -> None:
    for content, name in ((png(50_000, 50_000, bytes(1000)), "a.png"), (jpeg(65_000, 65_000), "a.jpg")):
        assert len(content) < 2000
        found = look(tmp_path, content, name, f"image/{name[2:].replace('jpg', 'jpeg')}")
        assert found.warnings == {FileWarning.PIXELS}
    assert look(tmp_path, png(31_000, 2), "a.png", "image/png").warnings == {FileWarning.PIXELS}


def test_a_zip_bomb_is_known_by_its_table(tmp_path: Path) -> None:
    bomb = zipped("zeros", content=bytes(128 * 1024 * 1024))
    assert len(bomb) < 200_000
    started = time.perf_counter()
    assert FileWarning.BOMB in look(tmp_path, bomb, "a.zip", "application/zip").warnings
    assert time.perf_counter() - started < 60


def test_a_table_that_only_claims_is_believed(tmp_path: Path) -> None:
    honest = bytearray(zipped("a.txt"))
    at = honest.find(b"PK\x01\x02")
    honest[at + 24 : at + 28] = struct.pack("<I", 0xFFFF_FFF0)
    assert FileWarning.BOMB in look(tmp_path, bytes(honest), "a.zip", "application/zip").warnings


def test_entries_that_overlap_are_a_bomb(tmp_path: Path) -> None:
    whole = zipped("a", content=bytes(range(256)) * 4096)
    at, end = whole.find(b"PK\x01\x02"), whole.find(b"PK\x05\x06")
    entry, many = whole[at:end], 500
    table = entry * many
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, many, many, len(table), at, 0)
    assert FileWarning.BOMB in look(tmp_path, whole[:at] + table + tail, "a.zip", "application/zip").warnings


def test_a_table_of_absurd_length_is_not_read(tmp_path: Path) -> None:
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0, 0)
    longer = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**9, 10**9, 10**12, 0)
    found = look(tmp_path, b"PK\x03\x04" + bytes(64) + longer + tail, "a.zip", "application/zip")
    assert found.warnings == {FileWarning.BOMB}


def test_a_zip_within_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = zipped("zeros", content=bytes(16 * 1024 * 1024))
    for _ in range(3):
        inner = zipped(*(f"{n}.zip" for n in range(4)), content=inner)
    found = look(tmp_path, inner, "42.zip", "application/zip")
    assert FileWarning.NESTED in found.warnings


def test_an_encrypted_zip_is_said_to_be(tmp_path: Path) -> None:
    content = bytearray(zipped("a.txt"))
    content[content.find(b"PK\x01\x02") + 8] |= 1
    assert FileWarning.ENCRYPTED in look(tmp_path, bytes(content), "a.zip", "application/zip").warnings


def test_a_gzip_that_grows_without_measure(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024))
    assert look(tmp_path, bomb, "a.gz", "application/gzip").warnings == {FileWarning.BOMB}
    assert look(tmp_path, gzip.compress(b"hello" * 100), "a.gz", "application/gzip").warnings == frozenset()


def test_html_in_a_pictures_clothes_goes_out_as_bytes(tmp_path: Path) -> None:
    found = look(tmp_path, b"<!DOCTYPE html><script>alert(1)</script>", "a.png", "image/png")
    headers = attachment_headers("a.png", found.content_type, inline=may_be_shown(found.content_type, 40, ""))
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("media", "size", "shown"),
    [
        ("image/png", 1000, True),
        ("image/jpeg", 40 * 1024 * 1024, False),
        ("video/mp4", 40 * 1024 * 1024, True),
        ("text/plain; charset=utf-8", 1000, True),
        ("text/plain", 2 * 1024 * 1024, False),
        ("application/pdf", 1000, False),
        ("image/svg+xml", 1000, False),
        ("text/html", 1000, False),
        ("image/png", None, False),
    ],
)
def test_only_harmless_things_of_sane_size_are_shown(media: str, size: int | None, shown: bool) -> None:
    assert may_be_shown(media, size, "") is shown
    assert not may_be_shown(media, size, "bomb")


@pytest.mark.parametrize(
    "media", ["application/javascript", "text/css", "text/ecmascript", "application/xml", "image/svg+xml", "text/x-php"]
)
def test_what_could_be_run_loses_its_type(media: str) -> None:
    assert attachment_headers("a", media)["Content-Type"] == "application/octet-stream"


def test_office_documents_keep_their_type() -> None:
    for media in (DOCX, "application/pdf", "application/msword", "application/vnd.ms-excel", "text/csv"):
        assert attachment_headers("a", media)["Content-Type"] == media


def test_warnings_are_read_as_they_were_written() -> None:
    text = written([FileWarning.MISMATCH, FileWarning.EXECUTABLE, FileWarning.MISMATCH])
    assert text == "executable,mismatch"
    assert read_warnings(f"{text},unheard of") == (FileWarning.EXECUTABLE, FileWarning.MISMATCH)
    assert read_warnings("") == ()


HEADS = [
    png(5, 5)[:24],
    jpeg(5, 5)[:20],
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"%PDF-",
    b"RIFF\x00\x00\x00\x00WEBPVP8X",
    b"II*\x00",
    b"\x00\x00\x00\x18ftypheic",
    b"BM",
    b"<svg",
    b"",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=600), st.text(max_size=40), st.text(max_size=40))
def test_no_file_can_keep_from_being_judged(tmp_path: Path, head: bytes, rest: bytes, name: str, declared: str) -> None:
    found = look(tmp_path, head + rest, name, declared)
    assert found.content_type
    attachment_headers(name, found.content_type)


async def test_a_file_that_breaks_a_parser_is_taken_in_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = DiskFiles(tmp_path)
    stored = await files.put_bytes(b"PK")

    def broken(*_: object) -> Judgement:
        raise IndexError("list index out of range")

    monkeypatch.setattr(door, "judge", broken)
    found = await FileInspector(files).look(stored.sha256, "a.zip", "application/zip")
    assert found == Judgement("application/octet-stream", frozenset({FileWarning.UNSEEN}))
