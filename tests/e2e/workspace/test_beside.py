"""What a manager does without leaving where they are: a talk beside a deal, a task closed with a photo by telephone."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from tests.e2e.workspace.office import TELEPHONE, Workspace

PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 1_500_000


async def deal_of(workspace: Workspace, client: int) -> int:
    """A deal of the client, with a task of the surveyor."""
    body = {"contact_id": client, "title": "Окна на Ленина", "manager": "ivan"}
    deal: int = (await workspace.ask("POST", "/deals", body))["id"]
    return deal


async def test_a_client_is_answered_from_the_page_of_the_deal(workspace: Workspace) -> None:
    assert workspace.bot is not None
    anna = workspace.client(2001, "Анна")
    await anna.say("Сколько стоит?")
    client = await workspace.contact("tg:2001")
    deal = await deal_of(workspace, client)
    page = await workspace.enter("ivan")
    await page.goto(f"{workspace.hub.url}/deals/{deal}")
    talk = page.locator(".deal-talk")
    await expect(talk.locator(".timeline")).to_contain_text("Сколько стоит?")
    await anna.say("И когда?")
    await expect(talk.locator(".timeline")).to_contain_text("И когда?")
    await talk.locator("textarea[name=text]").fill("Завтра, 40 000")
    await talk.locator("textarea[name=text]").press("Control+Enter")
    await expect(talk.locator(".timeline")).to_contain_text("Завтра, 40 000")
    await expect(talk.locator("textarea[name=text]")).to_have_value("")
    assert page.url.endswith(f"/deals/{deal}")


async def test_a_surveyor_closes_a_task_with_a_photo(workspace: Workspace, tmp_path: Path) -> None:
    client = (await workspace.ask("POST", "/contacts", {"name": "Анна", "identities": ["tel:+79161234567"]}))["id"]
    deal = await deal_of(workspace, client)
    task = (await workspace.ask("POST", "/tasks", {"title": "Замер", "assignee": "ivan", "deal_id": deal}))["id"]
    photo = tmp_path / "проём.jpg"
    photo.write_bytes(PHOTO)
    page = await workspace.enter("ivan", viewport=TELEPHONE, is_mobile=True)
    await page.goto(f"{workspace.hub.url}/tasks/{task}")
    await page.locator("input[type=file]").first.set_input_files(photo)
    await expect(page.locator(".attaching .chosen input[name=files]")).to_have_count(1)
    await page.locator("input[type=file]").last.set_input_files([photo, photo])
    await expect(page.locator(".attaching .chosen input[name=files]")).to_have_count(3)
    await page.locator(".attaching .chosen button").first.click()
    await page.locator("textarea[name=result]").fill("140 на 120")
    await page.locator("form[action$='/close'] .buttons button").click()
    await expect(page.locator("h1")).to_contain_text("Замер")
    await expect(page.locator("form[action$='/reopen']")).to_be_visible()
    told = await workspace.ask("GET", f"/contacts/{client}/timeline?order=recent")
    assert [each["name"] for each in told["items"][0]["attachments"]] == ["проём.jpg", "проём.jpg"]
    assert told["items"][0]["deal_id"] == deal
