"""A whole hub beside the strict VK server: what comes of events, where answers go, whose names it learns."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hub.demo.peers.vk import Community, Person, When, faults
from tests.contract.channels.office import Office, an_office
from tests.contract.channels.vk import GROUP, Vk


class Joined(Vk):
    """The provider of the contract, its community and its client at hand."""

    def __init__(self) -> None:
        super().__init__("callback")

    @property
    def community(self) -> Community:
        """The community."""
        return self._community

    @property
    def anna(self) -> Person:
        """The client."""
        return self._anna


@pytest.fixture
def provider() -> Joined:
    return Joined()


@pytest.fixture
async def office(provider: Joined, short_dir: Path, migrated_sqlite: str) -> AsyncIterator[Office]:
    shutil.copyfile(migrated_sqlite, short_dir / "hub.sqlite3")
    async with an_office(provider, short_dir) as office:
        yield office


async def until(office: Office, ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """What `ask` tells, as soon as `holds` is true of it; asked again after every commit."""
    async for _ in office.hub.live.follow(0):
        found = await ask()
        if holds(found):
            return found
    raise AssertionError("the hub ended")


async def test_a_client_gets_the_name_that_vk_knows(office: Office, provider: Joined) -> None:
    provider.community.next_responses(faults.status(502, "users.get"))
    await provider.anna.say("Здравствуйте")
    contact = await until(office, office.contact, lambda found: bool(found.get("name")))
    assert contact["name"] == "Анна Петрова"


async def test_a_comment_is_answered_under_the_comment(office: Office, provider: Joined) -> None:
    told = await provider.anna.comment(45, "Сколько стоит?")
    (entry,) = await office.until(lambda found: len(found) == 1)
    assert entry["text"] == "Сколько стоит?"
    assert await office.open_case()
    provider.community.next_responses(faults.drop(When.AFTER, "wall.createComment"))
    await office.reply("Сто рублей")
    comment = await provider.community.comments.wait_for(lambda each: each.text == "Сто рублей")
    assert (comment.where, comment.answers) == (f"wall:-{GROUP}_45", told["object"]["id"])
    entries = await office.until(lambda found: len(found) == 2 and found[1]["delivery"] == "sent")
    assert [each["direction"] for each in entries] == ["in", "out"]
    assert len(provider.community.comments) == 1
    assert await office.open_case() is None


async def test_an_answer_in_several_parts_comes_back_as_one(office: Office, provider: Joined) -> None:
    await provider.anna.say("Расскажите")
    await office.until(lambda found: len(found) == 1)
    await office.reply("слово " * 2000)
    await office.until(lambda found: len(found) == 2 and found[1]["delivery"] == "sent")
    last = (await provider.community.sent.wait_count(3))[-1]
    await provider.anna.read(last)
    await office.until(lambda found: found[1]["delivery"] == "read")
    assert len(await office.settled()) == 2


async def test_a_lead_form_is_a_lead_with_its_fields(office: Office, provider: Joined) -> None:
    answers = [
        {"key": "phone_number", "question": "Телефон", "answer": "8 916 111-00-09"},
        {"key": "custom_0", "question": "Сколько окон?", "answer": "Три"},
    ]
    await provider.anna.fill("Расчёт окна", answers)
    await office.until(lambda found: len(found) == 1)
    contact = await office.contact()
    assert {"vk:1001", "tel:+79161110009"} <= set(contact["identities"])
    (lead,) = (await office.get("/leads"))["items"]
    assert (lead["source"], lead["title"]) == ("Расчёт окна", "Расчёт окна")
    assert lead["fields"]["Сколько окон?"] == "Три"


async def test_a_join_is_an_enquiry_that_nobody_has_to_answer(office: Office, provider: Joined) -> None:
    await provider.anna.join()
    leads = await until(office, lambda: office.get("/leads"), lambda found: bool(found["items"]))
    assert leads["items"][0]["source"] == "Вступление в сообщество ВКонтакте"
    assert await office.open_case() is None
