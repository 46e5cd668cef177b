"""Watching the hub from outside: whenever its live feed says that something changed, the API is asked what."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import aiohttp

from hub.demo.api import ApiFailure, CallState, Case, Contact, Entry, HubApi, Lead
from hub.demo.office import STAFF
from hub.demo.screen import Screen, Who, quoted

_PAUSE_S = 0.2
_AT_LEAST_EVERY_S = 1.0
_NAMES = {member.login: member.name for member in STAFF}
_BY_PHONE = {f"PJSIP/{member.extension}": member.name for member in STAFF if member.extension}
_REASONS = {"talk": "поговорили", "reply": "ответили"}
_CALLS = {
    "missed": "трубку никто не снял",
    "abandoned": "трубку никто не снял",
    "busy": "все заняты",
    "rejected": "отказано по списку",
    "no_answer": "клиент не снял трубку",
    "failed": "не соединилось",
}


class Watch:
    """What the hub has made of the facts so far; `tells` everything new on the screen."""

    def __init__(self, api: HubApi, screen: Screen) -> None:
        self._api = api
        self._screen = screen
        self.contacts: dict[int, Contact] = {}
        self.leads: dict[int, Lead] = {}
        self.cases: dict[int, Case] = {}
        self.entries: dict[int, Entry] = {}
        self._news = asyncio.Event()
        self._moved = asyncio.Condition()

    async def run(self) -> None:
        """Watch until cancelled."""
        listening = asyncio.create_task(self._listen(), name="demo: feed")
        try:
            while True:
                self._news.clear()
                await self._refresh()
                await asyncio.sleep(_PAUSE_S)
                try:
                    await asyncio.wait_for(self._news.wait(), _AT_LEAST_EVERY_S)
                except TimeoutError:
                    continue
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def until(self, true: Callable[[Watch], bool], within_s: float) -> bool:
        """Wait until something holds; False where it does not come true in time."""
        try:
            async with asyncio.timeout(within_s), self._moved:
                await self._moved.wait_for(lambda: true(self))
        except TimeoutError:
            return true(self)
        return True

    def who(self, identity: str) -> Contact | None:
        """The contact that holds an identity such as `tel:+79161110001`."""
        return next((each for each in self.contacts.values() if identity in each.identities), None)

    def entries_of(self, identity: str) -> list[Entry]:
        """That contact's timeline."""
        contact = self.who(identity)
        return [each for each in self.entries.values() if contact is not None and each.contact_id == contact.id]

    def lead_of(self, identity: str) -> Lead | None:
        """That contact's newest lead."""
        contact = self.who(identity)
        found = [each for each in self.leads.values() if contact is not None and each.contact_id == contact.id]
        return found[-1] if found else None

    def case_of(self, identity: str) -> Case | None:
        """That contact's newest case."""
        contact = self.who(identity)
        found = [each for each in self.cases.values() if contact is not None and each.contact_id == contact.id]
        return found[-1] if found else None

    # ------------------------------------------------------------ the feed

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._api.events():
                    self._news.set()
            except (aiohttp.ClientError, TimeoutError) as err:
                self._screen.line(Who.OFFICE, f"живая лента прервалась: {err}")
            await asyncio.sleep(1)

    async def _refresh(self) -> None:
        try:
            for contact in sorted(await self._api.contacts(), key=lambda each: each.id):
                self._contact(contact)
                for entry in await self._api.timeline(contact.id):
                    self._entry(entry)
            for lead in await self._api.leads():
                self._lead(lead)
            for case in await self._api.cases():
                self._case(case)
        except (aiohttp.ClientError, TimeoutError, ApiFailure) as err:
            self._screen.line(Who.OFFICE, f"API не отвечает: {err}")
        async with self._moved:
            self._moved.notify_all()

    # ------------------------------------------------------------ what is new

    def _contact(self, contact: Contact) -> None:
        known = self.contacts.get(contact.id)
        self.contacts[contact.id] = contact
        if known is None and contact.manager is None:
            self._screen.line(Who.HUB, f"{shown(contact)}: новая карточка")
        elif known is not None:
            added = set(contact.identities) - set(known.identities)
            if added:
                names = ", ".join(sorted(spaced(each.partition(":")[2]) for each in added))
                self._screen.line(Who.HUB, f"{shown(contact)}: на карточке теперь и {names}")
            if contact.manager != known.manager and contact.manager is not None:
                self._screen.line(Who.HUB, f"{shown(contact)}: личный менеджер теперь {named(contact.manager)}")

    def _lead(self, lead: Lead) -> None:
        known = self.leads.get(lead.id)
        self.leads[lead.id] = lead
        if known is not None and (known.manager, known.status) == (lead.manager, lead.status):
            return
        if known is not None:
            self._screen.line(
                Who.HUB, f"{self._shown(lead.contact_id)}: лид {_LEAD[lead.status]}, отвечает {named(lead.manager)}"
            )
            return
        manager = f"отвечает {named(lead.manager)}" if lead.manager else "чей, решит первый ответивший"
        marks = f" · {', '.join(lead.utm)}" if lead.utm else ""
        text = f"{self._shown(lead.contact_id)}: лид · источник «{lead.source}»{marks} · {manager}"
        self._screen.line(Who.HUB, text)

    def _case(self, case: Case) -> None:
        known = self.cases.get(case.id)
        self.cases[case.id] = case
        client = self._shown(case.contact_id)
        what = "звонок" if case.kind == "call" else "сообщение"
        if known is None:
            self._screen.line(Who.HUB, f"{client}: обращение без ответа ({what})")
        if case.state == "closed" and (known is None or known.state == "open"):
            reason = _REASONS.get(case.reason, case.reason)
            self._screen.line(Who.HUB, f"{client}: обращение закрыто, {reason}")

    def _entry(self, entry: Entry) -> None:
        known = self.entries.get(entry.id)
        self.entries[entry.id] = entry
        if entry == known:
            return
        text = self._call(entry, known) if entry.call is not None else self._text(entry, known)
        if text:
            self._screen.line(Who.HUB, text)

    def _text(self, entry: Entry, known: Entry | None) -> str:
        client = self._shown(entry.contact_id)
        files = f", вложение: {', '.join(entry.attachments)}" if entry.attachments else ""
        first_line = entry.text.partition("\n")[0]
        match entry.kind, entry.direction:
            case ("message", "in") if known is None:
                return f"{client}: сообщение {quoted(entry.text)}{files}"
            case ("message", "in") if known is not None and entry.versions > known.versions:
                return f"{client}: сообщение исправлено: {quoted(entry.text)}, прежний текст хранится"
            case ("message", "out") if known is None or known.delivery != entry.delivery:
                return f"{client}: ответ {_DELIVERY.get(entry.delivery, entry.delivery)}"
            case ("email", "in") if known is None:
                return f"{client}: письмо {quoted(entry.subject)}{files}"
            case ("form", _) if known is None:
                return f"{client}: заявка с сайта {quoted(first_line)}"
            case _:
                return ""

    def _call(self, entry: Entry, known: Entry | None) -> str:
        call, before = entry.call, known.call if known is not None else None
        if call is None or call == before:
            return ""
        client = self._shown(entry.contact_id)
        lines = []
        if before is None:
            way = "входящий звонок" if entry.direction == "in" else "исходящий звонок"
            rung = ", ".join(_BY_PHONE.get(each, each) for each in call.rung) if entry.direction == "in" else ""
            lines.append(f"{client}: {way}" + (f", звонят телефоны: {rung}" if rung else ""))
        state_before = before.state if before is not None else "ringing"
        if call.state == "answered" and state_before != "answered":
            who, waited = named(call.answered_by), seconds(call.wait_s)
            inbound = f"{client}: трубку снимает {who}, ждать пришлось {waited}"
            lines.append(inbound if entry.direction == "in" else f"{client}: на связи, звонит {who}")
        elif call.state != state_before and call.state in _CALLS:
            lines.append(f"{client}: {_CALLS[call.state]} за {seconds(call.wait_s)}{_rang(call)}")
        if call.talk_s and not (before is not None and before.talk_s):
            record = ", запись лежит на карточке" if call.recorded else ""
            lines.append(f"{client}: разговор окончен, {seconds(call.talk_s)}{record}")
        return "; ".join(lines)

    def _shown(self, contact_id: int) -> str:
        contact = self.contacts.get(contact_id)
        return shown(contact) if contact is not None else f"№ {contact_id}"


_LEAD = {"new": "новый", "taken": "взят в работу", "converted": "стал сделкой", "rejected": "отклонён"}
_DELIVERY = {
    "queued": "в очереди",
    "sent": "отправлен",
    "delivered": "доставлен",
    "read": "прочитан",
    "failed": "не доставлен",
}


def _rang(call: CallState) -> str:
    people = list(dict.fromkeys(_BY_PHONE.get(each, each) for each in call.rung))
    return f"; звонили: {', '.join(people)}" if people else ""


def shown(contact: Contact) -> str:
    """A client as people call them: the name, else the number as it is read."""
    return contact.name or spaced(contact.shown)


def spaced(number: str) -> str:
    """A Russian number as it is read, `+7 916 111-00-03`; anything else as it is."""
    found = re.fullmatch(r"\+7(\d{3})(\d{3})(\d{2})(\d{2})", number)
    return "+7 {} {}-{}-{}".format(*found.groups()) if found else number


def named(login: str | None) -> str:
    """Somebody of the office by their login."""
    return _NAMES.get(login, login) if login else "нет"


def seconds(value: float) -> str:
    """A duration as it is read in Russian: `1,6 с`."""
    return f"{value:.1f} с".replace(".", ",")
