"""Who is who in the workspace: evidence, suggestions, merging and parting, special lists, warnings of files."""

from __future__ import annotations

import pytest

from crm_core.messages import Attachment
from crm_core.model.user import Role
from tests.integration.http.world import later
from tests.integration.storage.world import form, mail, missed
from tests.integration.web.conftest import Workspace

NUMBER = "+79161234567"
ADDRESS = "anna@example.org"
EVIL = '<script>alert("x")</script>'


async def suggested(workspace: Workspace) -> tuple[int, int, int]:
    """A caller, a writer, and the suggestion that a form made of them."""
    await workspace.hub.intake.receive(missed("c1", NUMBER, later(0)))
    await workspace.hub.intake.receive(mail(ADDRESS, "m1", later(1)))
    await workspace.hub.intake.receive(form(later(2), phone=NUMBER, email=ADDRESS))
    caller = await workspace.scalar(f"SELECT contact_id FROM identity WHERE key = 'tel:{NUMBER}'")
    writer = await workspace.scalar(f"SELECT contact_id FROM identity WHERE key = 'mailto:{ADDRESS}'")
    number = await workspace.scalar("SELECT id FROM suggestion")
    return int(str(caller)), int(str(writer)), int(str(number))


async def test_a_suggestion_is_accepted_by_a_press_and_undone(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    caller, writer, number = await suggested(workspace)
    for card in (caller, writer):
        page = await ivan.get(f"/contacts/{card}")
        assert "Возможно, тот же человек" in page
        assert "60 %" in page
        assert ADDRESS in page
    response = await ivan.send(f"/contacts/{writer}/suggestions/{number}/accept", page=f"/contacts/{writer}")
    left = int(response.headers["Location"].rpartition("/")[2])
    assert left in {caller, writer}
    page = await ivan.get(f"/contacts/{left}")
    assert "Карточки объединены" in page
    assert "Сюда вошла карточка" in page
    assert "Возможно, тот же человек" not in page
    assert ADDRESS in page
    assert "звонили с этого номера" in page
    response = await ivan.send(f"/contacts/{left}/unmerge", page=f"/contacts/{left}")
    page = await ivan.get(response.headers["Location"])
    assert "Карточки снова отдельно" in page
    assert "Возможно, тот же человек" in page


async def test_a_suggestion_is_dismissed_by_a_press(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    caller, _, number = await suggested(workspace)
    path = f"/contacts/{caller}/suggestions/{number}/dismiss"
    assert (await ivan.send(path, page=f"/contacts/{caller}", csrf="forged")).status == 303
    assert "Возможно, тот же человек" in await ivan.get(f"/contacts/{caller}")
    await ivan.send(path, page=f"/contacts/{caller}")
    page = await ivan.get(f"/contacts/{caller}")
    assert "это разные люди" in page
    assert "Возможно, тот же человек" not in page
    await ivan.send(path, page=f"/contacts/{caller}")
    assert "уже решено" in await ivan.get(f"/contacts/{caller}")


@pytest.mark.parametrize("typed", ["number", "8 916 123-45-67", "card"])
async def test_a_card_is_merged_with_what_is_typed(workspace: Workspace, typed: str) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    caller, writer, _ = await suggested(workspace)
    other = {"number": NUMBER, "card": f"№ {caller}"}.get(typed, typed)
    await ivan.send(f"/contacts/{writer}/merge", page=f"/contacts/{writer}", other=other)
    page = await ivan.get(f"/contacts/{writer}")
    assert "Карточки объединены" in page
    assert await workspace.scalar(f"SELECT merged_into FROM contact WHERE id = {caller}") == writer


@pytest.mark.parametrize("typed", ["+79990000000", "nobody@x.ru", "999999", EVIL, "tg:"])
async def test_nobody_is_merged_with_nobody(workspace: Workspace, typed: str) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    caller, _, _ = await suggested(workspace)
    await ivan.send(f"/contacts/{caller}/merge", page=f"/contacts/{caller}", other=typed)
    page = await ivan.get(f"/contacts/{caller}")
    assert "не найдена" in page
    assert EVIL not in page


async def test_a_card_is_not_merged_with_itself(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    caller, _, _ = await suggested(workspace)
    await ivan.send(f"/contacts/{caller}/merge", page=f"/contacts/{caller}", other=str(caller))
    assert "с самим собой" in await ivan.get(f"/contacts/{caller}")


async def test_special_lists_of_every_channel_have_a_page(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    assert "соискатели" in await ivan.get("/lists")
    where = ""
    for what in (NUMBER, "@spam.example", "tg:1001"):
        response = await ivan.send("/lists/add", page="/lists", list="чёрный список", identity=what, reason=EVIL)
        assert response.status == 303
        where = response.headers["Location"]
    page = await ivan.get(where)
    for shown in ("+7 916 123-45-67", "@spam.example", "вся почта домена", "Telegram 1001"):
        assert shown in page
    assert EVIL not in page
    await ivan.send("/lists/add", page="/lists", list="чёрный список", identity="ерунда", reason="x")
    assert "Номер: «ерунда» — не номер" in await ivan.get("/lists")
    await ivan.send("/lists/remove", page="/lists", list="чёрный список", identity="mailto:@spam.example")
    page = await ivan.get("/lists?list=%D1%87%D1%91%D1%80%D0%BD%D1%8B%D0%B9+%D1%81%D0%BF%D0%B8%D1%81%D0%BE%D0%BA")
    assert "убрано из списка" in page
    assert "вся почта домена" not in page


async def test_a_file_that_is_no_picture_comes_with_a_warning(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    stored = await workspace.hub.files.put_bytes(b"MZ\x90\x00" + bytes(100))
    file = Attachment("photo\u202egpj.exe", "image/jpeg", stored=stored, size=stored.size)
    card = await workspace.write("смотрите", files=(file,))
    page = await ivan.get(f"/contacts/{card}")
    assert "программа: запускать опасно" in page
    assert "photogpj.exe" in page
    assert "\u202e" not in page
