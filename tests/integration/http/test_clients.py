"""What happens to clients, through the API: timeline, messages, files, calls, cases, lists, people."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import FormData

from crm_core.messages import Attachment, MessageReceived
from crm_core.model.timeline import EntryKind
from tests.integration.http.world import SHOP, World, later
from tests.integration.storage.world import edit, fact, mail, message, missed, talked, tg
from tests.patience import PATIENCE_S

NUMBER = "+79161234567"


async def test_the_timeline_in_commit_order_and_as_it_happened(world: World) -> None:
    await world.take(message(1001, "m2", later(20)))
    await world.take(message(1001, "m1", later(10)))  # late
    (contact,) = (await world.get("/contacts"))["items"]
    path = f"/contacts/{contact['id']}/timeline"

    async def texts(**query: str) -> list[str]:
        page = await world.get(path, params=query)
        return [each["text"] for each in page["items"] if each["kind"] == "message"]

    assert await texts() == ["text m2", "text m1"]
    assert await texts(order="occurred") == ["text m1", "text m2"]
    assert await texts(order="recent") == ["text m2", "text m1"]


@pytest.mark.parametrize("order", ["committed", "occurred", "recent"])
async def test_a_timeline_in_pages(world: World, order: str) -> None:
    for number in range(6):
        # Two at each moment: the ids decide.
        await world.take(message(1001, f"m{number}", later(10 - number // 2)))
    (contact,) = (await world.get("/contacts"))["items"]
    path = f"/contacts/{contact['id']}/timeline"
    whole = (await world.get(path, params={"order": order}))["items"]
    assert len(whole) >= 6
    seen: list[Any] = []
    query = {"order": order, "limit": "2"}
    while True:
        page = await world.get(path, params=query)
        seen += page["items"]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen == whole


async def test_a_late_fact_is_never_behind_the_cursor(world: World) -> None:
    await world.take(message(1001, "m2", later(20)))
    (contact,) = (await world.get("/contacts"))["items"]
    path = f"/contacts/{contact['id']}/timeline"
    last = (await world.get(path))["items"][-1]["seq"]
    await world.take(message(1001, "m1", later(10)))
    behind = (await world.get(path, params={"after": str(last)}))["items"]
    assert [each["text"] for each in behind if each["kind"] == "message"] == ["text m1"]


async def test_an_edited_message_keeps_its_earlier_texts(world: World) -> None:
    await world.take(message(1001, "m1", later(1), text="один"), edit(1001, "m1", later(5), "два"))
    (contact,) = (await world.get("/contacts"))["items"]
    entry = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]
    assert (entry["text"], [each["text"] for each in entry["history"]]) == ("два", ["один"])
    assert entry["history"][0]["at"].endswith("Z")
    assert (entry["direction"], entry["channel"], entry["account"]) == ("in", "telegram", "shop")
    assert await world.get(f"/entries/{entry['id']}") == entry


async def test_a_reply_is_queued_and_sent(world: World) -> None:
    await world.take(message(1001, "m1", later(1)))
    (contact,) = (await world.get("/contacts"))["items"]
    data = FormData()
    data.add_field("file", b"\x89PNG...", filename="../прайс лист.png", content_type="image/png")
    uploaded = await world.ask("POST", "/files", data=data, status=201)
    assert (uploaded["name"], uploaded["size"]) == ("прайс лист.png", 7)
    body = {"channel": "telegram", "text": "Здравствуйте", "attachments": [uploaded["id"]]}
    entry = await world.post(f"/contacts/{contact['id']}/messages", body, status=202)
    assert (entry["kind"], entry["direction"], entry["author"]) == ("message", "out", "ivan")
    assert entry["delivery"] == "queued"
    (attachment,) = entry["attachments"]
    response = await world.call("GET", attachment["url"])
    assert await response.read() == b"\x89PNG..."
    assert response.content_type == "image/png"
    async with asyncio.timeout(PATIENCE_S):
        async for _ in world.hub.live.follow(0):
            if (await world.get(f"/entries/{entry['id']}"))["delivery"] == "sent":
                break
    assert [each.text for each in world.shop.sent] == ["Здравствуйте"]
    assert (await world.get("/cases", params={"state": "open"}))["items"] == []


async def test_messages_that_can_not_be_sent_are_refused(world: World) -> None:
    contact = await world.contact(name="Анна")
    path = f"/contacts/{contact['id']}/messages"
    await world.post(path, {"channel": "telegram", "text": "hi"}, status=422)
    await world.post(path, {"channel": "telegram", "account": "nope", "text": "hi"}, status=422)
    await world.post(path, {"channel": "telegram", "text": "hi", "attachments": [5]}, status=422)
    await world.post(path, {"text": "hi"}, status=422)
    await world.post("/contacts/1/messages", {"channel": "telegram", "text": "hi"}, status=404)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.png", "image/png"),
        ("a.html", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.pdf", "application/pdf"),
        ('a".js', "text/javascript; charset=utf-8"),
        ("a", "nonsense\r\nSet-Cookie: x=1"),
    ],
)
async def test_a_strangers_file_runs_nowhere(world: World, name: str, content_type: str) -> None:
    stored = await world.hub.files.put_bytes(b"<script>alert(1)</script>")
    files = (Attachment(name, content_type, stored=stored),)
    payload = MessageReceived(EntryKind.MESSAGE, "смотри", "m1", attachments=files)
    await world.take(fact(SHOP, payload, later(1), tg(1001)))
    (contact,) = (await world.get("/contacts"))["items"]
    (attachment,) = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]["attachments"]
    response = await world.call("GET", attachment["url"], headers={"Range": "bytes=1-6"})
    assert (response.status, await response.read()) == (206, b"script")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.content_type != "text/html"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in response.headers
    head = await world.call("HEAD", attachment["url"])
    assert (head.status, head.content_length) == (200, 25)
    nobody = await world.client.get(attachment["url"])
    assert nobody.status == 401


async def test_a_file_still_with_its_provider(world: World) -> None:
    files = (Attachment("voice.ogg", "audio/ogg", remote_id="AwAC"),)
    await world.take(fact(SHOP, MessageReceived(EntryKind.MESSAGE, "", "m1", attachments=files), later(1), tg(1001)))
    (contact,) = (await world.get("/contacts"))["items"]
    (attachment,) = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]["attachments"]
    assert attachment["state"] in {"pending", "failed"}
    assert (await world.call("GET", attachment["url"])).status in {503, 404}
    assert (await world.call("GET", "/attachments/1")).status == 404


async def test_uploads_that_are_none(world: World) -> None:
    await world.post("/files", {"file": "x"}, status=415)
    data = FormData({"file": "no file name"}, default_to_multipart=True)
    await world.ask("POST", "/files", data=data, status=422)
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    await world.ask("POST", "/files", data=b"nonsense", headers=boundary, status=400)
    assert await world.count("upload") == 0


async def test_an_upload_over_the_limit_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.http.api.files.MAX_FILE", 1000)
    data = FormData()
    data.add_field("file", b"x" * 200_000, filename="big.bin")
    await world.ask("POST", "/files", data=data, status=413)
    assert [path for path in (world.folder / "files").rglob("*") if path.is_file()] == []


async def test_an_upload_repeated_under_its_key(world: World) -> None:
    async def send() -> Any:
        data = FormData()
        data.add_field("file", b"same", filename="a.txt", content_type="text/plain")
        return await world.ask("POST", "/files", data=data, status=201, headers={"Idempotency-Key": "k"})

    assert await send() == await send()
    assert await world.count("upload") == 1


async def test_a_mail_as_it_was_received(world: World) -> None:
    await world.take(mail("anna@example.org", "mail1", later(1)))
    (contact,) = (await world.get("/contacts"))["items"]
    entry = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]
    response = await world.call("GET", entry["raw_url"])
    assert (await response.read()).startswith(b'{"fact"')
    assert response.headers["Content-Disposition"].startswith("attachment")


async def test_what_a_messenger_posted_is_for_the_journal_alone(world: World) -> None:
    await world.take(message(1001, "m1", later(1)))
    (contact,) = (await world.get("/contacts"))["items"]
    entry = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"][0]
    await world.get(f"/entries/{entry['id']}/raw", status=404)


# ---------------------------------------------------------------- calls and cases


async def test_calls_their_cases_and_entries(world: World) -> None:
    await world.take(missed("c1", NUMBER, later(0)))
    await world.take(talked("c2", "+79161234568", later(60)))
    page = await world.get("/calls")
    assert [each["state"] for each in page["items"]] == ["answered", "missed"]
    (call,) = (await world.get("/calls", params={"state": "missed"}))["items"]
    assert (call["number"], call["line"], call["wait_s"], call["talk_s"]) == (NUMBER, "+74951234567", 20.0, 0.0)
    since = {"since": "2026-03-02T09:00:30Z"}
    assert [each["state"] for each in (await world.get("/calls", params=since))["items"]] == ["answered"]
    one = await world.get(f"/calls/{page['items'][0]['id']}")
    assert (one["answered_by"], one["talk_s"], one["decisions"]) == ("ivan", 55.0, [])
    entry = (await world.get(f"/contacts/{call['contact_id']}/timeline"))["items"][0]
    assert (entry["kind"], entry["call"]["id"], entry["call"]["state"]) == ("call", call["id"], "missed")
    assert entry["call"]["recording_url"] is None
    (case,) = (await world.get("/cases", params={"state": "open"}))["items"]
    assert (case["kind"], case["count"], case["rung"], case["contact_id"]) == ("call", 1, 0, call["contact_id"])
    assert case["due_at"] == "2026-03-03T09:00:20Z"
    assert await world.get(f"/cases/{case['id']}") == case


async def test_a_case_is_promised_and_closed(world: World) -> None:
    await world.take(missed("c1", NUMBER, later(0)))
    (case,) = (await world.get("/cases"))["items"]
    path = f"/cases/{case['id']}"
    at = (world.clock.now() + timedelta(hours=1)).isoformat()
    promised = await world.post(f"{path}/promise", {"at": at})
    assert promised["due_at"] == promised["promised_at"] == at.replace("+00:00", "Z")
    assert await world.get(path) == promised
    await world.post(f"{path}/promise", {"at": "2020-01-01T00:00:00Z"}, status=422)
    assert (await world.post(f"{path}/take"))["manager"] == "ivan"
    await world.post(f"{path}/close", {}, status=422)
    closed = await world.post(f"{path}/close", {"reason": "решено"})
    assert (closed["state"], closed["reason"], closed["due_at"]) == ("closed", "решено", None)
    await world.post(f"{path}/close", {"reason": "решено"}, status=409)
    assert (await world.get("/cases", params={"state": "open"}))["items"] == []
    assert (await world.get("/cases", params={"state": "closed"}))["items"] == [closed]


# ---------------------------------------------------------------- lists and people


async def test_bare_numbers_on_lists_decide_calls(world: World) -> None:
    path = "/lists/соискатели/numbers"
    added = await world.post(path, {"number": "8 916 123-45-67", "reason": "ищет работу"}, status=201)
    assert (added["number"], added["list"], added["author"]) == (NUMBER, "соискатели", "ivan")
    assert (await world.get(path))["items"] == [added]
    explained = await world.get("/explain/route", params={"number": NUMBER, "line": "+74951234567"})
    assert explained["endpoints"] == ["PJSIP/150"]
    await world.post("/lists/чёрный список/numbers", {"number": NUMBER}, status=201)  # moves over
    assert (await world.get(path))["items"] == []
    explained = await world.get("/explain/route", params={"number": NUMBER, "line": "+74951234567"})
    assert explained["action"] == "reject"
    await world.ask("DELETE", path, {"number": NUMBER}, status=404)
    await world.ask("DELETE", f"/lists/чёрный список/numbers?number={NUMBER}", status=204)
    explained = await world.get("/explain/route", params={"number": NUMBER, "line": "+74951234567"})
    assert explained["action"] == "dial"
    await world.post(path, {"number": "five"}, status=422)
    await world.post("/lists/нет/numbers", {"number": NUMBER}, status=404)
    await world.get("/lists/нет/numbers", status=404)


async def test_people_are_added_and_go_away(world: World) -> None:
    body = {"login": "anna", "name": "Анна", "role": "manager", "extension": "PJSIP/103", "group": "sales"}
    made = await world.post("/users", body, status=201, login="root")
    assert (made["group"], made["active"], made["present"]) == ("sales", True, True)
    await world.post("/users", body, status=409, login="root")
    await world.post("/users", {**body, "login": "x y"}, status=422, login="root")
    contact = await world.contact(name="Клиент", identities=["tel:" + NUMBER], manager="anna")
    away = {"absence": {"from": "2026-03-02T00:00:00Z", "until": "2026-03-09T00:00:00Z"}, "deputy": "petr"}
    absent = await world.patch("/users/anna", away, login="root")
    assert (absent["absence"], absent["present"]) == (
        {"from": "2026-03-02T00:00:00Z", "until": "2026-03-09T00:00:00Z"},
        False,
    )
    explained = await world.get("/explain/route", params={"number": NUMBER, "line": "+74951234567"})
    assert (explained["contact_id"], explained["endpoints"]) == (contact["id"], ["PJSIP/102"])
    verdicts = {step["login"]: step["verdict"] for step in explained["trace"] if step["login"]}
    assert verdicts["anna"] == "absent"
    back = await world.patch("/users/anna", {"absence": None}, login="root")
    assert (back["absence"], back["deputy"]) == (None, "petr")
    assert await world.get("/users/anna") == back
    assert [each["login"] for each in (await world.get("/users"))["items"]] == ["anna", "ivan", "olga", "petr", "root"]
    await world.get("/users/nobody", status=404)


async def test_people_say_themselves_that_they_are_away(world: World) -> None:
    away = await world.patch("/users/ivan", {"absence": {}, "do_not_disturb": True})
    assert away["absence"] == {"from": "2026-03-02T09:00:00Z", "until": None}
    assert away["present"] is False
    assert (await world.call("PATCH", "/users/ivan", {"extension": "PJSIP/1"})).status == 403
    wrong = {"absence": {"from": "2026-03-09T00:00:00Z", "until": "2026-03-02T00:00:00Z"}}
    await world.patch("/users/ivan", wrong, status=422)
    await world.patch("/users/root", {"active": False}, status=409, login="root")
    await world.patch("/users/root", {"role": "manager"}, status=409, login="root")
    await world.patch("/users/ivan", {"name": None}, status=422, login="root")
