"""The story: who calls, writes and mails, what the hub has to make of it, and whether it did."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING

import aiohttp

from hub.demo.api import ApiFailure, HubApi
from hub.demo.messenger import answer_from_telegram, choose_from_menu
from hub.demo.office import DMITRY, IVAN, KIRA, LINE, MARIA, MENU_ITEM, PETR, THIRD_RUNG_S, Keys, Ports, Tokens
from hub.demo.peers.errors import PeerError
from hub.demo.screen import Screen, Who, quoted
from hub.demo.site import Visitor
from hub.demo.telephones import Caller, Telephones
from hub.demo.watch import Watch, named, spaced

if TYPE_CHECKING:
    from hub.demo.peers import vk
    from hub.demo.peers.bot_api import Bot, Person

PATIENCE_S = 60.0
ANNA, SERGEY, STRANGER, OLEG, OLGA, IGOR = (f"+7916111000{number}" for number in range(1, 7))
OLEG_TG, VERA_VK, VIKTOR = 5001, 7001, "v.zaytsev@stroy.example"
_PAUSE_S = 0.8
_CHAT = "Добрый день! Успеете застеклить балкон до зимы?"
_CHAT_ANSWER = "Да, ближайший замер завтра в 11:00. Записать вас?"
_PRICE = "Вера, здравствуйте! Балкон шесть метров — от 87 000 ₽, приедем замерить бесплатно."
_ANSWER = "Здравствуйте, Олег! Окно 1,6 × 1,4 м со стеклопакетом и установкой — 24 900 ₽. Когда удобен замер?"


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that came in: what it is called in the summary, whose it is, when it began."""

    title: str
    identity: str
    at: str


@dataclass(slots=True)
class Verdict:
    """What came in, and what of it the hub did not make the right thing of."""

    scenes: list[Scene] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the hub that the story plays on."""

    telephones: Telephones
    bot: Bot
    community: vk.Community
    ports: Ports
    keys: Keys
    tokens: Tokens
    api: HubApi
    http: aiohttp.ClientSession


class Story:
    """One day at the office. `play` ends when everything arrived or did not in time."""

    def __init__(self, world: World, watch: Watch, screen: Screen) -> None:
        self._world = world
        self._watch = watch
        self._screen = screen
        self._oleg = world.bot.user(id=OLEG_TG, first_name="Олег", last_name="Белов", username="oleg_belov")
        self._vera = world.community.user(VERA_VK, "Вера", "Никитина")
        self.verdict = Verdict()

    async def prepare(self) -> None:
        """Two clients are in the base already, each with a personal manager."""
        await self._world.api.add_contact("Анна Смирнова", ANNA, IVAN.login)
        await self._world.api.add_contact("Сергей Ким", SERGEY, PETR.login)

    async def play(self) -> Verdict:
        """Everything in turn; the verdict fills as it goes."""
        await self._known_client_calls()
        await self._stranger_calls()
        missed = asyncio.create_task(self._nobody_answers())
        await asyncio.sleep(1.5)
        conversation = asyncio.create_task(self._conversation())
        await self._acting(missed, "звонок, на который никто не ответил")
        await self._acting(conversation, "переписка в Telegram")
        for act, what in (
            (self._comments, "комментарий ВКонтакте"),
            (self._form, "заявка с сайта"),
            (self._chat, "чат на сайте"),
            (self._mail, "письмо"),
            (self._ladder, "лестница"),
        ):
            await self._acting(asyncio.create_task(act()), what)
        return self.verdict

    async def _acting(self, act: asyncio.Task[None], what: str) -> None:
        try:
            await act
        except (aiohttp.ClientError, ApiFailure, OSError, PeerError, TimeoutError, smtplib.SMTPException) as err:
            self.verdict.missing.append(f"{what}: {str(err) or type(err).__name__}")

    # ------------------------------------------------------------ calls

    async def _known_client_calls(self) -> None:
        self._scene("Звонок своей клиентки", f"tel:{ANNA}")
        self._outside(f"☎ Анна Смирнова, клиентка Ивана Петрова, звонит на {spaced(LINE)}")
        await self._world.telephones.pick_up({"101": 1.2, "102": 0.9, "103": None})
        await self._acting(
            asyncio.create_task(self._world.telephones.call(Caller(ANNA, "Anna"))), "звонок своей клиентки"
        )
        await self._expect(
            "клиентку соединило с её личным менеджером",
            lambda watch: _answered_by(watch, f"tel:{ANNA}") == IVAN.login,
        )

    async def _stranger_calls(self) -> None:
        await asyncio.sleep(_PAUSE_S)
        self._scene("Звонок незнакомца", f"tel:{STRANGER}")
        self._outside(
            f"☎ незнакомый номер {spaced(STRANGER)} звонит на {spaced(LINE)}: менеджера у него нет, звонят все"
        )
        await self._acting(
            asyncio.create_task(self._world.telephones.call(Caller(STRANGER, STRANGER))), "звонок незнакомца"
        )
        await self._expect(
            "из звонка незнакомца вышел лид с источником «Яндекс.Директ» и менеджером",
            lambda watch: (
                _lead(watch, f"tel:{STRANGER}", "Яндекс.Директ") and bool(_answered_by(watch, f"tel:{STRANGER}"))
            ),
        )

    async def _nobody_answers(self) -> None:
        await self._world.telephones.pick_up({"101": None, "102": None, "103": None})
        await asyncio.sleep(_PAUSE_S)
        self._scene("Звонок без ответа", f"tel:{SERGEY}")
        self._outside("☎ Сергей Ким, клиент Петра Лебедева, звонит; трубку не снимет ни Пётр, ни остальные")
        await self._world.telephones.call(Caller(SERGEY, "Sergey", patience_s=6.5))
        self._outside("☎ Сергей Ким не дождался и повесил трубку")
        await self._expect(
            "из пропущенного звонка вышло обращение без ответа",
            lambda watch: watch.case_of(f"tel:{SERGEY}") is not None,
        )

    async def _ladder(self) -> None:
        for member in (PETR, KIRA, DMITRY):
            told = f"лестница дошла в Telegram: {member.name}"
            await self._expect_told(told, member.telegram_id, "Сергей Ким", THIRD_RUNG_S + PATIENCE_S)
        await asyncio.sleep(_PAUSE_S)
        self._outside("☎ Пётр Лебедев перезванивает Сергею Киму со своего телефона, тот отвечает")
        await self._world.telephones.call_client("103", SERGEY, talk_s=1.5)
        await self._expect(
            "после разговора обращение закрылось",
            lambda watch: (case := watch.case_of(f"tel:{SERGEY}")) is not None and case.state == "closed",
        )

    # ------------------------------------------------------------ Telegram

    async def _conversation(self) -> None:
        identity = f"tg:{OLEG_TG}"
        self._scene("Переписка в Telegram", identity)
        question = await self._say(self._oleg, "Здравствуйте! Сколько стоит окно 1,5 × 1,4 с установкой?")
        await self._expect(
            "из сообщения вышел лид с источником «Telegram-бот»", lambda watch: _lead(watch, identity, "Telegram-бот")
        )
        self._outside(f"✎ Олег нажимает под приветствием «{MENU_ITEM}»")
        try:
            said = await choose_from_menu(self._oleg, MENU_ITEM, PATIENCE_S)
            self._screen.line(Who.CLIENT, f"Олегу отвечает сам хаб: {quoted(said)}")
        except TimeoutError:
            self.verdict.missing.append("не дождались: меню в Telegram отвечает")
        self._outside("✎ Олег исправляет своё сообщение: 1,6 × 1,4")
        await self._oleg.edit(question, "Здравствуйте! Сколько стоит окно 1,6 × 1,4 с установкой?")
        await self._expect(
            "исправление сообщения хранится рядом с прежним текстом",
            lambda watch: any(entry.versions for entry in watch.entries_of(identity)),
        )
        await asyncio.sleep(_PAUSE_S)
        self._outside(f"✎ Олег делится своим контактом: {spaced(OLEG)}")
        await self._oleg.share_contact(OLEG)
        await self._expect(
            "телефон Олега встал на его карточку",
            lambda watch: (found := watch.who(identity)) is not None and f"tel:{OLEG}" in found.identities,
        )
        await self._reply(identity)

    async def _reply(self, identity: str) -> None:
        contact, lead = self._watch.who(identity), self._watch.lead_of(identity)
        if contact is None or lead is None:
            return  # told as missing already
        manager = lead.manager or MARIA.login
        try:
            notice = await answer_from_telegram(self._world.bot, manager, contact.id, _ANSWER, PATIENCE_S)
            self._screen.line(
                Who.OFFICE, f"{named(manager)} отвечает Олегу из Telegram, на уведомление {quoted(notice)}"
            )
            await self._oleg.hears(_ANSWER)
        except (TimeoutError, AssertionError):
            self.verdict.missing.append("ответ менеджера не дошёл до Олега в Telegram")
        else:
            self._screen.line(Who.CLIENT, f"Олег получил в Telegram: {quoted(_ANSWER)}")
        await self._expect(
            "ответ отмечен отправленным",
            lambda watch: any(
                entry.text == _ANSWER and entry.delivery in {"sent", "delivered"}
                for entry in watch.entries_of(identity)
            ),
        )

    async def _say(self, person: Person, text: str) -> int:
        self._outside(f"✎ Олег Белов пишет боту: {quoted(text)}")
        return (await person.say(text)).message_id

    # ------------------------------------------------------------ VK

    async def _comments(self) -> None:
        identity = f"vk:{VERA_VK}"
        self._scene("Сообщество ВКонтакте", identity)
        self._outside("✎ Вера Никитина комментирует запись сообщества: «Сколько стоит застеклить балкон?»")
        await self._vera.comment(45, "Сколько стоит застеклить балкон?")
        await self._expect(
            "из комментария вышел лид с источником «ВКонтакте», имя подсказал ВКонтакте",
            lambda watch: (
                _lead(watch, identity, "ВКонтакте")
                and (found := watch.who(identity)) is not None
                and found.name == "Вера Никитина"
            ),
        )
        contact, lead = self._watch.who(identity), self._watch.lead_of(identity)
        if contact is None or lead is None:
            return  # told as missing already
        manager = lead.manager or MARIA.login
        self._screen.line(Who.OFFICE, f"{named(manager)} отвечает Вере: запрос к API хаба")
        await self._world.api.write(contact.id, _PRICE, self._world.tokens.of(manager), "vk")
        try:
            await self._world.community.comments.wait_for(lambda each: each.text == _PRICE, PATIENCE_S)
        except TimeoutError:
            self.verdict.missing.append("ответ менеджера не дошёл до Веры ВКонтакте")
        else:
            self._screen.line(Who.CLIENT, f"Вера видит ответ под своим комментарием: {quoted(_PRICE)}")
        await self._expect(
            "после ответа обращение закрылось",
            lambda watch: (case := watch.case_of(identity)) is not None and case.state == "closed",
        )
        await asyncio.sleep(_PAUSE_S)

    # ------------------------------------------------------------ form and mail

    async def _form(self) -> None:
        self._scene("Заявка с сайта", f"tel:{OLGA}")
        self._outside("▣ Ольга Миронова заполняет форму на сайте; пришла по рекламе (utm_source=yandex)")
        fields = {
            "name": "Ольга Миронова",
            "phone": "8 (916) 111-00-05",
            "message": "Нужно остеклить балкон, 6 метров",
            "page": "https://okna.example/balkon",
            "utm_source": "yandex",
            "utm_medium": "cpc",
            "utm_campaign": "balkony",
        }
        url = f"{self._world.ports.url}/in/web/site"
        async with self._world.http.post(url, params={"key": self._world.keys.form}, data=fields) as response:
            if response.status >= 400:
                raise ApiFailure(f"{response.status} {(await response.text())[:200]}")
        await self._expect(
            "из заявки вышел лид с метками UTM",
            lambda watch: (lead := watch.lead_of(f"tel:{OLGA}")) is not None and "campaign=balkony" in lead.utm,
        )
        await asyncio.sleep(_PAUSE_S)

    async def _chat(self) -> None:
        visitor = Visitor(self._world.ports, self._world.http)
        await visitor.come()
        identity = visitor.identity
        self._scene("Чат на сайте", identity)
        self._outside(f"✎ посетитель сайта пишет в чат: {quoted(_CHAT)}")
        await visitor.say(_CHAT)
        await self._expect(
            "из сообщения в чате вышел лид с источником «Сайт» и метками UTM",
            lambda watch: (
                _lead(watch, identity, "Сайт")
                and (lead := watch.lead_of(identity)) is not None
                and "campaign=zima" in lead.utm
            ),
        )
        contact, lead = self._watch.who(identity), self._watch.lead_of(identity)
        if contact is None or lead is None:
            return  # told as missing already
        manager = lead.manager or MARIA.login
        self._screen.line(Who.OFFICE, f"{named(manager)} отвечает в чат: запрос к API хаба")
        await self._world.api.write(contact.id, _CHAT_ANSWER, self._world.tokens.of(manager), "web")
        try:
            await visitor.sees(_CHAT_ANSWER, PATIENCE_S)
        except TimeoutError:
            self.verdict.missing.append("ответ менеджера не дошёл до посетителя сайта")
        else:
            self._screen.line(Who.CLIENT, f"посетитель видит ответ в открытом окне: {quoted(_CHAT_ANSWER)}")
        await self._expect(
            "ответ отмечен доставленным",
            lambda watch: any(entry.delivery in {"delivered", "read"} for entry in watch.entries_of(identity)),
        )
        self._outside(f"▣ посетитель оставляет в чате имя и телефон: Игорь Панин, {spaced(IGOR)}")
        await visitor.leave("Игорь Панин", IGOR)
        await self._expect(
            "имя и телефон посетителя встали на карточку",
            lambda watch: (
                (found := watch.who(identity)) is not None
                and found.name == "Игорь Панин"
                and f"tel:{IGOR}" in found.identities
            ),
        )
        await asyncio.sleep(_PAUSE_S)

    async def _mail(self) -> None:
        self._scene("Письмо с вложением", f"mailto:{VIKTOR}")
        self._outside("✉ Виктор Зайцев шлёт письмо с вложением на sales@okna.example (SMTP)")
        letter = EmailMessage()
        letter["From"] = f"Виктор Зайцев <{VIKTOR}>"
        letter["To"] = "sales@okna.example"
        letter["Subject"] = "Остекление офиса, 14 окон"
        letter["Message-ID"] = "<demo-1@stroy.example>"
        letter.set_content("Добрый день!\n\nПришлите, пожалуйста, предложение. План во вложении.\n\nВиктор Зайцев")
        letter.add_attachment(_PLAN, maintype="application", subtype="pdf", filename="план этажа.pdf")
        await asyncio.to_thread(self._post, letter)
        await self._expect(
            "из письма вышел лид, вложение лежит на карточке",
            lambda watch: (
                watch.lead_of(f"mailto:{VIKTOR}") is not None
                and any(entry.attachments for entry in watch.entries_of(f"mailto:{VIKTOR}"))
            ),
        )

    def _post(self, letter: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self._world.ports.smtp, timeout=PATIENCE_S) as smtp:
            smtp.send_message(letter)

    # ------------------------------------------------------------ expecting

    def _scene(self, title: str, identity: str) -> None:
        self.verdict.scenes.append(Scene(title, identity, self._screen.elapsed()))

    def _outside(self, text: str) -> None:
        self._screen.line(Who.OUTSIDE, text)

    async def _expect(self, what: str, true: Callable[[Watch], bool]) -> None:
        if not await self._watch.until(true, PATIENCE_S):
            self.verdict.missing.append(f"не дождались: {what}")

    async def _expect_told(self, what: str, telegram_id: int, words: str, within_s: float) -> None:
        try:
            await self._world.bot.sent.wait_for(
                lambda sent: sent.chat_id == telegram_id and words in sent.text and bool(sent.buttons()), within_s
            )
        except TimeoutError:
            self.verdict.missing.append(f"не дождались: {what}")


def _lead(watch: Watch, identity: str, source: str) -> bool:
    lead = watch.lead_of(identity)
    return lead is not None and lead.source == source and lead.manager is not None


def _answered_by(watch: Watch, identity: str) -> str:
    calls = (entry.call for entry in watch.entries_of(identity) if entry.call is not None)
    return next((call.answered_by for call in calls if call.state == "answered"), "")


_PLAN = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""
