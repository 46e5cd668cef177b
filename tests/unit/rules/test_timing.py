"""When timed rules are due: schedules, hours of days, time in a stage, days around a date."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_core.model.definitions import Catalogue, RuleBody
from crm_core.model.definitions.chains import ChainStep
from crm_core.model.definitions.rules import When
from crm_core.model.office import Office
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.services.automation.index import Trigger, rule_of
from crm_core.services.automation.timing import due_of, local, next_of
from crm_core.services.letters.chaining import due

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")  # whose clocks change
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, noon in Moscow
OFFICE = Office(time_zone="Europe/Moscow")


def trigger(on: str = "deal", stages: frozenset[int] | None = None, **when: Any) -> Trigger:
    """A trigger of a rule of its own."""
    body = RuleBody.model_validate({"on": on, "when": when, "then": {"do": "tag", "tags": "а"}})
    return Trigger(rule_of(1, "правило", body, NOW), body.when[0], 0, stages)


def deal(**more: Any) -> DealRecord:
    """A card."""
    return DealRecord(5, 7, 1, 2, "Окна", NOW, NOW, NOW, **more)


@pytest.mark.parametrize(
    ("when", "after", "expected"),
    [
        ({"every": "day", "at": "09:00"}, "2026-03-02T12:00", "2026-03-03T09:00"),
        ({"every": "day", "at": "15:30"}, "2026-03-02T12:00", "2026-03-02T15:30"),
        ({"every": "day", "at": "12:00"}, "2026-03-02T12:00", "2026-03-03T12:00"),
        ({"every": "week", "at": "9:00"}, "2026-03-02T12:00", "2026-03-09T09:00"),
        ({"every": "week", "weekdays": [5, 3], "at": "09:00"}, "2026-03-02T12:00", "2026-03-04T09:00"),
        ({"every": "month", "at": "09:00"}, "2026-03-02T12:00", "2026-04-01T09:00"),
        ({"every": "month", "days": [15, 31], "at": "09:00"}, "2026-04-16T12:00", "2026-04-30T09:00"),
        ({"every": "month", "days": [31], "at": "09:00"}, "2026-02-01T12:00", "2026-02-28T09:00"),
    ],
)
def test_when_a_schedule_comes_next(when: dict[str, Any], after: str, expected: str) -> None:
    found = next_of(
        When.model_validate({"event": "schedule", **when}), datetime.fromisoformat(after).replace(tzinfo=MOSCOW), MOSCOW
    )
    assert found == datetime.fromisoformat(expected).replace(tzinfo=MOSCOW)


@given(
    st.sampled_from(["day", "week", "month"]),
    st.lists(st.integers(1, 7), max_size=3),
    st.lists(st.integers(1, 31), max_size=3),
    st.times().map(lambda value: value.strftime("%H:%M")),
    st.integers(0, 5 * 365 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
def test_a_schedule_comes_later_and_within_its_time(
    every: str, weekdays: list[int], days: list[int], at: str, after: datetime
) -> None:
    when = When.model_validate({"event": "schedule", "every": every, "weekdays": weekdays, "days": days, "at": at})
    found = next_of(when, after, BERLIN)
    most = {"day": 1, "week": 7, "month": 31}[every]
    assert after < found <= after + timedelta(days=most, hours=25)
    assert next_of(when, found, BERLIN) > found


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.times())
def test_an_hour_that_the_clocks_leap_over_is_one_that_they_show(day: date, hour: time) -> None:
    at = local(day, hour.replace(tzinfo=None), BERLIN)
    assert at == datetime.fromtimestamp(at.timestamp(), UTC)
    assert abs((at.replace(tzinfo=None) - datetime.combine(day, hour.replace(tzinfo=None))).total_seconds()) <= 3600


@pytest.mark.parametrize(
    ("when", "fields", "expected"),
    [
        ({"field": "fields.until"}, {"until": "2026-04-30"}, "2026-04-30T09:00"),
        ({"field": "fields.until", "at": "10:30"}, {"until": "2026-04-30"}, "2026-04-30T10:30"),
        ({"field": "fields.until", "before": "25d", "at": "10:00"}, {"until": "2026-04-30"}, "2026-04-05T10:00"),
        ({"field": "fields.until", "after": "2d"}, {"until": "2026-04-30"}, "2026-05-02T09:00"),
        ({"field": "fields.until", "before": "90m"}, {"until": "2026-04-30"}, "2026-04-30T07:30"),
        ({"field": "due_at"}, {}, "2026-03-05T12:00"),
        ({"field": "due_at", "before": "1h"}, {}, "2026-03-05T11:00"),
        ({"field": "due_at", "at": "09:00"}, {}, "2026-03-05T09:00"),
        ({"field": "fields.until"}, {}, None),
        ({"field": "fields.until"}, {"until": "скоро"}, None),
        ({"field": "fields.until"}, {"until": 5}, None),
        ({"field": "fields.until"}, {"until": "2026-04-30T15:00:00+03:00"}, "2026-04-30T15:00"),
    ],
)
def test_days_around_a_date(when: dict[str, Any], fields: dict[str, Any], expected: str | None) -> None:
    record = deal(fields=fields, due_at=NOW + timedelta(days=3))
    found = due_of(trigger(event="date", **when), record, None, OFFICE, Catalogue())
    wanted = datetime.fromisoformat(expected).replace(tzinfo=MOSCOW) if expected else None
    assert (found.at if found is not None else None) == wanted


def test_days_keep_their_hour_when_the_clocks_change() -> None:
    office = Office(time_zone="Europe/Berlin")
    found = due_of(
        trigger(event="date", field="fields.until", before="7d", at="10:00"),
        deal(fields={"until": "2026-04-02"}),
        None,
        office,
        Catalogue(),
    )
    assert found is not None
    assert found.at == datetime(2026, 3, 26, 10, 0, tzinfo=BERLIN)  # winter time there, summer time on the day itself


@pytest.mark.parametrize(
    ("when", "let_go"),
    [
        ({"before": "25d", "at": "10:00"}, "2026-04-30T10:00"),  # there is something to do until the day itself
        ({"before": "1d", "at": "10:00"}, "2026-05-06T10:00"),
        ({"at": "10:00"}, "2026-05-07T10:00"),
        ({"after": "2d", "at": "10:00"}, "2026-05-09T10:00"),
    ],
)
def test_until_when_a_day_that_passed_is_made_up_for(when: dict[str, Any], let_go: str) -> None:
    record = deal(fields={"until": "2026-04-30"})
    found = due_of(trigger(event="date", field="fields.until", **when), record, None, OFFICE, Catalogue())
    assert found is not None
    last = datetime.fromisoformat(let_go).replace(tzinfo=MOSCOW)
    assert (found.in_time(last), found.in_time(last + timedelta(seconds=1))) == (True, False)


def test_time_in_a_stage_and_silence() -> None:
    found = due_of(trigger(stages=frozenset({2}), event="in_stage", after="336h"), deal(), None, OFFICE, Catalogue())
    assert found is not None
    assert found.at == NOW + timedelta(hours=336)
    assert (
        due_of(trigger(stages=frozenset({3}), event="in_stage", after="1h"), deal(), None, OFFICE, Catalogue()) is None
    )
    gone = deal(deleted_at=NOW)
    assert due_of(trigger(stages=frozenset({2}), event="in_stage", after="1h"), gone, None, OFFICE, Catalogue()) is None
    contact = ContactRecord(7, "Анна", NOW, NOW, "", last_contact_at=NOW + timedelta(days=1))
    silent = due_of(trigger("contact", event="silence", after="10d"), contact, contact, OFFICE, Catalogue())
    assert silent is not None
    assert silent.at == NOW + timedelta(days=11)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({}, "2026-03-02T12:00"),
        ({"after": "2d"}, "2026-03-04T12:00"),
        ({"after": "2d", "at": "18:00"}, "2026-03-04T18:00"),
        ({"after": "2d", "at": "09:00"}, "2026-03-05T09:00"),
        ({"at": "12:00"}, "2026-03-02T12:00"),
    ],
)
def test_when_a_step_of_a_chain_is_due(step: dict[str, Any], expected: str) -> None:
    form = ChainStep.model_validate({"template": "т", **step})
    assert due(form, NOW, MOSCOW) == datetime.fromisoformat(expected).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"when": {"event": "in_stage"}}, "after: «in_stage» needs to know how long"),
        ({"when": {"event": "in_stage", "after": "0s"}}, "after: longer than nothing"),
        ({"when": {"event": "silence", "after": "5s"}}, "after: a minute at least"),
        ({"when": {"event": "date"}}, "field: «date» needs to know which"),
        ({"when": {"event": "changed"}}, "field: «changed» needs to know which"),
        ({"when": {"event": "date", "field": "due_at", "after": "1d", "before": "1d"}}, "give one of the two"),
        ({"when": {"event": "schedule", "every": "day"}}, "every, at"),
        ({"when": {"event": "schedule", "every": "day", "at": "25:00"}}, "no time of day"),
        ({"when": {"event": "created", "after": "1d"}}, "happens at once"),
        ({"when": {"event": "created", "segment": "все"}}, "knows nothing of it"),
        ({"when": []}, "at least 1 item"),
        ({"then": []}, "at least 1 item"),
        ({"then": {"do": "летать"}}, "does not match any of the expected tags"),
        ({"then": {"do": "move"}}, "where is the card to go"),
        ({"then": {"do": "assign"}}, "give one of the two"),
        ({"on": "lead", "then": {"do": "move", "stage": "x"}}, "«move» is for cards"),
        ({"on": "contact", "when": {"event": "stage_entered"}}, "stands on no stage"),
        ({"condition": "1 =="}, "can't be read at character 5"),
        ({"only": {"pattern": "("}}, "the regular expression «(» can't be read"),
        ({"only": {"utm": {"term2": "x"}}}, "Input should be"),
        ({"nonsense": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(rule: dict[str, Any], words: str) -> None:
    whole = {"when": {"event": "created"}, "then": {"do": "tag", "tags": "а"}, **rule}
    with pytest.raises(ValidationError) as caught:
        RuleBody.model_validate(whole)
    assert words in str(caught.value)
