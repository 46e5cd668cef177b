"""Making two contacts one, on evidence, and undoing it: every row that changes hands is named in the merge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.automation import ChainRunRecord
from crm_core.model.callback import CallbackState, DialState
from crm_core.model.case import CaseState
from crm_core.model.conversation import ThreadRecord
from crm_core.model.exchange import DocumentRecord
from crm_core.model.outreach import OptOutRecord
from crm_core.model.records import (
    CallbackRecord,
    CallRecord,
    CaseRecord,
    ContactRecord,
    DeadlineKind,
    DeadlineRecord,
    DealRecord,
    DialRecord,
    EntryRecord,
    IdentityRecord,
    LeadRecord,
    LeadStatus,
    MergeRecord,
)
from crm_core.model.rights import Right
from crm_core.model.selling import PaymentRecord, SaleRecord
from crm_core.model.task import TaskRecord
from crm_core.services.cards.leads import joined_leads
from crm_core.services.clients.tagging import joined_tags
from crm_core.services.desk import Desk
from crm_core.services.duplicates import joining, suggestions
from crm_core.services.duplicates.restoring import kept, restored
from crm_core.services.recognising.marks import earlier
from crm_core.services.recognising.recognition import renamed, searchable
from crm_core.services.watching.cases import close, settle
from crm_core.services.watching.ladders import key, lead_touched, resume, watch_lead
from crm_core.services.wording import Phrase

_MERGED = "merged"
_OWNED: tuple[type, ...] = (
    IdentityRecord,
    EntryRecord,
    CallRecord,
    DealRecord,
    LeadRecord,
    CallbackRecord,
    DialRecord,
    ThreadRecord,
    TaskRecord,
    PaymentRecord,
    SaleRecord,
    DocumentRecord,
    OptOutRecord,
    ChainRunRecord,
)
# What a merge may change of the survivor itself, and of the lead that goes on.
_OF_CONTACT = (
    "manager",
    "name",
    "name_key",
    "search",
    "marks",
    "last_signal_at",
    "last_contact_at",
    "company",
    "city",
    "company_id",
    "status",
    "list_name",
    "fields",
    "tags",
)
_OF_CASE = ("contact_id", "opened_at", "rung", "promised_at", "manager", "taken_at")
_OF_LEAD = (
    "title",
    "first_fact_at",
    "channel",
    "account",
    "source",
    "group_name",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "fields",
    "marks",
)


def merge(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, evidence: str, author: str) -> ContactRecord:
    """Everything of `absorbed` becomes `survivor`'s; the survivor's new version. Raises InvalidInput, Conflict."""
    desk.demand(Right.KEEP_CLIENTS)
    if survivor.id == absorbed.id:
        raise InvalidInput("a contact can't be merged with itself")
    if absorbed.merged_into is not None or survivor.merged_into is not None:
        raise Conflict("one of the contacts was merged already")
    moved: dict[str, Any] = {"survivor": kept(survivor, _OF_CONTACT), "cases": _cases_of(desk, survivor, absorbed)}
    _join_leads(desk, survivor, absorbed, moved)
    _join_callbacks(desk, survivor, absorbed, moved)
    joining.join_chains(desk, survivor, absorbed, moved)
    joining.join_scores(desk, survivor, absorbed, moved)
    joining.join_needs(desk, absorbed, moved)
    joining.move_links(desk, survivor, absorbed, moved)
    joining.join_external(desk, survivor, absorbed, moved)
    moved["traces"] = joining.move_traces(desk, absorbed.id, survivor.id)
    busy = bool(desk.work.dials_going_on(survivor.id))
    for kind in _OWNED:
        rows: list[Any] = desk.work.related(kind, "contact_id", [absorbed.id])
        rows = [each for each in rows if not (busy and _going_on(each))]
        moved[kind.__name__] = [row[0] for row in rows]
        for row in rows:
            desk.work.put(row._replace(contact_id=survivor.id))
    moved["suggestions"] = suggestions.follow(desk, survivor, absorbed, author)
    joined = _joined(desk, survivor, absorbed)._replace(updated_at=desk.now)
    desk.work.put(joined)
    desk.work.put(absorbed._replace(merged_into=survivor.id, updated_at=desk.now))
    for case in desk.work.open_cases([absorbed.id]).values():
        close(desk, case, desk.now, _MERGED)  # kept, so that undoing finds it
    settle(desk, joined)
    moved["joined"] = kept(desk.work.contact(survivor.id), _OF_CONTACT)
    desk.work.put(MergeRecord(desk.work.next_id(), survivor.id, absorbed.id, evidence, author, desk.now, moved))
    desk.note(survivor.id, desk.say(Phrase.MERGED, name=absorbed.name or f"№ {absorbed.id}"), author=author)
    return joined


def unmerge(desk: Desk, survivor_id: int, author: str) -> ContactRecord:
    """Undo the survivor's last merge; the contact that is given back. What came since stays with the survivor.

    Raises NotFound, and Conflict where the survivor itself was merged into another since.
    """
    desk.demand(Right.KEEP_CLIENTS)
    survivor = desk.work.contact(survivor_id)
    if survivor.merged_into is not None:
        raise Conflict(
            "this contact was merged into {merged_into}: undo that one first", merged_into=survivor.merged_into
        )
    merges = [each for each in desk.work.related(MergeRecord, "survivor_id", [survivor_id]) if each.undone_at is None]
    if not merges:
        raise NotFound("contact {survivor} has no merge to undo", survivor=survivor_id)
    last = merges[-1]
    absorbed = desk.work.contact(last.absorbed_id)
    for kind in _OWNED:
        column = next(iter(kind._fields))  # type: ignore[attr-defined]  # every record is a named tuple
        rows: list[Any] = desk.work.related(kind, column, last.moved.get(kind.__name__, []))
        for row in rows:
            if row.contact_id == survivor_id:
                desk.work.put(row._replace(contact_id=absorbed.id))
    _part_leads(desk, last.moved)
    _part_callbacks(desk, last.moved)
    joining.part_chains(desk, last.moved)
    joining.part_scores(desk, survivor_id, absorbed.id, last.moved)
    joining.part_needs(desk, absorbed.id, last.moved)
    joining.part_links(desk, survivor_id, last.moved)
    joining.part_external(desk, survivor_id, absorbed.id, last.moved)
    joining.move_traces(desk, survivor_id, absorbed.id, last.moved.get("traces", []))
    suggestions.part(desk, survivor.id, absorbed.id, last.moved.get("suggestions", {}))
    survivor = _parted(desk, survivor, last.moved)
    given_back = absorbed._replace(merged_into=None, updated_at=desk.now)
    desk.work.put(survivor)
    desk.work.put(given_back)
    desk.work.put(last._replace(undone_at=desk.now))
    for contact in (survivor, given_back):
        settle(desk, contact)
        _restore_cases(desk, contact, last.moved["cases"])
    desk.note(survivor.id, desk.say(Phrase.UNMERGED, name=absorbed.name or f"№ {absorbed.id}"), author=author)
    return given_back


def _parted(desk: Desk, survivor: ContactRecord, moved: dict[str, Any]) -> ContactRecord:
    """The survivor as they were, with what was changed since; found by what they hold now."""
    joined = moved.get("joined")
    parted = restored(survivor, moved["survivor"], joined)
    if joined is None or parted.search == moved["survivor"]["search"]:
        return parted
    held = desk.work.identities([survivor.id]).get(survivor.id, [])
    values = (each.key.partition(":")[2] for each in held)
    return parted._replace(search=searchable(parted.name, parted.company or "", *values))


def _joined(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord) -> ContactRecord:
    """The survivor with what the other knew: of names and managers given by facts, the earlier ones.

    Whoever stood on a special list takes the survivor along.
    """
    marks = dict(survivor.marks)
    values: dict[str, Any] = {"name": survivor.name, "manager": survivor.manager}
    for name, theirs in (("name", absorbed.name), ("manager", absorbed.manager)):
        given = absorbed.marks.get(name)
        by_fact = given is not None and given[-1] == theirs
        if theirs and (not values[name] or (by_fact and earlier(given[:-1], marks.get(name), values[name]))):
            values[name] = theirs
            marks.pop(name, None)
            if by_fact:
                marks[name] = given
    joined = renamed(survivor, values["name"])
    return joined._replace(
        manager=values["manager"],
        marks=marks,
        search=f"{joined.search} {absorbed.search}".strip(),
        last_signal_at=_latest(survivor.last_signal_at, absorbed.last_signal_at),
        last_contact_at=_latest(survivor.last_contact_at, absorbed.last_contact_at),
        company=survivor.company or absorbed.company,
        company_id=survivor.company_id if survivor.company else absorbed.company_id,
        city=survivor.city or absorbed.city,
        status=survivor.status or absorbed.status,
        list_name=survivor.list_name or absorbed.list_name,
        fields={**absorbed.fields, **survivor.fields},
        tags=joined_tags(desk, "contact", survivor.tags, absorbed.tags),
    )


def _join_callbacks(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """Of two callbacks that wait the survivor's stands: nobody is rung twice."""
    active = desk.work.active_callbacks([survivor.id, absorbed.id])
    mine, theirs = active.get(survivor.id), active.get(absorbed.id)
    if mine is None or theirs is None:
        return
    moved["ended_callback"] = theirs.id
    desk.work.put(theirs._replace(state=CallbackState.CANCELLED, ended_at=desk.now, detail=_MERGED))
    if theirs.state is CallbackState.DIALLING and mine.state is CallbackState.WAITING:
        # they are being rung for it now: not once more right after
        desk.work.put(mine._replace(due_at=max(mine.due_at, desk.now + desk.office.robot.spacing)))


def _part_callbacks(desk: Desk, moved: dict[str, Any]) -> None:
    """A callback that was ended for the merge waits again; what became of a call placed for it is told no more."""
    if "ended_callback" not in moved:
        return
    theirs = desk.work.get(CallbackRecord, moved["ended_callback"])
    if theirs.state is CallbackState.CANCELLED and theirs.detail == _MERGED:
        desk.work.put(theirs._replace(state=CallbackState.WAITING, ended_at=None, detail=""))


def _going_on(record: Any) -> bool:
    """Whether it is a placed call that is not over: beside one of the survivor's own it ends where it began."""
    return isinstance(record, DialRecord) and record.state is not DialState.ENDED


def _join_leads(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """Of two open leads the survivor's goes on, with what the other knew; the other is closed as merged."""
    leads = desk.work.open_leads([survivor.id, absorbed.id])
    mine, theirs = leads.get(survivor.id), leads.get(absorbed.id)
    if theirs is None or mine is None:
        return
    deadline = _deadline(desk, DeadlineKind.LEAD_RUNG, theirs.id)
    moved["closed_lead"] = {"id": theirs.id, "rung": deadline.rung if deadline is not None else None}
    moved["joined_lead"] = {"id": mine.id, **kept(mine, _OF_LEAD)}
    joined = joined_leads(mine, theirs)
    moved["lead"] = kept(joined, _OF_LEAD)
    desk.work.put(joined)
    desk.work.put(theirs._replace(status=LeadStatus.REJECTED, reason=_MERGED, closed_at=desk.now))
    lead_touched(desk, theirs.id)


def _part_leads(desk: Desk, moved: dict[str, Any]) -> None:
    if "joined_lead" not in moved:
        return
    mine = desk.work.get(LeadRecord, moved["joined_lead"]["id"])
    desk.work.put(restored(mine, moved["joined_lead"], moved.get("lead")))
    closed = moved["closed_lead"]
    theirs = desk.work.get(LeadRecord, closed["id"])
    if theirs.reason != _MERGED:
        return
    status = LeadStatus.TAKEN if theirs.taken_at is not None else LeadStatus.NEW
    reopened = theirs._replace(status=status, reason=None, closed_at=None)
    desk.work.put(reopened)
    if closed["rung"] is not None:
        watch_lead(desk, reopened, closed["rung"])


def _cases_of(desk: Desk, *contacts: ContactRecord) -> dict[str, Any]:
    """What the timeline can't tell of the contacts' cases: who looks after them, what was told and promised."""
    found = desk.work.cases_of([contact.id for contact in contacts])
    return {str(case.id): kept(case, _OF_CASE) for cases in found.values() for case in cases}


def _restore_cases(desk: Desk, contact: ContactRecord, known: dict[str, Any]) -> None:
    for case in desk.work.cases_of([contact.id]).get(contact.id, []):
        before = next((each for each in known.values() if _same_case(case, each)), None)
        if before is None:
            continue
        again = restored(case, before)
        desk.work.put(again)
        if again.state is CaseState.OPEN:
            resume(desk, again)


def _same_case(case: CaseRecord, before: dict[str, Any]) -> bool:
    return bool(before["contact_id"] == case.contact_id and before["opened_at"] == case.opened_at.isoformat())


def _deadline(desk: Desk, kind: DeadlineKind, subject_id: int) -> DeadlineRecord | None:
    found = desk.work.related(DeadlineRecord, "key", [key(kind, subject_id)])
    return found[0] if found else None


def _latest(*moments: datetime | None) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None
