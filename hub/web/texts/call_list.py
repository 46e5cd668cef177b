"""The page of calls, and the button that calls a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CallListTexts:
    """Its texts in one language."""

    nav_calls: str
    calls_title: str
    calls_none: str
    filter_kind: str
    filter_kinds: Mapping[str, str]
    filter_line: str
    filter_day: str
    filter_all: str
    filter_show: str
    call_client: str
    call_queued: str
    call_confirm_title: str
    call_confirm: str
    call_outgoing: str
    call_incoming: str
    line_out: str
    held: str
    inside: str
    somebody: str
    hung_up_by: Mapping[str, str]
    call_pushed_causes: Mapping[str, str]
    who_rang: str
    leg_rang: str
    leg_answered: str
    talks_in_turn: str
    attempt: str
    not_you: str
    not_your_turn: str
    wish_noted: str
    recording_is: Mapping[str, str]
    recording_private: str
    route_actions: Mapping[str, str]
    route_stages: Mapping[str, str]
    route_verdicts: Mapping[str, str]
    route_callback: str


RU = CallListTexts(
    nav_calls="Звонки",
    calls_title="Звонки",
    calls_none="Таких звонков нет.",
    filter_kind="Какие",
    filter_kinds={
        "": "все",
        "missed": "пропущенные",
        "in": "входящие",
        "out": "исходящие",
        "answered": "с разговором",
        "now": "идут сейчас",
    },
    filter_line="Номер",
    filter_day="День",
    filter_all="все",
    filter_show="Показать",
    call_client="Позвонить",
    call_queued="Звоним: сначала зазвонит ваш телефон.",
    call_confirm_title="Точно позвонить?",
    call_confirm="Всё равно позвонить",
    call_outgoing="исходящий",
    call_incoming="входящий",
    line_out="с",
    held="на удержании {time}",
    inside="внутренний номер {number}",
    somebody="кто-то",
    hung_up_by={"client": "положил трубку клиент", "office": "положили трубку мы"},
    call_pushed_causes={
        "busy": "занято",
        "cancel": "звонивший положил трубку",
        "noAnswer": "никто не взял трубку",
        "congestion": "не соединилось",
        "notFound": "номер не существует или не на связи",
        "forwarded": "переадресован",
        "normalClearing": "",
        "unheard": "чем кончилось, АТС не сообщила",
    },
    who_rang="Кому звонили и почему",
    leg_rang="звонил {time}",
    leg_answered="взял трубку через {time}",
    talks_in_turn="Говорили по очереди",
    attempt="Попытка {number}",
    not_you="Почему не вам: {why}",
    not_your_turn="до вас очередь не дошла",
    wish_noted="просил перезвонить",
    recording_is={
        "expected": "Запись ещё не найдена.",
        "stored": "Запись",
        "remote": "Запись",
        "empty": "В записи нет звука.",
        "missing": "Файл записи пропал.",
        "expired": "Запись удалена по сроку.",
    },
    recording_private="Запись слышат менеджер клиента и руководители.",
    route_actions={
        "dial": "звоним",
        "reject": "отказ",
        "callback": "предложен обратный звонок",
        "fallback": "запасной набор АТС",
        "menu": "голосовое меню",
    },
    route_stages={
        "list": "особый список",
        "line": "номер",
        "menu": "голосовое меню",
        "manager": "свой менеджер",
        "deputy": "заместитель",
        "group": "группа",
        "duty": "дежурные",
        "callback": "обратный звонок",
    },
    route_verdicts={
        "rings": "звоним",
        "absent": "отсутствует",
        "busy": "занят",
        "unreachable": "телефон не на связи",
        "do_not_disturb": "просил не беспокоить",
        "no_extension": "нет телефона",
        "disabled": "отключён",
        "tried": "уже звонили",
        "nobody": "никого",
        "listed": "в списке",
        "off_hours": "не в рабочее время",
        "paused": "на паузе",
        "wrap_up": "только что договорил",
        "chosen": "выбрано",
        "closed": "закрыто",
        "later": "позже в очереди",
    },
    route_callback="предлагается",
)


EN = CallListTexts(
    nav_calls="Calls",
    calls_title="Calls",
    calls_none="There are no such calls.",
    filter_kind="Which",
    filter_kinds={
        "": "all",
        "missed": "missed",
        "in": "incoming",
        "out": "outgoing",
        "answered": "with a conversation",
        "now": "going on now",
    },
    filter_line="Number",
    filter_day="Day",
    filter_all="all",
    filter_show="Show",
    call_client="Call",
    call_queued="Calling: your telephone rings first.",
    call_confirm_title="Call all the same?",
    call_confirm="Call all the same",
    call_outgoing="outgoing",
    call_incoming="incoming",
    line_out="from",
    held="on hold {time}",
    inside="internal number {number}",
    somebody="somebody",
    hung_up_by={"client": "the client hung up", "office": "we hung up"},
    call_pushed_causes={
        "busy": "busy",
        "cancel": "the caller hung up",
        "noAnswer": "nobody picked up",
        "congestion": "the call was not connected",
        "notFound": "no such number, or not connected",
        "forwarded": "forwarded",
        "normalClearing": "",
        "unheard": "the telephone system did not tell how it ended",
    },
    who_rang="Who rang, and why",
    leg_rang="rang {time}",
    leg_answered="picked up after {time}",
    talks_in_turn="Talked in turn",
    attempt="Attempt {number}",
    not_you="Why not you: {why}",
    not_your_turn="your turn did not come",
    wish_noted="asked to be called back",
    recording_is={
        "expected": "The recording is not found yet.",
        "stored": "Recording",
        "remote": "Recording",
        "empty": "The recording has no sound.",
        "missing": "The file of the recording is missing.",
        "expired": "The recording was deleted when its time was up.",
    },
    recording_private="The client's manager and those who lead can hear it.",
    route_actions={
        "dial": "rings",
        "reject": "refused",
        "callback": "a callback is offered",
        "fallback": "the PBX's fallback",
        "menu": "voice menu",
    },
    route_stages={
        "list": "special list",
        "line": "line",
        "menu": "voice menu",
        "manager": "own manager",
        "deputy": "deputy",
        "group": "group",
        "duty": "duty",
        "callback": "callback",
    },
    route_verdicts={
        "rings": "rings",
        "absent": "absent",
        "busy": "busy",
        "unreachable": "telephone not connected",
        "do_not_disturb": "do not disturb",
        "no_extension": "no telephone",
        "disabled": "disabled",
        "tried": "rung already",
        "nobody": "nobody",
        "listed": "on the list",
        "off_hours": "not in working hours",
        "paused": "paused",
        "wrap_up": "just finished a call",
        "chosen": "chosen",
        "closed": "closed",
        "later": "later in turn",
    },
    route_callback="offered",
)
