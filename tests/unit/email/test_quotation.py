"""The client's words apart from what they answer to."""

from __future__ import annotations

import time

import pytest

from channels.email.quotation import split_quotation

INTRODUCTIONS = [
    "22.11.2026 10:15, Отдел продаж пишет:",
    "Пн, 2 мар. 2026 г. в 10:15, Отдел продаж <sales@example.org>:",
    '22.11.2026, 10:15, "Отдел продаж" <sales@example.org>:',
    "Понедельник, 2 марта 2026, 10:15 +03:00 от Отдел продаж <sales@example.org>:",
    "2 марта 2026 г., в 10:15, Отдел <sales@example.org> написал(а):",
    "Вы писали 2 марта 2026 г., 10:15:27:\n",
    "On Mon, 2 Mar 2026 at 10:15, Sales <sales@example.org> wrote:",
    "On Mon, 2 Mar 2026 at 10:15, Sales and Marketing Department\n<sales@example.org> wrote:",
    "-----Исходное сообщение-----",
    "-------- Пересылаемое сообщение --------",
    "-----Original Message-----",
    "От: Отдел продаж\nОтправлено: 2 марта 2026 г. 10:15\nКому: Иван\nТема: Цена\n",
    "From: Sales\nSent: Monday, March 2, 2026 10:15\nTo: Ivan\nSubject: Price\n",
    "________________________________\nОт: Отдел продаж\nДата: 2 марта\nКому: Иван\n",
    "*От:* Отдел\n*Кому:* Иван\n*Тема:* Цена\n",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_the_forms_of_mail_programs(introduction: str) -> None:
    text = f"Да, согласен.\n\n{introduction}\n> Вас устраивает цена?\nи ещё строка\n"
    own, quoted = split_quotation(text)
    assert own == "Да, согласен."
    assert quoted.startswith(introduction.split("\n", maxsplit=1)[0])
    assert quoted.endswith("и ещё строка")


def test_lines_that_only_look_like_it_stay() -> None:
    for text in (
        "Тема: окна\nНужны три окна.",
        "Сосед пишет:\nпозвоните ему",
        "Мой телефон:\n8 916 123-45-67",
        "Цены:\n- 10:15\n- 12:00",
        "From: Moscow to: Tver",
        "---\nIvan",
    ):
        assert split_quotation(text) == (text, "")


def test_quoted_lines_at_the_end_need_no_introduction() -> None:
    assert split_quotation("Хорошо\n\n> старое\n> письмо\n") == ("Хорошо", "> старое\n> письмо")


def test_answers_between_the_lines_stay_where_they_are() -> None:
    text = "> Сколько окон?\nТри.\n> Когда?\nЗавтра."
    assert split_quotation(text) == (text, "")


def test_a_bare_forward_hides_nothing() -> None:
    text = "-----Original Message-----\nFrom: a\n\nhello"
    assert split_quotation(text) == (text, "")


def test_the_cost_grows_with_the_length_alone() -> None:
    started = time.perf_counter()
    for hostile in (
        "On " * 200_000,
        "On 1:15 x\n" * 60_000,
        "From: a\n" * 60_000,
        "> " * 200_000,
        "_" * 400_000,
        "- " * 99_999,
    ):
        split_quotation(hostile)
    assert time.perf_counter() - started < 60
