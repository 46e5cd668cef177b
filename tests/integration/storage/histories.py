"""Realistic histories of a few clients, ways to deliver them, and what must be the same whichever way was taken."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from crm_core.messages import (
    BlockChanged,
    BlockState,
    Delivery,
    DeliveryChanged,
    EntryKind,
    InboundEvent,
    MessageReceived,
    MessageSent,
    Noted,
    ReactionChanged,
    Thread,
    Utm,
)
from crm_core.model.call import CallState, Direction
from crm_core.model.identity import parse_identity
from crm_core.services.letters import replies
from crm_core.services.letters.threads import topmost
from tests.integration.storage.world import (
    MAIL,
    SHOP,
    World,
    answered,
    at,
    deletion,
    edit,
    ended,
    fact,
    form,
    mail,
    message,
    moved,
    ringing,
    share,
    tg,
)

HOUR = 3600
_KINDS = (
    *("message", "message", "edit", "delete", "call", "call", "form", "mail", "share", "block", "reply"),
    *("sent", "delivery", "reaction", "note", "thread", "thread"),
)


@dataclass(frozen=True)
class Reply:
    """A person of the office answers a Telegram user, after these facts arrived."""

    user: int
    number: int
    at: datetime


@dataclass
class History:
    """What happened, in the order of its time; `answered_before` are facts that a reply has seen."""

    facts: list[InboundEvent] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)  # a reply's number: the fact it answers


def history(random: Random, *, with_replies: bool) -> History:
    """A few hours of one to three clients."""
    made = History()
    users = random.randint(1, 3)
    same_number = random.random() < 0.3
    now = 0.0
    messages: dict[int, list[tuple[str, InboundEvent]]] = defaultdict(list)
    sent: dict[int, list[str]] = defaultdict(list)
    mails: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for number in range(1, random.randint(3, 15)):
        now += random.choice([0, 0, 1, 5, 120, 400, HOUR])
        client = random.randrange(users)
        user = 7000 + client
        phone = "+79160000000" if same_number else f"+7916000000{client}"
        what = random.choice(_KINDS)
        if what == "message" or (what in {"edit", "delete", "reply", "reaction"} and not messages[user]):
            name = random.choice([f"User {client}", f"Клиент {client}", ""])
            new = message(user, f"m{number}", at(now), sequence=number, name=name)
            messages[user].append((f"m{number}", new))
            made.facts.append(new)
        elif what == "edit":
            ref, _ = random.choice(messages[user])
            made.facts.append(edit(user, ref, at(now), f"changed {number}", sequence=number))
        elif what == "delete":
            ref, _ = random.choice(messages[user])
            made.facts.append(deletion(user, ref, at(now)))
        elif what == "call":
            made.facts.extend(_call(random, f"call-{number}", phone, now))
        elif what == "form":
            utm = random.choice([Utm(), Utm(source="yandex", campaign=f"c{number}"), Utm(source=f"s{number}")])
            fields = random.choice([(), (("город", f"город {number}"),), (("курс", f"{number}"), ("город", "Москва"))])
            name = random.choice(["", f"Имя {number}"])
            made.facts.append(form(at(now), name=name, phone=phone, message=f"form {number}", utm=utm, fields=fields))
        elif what == "mail":
            made.facts.append(
                mail(f"client{client}@b.example", f"mail{number}", at(now), automatic=random.random() < 0.3)
            )
        elif what == "share":
            made.facts.append(share(user, phone, at(now), ref=f"card{number}"))
        elif what in {"sent", "delivery", "reaction", "note"}:
            made.facts.append(_told(random, what, user, f"s{number}", now, messages[user], sent[user]))
        elif what == "thread":
            made.facts.append(_letter(random, client, number, now, mails[client]))
        elif what == "block":
            state = random.choice([BlockState.BLOCKED, BlockState.ALLOWED])
            made.facts.append(fact(SHOP, BlockChanged(state), at(now), tg(user), name=f"User {client}"))
        elif with_replies:
            made.replies.append(Reply(user, number, at(now)))
            made.seen[number] = random.choice(messages[user])[1].external_id
    return made


def _call(random: Random, linkedid: str, phone: str, now: float) -> list[InboundEvent]:
    call = ringing(linkedid, phone, at(now))
    if random.random() < 0.5:
        state = random.choice([CallState.MISSED, CallState.ABANDONED, CallState.BUSY])
        return [moved(call), moved(ended(call, random.choice([2, 20]), state))]
    taken = answered(call, random.choice([1, 5]), random.choice(["PJSIP/101", "PJSIP/102"]))
    return [moved(call), moved(taken), moved(ended(taken, 60))]


def _told(
    random: Random,
    what: str,
    user: int,
    ref: str,
    now: float,
    messages: list[tuple[str, InboundEvent]],
    sent: list[str],
) -> InboundEvent:
    """Somebody of the office writes elsewhere; what is told of messages; what a client does without words."""
    name = f"User {user - 7000}"
    if what == "sent" or (what == "delivery" and not sent):
        sent.append(ref)
        automatic = random.random() < 0.3
        words = MessageSent(EntryKind.MESSAGE, f"office {ref}", ref, author=tg(1001), automatic=automatic)
        return fact(SHOP, words, at(now), tg(user), name=name)
    if what == "delivery":
        state = random.choice([Delivery.SENT, Delivery.DELIVERED, Delivery.READ, Delivery.FAILED])
        upto = state is not Delivery.FAILED and random.random() < 0.4
        change = DeliveryChanged(state, (random.choice(sent),), upto=upto)
        return fact(SHOP, change, at(now), tg(user), name=name)
    if what == "reaction":
        emojis = random.choice([(), ("👍",), ("🔥", "❤")])
        return fact(SHOP, ReactionChanged(random.choice([each for each, _ in messages]), emojis), at(now), tg(user))
    note = Noted(f"did {ref}", source=random.choice(["", "Сообщество"]), enquiry=random.random() < 0.5)
    return fact(SHOP, note, at(now), tg(user), name=name)


def _letter(random: Random, client: int, number: int, now: float, mails: list[tuple[str, str]]) -> InboundEvent:
    """A mail that answers some of the client's own before it, under one of a few subjects."""
    ref, subject = f"<mail{number}>", random.choice(["Цена", "Доставка"])
    answers = tuple(each for each, _ in random.sample(mails, min(len(mails), random.randint(0, 2))))
    mails.append((ref, subject))
    payload = MessageReceived(
        EntryKind.EMAIL, f"letter {number}", ref, subject=subject, thread=Thread(ref, answers, None, subject)
    )
    return fact(MAIL, payload, at(now), parse_identity(f"mailto:client{client}@b.example"))


async def in_order(world: World, story: History) -> None:
    """Each fact by itself, when it happened."""
    steps: list[tuple[datetime, int, Any]] = [(each.occurred_at, 0, each) for each in story.facts]
    steps += [(each.at, 1, each) for each in story.replies]
    for when, _, step in sorted(steps, key=lambda each: each[:2]):
        world.clock.set(max(world.clock.now(), when))
        await _do(world, [step])


async def shuffled(world: World, story: History, random: Random) -> None:
    """Facts late by any time, in any batches, some of them twice; replies when they were, after what they answer."""
    must: dict[str, datetime] = {}
    for reply in story.replies:
        seen = story.seen[reply.number]
        must[seen] = min(reply.at, must.get(seen, reply.at))
    steps: list[tuple[datetime, int, float, Any]] = [(each.at, 1, 0.0, each) for each in story.replies]
    for each in story.facts:
        late = timedelta(seconds=random.choice([0, 0, 1, 10, 500, 2 * HOUR, 20 * HOUR]))
        arrival = each.occurred_at + late
        if each.external_id in must:
            arrival = min(arrival, must[each.external_id])
        steps.append((arrival, 0, random.random(), each))
        if random.random() < 0.2:
            steps.append((arrival + timedelta(seconds=random.choice([0, 30])), 0, random.random(), each))
    steps.sort(key=lambda each: each[:3])
    batch: list[InboundEvent] = []
    for when, is_reply, _, step in steps:
        if batch and (is_reply or random.random() < 0.4):
            await _do(world, batch)
            batch = []
        world.clock.set(max(world.clock.now(), when))
        if is_reply:
            await _do(world, [step])
        else:
            batch.append(step)
    if batch:
        await _do(world, batch)


async def _do(world: World, steps: list[Any]) -> None:
    if isinstance(steps[0], Reply):
        (reply,) = steps
        holder = (await world.row("identity", key=f"tg:{reply.user}")).contact_id
        entry = await world.store.run(
            lambda desk: replies.reply(
                desk, holder, "ivan", channel="telegram", account="shop", text=f"ответ {reply.number}"
            )
        )
        await world.store.run(lambda desk: replies.sent(desk, entry.id, [f"out-{reply.number}"]))
        return
    await world.take(*steps)


async def outcome(world: World) -> dict[str, Any]:
    """All that must not depend on the order of arrival, without ids and without when it was recorded."""
    identities = defaultdict(list)
    for row in await world.rows("identity"):
        identities[row.contact_id].append(row.key)
    contacts = {row.id: row for row in await world.rows("contact") if row.merged_into is None}
    clients = {ident: " ".join(sorted(identities[ident])) for ident in contacts}
    return {
        "threads": await _threads(world),
        "contacts": {clients[each.id]: (each.name, each.manager) for each in contacts.values()},
        "leads": _grouped(
            clients, [_lead(row, contacts) for row in await world.rows("lead") if row.reason != "merged"]
        ),
        "cases": _grouped(clients, [_case(row) for row in await world.rows("contact_case")]),
        "timeline": _grouped(clients, [_entry(row) for row in await world.rows("timeline") if row.channel is not None]),
        "calls": sorted(
            (row.linkedid, clients[row.contact_id], row.state, row.answered_by or "", row.progress, row.talk_s)
            for row in await world.rows("call")
        ),
        "journal": sorted(row.external_id for row in await world.rows("journal")),
    }


async def _threads(world: World) -> list[list[str]]:
    """Which mails stand together."""
    rows = [row for row in await world.rows("timeline") if row.thread_id is not None]
    tops = await world.store.run(lambda desk: {row.thread_id: topmost(desk, row.thread_id).id for row in rows})
    found: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        found[tops[row.thread_id]].append(row.ref)
    return sorted(sorted(each) for each in found.values())


def _grouped(clients: dict[int, str], rows: list[tuple[int, tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    grouped: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for owner, row in rows:
        if owner in clients:
            grouped[clients[owner]].append(row)
    return {client: sorted(listed, key=repr) for client, listed in grouped.items()}


def _lead(row: Any, contacts: dict[int, Any]) -> tuple[int, tuple[Any, ...]]:
    owner = contacts.get(row.contact_id)
    # Whom an open lead was given to meanwhile depends on who was least loaded; whose client it is does not.
    manager = row.manager if owner is not None and owner.manager is not None else None
    return row.contact_id, (
        row.status,
        row.first_fact_at.isoformat(),
        row.title,
        row.channel,
        row.account,
        row.source,
        row.group_name,
        (row.utm_source, row.utm_medium, row.utm_campaign, row.utm_content, row.utm_term),
        sorted(row.fields.items()),
        manager,
    )


def _case(row: Any) -> tuple[int, tuple[Any, ...]]:
    closed = row.closed_at.isoformat() if row.closed_at is not None else None
    opened = row.opened_at.isoformat()
    return row.contact_id, (
        opened,
        closed,
        row.kind,
        row.state,
        row.facts,
        row.reason,
        row.channel,
        row.account,
        row.misses,
    )


def _entry(row: Any) -> tuple[int, tuple[Any, ...]]:
    return row.contact_id, (
        row.occurred_at.isoformat(),
        row.sequence,
        row.kind,
        row.direction,
        row.ref if row.direction is Direction.IN else None,
        row.external_id,
        row.text,
        [(each["at"], each["text"]) for each in row.versions],
        row.deleted_at.isoformat() if row.deleted_at is not None else None,
        row.signal,
        row.signal_at.isoformat() if row.signal_at is not None else None,
        row.author,
        row.lead_id is not None,
        row.delivery,
        sorted((each["who"], each["emoji"], each["at"]) for each in row.reactions),
    )
