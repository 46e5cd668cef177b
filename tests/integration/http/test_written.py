"""What the timeline's entries say of written words: threads, albums, reactions, who vouches for the sender, offers."""

from __future__ import annotations

from typing import Any

from crm_core.messages import (
    Attachment,
    Authenticity,
    EntryKind,
    InboundEvent,
    MessageReceived,
    MessageSent,
    ReactionChanged,
    Thread,
    Trust,
)
from crm_core.model.identity import parse_identity
from tests.integration.http.world import SHOP, World, later
from tests.integration.storage.world import MAIL, fact, tg


def letter(ref: str, number: int, *answers: str, subject: str = "Цена", **more: Any) -> InboundEvent:
    payload = MessageReceived(
        EntryKind.EMAIL, f"письмо {ref}", ref, subject=subject, thread=Thread(ref, answers, None, subject), **more
    )
    return fact(MAIL, payload, later(number), parse_identity("mailto:anna@b.example"))


async def entries(world: World) -> list[dict[str, Any]]:
    """The messages of the only client, as they happened."""
    (contact,) = (await world.get("/contacts"))["items"]
    page = await world.get(f"/contacts/{contact['id']}/timeline", params={"order": "occurred"})
    return [each for each in page["items"] if each["kind"] in {"message", "email"}]


async def test_messages_with_all_that_is_told_of_them(world: World) -> None:
    files = (
        Attachment("фото.png", "image/png", remote_id="r1", cid="logo@b"),
        Attachment("a.pdf", "application/pdf", remote_id="r2"),
    )
    first = MessageReceived(EntryKind.MESSAGE, "раз", "1", album="g1", attachments=files)
    answer = MessageReceived(EntryKind.MESSAGE, "два", "3", answers="2")
    await world.take(fact(SHOP, first, later(1), tg(1001)))
    await world.take(fact(SHOP, MessageSent(EntryKind.MESSAGE, "да", "2", author_name="Ян"), later(2), tg(1001)))
    await world.take(fact(SHOP, answer, later(3), tg(1001)))
    await world.take(fact(SHOP, ReactionChanged("2", ("👍",)), later(4), tg(1001)))
    await world.take(fact(SHOP, ReactionChanged("1", ()), later(5), tg(1001)))
    one, two, three = await entries(world)
    assert (one["album"], one["reactions"], one["authenticity"], one["offers"]) == ("g1", [], None, None)
    assert [(each["cid"], each["inline"], each["warning"]) for each in one["attachments"]] == [
        ("logo@b", True, ""),
        ("", False, ""),
    ]
    assert (two["direction"], two["author"], two["delivery"]) == ("out", "Ян", "sent")
    assert [(each["who"], each["emoji"]) for each in two["reactions"]] == [("tg:1001", "👍")]
    assert (three["answers"], two["answers"]) == (two["id"], None)


async def test_mails_of_one_topic_name_one_thread(world: World) -> None:
    proven = Authenticity(Trust.PROVEN, "dkim=pass")
    await world.take(letter("<c@b>", 30, "<b@b>", authenticity=proven))
    await world.take(letter("<a@b>", 10))
    await world.take(letter("<b@b>", 20, "<a@b>"))  # only now both are known to be one
    await world.take(letter("<d@b>", 40, "<c@b>", subject="Доставка"))
    listed = await entries(world)
    threads = [each["thread_id"] for each in listed]
    assert len(set(threads[:3])) == 1
    assert threads[3] not in {None, threads[0]}
    assert listed[2]["authenticity"] == {"trust": "proven", "detail": "dkim=pass"}
    one = await world.get(f"/entries/{listed[0]['id']}")
    assert one["thread_id"] == threads[0]


async def test_a_mail_is_answered_in_the_thread_that_is_named(world: World) -> None:
    await world.take(letter("<a@b>", 10), letter("<b@b>", 20, subject="Доставка"))
    first, second = await entries(world)
    path = f"/contacts/{first['contact_id']}/messages"
    written = await world.post(path, {"channel": "email", "text": "да", "thread_id": first["thread_id"]}, status=202)
    assert (written["thread_id"], written["subject"]) == (first["thread_id"], "Re: Цена")
    plain = await world.post(path, {"channel": "email", "text": "да"}, status=202)
    assert plain["thread_id"] == second["thread_id"]
    await world.post(path, {"channel": "email", "text": "да", "thread_id": 999_999_999}, status=422)
