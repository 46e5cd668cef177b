"""What is measured: through the hub's own queries and services, as the API asks them, and by the bare statements."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.crm import bare as plain
from benchmarks.crm import bare_writing, words
from benchmarks.crm.bare import Bare
from benchmarks.crm.data import ENTRY_ID, MAIN_PIPELINE
from benchmarks.crm.office import Measured
from crm_core.model.definitions import Pipeline
from crm_core.model.fields import fields_of
from crm_core.model.filters import Filter, Op
from crm_core.services.acts import deals as acts
from crm_core.services.desk import Desk
from crm_core.storage.filtering import Asking
from crm_core.storage.queries import boards, contacts, deals, timeline
from crm_core.storage.queries.boards import BoardFilter, BoardOrder
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.deals import DealFilter
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.sorting import More
from crm_core.storage.queries.timeline import Order

PAGE = 50
CARDS = 20
TO = "Подумает"

Once = Callable[[Any], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One question, asked of the hub and of the driver with the same `arguments`; both tell how many rows answer."""

    name: str
    arguments: Sequence[Any]
    ours: Once
    bare: Once


async def operations(office: Measured, bare: Bare, rounds: int) -> list[Operation]:
    """All of them, with what each is asked round by round."""
    rng = random.Random(5)  # the same choice in every run
    texts = [_name(rng) for _ in range(rounds)]
    numbers = [f"{rng.randrange(10**6):06d}" for _ in range(rounds)]
    values = [(rng.choice(words.CITIES[:8]), rng.choice(words.COURSES[:8])) for _ in range(rounds)]
    homes = [(rng.choice(words.CITIES[:12]), rng.choice(("true", "false"))) for _ in range(rounds)]
    # Whoever has much to tell is looked at more often.
    entries = [ENTRY_ID + 1 + rng.randrange(office.size.entries) for _ in range(rounds)]
    owners = [(await bare.fetch("SELECT contact_id FROM timeline WHERE id = $1", each))[0][0] for each in entries]
    moves = await _movable(office, bare, rounds)
    return [
        Operation("client card with the first page of the timeline", owners, *_card(office, bare)),
        Operation("board page of a pipeline", [0] * rounds, *_board(office, bare)),
        Operation("deals by two custom fields", values, *_deals(office, bare)),
        Operation("clients by two custom fields", homes, *_contacts(office, bare)),
        Operation("clients by a part of a name", texts, *_search(office, bare)),
        Operation("clients by a part of a number", numbers, *_search(office, bare)),
        Operation("a deal to another stage, 56 rules", moves, *_move(office, bare)),
    ]


def main_pipeline(office: Measured) -> Pipeline:
    """The pipeline that half of the deals stand in."""
    return next(each for each in office.catalogue.pipelines if each.record.name == MAIN_PIPELINE)


async def _movable(office: Measured, bare: Bare, rounds: int) -> list[tuple[int, int]]:
    """Deals to be moved, a pair a round: one by the hub, one by the driver."""
    place = main_pipeline(office)
    target = next(each for each in place.stages if each.name == TO)
    sql = (
        "SELECT id FROM deal WHERE pipeline_id = $1 AND stage_id <> $2 AND closed_at IS NULL ORDER BY id DESC"
        f" LIMIT {2 * rounds}"
    )
    ids = [row[0] for row in await bare.fetch(sql, place.id, target.id)]
    return list(zip(ids[::2], ids[1::2], strict=False))


def _name(rng: random.Random) -> str:
    """A part of a surname, as it is typed before one has finished."""
    surname = rng.choice(words.SURNAMES[: len(words.SURNAMES) // 2]).casefold()
    return surname[: max(4, len(surname) - 2)]


def _card(office: Measured, bare: Bare) -> tuple[Once, Once]:
    def look(conn: Reading, contact_id: int) -> int:
        access = office.store.access(conn, office.user)
        card = contacts.contact_card(conn, access, contact_id)
        return len(timeline.list_entries(conn, access, card.contact.id, Order.RECENT, Slice(None, PAGE)).items)

    async def ours(contact_id: int) -> int:
        return await office.store.read(partial(look, contact_id=contact_id))

    async def other(contact_id: int) -> int:
        return min(await plain.card(bare, contact_id, PAGE + 1), PAGE)

    return ours, other


def _board(office: Measured, bare: Bare) -> tuple[Once, Once]:
    found = main_pipeline(office)
    stages = [each.id for each in found.stages if each.open]

    def look(conn: Reading) -> int:
        access = office.store.access(conn, office.user)
        shown = boards.board(conn, access, found, BoardFilter(), BoardOrder.UPDATED, limit=CARDS)
        return sum(len(each.cards) for each in shown)

    async def ours(_: int) -> int:
        return await office.store.read(look)

    return ours, lambda _: plain.board(bare, found.id, stages, CARDS)


def _asking(office: Measured, conn: Reading) -> Asking:
    return Asking(office.store.catalogue(conn), office.store.clock.now())


def _filter(**values: str) -> Filter:
    terms = [Filter(field=f"fields.{key}", op=Op.EQ, value=value) for key, value in values.items()]
    return Filter(all=terms)


def _deals(office: Measured, bare: Bare) -> tuple[Once, Once]:
    of = fields_of(office.catalogue, "deal").by_key
    fields = of["city"].id, of["course"].id

    def look(conn: Reading, chosen: tuple[str, str]) -> int:
        asking = _asking(office, conn)
        more = More.of("deal", _filter(city=chosen[0], course=chosen[1]), asking)
        access = office.store.access(conn, office.user)
        return len(deals.list_deals(conn, access, DealFilter(), Slice(None, PAGE), more).items)

    async def ours(chosen: tuple[str, str]) -> int:
        return await office.store.read(partial(look, chosen=chosen))

    async def other(chosen: tuple[str, str]) -> int:
        return await plain.deals_by_fields(bare, fields, [each.casefold() for each in chosen], PAGE)

    return ours, other


def _contacts(office: Measured, bare: Bare) -> tuple[Once, Once]:
    of = fields_of(office.catalogue, "contact").by_key
    fields = of["home_city"].id, of["consent"].id

    def look(conn: Reading, chosen: tuple[str, str]) -> int:
        asking = _asking(office, conn)
        more = More.of("contact", _filter(home_city=chosen[0], consent=chosen[1]), asking)
        access = office.store.access(conn, office.user)
        return len(contacts.list_contacts(conn, access, ContactFilter(), Slice(None, PAGE), more).items)

    async def ours(chosen: tuple[str, str]) -> int:
        return await office.store.read(partial(look, chosen=chosen))

    async def other(chosen: tuple[str, str]) -> int:
        keys = [chosen[0].casefold(), "1" if chosen[1] == "true" else "0"]
        return await plain.contacts_by_fields(bare, fields, keys, PAGE)

    return ours, other


def _search(office: Measured, bare: Bare) -> tuple[Once, Once]:
    def look(conn: Reading, typed: str) -> int:
        access = office.store.access(conn, office.user)
        return len(contacts.list_contacts(conn, access, ContactFilter(typed), Slice(None, PAGE)).items)

    async def ours(typed: str) -> int:
        return await office.store.read(partial(look, typed=typed))

    return ours, lambda typed: plain.search(bare, typed, PAGE)


def _move(office: Measured, bare: Bare) -> tuple[Once, Once]:
    target = next(each for each in main_pipeline(office).stages if each.name == TO)

    def act(desk: Desk, deal_id: int) -> int:
        desk.work.author = office.user.login
        return acts.move(desk, deal_id, TO).stage.id

    async def ours(pair: tuple[int, int]) -> int:
        return await office.store.run(partial(act, deal_id=pair[0]))

    async def other(pair: tuple[int, int]) -> int:
        await bare_writing.move(bare, pair[1], target.id)
        return target.id

    return ours, other
