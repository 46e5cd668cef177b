"""Who of the office can be rung, on the first page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PeopleTexts:
    """Its texts in one language."""

    people_title: str
    people_free: str
    peace_on: str
    peace_off: str
    peace_on_notice: str
    peace_off_notice: str


RU = PeopleTexts(
    people_title="Кто возьмёт звонок",
    people_free="могут ответить: {free} из {all}",
    peace_on="Не беспокоить",
    peace_off="Снова беру звонки",
    peace_on_notice="Звонки обходят вас, пока вы не вернётесь.",
    peace_off_notice="Вы снова берёте звонки.",
)

EN = PeopleTexts(
    people_title="Who takes a call",
    people_free="can answer: {free} of {all}",
    peace_on="Do not disturb",
    peace_off="I take calls again",
    peace_on_notice="Calls pass you over until you are back.",
    peace_off_notice="You take calls again.",
)
