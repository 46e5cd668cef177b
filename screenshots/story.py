"""Weeks at the company, told moment by moment to a hub whose clock is set to each of them.

Between two moments everything that falls due meanwhile (ladders, promises, timed rules) is fired at its own time, so
that the record is what it would be had the hub really stood there.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from crm_core.model.identity import Identity, parse_identity, telephone
from crm_core.model.selling import PaymentKind
from crm_core.services.acts.conversion import Conversion, convert
from crm_core.services.acts.deals import DealChange, change, move
from crm_core.services.cards.leads import take
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.clients.contacts import change as change_contact
from crm_core.services.desk import Desk
from crm_core.services.letters.notes import note
from crm_core.services.letters.replies import reply
from crm_core.services.money.items import NewItem, put_items
from crm_core.services.money.payments import NewPayment, record
from crm_core.services.tasking.tasks import NewTask, close, make
from crm_core.services.watching.cases import promise
from crm_core.storage import queues
from hub.bootstrap import Hub
from screenshots import facts
from screenshots.clients import Client, Stage, Waiting, Way
from screenshots.firm import HEAD, MANAGERS, SURVEYOR, PlayedClock

_OPENS, _CLOSES = 9, 19
_SATURDAY = 5
_ORDER = (Stage.DATA, Stage.OFFER, Stage.PLANNED, Stage.SURVEY, Stage.MEASURED, Stage.CONTRACT, Stage.WON)
_EXTENSIONS = {each.login: each.extension for each in MANAGERS}
_NAMES = {each.login: each.name for each in MANAGERS}
_STEPS = ("Перезвонить по расчёту", "Уточнить размеры", "Напомнить о замере", "Согласовать цвет ламинации")
Act = Callable[[], Awaitable[object]]


@dataclass
class Story:
    """The story of a hub that is not serving yet; `show` is the moment at which it ends."""

    hub: Hub
    clock: PlayedClock
    show: datetime
    moments: list[tuple[datetime, int, Act]] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - the same pictures each time

    async def tell(self, clients: tuple[Client, ...], waiting: tuple[Waiting, ...]) -> None:
        """Everything, from the first fact to the moment of the pictures."""
        for client in clients:
            self._life(client)
        self._today(clients)
        for each in waiting:
            self._waits(each)
        for at, _order, act in sorted(self.moments, key=lambda moment: moment[:2]):
            await self._pass(at)
            await act()
        await self._pass(self.show)

    async def client(self, key: str) -> int:
        """Who holds an identity."""
        return await self._one("SELECT contact_id FROM identity WHERE key = ?", key)

    # ------------------------------------------------------------ time

    async def _pass(self, until: datetime) -> None:
        """Let time pass: whatever falls due does so at its own time, and what is queued goes out."""
        while True:
            while await self.hub.outbox.run_once():
                pass
            due = await self.hub.store.read(queues.next_deadline)
            if due is None or due > until:
                break
            self.clock.set(max(due, self.clock.now()))
            if not await self.hub.deadlines.fire_due():
                break
        self.clock.set(until)

    def _at(self, at: datetime, act: Act) -> None:
        self.moments.append((at, len(self.moments), act))

    def _working(self, at: datetime) -> datetime:
        """The moment, or one in the next hours of work."""
        while at.weekday() >= _SATURDAY or not _OPENS <= at.hour < _CLOSES:
            minutes = self.dice.randrange(10, 180)
            morning = at.replace(hour=_OPENS, minute=0) + timedelta(minutes=minutes)
            at = morning if at.hour < _OPENS else morning + timedelta(days=1)
        return at

    # ------------------------------------------------------------ one client's way

    def _life(self, client: Client) -> None:
        came = (
            self.show.replace(hour=10, minute=5) - timedelta(days=client.days) + timedelta(seconds=self._some(0, 9000))
        )
        at = self._working(came)
        steps = self._steps(client)
        length = max(self.show - timedelta(minutes=50) - at, timedelta(minutes=2 * len(steps)))
        earliest = at
        for number, step in enumerate(steps):
            part = length * number / max(len(steps) - 1, 1) * 0.97
            if number == 1:
                part = min(part, timedelta(minutes=self._some(4, 26)))
            planned = at + part
            when = self._working(planned) if planned < self.show - timedelta(hours=3) else planned
            when = min(max(when, earliest), self.show - timedelta(minutes=46 - 3 * number))
            earliest = when + timedelta(minutes=2)
            self._at(when, step)

    def _steps(self, client: Client) -> list[Act]:
        """What happens to a client, in order; when is another matter."""
        found: list[Act] = [lambda: self._first(client), lambda: self._answer(client)]
        if client.stage is Stage.TAKEN:
            return found
        reached = _ORDER[: _ORDER.index(client.stage) + 1] if client.stage is not Stage.LOST else _ORDER[:2]
        acts: dict[Stage, list[Act]] = {
            Stage.DATA: [lambda: self._deal(client)],
            Stage.OFFER: [lambda: self._offer(client), lambda: self._says(client, "Спасибо, посмотрю и отвечу.")],
            Stage.PLANNED: [lambda: self._agrees(client), lambda: self._plan(client)],
            Stage.SURVEY: [lambda: self._surveyor(client)],
            Stage.MEASURED: [lambda: self._measured(client)],
            Stage.CONTRACT: [lambda: self._contract(client)],
            Stage.WON: [lambda: self._won(client)],
        }
        for stage in reached:
            found += acts[stage]
        if client.stage is Stage.LOST:
            found.append(lambda: self._do(client, self._moved(Stage.LOST.value, client.reason)))
        else:
            found.append(lambda: self._next_step(client))
        return found

    async def _first(self, client: Client) -> None:
        if client.way is Way.CALL:
            talk = self._some(90, 420)
            fact = facts.call(client, self.clock.now(), _EXTENSIONS[client.manager], talk)
        else:
            fact = facts.contacted(client, self.clock.now())
        await self.hub.intake.receive(fact)
        ident = await self._id(client)
        known = ContactChange(
            name=client.name,
            manager=client.manager,
            city=client.address.partition(",")[0] or None,
            identities=tuple({str(each): each for each in identities_of(client)}.values()),
        )
        await self._run(client.manager, lambda desk: change_contact(desk, ident, known))

    async def _answer(self, client: Client) -> None:
        await self._done(client, "Связались, рассказали об условиях")
        lead = await self._lead(client)
        await self._run(client.manager, lambda desk: take(desk, lead, client.manager))
        name = client.name.split()[0] if client.way is not Way.MAIL else ""
        hello = f"Здравствуйте{', ' + name if name else ''}! Это {_NAMES[client.manager]}, «Окна и балконы». "
        await self._tells(
            client, hello + "Посчитаю сегодня. Подскажите, пожалуйста, размеры проёмов и нужен ли монтаж?"
        )

    async def _deal(self, client: Client) -> None:
        lead, title = await self._lead(client), self._title(client)
        given = DealChange(
            title=title,
            manager=client.manager,
            tags=client.tags,
            fields={"windows": client.windows, "profile": self.dice.choice(["Rehau", "KBE", "Veka"]), "mounting": True},
        )
        await self._run(
            client.manager, lambda desk: convert(desk, lead, client.manager, Conversion("Продажа", deal=given))
        )
        await self._done(client, "Квалифицирован, бюджет есть")
        deal = await self._deal_id(client)
        await self._run(client.manager, lambda desk: put_items(desk, deal, self._lines(client)))

    async def _offer(self, client: Client) -> None:
        sum_ = f"{client.amount:,}".replace(",", " ")
        await self._tells(
            client,
            f"Расчёт готов: {sum_} ₽ с монтажом и вывозом старых рам. Действует до конца месяца, замер бесплатный.",
        )
        await self._do(client, self._moved(Stage.OFFER.value))

    async def _agrees(self, client: Client) -> None:
        await self._says(client, "Всё устраивает. Когда может приехать замерщик?")

    async def _plan(self, client: Client) -> None:
        day = self._working(self.clock.now() + timedelta(days=1)).date()
        fields = {"address": client.address or "Москва", "measure_on": day.isoformat()}
        await self._change(client, DealChange(fields=fields))
        await self._do(client, self._moved(Stage.PLANNED.value))
        await self._tells(client, f"Записала вас на {day:%d.%m}, с 10 до 13. Замерщик позвонит за час.")

    async def _surveyor(self, client: Client) -> None:
        await self._done(client, "Едет Сергей", HEAD.login)
        await self._change(client, DealChange(fields={"surveyor": SURVEYOR.login}))

    async def _measured(self, client: Client) -> None:
        await self._done(client, "Проёмы ровные, откосы под замену, фото приложены", SURVEYOR.login)
        await self._do(client, self._moved(Stage.MEASURED.value))
        ident = await self._id(client)
        text = "Просит монтаж в будни после обеда, соседи снизу с ребёнком. Подъёмник не нужен."
        await self._run(client.manager, lambda desk: note(desk, ident, client.manager, text))

    async def _contract(self, client: Client) -> None:
        number = f"ОК-{client.ident[-4:]}"
        await self._change(client, DealChange(fields={"contract": number, "instalment": "рассрочка" in client.tags}))
        await self._do(client, self._moved(Stage.CONTRACT.value))
        await self._pays(client, client.amount * 100 // 2, "предоплата")
        await self._tells(client, f"Договор {number} подписан, предоплату получили. Изготовление 10 рабочих дней.")

    async def _won(self, client: Client) -> None:
        await self._pays(client, client.amount * 100 - client.amount * 100 // 2, "остаток после монтажа")
        await self._do(client, self._moved(Stage.WON.value))
        await self._says(client, "Спасибо, всё аккуратно! Буду советовать.")

    async def _next_step(self, client: Client) -> None:
        if client.stage is Stage.WON or self.dice.random() < 0.15:
            return
        deal, title = await self._deal_id(client), self.dice.choice(_STEPS)
        due = self._working(self.show + timedelta(hours=self._some(-20, 60)))
        task = NewTask(title, client.manager, due, deal_id=deal)
        await self._run(client.manager, lambda desk: make(desk, task))

    # ------------------------------------------------------------ today

    def _today(self, clients: tuple[Client, ...]) -> None:
        """The calls and the questions of this day, by clients who are known."""
        morning = self.show.replace(hour=9, minute=8, second=20)
        callers = [each for each in clients if each.number.startswith("+7916") and each.days > 1]
        gap = (self.show - timedelta(minutes=70) - morning) / len(callers)
        for number, client in enumerate(callers):
            at = morning + gap * number + timedelta(seconds=self._some(0, 600))
            extension, talk, out = _EXTENSIONS[client.manager], self._some(40, 380), number % 3 == 1

            async def rings(
                client: Client = client, extension: str = extension, talk: int = talk, out: bool = out
            ) -> None:
                await self.hub.intake.receive(facts.call(client, self.clock.now(), extension, talk, out=out))
                sql = "SELECT id FROM lead WHERE status = 'new' AND contact_id = ?"
                for (lead,) in await self._rows(sql, await self._id(client)):
                    await self._run(client.manager, _taking(lead, client.manager))
                await self._done(client, "Поговорили", only="Связаться")

            self._at(at, rings)

    def _waits(self, waiting: Waiting) -> None:
        at = self.show - timedelta(minutes=waiting.minutes)

        async def comes() -> None:
            await self.hub.intake.receive(facts.contacted(waiting, self.clock.now()))
            if waiting.manager is not None:
                ident = await self.client(key_of(waiting))
                wanted = ContactChange(manager=waiting.manager)
                await self._run("kira", lambda desk: change_contact(desk, ident, wanted))

        self._at(at, comes)

    # ------------------------------------------------------------ how it is done

    def _some(self, least: int, most: int) -> int:
        return self.dice.randint(least, most)

    def _title(self, client: Client) -> str:
        what = {"лоджия": "Лоджия", "юрлицо": "Объект", "частный дом": "Дом"}.get((*client.tags, "")[0], "Окна")
        return f"{what}, {client.windows} шт." if client.windows else f"{what}: ремонт"

    def _lines(self, client: Client) -> list[NewItem]:
        if not client.windows or not client.amount:
            return []
        mounting = client.amount * 100 // 5
        each = (client.amount * 100 - mounting) // client.windows
        rest = client.amount * 100 - each * client.windows
        return [
            NewItem(client.windows * 1000, name="Окно ПВХ по размерам", price=each, unit="шт."),
            NewItem(1000, name="Монтаж и вывоз", price=rest, unit="усл."),
        ]

    async def _says(self, client: Client, text: str) -> None:
        if client.way in {Way.CALL, Way.FORM}:
            talk, extension = self._some(40, 300), _EXTENSIONS[client.manager]
            await self.hub.intake.receive(facts.call(client, self.clock.now(), extension, talk))
        else:
            await self.hub.intake.receive(facts.wrote(client, self.clock.now(), text))
            self.clock.set(self.clock.now() + timedelta(minutes=1))
            await self._tells(client, "Хорошо, на связи!")

    async def _tells(self, client: Client, text: str) -> None:
        """The manager answers where the client wrote, rings them otherwise."""
        if client.way in {Way.TELEGRAM, Way.VK}:
            ident, channel = await self._id(client), client.way.value
            await self._run(
                client.manager,
                lambda desk: reply(desk, ident, client.manager, channel=channel, account=None, text=text),
            )
        else:
            talk, extension = self._some(60, 400), _EXTENSIONS[client.manager]
            await self.hub.intake.receive(facts.call(client, self.clock.now(), extension, talk, out=True))

    async def _pays(self, client: Client, amount: int, why: str) -> None:
        deal = await self._deal_id(client)
        paid = NewPayment(PaymentKind.RECEIVED, amount, "RUB", at=self.clock.now(), note=why)
        await self._run(client.manager, lambda desk: record(desk, deal, client.manager, paid))

    def _moved(self, stage: str, reason: str = "") -> Callable[[Desk, int], object]:
        return lambda desk, deal: move(desk, deal, stage, reason=reason or None)

    async def _do(self, client: Client, service: Callable[[Desk, int], object]) -> None:
        deal = await self._deal_id(client)
        await self._run(client.manager, lambda desk: service(desk, deal))

    async def _change(self, client: Client, given: DealChange) -> None:
        deal = await self._deal_id(client)
        await self._run(client.manager, lambda desk: change(desk, deal, given))

    async def _done(self, client: Client, result: str, login: str | None = None, *, only: str = "") -> None:
        """Close the open tasks about a client whose titles begin so."""
        ident, doer = await self._id(client), login or client.manager
        rows = await self._rows("SELECT id, title FROM task WHERE state = 'open' AND contact_id = ?", ident)
        for task, title in rows:
            if not title.startswith(only):
                continue
            await self._run(doer, _closing(task, doer, result))

    async def promise(self, waiting: Waiting, login: str, minutes: int) -> None:
        """Somebody promises to answer a client who waits."""
        ident = await self.client(key_of(waiting))
        case = await self._one("SELECT max(id) FROM client_case WHERE contact_id = ?", ident)
        until = self.clock.now() + timedelta(minutes=minutes)
        await self._run(login, lambda desk: promise(desk, case, login, until))

    async def _id(self, client: Client) -> int:
        return await self.client(key_of(client))

    async def _lead(self, client: Client) -> int:
        return await self._one("SELECT max(id) FROM lead WHERE contact_id = ?", await self._id(client))

    async def _deal_id(self, client: Client) -> int:
        return await self._one("SELECT max(id) FROM deal WHERE contact_id = ?", await self._id(client))

    async def _run(self, login: str, service: Callable[[Desk], object]) -> None:
        def acting(desk: Desk) -> object:
            desk.work.author = login
            return service(desk)

        await self.hub.store.run(acting)

    async def _one(self, sql: str, value: object) -> int:
        rows = await self._rows(sql, value)
        if not rows or rows[0][0] is None:
            raise LookupError(f"{sql}: {value}")
        return int(rows[0][0])

    async def _rows(self, sql: str, value: object) -> list[Any]:
        return await self.hub.store.read(lambda conn: list(conn.exec_driver_sql(sql, (value,))))


def _taking(lead: int, login: str) -> Callable[[Desk], object]:
    return lambda desk: take(desk, lead, login)


def _closing(task: int, login: str, result: str) -> Callable[[Desk], object]:
    return lambda desk: close(desk, task, login, result)


def identities_of(client: Client) -> tuple[Identity, ...]:
    """How a client can be reached, as they tell themselves in the first talk."""
    found = parse_identity(key_of(client))
    return (found, telephone(client.number)) if client.number.startswith("+") else (found,)


def key_of(person: Client | Waiting) -> str:
    """The identity by which the record finds somebody."""
    if person.way is Way.TELEGRAM:
        return f"tg:{person.ident}"
    if person.way is Way.VK:
        return f"vk:{person.ident}"
    if person.way is Way.MAIL:
        mail = person.number if "@" in person.number else f"office{person.ident[-3:]}@client.example"
        return f"mailto:{mail}"
    return f"tel:{person.number}"


def day_of_pictures(today: date) -> date:
    """The last day of work up to today."""
    while today.weekday() >= _SATURDAY:
        today -= timedelta(days=1)
    return today
