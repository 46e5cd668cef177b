"""Whether a rule's conditions hold for an occasion: those without an expression, then the expression."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crm_core.model.definitions.rules import Only
from crm_core.model.expression_functions import has_words
from crm_core.model.patterns import folded, pattern
from crm_core.model.records import CallRecord, ContactRecord, DealRecord, EntryRecord, LeadRecord
from crm_core.model.selling import ClientScoreRecord, CompanyRecord
from crm_core.services.automation.matching import Fact, Occasion
from crm_core.services.desk import Desk
from crm_core.services.scope import Scope, scope_of

# What an expression may name of a fact, beside the record's own variables; None where anything may stand in it.
FACT_VARIABLES: Mapping[str, type | None] = {"entry": EntryRecord, "call": CallRecord, "text": None}
CHANGE_VARIABLES: Mapping[str, type | None] = {"old": None, "new": None, "tag": None}


def scope_for(desk: Desk, occasion: Occasion) -> Scope:
    """The variables of a rule's condition and texts."""
    more = {**dict.fromkeys((*FACT_VARIABLES, *CHANGE_VARIABLES)), **occasion.more}
    return scope_of(desk, occasion.record, **more)


def holds(desk: Desk, occasion: Occasion) -> bool:
    """Whether the rule is to act; raises ExpressionError where its expression makes no sense."""
    if not holds_plainly(desk, occasion):
        return False
    program = occasion.rule.program
    return program is None or program.holds(scope_for(desk, occasion))


def holds_plainly(desk: Desk, occasion: Occasion) -> bool:
    """Whether the conditions that need no expression hold."""
    only, record, fact = occasion.rule.body.only, occasion.record, occasion.fact
    if only == _NOTHING:
        return True
    if not _of_account(desk, only, record, fact or occasion.born_of):
        return False
    return all(check(desk, only, record, fact) for check in _CHECKS.values())


def unmet(desk: Desk, occasion: Occasion) -> str:
    """Which of the conditions keeps a rule from acting, as its form calls it."""
    only, record, fact = occasion.rule.body.only, occasion.record, occasion.fact
    if not _of_account(desk, only, record, fact or occasion.born_of):
        return "accounts"
    return next((name for name, check in _CHECKS.items() if not check(desk, only, record, fact)), "condition")


def read_ahead(desk: Desk, occasions: Iterable[Occasion]) -> None:
    """Read what the conditions of occasions need, set-based: at most one statement a kind of records."""
    needs = [(occasion.record, occasion.rule.reads | _read_plainly(occasion.rule.body.only)) for occasion in occasions]
    needs = [(record, names) for record, names in needs if names & {"contact", "company", "client", "lead", "deal"}]
    if not needs:
        return
    owners = {
        record.contact_id
        for record, names in needs
        if names & {"contact", "company", "client"} and getattr(record, "contact_id", None) is not None
    }
    known = desk.work.contacts(owners) if owners else {}
    companies: set[int] = set()
    scores: set[int] = set()
    leads: set[int] = set()
    deals: set[int] = set()
    for record, names in needs:
        contact = record if isinstance(record, ContactRecord) else known.get(getattr(record, "contact_id", None) or 0)
        if "company" in names:
            own = getattr(record, "company_id", None) or (contact.company_id if contact is not None else None)
            companies.update({own} if own is not None else ())
        if "client" in names and contact is not None:
            scores.add(contact.id)
        if "lead" in names and not isinstance(record, LeadRecord):
            leads.update({record.lead_id} if getattr(record, "lead_id", None) is not None else ())
        if "deal" in names and not isinstance(record, DealRecord):
            deals.update({record.deal_id} if getattr(record, "deal_id", None) is not None else ())
    for kind, column, keys in (
        (CompanyRecord, "id", companies),
        (ClientScoreRecord, "contact_id", scores),
        (LeadRecord, "id", leads),
        (DealRecord, "id", deals),
    ):
        fresh = [key for key in keys if desk.work.peek(kind, key) is None]
        if fresh:
            desk.work.related(kind, column, fresh)


def _read_plainly(only: Only) -> frozenset[str]:
    return frozenset({"lead"}) if only.utm or only.sources else frozenset()


def _on_stage(desk: Desk, only: Only, record: Any, _fact: Fact | None) -> bool:
    if not (only.pipelines or only.stages):
        return True
    place = desk.catalogue.place(record.stage_id) if isinstance(record, DealRecord) else None
    if place is None:
        return False
    return (not only.pipelines or place[0].name in only.pipelines) and (not only.stages or place[1].name in only.stages)


def _of_source(desk: Desk, only: Only, record: Any, _fact: Fact | None) -> bool:
    if not only.sources:
        return True
    own = getattr(record, "source", None)
    if own is None and getattr(record, "lead_id", None) is not None:
        lead = desk.work.peek(LeadRecord, record.lead_id)
        own = lead.source if lead is not None else None
    return own is not None and _same(own, only.sources)


def _of_account(desk: Desk, only: Only, record: Any, fact: Fact | None) -> bool:
    if not (only.channels or only.accounts):
        return True
    if fact is not None:
        channel, account = fact.account
    else:
        channel, account = getattr(record, "channel", "") or "", getattr(record, "account", "") or ""
        if not channel and isinstance(record, DealRecord) and record.lead_id is not None:
            lead = desk.work.peek(LeadRecord, record.lead_id)
            channel, account = (lead.channel, lead.account) if lead is not None else ("", "")
    return (not only.channels or channel in only.channels) and (not only.accounts or account in only.accounts)


def _of_campaign(desk: Desk, only: Only, record: Any, _fact: Fact | None) -> bool:
    if not only.utm:
        return True
    lead = record if isinstance(record, LeadRecord) else None
    marks: Mapping[str, Any] = getattr(record, "utm", None) or {}
    if lead is None and not marks and getattr(record, "lead_id", None) is not None:
        lead = desk.work.peek(LeadRecord, record.lead_id)
    for name, wanted in only.utm.items():
        value = getattr(lead, f"utm_{name}") if lead is not None else marks.get(name) or marks.get(f"utm_{name}")
        if not value or not _same(str(value), wanted):
            return False
    return True


def _in_words(_desk: Desk, only: Only, record: Any, fact: Fact | None) -> bool:
    if not (only.words or only.pattern):
        return True
    text = text_of(record, fact)
    return (not only.words or has_words(text, only.words)) and (not only.pattern or pattern(only.pattern).holds(text))


def _tagged(_desk: Desk, only: Only, record: Any, _fact: Fact | None) -> bool:
    if not (only.tags or only.without_tags):
        return True
    tags = set(getattr(record, "tags", None) or ())
    return (not only.tags or bool(tags & set(only.tags))) and not tags & set(only.without_tags)


def _managed(_desk: Desk, only: Only, record: Any, _fact: Fact | None) -> bool:
    return not only.managers or getattr(record, "manager", None) in only.managers


def _in_hours(desk: Desk, only: Only, _record: Any, _fact: Fact | None) -> bool:
    return only.hours is None or desk.office.calendar(only.hours).is_open(desk.now) is not only.outside


def _loaded(desk: Desk, only: Only, record: Any, _fact: Fact | None) -> bool:
    if only.load_below is None and only.load_from is None:
        return True
    manager = getattr(record, "manager", None)
    load = desk.loads.get(manager) if manager is not None else None
    count = load.open_leads if load is not None else 0
    return (only.load_below is None or count < only.load_below) and (only.load_from is None or count >= only.load_from)


def text_of(record: Any, fact: Fact | None) -> str:
    """Where words are looked for: what a fact says, else a record's title and the texts of its fields."""
    if fact is not None:
        entry = fact.entry
        return (
            "\n".join(part for part in (entry.subject, entry.text, entry.quoted) if part) if entry is not None else ""
        )
    parts = [getattr(record, name, None) for name in ("title", "name", "text", "source")]
    parts.extend(value for value in (getattr(record, "fields", None) or {}).values() if isinstance(value, str))
    return "\n".join(part for part in parts if part)


def _same(value: str, wanted: Iterable[str]) -> bool:
    own = folded(value)
    return any(folded(each) == own for each in wanted)


_NOTHING = Only()
_CHECKS: Mapping[str, Callable[[Desk, Only, Any, Fact | None], bool]] = {
    "stages": _on_stage,
    "tags": _tagged,
    "managers": _managed,
    "sources": _of_source,
    "utm": _of_campaign,
    "words": _in_words,
    "hours": _in_hours,
    "load": _loaded,
}
