"""Why calls end, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction
from crm_core.model.cause import call_words, leg_words, said_in

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
END = START + timedelta(seconds=20)
PERSON = CallLeg("PJSIP/101", START, ended_at=END)
TAKEN = replace(PERSON, answered_at=START)
CLIENT = CallLeg("PJSIP/79161234567@trunk", START, ended_at=END)


def _call(state: CallState, direction: Direction = Direction.OUT, **more: object) -> CallSnapshot:
    call = CallSnapshot("1", direction, "7", "", state, START, finished_at=END)
    return replace(call, **more)  # type: ignore[arg-type]  # any field


ENDS = [
    (_call(CallState.MISSED, Direction.IN), "никто не ответил", "nobody answered"),
    (_call(CallState.ABANDONED, Direction.IN, cause=127), "клиент не дождался", "the client gave up"),
    (_call(CallState.BUSY, Direction.IN, cause=17), "все заняты", "everybody is busy"),
    (_call(CallState.REJECTED, Direction.IN, cause=21), "отклонён", "rejected"),
    (_call(CallState.ANSWERED, hung_up_by="client"), "клиент положил трубку", "the client hung up"),
    (_call(CallState.ANSWERED, hung_up_by="office"), "сотрудник положил трубку", "the colleague hung up"),
    (_call(CallState.ANSWERED), "разговор окончен", "the conversation ended"),
    (_call(CallState.BUSY, legs=(TAKEN, CLIENT), cause=17), "абонент занят", "the client is busy"),
    (
        _call(CallState.NO_ANSWER, legs=(TAKEN, CLIENT), cause=19),
        "абонент не берёт трубку",
        "the client does not pick up",
    ),
    (
        _call(CallState.NO_ANSWER, legs=(TAKEN, CLIENT), cause=16, hung_up_by="office"),
        "сотрудник не дождался ответа",
        "the colleague gave up",
    ),
    (_call(CallState.FAILED, legs=(TAKEN, CLIENT), cause=21), "абонент отклонил звонок", "the client declined"),
    (_call(CallState.FAILED, legs=(TAKEN, CLIENT), cause=20), "абонент вне сети", "the client is not reachable"),
    (_call(CallState.FAILED, legs=(TAKEN, CLIENT), cause=34), "линия перегружена", "no free line"),
    (_call(CallState.FAILED, legs=(TAKEN, CLIENT), cause=1), "номер не существует", "no such number"),
    (_call(CallState.FAILED, legs=(TAKEN, CLIENT), cause=99), "вызов не удался", "the call failed"),
    (
        _call(CallState.FAILED, legs=(PERSON,), cause=19),
        "сотрудник не берёт трубку",
        "the colleague does not pick up",
    ),
    (_call(CallState.FAILED, legs=(PERSON,), cause=17), "сотрудник занят", "the colleague is busy"),
    (
        _call(CallState.FAILED, legs=(TAKEN,), cause=21),
        "сотрудник не принял звонок",
        "the colleague did not accept the call",
    ),
    (
        _call(CallState.FAILED, legs=(TAKEN,), cause=16, hung_up_by="office"),
        "сотрудник не принял звонок",
        "the colleague did not accept the call",
    ),
    (_call(CallState.FAILED, legs=(PERSON,), cause=21), "сотрудник отклонил звонок", "the colleague declined"),
]


@pytest.mark.parametrize(("call", "russian", "english"), ENDS)
def test_how_a_call_ended(call: CallSnapshot, russian: str, english: str) -> None:
    assert (call_words("ru", call), call_words("en", call)) == (russian, english)


@pytest.mark.parametrize(("call", "russian", "english"), ENDS)
def test_how_a_call_ended_is_said_in_the_language_of_who_reads(call: CallSnapshot, russian: str, english: str) -> None:
    assert said_in("en", russian) == english
    assert said_in("ru", english) == russian
    assert said_in("ru", russian) == russian


def test_words_of_others_stay() -> None:
    assert said_in("en", "абонент уехал") == "абонент уехал"
    assert said_in("ru", "") == ""


def test_a_call_that_goes_on_has_not_ended() -> None:
    assert call_words("ru", replace(_call(CallState.RINGING), finished_at=None)) == ""


@pytest.mark.parametrize(
    ("cause", "words"),
    [(0, "не берёт трубку"), (16, "не берёт трубку"), (17, "занят"), (19, "не берёт трубку"), (20, "вне сети"),
     (21, "отклонил звонок"), (23, "переадресация"), (26, "ответил другой"), (999, "вызов не удался")],
)  # fmt: skip
def test_why_a_telephone_was_not_picked_up(cause: int, words: str) -> None:
    assert leg_words("ru", replace(PERSON, cause=cause)) == words
    assert leg_words("ru", replace(TAKEN, cause=cause)) == ""
    assert leg_words("ru", CallLeg("PJSIP/101", START)) == ""
