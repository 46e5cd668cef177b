"""Files that come with the forms of pages: large ones, too large ones, sounds for the PBX."""

from __future__ import annotations

import io
import zipfile

import pytest
from aiohttp import ClientResponse, FormData

from crm_core.model.user import Role
from hub.http.api import files as api_files
from hub.settings.model import ImportSettings
from tests.integration.http.test_sounds import wav
from tests.integration.web.conftest import Browser, Workspace

SOUNDS = "/office/sounds"


async def brought(
    browser: Browser, path: str, page: str, *files: tuple[str, str, bytes], **fields: str
) -> ClientResponse:
    """Send a form with files `(field, name, content)`."""
    form = FormData()
    form.add_field("csrf", await browser.token(page))
    for key, value in fields.items():
        form.add_field(key, value)
    for field, name, content in files:
        form.add_field(field, io.BytesIO(content), filename=name, content_type="application/octet-stream")
    return await browser.client.post(path, data=form, allow_redirects=False)


def docx(padding: int) -> bytes:
    """A Word file with a picture of so many bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
            '<Override PartName="/word/document.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            'officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            "<w:body><w:p><w:r><w:t>Договор {{ contact.name }}</w:t></w:r></w:p></w:body></w:document>",
        )
        archive.writestr("word/media/image1.png", bytes(padding))
    return file.getvalue()


async def test_a_word_template_of_several_megabytes_is_kept(workspace: Workspace) -> None:
    root, page = await workspace.visitor(), "/office/documents/new"
    word = ("file:docx", "Договор.docx", docx(3_000_000))
    response = await brought(root, page, page, word, act="save", name="Договор", version="0", file_name="Договор")
    assert response.status == 303, await response.text()
    body = str(await workspace.scalar("SELECT body FROM definition WHERE section = 'document' AND name = 'Договор'"))
    assert "Договор.docx" in body


async def test_what_is_too_large_or_empty_is_told_and_nothing_typed_is_lost(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.office.letters.MAX_FILE", 1024 * 1024)
    root, page = await workspace.visitor(), "/office/templates/new"
    large = ("file:attachments", "прайс.pdf", bytes(1024 * 1024 + 1))
    response = await brought(root, page, page, large, act="save", name="Прайс", version="0", text="Вот наш прайс")
    text = await response.text()
    assert response.status == 400
    assert "Файл «прайс.pdf» больше 1 МБ" in text
    assert "Вот наш прайс" in text
    empty = ("file:attachments", "прайс.pdf", b"")
    response = await brought(root, page, page, empty, act="save", name="Прайс", version="0", text="Вот наш прайс")
    assert "Файл «прайс.pdf» пуст" in await response.text()
    most = f'data-largest="{api_files.MAX_FILE}"'
    assert most in await root.get(page), "a browser with scripts refuses before it sends"


async def test_forms_without_files_stay_small(workspace: Workspace) -> None:
    root = await workspace.visitor()
    large = ("file", "x.bin", bytes(2 * 1024 * 1024))
    assert (await brought(root, "/office/new-person", "/office/new-person", large, login="x")).status == 413


async def test_a_table_comes_with_the_form_itself(workspace: Workspace) -> None:
    root, page = await workspace.visitor(), "/office/imports"
    table = ("file", "база.csv", "имя;телефон\n".encode() + "Анна;+79161234567\n".encode() * 60_000)
    response = await brought(root, f"{page}/columns", page, table, kind="contacts")
    assert response.status == 200, await response.text()
    assert "база.csv" in await response.text()


async def test_a_table_that_is_too_large_is_told_with_what_to_do(workspace: Workspace) -> None:
    root, page = await workspace.visitor(), "/office/imports"
    settings = workspace.hub.settings
    object.__setattr__(settings, "imports", ImportSettings(max_size=1024 * 1024))
    table = ("file", "база.csv", b"x;" * 1024 * 1024)
    response = await brought(root, f"{page}/columns", page, table, kind="deals")
    text = await response.text()
    assert response.status == 422
    assert "больше 1 МБ" in text
    assert "max_size" in text


async def test_sounds_are_uploaded_heard_replaced_and_taken_away(workspace: Workspace) -> None:
    root = await workspace.visitor()
    page = await root.get(SOUNDS)
    assert "office" in page
    long = wav(60.0, rate=16000)
    assert len(long) > 1024 * 1024
    response = await brought(root, f"{SOUNDS}/office", SOUNDS, ("file", "Privet.wav", long))
    assert response.status == 303, await response.text()
    page = await root.get(SOUNDS)
    assert "«custom/privet»" in page
    assert (await root.client.get(f"{SOUNDS}/office/privet")).headers["Content-Type"] == "audio/wav"
    gone = await root.send(f"{SOUNDS}/office/privet/remove", page=SOUNDS)
    assert gone.status == 303
    await root.send(f"{SOUNDS}/office/privet/remove", page=SOUNDS)
    assert "Звука уже нет" in await root.get(SOUNDS)
    await root.get(f"{SOUNDS}/office/privet", status=404)


@pytest.mark.parametrize(
    ("name", "file", "word"),
    [
        ("привет", ("file", "a.wav", wav()), "привет"),
        ("privet", ("file", "a.mp3", b"ID3"), "WAV"),
        ("privet", ("file", "", b""), "Выберите файл"),
        ("", ("file", "Моя запись.wav", wav()), "запись"),
    ],
)
async def test_a_sound_that_can_not_be_played_is_refused_and_its_name_stays(
    workspace: Workspace, name: str, file: tuple[str, str, bytes], word: str
) -> None:
    root = await workspace.visitor()
    response = await brought(root, f"{SOUNDS}/office", SOUNDS, file, name=name)
    text = await response.text()
    assert response.status == 400
    assert word in text
    assert f'name="name" value="{name}"' in text


async def test_sounds_are_for_those_who_keep_them(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await ivan.get(SOUNDS, status=403)
    root = await workspace.visitor()
    assert (await brought(root, f"{SOUNDS}/nowhere", SOUNDS, ("file", "a.wav", wav()))).status == 404
