"""Templates: what they say, what they refuse, and that nothing in them runs, reads or grows without bounds."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.model.amounts import grouped, money, money_words, plural, words
from crm_core.model.templates import TemplateError, checked, names, rendered
from crm_core.services.letters.opting_out import asks_out

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def test_what_a_letter_says() -> None:
    scope = {
        "contact": {"name": "Анна", "phone": "+79161234567"},
        "deal": {"amount": 150000.5, "fields": {"area": 54.0, "until": datetime(2026, 12, 1, tzinfo=UTC)}},
        "now": NOW,
        "items": [{"name": "Окно"}, {"name": "Дверь"}],
    }
    for text, said in (
        ("Здравствуйте, {{ contact.name }}!", "Здравствуйте, Анна!"),
        ("{{ deal.amount | money }}", "150\u00a0000,50\u00a0₽"),
        ("{{ deal.amount | money_words }}", "Сто пятьдесят тысяч рублей 50 копеек"),
        ("{{ deal.fields.area }} м²", "54 м²"),
        ("до {{ deal.fields.until }}", "до 01.12.2026"),
        ("до {{ deal.fields.until | add_days: 25 | date_words }}", "до 26 декабря 2026 г."),
        ("{{ now }}", "22.11.2026 15:30"),
        ('{{ now | date: "%-d %B %Y" }}, {{ now | time }}', "22 ноября 2026, 15:30"),
        ("{{ contact.phone | phone }}", "+7 916 123-45-67"),
        ('{{ 5 }} {{ 5 | plural: "заявка", "заявки", "заявок" }}', "5 заявок"),
        ('{{ items | map: "name" | join: ", " }}', "Окно, Дверь"),
        ("[{{ nothing }}{{ deal.nothing.at.all }}{{ nothing | money }}{{ nothing | date }}]", "[]"),
        ("{% for each in items %}{{ forloop.index }}. {{ each.name }}; {% endfor %}", "1. Окно; 2. Дверь; "),
    ):
        assert rendered(text, scope) == said, text
    assert rendered("{{ now | date_words }}", scope, language="en", zone="Asia/Omsk") == "22 November 2026"
    assert rendered("{{ a }}", {"a": "<b>&"}, html=True) == "&lt;b&gt;&amp;"
    assert names("{{ contact.name }}{% for a in items %}{{ a }}{% endfor %}") == {"contact", "items"}
    assert rendered("{{ d }}", {"d": date(2026, 1, 2)}) == "02.01.2026"


HOSTILE = (
    "{% include 'x' %}",
    "{% render 'x' %}",
    "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "{% for i in (1..10000) %}{% for j in (1..10000) %}{% endfor %}{% endfor %}",
    "{% for i in (1..10000) %}{% assign x = i %}{% endfor %}" * 500,
    "{{ (1..100000000) | join: 'x' }}",
    "{{ 'a'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaa'" * 40 + " }}",
    "{% assign x = 9 %}{% for i in (1..100) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
    "{% assign x = 'aaaaaaaa' %}{% for i in (1..100) %}{% assign x = x | append: x %}{% endfor %}{{ x }}",
    "{% capture x %}" + "a" * 5000 + "{% endcapture %}{% for i in (1..9999) %}{{ x }}{% endfor %}",
    "{{" * 20_000,
    "{%" * 20_000,
    "{{ " + " " * 1500 + "x }}",
    "{% raw %}" * 1900,
    "{{ a" + "[a" * 600 + "]" * 600 + " }}",
    "{% if x %}" * 100,
    "{{ x | system: 'rm' }}",
    "a" * 60_000,
    "{{ 1 | divided_by: 0 }}",
    "{{ 'x' | date }}",
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:30])
def test_what_would_harm_is_refused_in_words_and_in_time(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(TemplateError) as told:
        rendered(text, {"a": {"a": "a"}})
    assert str(told.value)
    assert time.process_time() - begun < 20


def test_code_reaches_nothing() -> None:
    class Secret:
        key = "s3cret"

    scope = {"x": "text", "o": Secret(), "m": {"o": Secret()}, "l": [1]}
    for text in (
        "{{ x.__class__ }}{{ x['__class__'] }}{{ l.__len__ }}{{ o }}{{ o.key }}{{ m.o.key }}{{ m.__init__ }}",
        "{{ m._values }}{{ m.keys }}{{ x.format }}{{ now.__globals__ }}",
    ):
        assert rendered(text, scope) == ""
    assert rendered("{{ '%1000000000d' }}{{ d | date: '%1000000000d' }}", {"d": NOW}) == "%1000000000d" * 2


def test_a_fault_is_told_with_its_place() -> None:
    with pytest.raises(TemplateError, match="line 2, column"):
        rendered("раз\n{{ 5 | nosuch }}", {})
    with pytest.raises(TemplateError, match="line 3: there is no filter «nosuch»"):
        checked("раз\nдва\n{% if a %}{{ 5 | nosuch }}{% endif %}")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
FILTERS = (
    "money",
    "money_words",
    "date",
    "date_words",
    "phone",
    "number",
    "upcase",
    "join",
    "first",
    "sort",
    "round",
    "size",
)


def rendered_or_told(text: str, scope: dict[str, Any]) -> None:
    """Nothing but a text, or an error in words."""
    try:
        rendered(text, scope)
    except TemplateError:
        return


@settings(max_examples=300, deadline=None)
@given(plain, st.sampled_from(FILTERS))
def test_whatever_a_value_is_it_is_shown_or_told(value: Any, name: str) -> None:
    for text in (f"{{{{ v | {name} }}}}", "{{ v }}", "{% for each in v %}{{ each }}{% endfor %}"):
        rendered_or_told(text, {"v": value})


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(list("{}%|'\" abif.[]()0123456789-:,\n")), max_size=60))
def test_whatever_is_typed_is_rendered_or_told(text: str) -> None:
    rendered_or_told(text, {"a": {"b": [1, "x"]}})


def test_sums_in_words() -> None:
    for value, said in (
        ("0", "Ноль рублей 00 копеек"),
        ("1", "Один рубль 00 копеек"),
        ("2.01", "Два рубля 01 копейка"),
        ("11.12", "Одиннадцать рублей 12 копеек"),
        ("21.22", "Двадцать один рубль 22 копейки"),
        ("1000", "Одна тысяча рублей 00 копеек"),
        ("2002", "Две тысячи два рубля 00 копеек"),
        ("1111111.11", "Один миллион сто одиннадцать тысяч сто одиннадцать рублей 11 копеек"),
        ("5000000000", "Пять миллиардов рублей 00 копеек"),
        ("-3.5", "Минус три рубля 50 копеек"),
        ("0.005", "Ноль рублей 01 копейка"),
        ("999999999999999", None),
    ):
        found = money_words(Decimal(value))
        assert said is None or found == said
    assert money_words(Decimal("1.5"), "USD") == "Один доллар США 50 центов"
    assert money(Decimal("1234.5"), "EUR") == "1\u00a0234,50\u00a0€"
    assert grouped(Decimal("-1234567.125")) == "−1\u00a0234\u00a0567,125"
    with pytest.raises(ValueError, match="too large"):
        words(10**18)


@given(st.integers(-(10**17), 10**17))
def test_words_and_forms_of_any_number(value: int) -> None:
    assert words(value)
    assert plural(value, ("а", "б", "в")) in {"а", "б", "в"}


def test_only_whole_short_messages_opt_out() -> None:
    for text in ("стоп", " СТОП! ", "«Отписаться».", "Unsubscribe", "отпишите  меня", "STOP", "Не пишите мне больше"):
        assert asks_out(text), text
    for text in ("Стоп, подождите", "не стоп", "", "нет", "Как отписаться от рассылки конкурентов?", "стоп " * 30):
        assert not asks_out(text), text
