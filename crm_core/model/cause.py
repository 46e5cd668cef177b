"""Why a call, or the ringing of one telephone, ended as it did: a few words for people, Russian or English.

Causes are those of Q.850, as telephone exchanges give them; 0 is an unknown one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction

_Words = tuple[str, str]

_ELSEWHERE = 26
_CANCELLED = frozenset({0, 16, 31, 127})

# of somebody who was rung and did not talk: the client's side of an outgoing call, or one telephone of the office
_OF_LEG: dict[int, _Words] = {
    1: ("номер не существует", "no such number"),
    2: ("нет пути к номеру", "no route to the number"),
    3: ("нет пути к номеру", "no route to the number"),
    17: ("занят", "busy"),
    18: ("не отвечает", "does not respond"),
    19: ("не берёт трубку", "does not pick up"),
    20: ("вне сети", "not reachable"),
    21: ("отклонил звонок", "declined"),
    22: ("номер изменён", "the number has changed"),
    23: ("переадресация", "forwarded"),
    25: ("ошибка маршрута", "routing error"),
    _ELSEWHERE: ("ответил другой", "somebody else answered"),
    27: ("вне сети", "not reachable"),
    28: ("неверный номер", "invalid number"),
    29: ("услуга отклонена", "facility rejected"),
    34: ("линия перегружена", "no free line"),
    38: ("сеть не работает", "the network is down"),
    41: ("сбой сети", "temporary failure"),
    42: ("сеть перегружена", "congestion"),
    44: ("линия недоступна", "the line is not available"),
    50: ("услуга не подключена", "not subscribed"),
    52: ("исходящие запрещены", "outgoing calls barred"),
    55: ("входящие запрещены", "incoming calls barred"),
    57: ("нет прав на звонок", "not authorised"),
    58: ("нет подходящего кодека", "no common codec"),
    65: ("нет подходящего кодека", "no common codec"),
    88: ("нет подходящего кодека", "no common codec"),
    102: ("нет ответа сети", "the network did not answer"),
    111: ("ошибка протокола", "protocol error"),
    127: ("звонок снят", "the call was withdrawn"),
}
_SILENT: _Words = ("не берёт трубку", "does not pick up")
_FAILED: _Words = ("вызов не удался", "the call failed")
_NOT_ACCEPTED: _Words = ("сотрудник не принял звонок", "the colleague did not accept the call")
_GAVE_UP: _Words = ("сотрудник не дождался ответа", "the colleague gave up")
_CLIENT: _Words = ("абонент", "the client")
_STAFF: _Words = ("сотрудник", "the colleague")
_ADJECTIVES = frozenset({"busy", "not reachable"})
_OF_THE_LINE = frozenset({1, 2, 3, 22, 25, 28, 29, 34, 38, 41, 42, 44, 50, 52, 55, 57, 58, 65, 88, 102, 111})
_MISSED: dict[CallState, _Words] = {
    CallState.MISSED: ("никто не ответил", "nobody answered"),
    CallState.ABANDONED: ("клиент не дождался", "the client gave up"),
    CallState.BUSY: ("все заняты", "everybody is busy"),
    CallState.REJECTED: ("отклонён", "rejected"),
}
_ENDED: dict[str, _Words] = {
    "client": ("клиент положил трубку", "the client hung up"),
    "office": ("сотрудник положил трубку", "the colleague hung up"),
    "": ("разговор окончен", "the conversation ended"),
}


def leg_words(language: str, leg: CallLeg) -> str:
    """Why a telephone that was rung was not picked up; empty where it was, or while it rings."""
    if leg.answered_at is not None or leg.ended_at is None:
        return ""
    return _said(_SILENT if leg.cause in _CANCELLED else _OF_LEG.get(leg.cause, _FAILED), language)


def call_words(language: str, call: CallSnapshot) -> str:
    """How a call ended; empty while it goes on."""
    if not call.finished:
        return ""
    if call.state is CallState.ANSWERED:
        return _said(_ENDED.get(call.hung_up_by, _ENDED[""]), language)
    if call.direction is Direction.IN:
        return _said(_MISSED.get(call.state, _MISSED[CallState.MISSED]), language)
    if _declined(call):
        return _said(_NOT_ACCEPTED, language)
    who = _CLIENT if _taken(call.legs) else _STAFF
    if call.state is CallState.BUSY:
        return _about(who, _OF_LEG[17], language)
    if who is _CLIENT and call.hung_up_by == "office" and call.state is CallState.NO_ANSWER:
        return _said(_GAVE_UP, language)
    if call.cause in _CANCELLED or call.cause == _ELSEWHERE:
        return _about(who, _SILENT if call.state is not CallState.FAILED or who is _STAFF else _FAILED, language)
    words = _OF_LEG.get(call.cause, _FAILED)
    return _said(words, language) if call.cause in _OF_THE_LINE or words is _FAILED else _about(who, words, language)


def said_in(language: str, words: str) -> str:
    """What was said by these functions before, in the office's language of then, in another one; anything else, such as
    the words of a foreign exchange, as it is."""
    known = _KNOWN.get(words)
    return _said(known, language) if known is not None else words


def _taken(legs: Sequence[CallLeg]) -> bool:
    """Whether an outgoing call came as far as the client: a telephone of the office dialled, or was picked up."""
    return not legs or len(legs) > 1 or legs[0].answered_at is not None or "@" in legs[0].endpoint


def _declined(call: CallSnapshot) -> bool:
    """Whether the person picked up and heard whom to talk with, and the client was not dialled after all."""
    picked = len(call.legs) == 1 and call.legs[0].answered_at is not None and not _outside(call.legs[0].endpoint)
    return picked and call.state is CallState.FAILED


def _outside(endpoint: str) -> bool:
    """Whether an endpoint is a number behind a trunk: `PJSIP/…@trunk`, `DAHDI/g0/…`."""
    return "@" in endpoint or endpoint.count("/") > 1


def _about(who: _Words, words: _Words, language: str) -> str:
    said = _said(words, language)
    return said if words is _FAILED else f"{_said(who, language)} {'is ' if said in _ADJECTIVES else ''}{said}"


def _said(words: _Words, language: str) -> str:
    return words[0] if language == "ru" else words[1]


def _all_words() -> Iterator[_Words]:
    """Everything that is said, in both languages."""
    of_people = (*_OF_LEG.values(), _SILENT)
    for who in (_CLIENT, _STAFF):
        yield from ((_about(who, words, "ru"), _about(who, words, "en")) for words in of_people)
    yield from (*of_people, _FAILED, _NOT_ACCEPTED, _GAVE_UP, *_MISSED.values(), *_ENDED.values())


_KNOWN: dict[str, _Words] = {said: words for words in _all_words() for said in words}
