"""What [[line]] and [[group]] hold, and how what is wrong in them is told."""

from __future__ import annotations

import pytest

from crm_core.model.line import Anonymous, Audience, Goal, Group, Line, Menu, RingStrategy, Target
from crm_core.model.policy import AccountPolicy
from hub.settings import SettingsError, parse_settings
from hub.settings.office import office_of

HOURS = '[[hours]]\nname = "office"\ndays = { mon-fri = "09:00-18:00" }\n'
WHOLE = f"""
{HOURS}
[[group]]
name = "sales"
strategy = "in_turn"
ring_s = 15
hours = "office"

[[line]]
number = "+74951234567"
hours = "office"
greeting = "custom/hello&custom/recorded"
menu = {{ "1" = "group:sales", "2" = "callback", "0" = "manager", "5" = "PJSIP/150", "9" = "user:anna" }}
menu_sound = "custom/menu"
menu_for = "all"
night = "group:sales"
night_sound = "custom/closed"
anonymous = "reject"
record = false
"""


def problems(text: str) -> list[str]:
    """Every problem of a configuration, without the file's name."""
    with pytest.raises(SettingsError) as failed:
        parse_settings(text)
    return [str(each).removeprefix("hub.toml:") for each in failed.value.problems]


def test_everything_at_once() -> None:
    settings = parse_settings(WHOLE)
    keys = (
        ("1", Target(Goal.GROUP, "sales")),
        ("2", Target(Goal.CALLBACK)),
        ("0", Target(Goal.MANAGER)),
        ("5", Target(Goal.ENDPOINT, "PJSIP/150")),
        ("9", Target(Goal.USER, "anna")),
    )
    assert settings.lines == (
        Line(
            "+74951234567",
            None,
            AccountPolicy(),
            hours="office",
            greeting="custom/hello&custom/recorded",
            menu=Menu(keys, "custom/menu", Audience.ALL),
            night=Target(Goal.GROUP, "sales"),
            night_sound="custom/closed",
            anonymous=Anonymous.REJECT,
            record=False,
        ),
    )
    assert settings.groups == (Group("sales", RingStrategy.IN_TURN, 15, "office"),)
    office = office_of(settings)
    assert office.group("sales").ring_s == 15
    assert office.group("other") == Group("other")
    assert office.calendars["office"] is settings.hours[0]


def test_nobody_can_ring_back_a_hidden_number() -> None:
    text = '[[line]]\nnumber = "+74951234567"\nanonymous = "callback"\n'
    (problem,) = problems(text)
    assert problem.startswith("3: line[1].anonymous: ")
    assert "nobody can ring back a hidden number" in problem
    assert '"ring" or "reject"' in problem


def test_nothing_is_needed() -> None:
    (line,) = parse_settings('[[line]]\nnumber = "+74951234567"\n').lines
    assert line == Line("+74951234567", None, AccountPolicy())
    assert line.night == Target(Goal.CALLBACK)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            'menu = { "1" = "group:sale" }',
            '7: line[1].menu.1: there is no group named "sale". Did you mean "group:sales"?',
        ),
        ('night = "group:duty"', '7: line[1].night: there is no group named "duty". Add [[group]] name = "duty"'),
        ('hours = "ofice"', '7: line[1].hours: there is no [[hours]] named "ofice". Did you mean "office"?'),
        ('menu = { "12" = "callback" }', '7: line[1].menu.12: "12" is no key of a menu. Keys are 0 to 9 and *'),
        ('menu = { "#" = "callback" }', '7: line[1].menu."#": "#" is no key of a menu. Keys are 0 to 9 and *'),
        ("menu = {}", "7: line[1].menu: no key leads anywhere. Write it like"),
        ('menu = { "1" = "calback" }', '7: line[1].menu.1: "calback" leads nowhere. Did you mean "callback"?'),
        ('menu = { "1" = "grup:sales" }', '7: line[1].menu.1: "grup:sales" leads nowhere. Did you mean "group"?'),
        ('menu = { "1" = "user:" }', '7: line[1].menu.1: "user:" names nobody.'),
        ('menu = { "1" = "PJSIP/1&PJSIP/2" }', '7: line[1].menu.1: "PJSIP/1&PJSIP/2" leads nowhere.'),
        ('menu = { "1" = "ring" }', '7: line[1].menu.1: "ring" leads nowhere.'),
        ('night = "manager"', '7: line[1].night: "manager" leads nowhere.'),
        ('menu_sound = "x"', "7: line[1].menu_sound: means nothing without a menu."),
        ('greeting = "привет"', '7: line[1].greeting: "привет" is not the name of a sound.'),
        ('greeting = "custom/a,b"', '7: line[1].greeting: "custom/a,b" is not the name of a sound.'),
        ('greeting = "custom/hello.wav"', '7: line[1].greeting: "custom/hello.wav" has the ending .wav.'),
        ('anonymous = "rejekt"', '7: line[1].anonymous: "rejekt" is not known here. Did you mean "reject"?'),
        ('record = "no"', "7: line[1].record: expected true or false"),
        ('nigth = "ring"', '7: line[1].nigth: unknown key. Did you mean "night"?'),
    ],
)
def test_what_is_wrong_in_a_line(more: str, problem: str) -> None:
    text = f'{HOURS}[[group]]\nname = "sales"\n[[line]]\n{more}\nnumber = "+74951234567"\n'
    (found,) = problems(text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('strategy = "inturn"', '3: group[1].strategy: "inturn" is not known here. Did you mean "in_turn"?'),
        ("ring_s = 0", "3: group[1].ring_s: the number is out of range (0)."),
        ('hours = "office"', '3: group[1].hours: there is no [[hours]] named "office". Add one, or write "any"'),
    ],
)
def test_what_is_wrong_in_a_group(more: str, problem: str) -> None:
    (found,) = problems(f'[[group]]\nname = "sales"\n{more}\n')
    assert found.startswith(problem)


def test_groups_are_unique() -> None:
    (found,) = problems('[[group]]\nname = "sales"\n[[group]]\nname = "sales"\n')
    assert found.startswith("4: group[2].name: ")


def test_a_group_named_by_an_account_is_a_group() -> None:
    text = '[[line]]\nnumber = "+74951234567"\ngroup = "sales"\nnight = "group:sales"\n'
    assert parse_settings(text).lines[0].night == Target(Goal.GROUP, "sales")


def test_any_hours_are_round_the_clock() -> None:
    settings = parse_settings('[[line]]\nnumber = "+74951234567"\nhours = "any"\n')
    assert settings.lines[0].hours is None
