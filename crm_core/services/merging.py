"""Making two contacts one, on evidence, and undoing it: every row that changes hands is named in the merge."""

from __future__ import annotations

from typing import Any

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.messages import ChannelKey
from crm_core.model.records import (
    CallRecord,
    CaseRecord,
    ContactRecord,
    DealRecord,
    EntryRecord,
    IdentityRecord,
    LeadRecord,
    LeadStatus,
    MergeRecord,
)
from crm_core.services.cases import settle
from crm_core.services.desk import Desk
from crm_core.services.ladders import lead_touched, watch_lead
from crm_core.services.wording import Phrase

_MERGED = "merged"
_ORIGIN = ChannelKey("hub", "merge")
_OWNED: tuple[type, ...] = (IdentityRecord, EntryRecord, CallRecord, DealRecord, LeadRecord)


def merge(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, evidence: str, author: str) -> ContactRecord:
    """Everything of `absorbed` becomes `survivor`'s; the survivor's new version. Raises InvalidInput, Conflict."""
    if survivor.id == absorbed.id:
        raise InvalidInput("a contact can't be merged with itself")
    if absorbed.merged_into is not None or survivor.merged_into is not None:
        raise Conflict("one of the contacts was merged already")
    moved: dict[str, Any] = {}
    _settle_leads(desk, survivor, absorbed, moved)
    for kind in _OWNED:
        rows: list[Any] = desk.work.related(kind, "contact_id", [absorbed.id])
        moved[kind.__name__] = [row[0] for row in rows]
        for row in rows:
            desk.work.put(row._replace(contact_id=survivor.id))
    _settle_cases(desk, survivor, absorbed, moved)
    moved["survivor"] = {"manager": survivor.manager, "name": survivor.name, "search": survivor.search}
    joined = survivor._replace(
        name=survivor.name or absorbed.name,
        manager=survivor.manager or absorbed.manager,
        search=f"{survivor.search} {absorbed.search}".strip(),
        last_signal_at=_latest(survivor.last_signal_at, absorbed.last_signal_at),
        last_contact_at=_latest(survivor.last_contact_at, absorbed.last_contact_at),
        updated_at=desk.now,
    )
    desk.work.put(joined)
    desk.work.put(absorbed._replace(merged_into=survivor.id, updated_at=desk.now))
    desk.work.put(MergeRecord(desk.work.next_id(), survivor.id, absorbed.id, evidence, author, desk.now, moved))
    settle(desk, joined, _ORIGIN)
    desk.note(survivor.id, desk.say(Phrase.MERGED, name=absorbed.name or f"№ {absorbed.id}"), author=author)
    return joined


def unmerge(desk: Desk, survivor_id: int, author: str) -> ContactRecord:
    """Undo the survivor's last merge; the contact that is given back. What came since stays with the survivor."""
    survivor = desk.work.contact(survivor_id)
    merges = [each for each in desk.work.related(MergeRecord, "survivor_id", [survivor_id]) if each.undone_at is None]
    if not merges:
        raise NotFound(f"contact {survivor_id} has no merge to undo")
    last = merges[-1]
    absorbed = desk.work.contact(last.absorbed_id)
    for kind in _OWNED:
        for key in last.moved.get(kind.__name__, []):
            row: Any = desk.work.get(kind, key)
            if row.contact_id == survivor_id:
                desk.work.put(row._replace(contact_id=absorbed.id))
    for lead_id in last.moved.get("closed_leads", []):
        _reopen_lead(desk, lead_id)
    before = last.moved.get("survivor", {})
    survivor = survivor._replace(
        manager=before.get("manager"), name=before.get("name", survivor.name), search=before.get("search", "")
    )
    given_back = absorbed._replace(merged_into=None, updated_at=desk.now)
    desk.work.put(survivor)
    desk.work.put(given_back)
    desk.work.put(last._replace(undone_at=desk.now))
    for contact in (survivor, given_back):
        settle(desk, contact, _ORIGIN)
    desk.note(survivor.id, desk.say(Phrase.UNMERGED, name=absorbed.name or f"№ {absorbed.id}"), author=author)
    return given_back


def _settle_leads(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """Of two open leads the survivor's goes on; the other is closed as merged."""
    leads = desk.work.open_leads([survivor.id, absorbed.id])
    mine, theirs = leads.get(survivor.id), leads.get(absorbed.id)
    if theirs is None or mine is None:
        return
    moved["closed_leads"] = [theirs.id]
    desk.work.put(theirs._replace(status=LeadStatus.REJECTED, reason=_MERGED, closed_at=desk.now))
    lead_touched(desk, theirs.id)


def _reopen_lead(desk: Desk, lead_id: int) -> None:
    lead = desk.work.get(LeadRecord, lead_id)
    if lead.reason == _MERGED:
        status = LeadStatus.TAKEN if lead.taken_at is not None else LeadStatus.NEW
        reopened = lead._replace(status=status, reason=None, closed_at=None)
        desk.work.put(reopened)
        if status is LeadStatus.NEW:
            watch_lead(desk, reopened)


def _settle_cases(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """Cases are derived from the timeline: the survivor's are derived anew, the absorbed contact has none left."""
    desk.work.cases_of([survivor.id, absorbed.id])
    settle(desk, absorbed, _ORIGIN)
    moved[CaseRecord.__name__] = []


def _latest(*moments: Any) -> Any:
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None
