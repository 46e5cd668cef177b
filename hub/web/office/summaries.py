"""Definitions said in a line or three: rules as when, if and then; the others by what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crm_core.model import durations
from crm_core.model.definitions import (
    Body,
    ChainBody,
    DocumentBody,
    FieldBody,
    GroupBody,
    HoursBody,
    LadderBody,
    LineBody,
    ListBody,
    RecordTypeBody,
    RuleBody,
    ScoringBody,
    Section,
    SegmentBody,
    TagGroupBody,
    TemplateBody,
)
from crm_core.model.definitions.rules import Action, Only, When
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.records import LeadStatus
from crm_core.services.configuration import Configuration, Difference
from hub.web.office.forms.labels import field_word, value_word
from hub.web.shown import duration
from hub.web.tongues import N_, NP_, _, gettext, pgettext
from hub.web.words import lead_word, state_word

_LONGEST = 140
_COLUMNS: Mapping[str, str] = {
    "state": N_("State"),
    "status": N_("State"),
    "amount": N_("Sum"),
    "paid": N_("Paid"),
    "manager": N_("Manager"),
    "stage_id": N_("Stage"),
    "tags": N_("Tags"),
    "due_at": N_("Deadline"),
}
_DAYS: Mapping[str, str] = {
    "mon": NP_("day", "Mon"),
    "tue": NP_("day", "Tue"),
    "wed": NP_("day", "Wed"),
    "thu": NP_("day", "Thu"),
    "fri": NP_("day", "Fri"),
    "sat": NP_("day", "Sat"),
    "sun": NP_("day", "Sun"),
}
_LENGTH = re.compile(r"[0-9]+(?:ms|[smhd])")
_CHAIN_STEP = re.compile(r"chain, step ([0-9]+)")
# What of an action tells it apart, in this order.
_TELLING = (
    *("tags", "field", "value", "expression", "title", "result", "stage", "pipeline", "login", "group", "template"),
    *("text", "to", "event", "chain", "due", "after"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """A line: what it is about, and what it says."""

    head: str
    text: str


def said(body: Body) -> list[Said]:
    """A body in words."""
    if isinstance(body, RuleBody):
        return rule_said(body)
    return [Said("", line) for line in _lines(body) if line]


def rule_said(rule: RuleBody) -> list[Said]:
    """A rule: when, if, then."""
    found = [Said(_("When"), "; ".join(_when(each) for each in rule.when))]
    conditions = [*_only(rule.only), *([rule.condition] if rule.condition else [])]
    if conditions:
        found.append(Said(_("If"), "; ".join(conditions)))
    found.append(Said(_("Then"), "; ".join(action_said(each) for each in rule.then)))
    return found


def action_said(action: Action | Mapping[str, Any]) -> str:
    """An action of a rule, as it stands there or as a dry run tells it."""
    plain = action if isinstance(action, Mapping) else action.model_dump(mode="json", exclude_defaults=True)
    do = str(plain.get("do", ""))
    details = [_told_of(key, plain[key]) for key in _TELLING if key in plain and plain[key] not in ([], None, "")]
    word = value_word("do", do)
    return f"{word}: {' · '.join(details)}" if details else word


def days_said(days: str) -> str:
    """Days of the week, `mon-fri`, as people write them."""
    return "-".join(pgettext("day", _DAYS[each]) if each in _DAYS else each for each in days.split("-"))


def definition_said(name: str) -> str:
    """What a definition is called; one that is named by an event, as ladders are, by what that is in words."""
    return value_word("on", name)


def difference_said(wanted: Configuration, each: Difference) -> str:
    """What a configuration brings, called as people call it: fields by their titles, ladders by what happens."""
    body = wanted.definitions.get(Section.FIELD, {}).get(each.name) if each.section == Section.FIELD.value else None
    return f"{body.title} ({value_word('of', body.of)})" if isinstance(body, FieldBody) else definition_said(each.name)


def changed_said(key: str, value: Any) -> str:
    """A part of a definition, whatever it is made of, in the words of its form."""
    match value:
        case None:
            return "—"
        case bool():
            return pgettext("flag", "yes") if value else pgettext("flag", "no")
        case Mapping():
            text = ", ".join(f"{_part_said(name)}: {changed_said(name, each)}" for name, each in value.items())
        case list():
            text = "; ".join(changed_said(key, each) for each in value)
        case str() if _LENGTH.fullmatch(value):
            text = _lasting(durations.duration(value))
        case _:
            text = value_word("tell" if key == "to" else key, str(value))
    return short(text)


def _part_said(name: str) -> str:
    return days_said(name) if name.partition("-")[0] in _DAYS else field_word("", name)


def occasion_said(why: str) -> str:
    """What made a rule act, as a dry run tells it."""
    if step := _CHAIN_STEP.fullmatch(why):
        return _("chain, step {number}").format(number=step[1])
    event, _sep, field = why.partition(" ")
    word = value_word("event", event)
    return f"{word}: {field}" if field else word


def _told_of(key: str, value: Any) -> str:
    """A part of an action: whom it is for and how long it takes in words, the rest as it stands there."""
    if key == "to":
        people = value if isinstance(value, list) else [value]
        return ", ".join(_who(str(each)) for each in people)
    if key in {"due", "after"}:
        return _lasting(durations.duration(str(value)))
    return _plain(value)


def _who(name: str) -> str:
    """Whom an action means: a role, a group, whoever stands in a field, somebody by their login."""
    kind, _colon, rest = name.partition(":")
    match kind if rest else "":
        case "field":
            return _("whom the field «{field}» names").format(field=rest.strip())
        case "group":
            return _("group «{group}»").format(group=rest.strip())
        case _:
            return value_word("tell", name)


def _lasting(value: timedelta) -> str:
    return duration(value.total_seconds())


def _when(when: When) -> str:
    word = value_word("event", when.event.value)
    named = [*when.pipelines, *when.stages, *when.tags]
    if when.field:
        named.append(_column(when.field))
    if when.to is not None:
        named.append(f"= {_kept(when.field or '', when.to)}")
    if when.after is not None:
        named.append(_lasting(when.after))
    if when.before is not None:
        named.append(f"−{_lasting(when.before)}")
    if when.every is not None:
        named.append(value_word("every", when.every.value))
    if when.at is not None:
        named.append(when.at)
    if when.segment is not None:
        named.append(when.segment)
    return f"{word}: {', '.join(named)}" if named else word


def _column(name: str) -> str:
    """A column of a record as people call it; a field by its key."""
    return gettext(_COLUMNS[name]) if name in _COLUMNS else name.removeprefix("fields.")


def _kept(column: str, value: Any) -> str:
    """A value of a column: states in words."""
    if column == "status":
        return lead_word(LeadStatus(value)) if value in list(LeadStatus) else str(value)
    return state_word(str(value)) if column == "state" else str(value)


def _only(only: Only) -> list[str]:
    plain = only.model_dump(mode="json", exclude_defaults=True)
    return [f"{field_word('Only', key)}: {_plain(value)}" for key, value in plain.items()]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(_plain(each) for each in value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    else:
        text = str(value)
    return short(text)


def short(text: str) -> str:
    """A text on one line, cut where it is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"


def _lines(body: Body) -> Iterable[str]:  # noqa: PLR0911 - a line a section
    match body:
        case FieldBody():
            of, kind = value_word("of", body.of), value_word("type", body.type.value)
            return (f"{kind} · {of}", body.group)
        case RecordTypeBody():
            return (f"{body.title}, {body.titles}",)
        case TagGroupBody():
            return (short(", ".join(body.tags)),)
        case ChainBody():
            return (short(" → ".join(f"{each.template} ({_lasting(each.after)})" for each in body.steps)),)
        case TemplateBody():
            return (body.subject, short(body.text or next(iter(body.texts.values()), "")))
        case DocumentBody():
            return (short(body.title), body.docx.name if body.docx is not None else "HTML → PDF")
        case SegmentBody():
            return (value_word("of", body.of), short(body.note))
        case ScoringBody():
            return (
                value_word("of", body.grade.of) if body.grade is not None else field_word("ScoringBody", "clients"),
            )
        case LadderBody():
            steps = (
                f"{_lasting(each.after)} → {', '.join(value_word('tell', told.value) for told in each.tell)}"
                for each in body.steps
            )
            return (short("; ".join(steps)),)
        case HoursBody():
            return (short("; ".join(f"{days_said(day)} {hours}" for day, hours in body.days.items())),)
        case GroupBody():
            return (value_word("strategy", body.strategy.value), body.hours or "")
        case ListBody():
            return (" → ".join(filter(None, (value_word("action", body.action.value), body.to))),)
        case LineBody():
            keys = " · ".join(f"{key} → {goal}" for key, goal in body.menu.items())
            where = " · ".join(each for each in (body.pbx, body.source, body.group, body.pipeline) if each)
            night = f"{body.hours} → {value_word('night', body.night)}" if body.hours else ""
            return (short(where), short(night), short(keys))
        case WebhookBody():
            return (short(body.url), short(", ".join(body.events)))
        case _:
            return ()
