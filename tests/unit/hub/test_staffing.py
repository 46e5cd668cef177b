"""People and calendars that are named and not there."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from crm_core.model.answers import Answers, MenuItem
from crm_core.model.calendar import WorkingHours
from crm_core.model.channel import ChannelKey
from crm_core.model.line import Goal, Line, Menu, Target
from crm_core.model.office import Office
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Role, Staff, User
from hub.settings.staffing import contradictions

ANNA = User(1, "anna", "Анна", Role.MANAGER)
MENU = Menu((("9", Target(Goal.USER, "ana")), ("1", Target(Goal.GROUP, "sales")), ("2", Target(Goal.USER, "anna"))))
LINE = Line("+74951234567", None, AccountPolicy(), menu=MENU, night=Target(Goal.USER, "boris"))
OFFICE = Office(lines=(LINE,), calendars={"office": WorkingHours("office", ZoneInfo("UTC"))})


def test_nothing_to_say() -> None:
    people = Staff.of((replace(ANNA, hours="office"), replace(ANNA, id=2, login="boris", hours="any")))
    assert contradictions(replace(OFFICE, lines=(replace(LINE, menu=None),)), people) == ()


def test_people_who_are_not_there() -> None:
    assert contradictions(OFFICE, Staff.of((ANNA,))) == (
        'line[1].menu.9: there is no user «ana». Did you mean "user:anna"?',
        "line[1].night: there is no user «boris». Add them: hub user add",
    )
    disabled = Staff.of((ANNA, replace(ANNA, id=2, login="boris", active=False)))
    assert contradictions(OFFICE, disabled)[1] == "line[1].night: user «boris» is disabled. Name somebody else"


def test_calendars_that_are_gone() -> None:
    gone = Staff.of((replace(ANNA, hours="winter"), replace(ANNA, id=2, login="boris", hours="gone", active=False)))
    (found,) = (each for each in contradictions(OFFICE, gone) if "[[hours]]" in each)
    assert found.startswith("user anna: there is no [[hours]] named «winter».")


def test_a_menu_that_leads_to_nobody() -> None:
    menu = (MenuItem("a", "Цены", "100"), MenuItem("b", "Менеджер", group="sales"))
    office = Office(answers={ChannelKey("telegram", "shop"): Answers("Здравствуйте!", menu=menu)})
    (found,) = contradictions(office, Staff.of((ANNA,)))
    assert found.startswith("telegram:shop, menu «Менеджер»: nobody is in the group «sales».")
    assert contradictions(office, Staff.of((replace(ANNA, group="sales"),))) == ()
