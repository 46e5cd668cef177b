"""Calls, wherever they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CallTexts:
    """Its texts in one language."""

    waited: str
    talked: str
    answered_by: str
    talked_by: str
    rang: str
    recording: str
    recording_states: Mapping[str, str]
    recording_closed: str
    line: str
    call_in: Mapping[str, str]
    call_out: Mapping[str, str]


RU = CallTexts(
    waited="ждал {time}",
    talked="говорили {time}",
    answered_by="разговор:",
    talked_by="разговор:",
    rang="звонили",
    recording="Запись",
    recording_states={
        "expected": "Запись ожидается",
        "empty": "Запись пустая",
        "missing": "Файл записи не найден",
        "expired": "Запись удалена по сроку",
    },
    recording_closed="Запись есть, слушать её вам нельзя",
    line="на",
    call_in={
        "ringing": "звонит",
        "answered": "отвечен",
        "missed": "пропущен",
        "abandoned": "не дождался",
        "busy": "занято",
        "rejected": "отклонён",
        "no_answer": "не ответили",
        "failed": "не прошёл",
    },
    call_out={
        "ringing": "звоним",
        "answered": "дозвонились",
        "missed": "не дозвонились",
        "abandoned": "положили трубку",
        "busy": "занято",
        "rejected": "отклонил",
        "no_answer": "не ответил",
        "failed": "не прошёл",
    },
)


EN = CallTexts(
    waited="waited {time}",
    talked="talked {time}",
    answered_by="answered by",
    talked_by="conversation:",
    rang="rang",
    recording="Recording",
    recording_states={
        "expected": "The recording is expected",
        "empty": "The recording is empty",
        "missing": "The file of the recording is missing",
        "expired": "The recording has been deleted: its time was over",
    },
    recording_closed="There is a recording, which you may not hear",
    line="to",
    call_in={
        "ringing": "ringing",
        "answered": "answered",
        "missed": "missed",
        "abandoned": "gave up",
        "busy": "busy",
        "rejected": "rejected",
        "no_answer": "no answer",
        "failed": "failed",
    },
    call_out={
        "ringing": "ringing",
        "answered": "answered",
        "missed": "not reached",
        "abandoned": "hung up",
        "busy": "busy",
        "rejected": "rejected",
        "no_answer": "no answer",
        "failed": "failed",
    },
)
