"""What of two contacts that become one must not stand twice: running chains, scores, links, ids of other
programs. And how it is parted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord
from crm_core.model.history import plain
from crm_core.model.records import ContactRecord, DeadlineKind, DeadlineRecord
from crm_core.model.selling import ClientScoreRecord, LinkRecord, NeedRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.ladders import key

_MERGED = "merged"
_CONTACT = "contact"


def join_chains(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """Of two runs of one chain the survivor's goes on: nobody is written to twice."""
    runs = desk.work.related(ChainRunRecord, "contact_id", [survivor.id, absorbed.id])
    running = [each for each in runs if each.state is ChainState.RUNNING]
    mine = {each.chain for each in running if each.contact_id == survivor.id}
    stopped = [each for each in running if each.contact_id == absorbed.id and each.chain in mine]
    moved["stopped_chains"] = [
        {"id": each.id, "next_at": plain(each.next_at), "due_at": _due(desk, each)} for each in stopped
    ]
    for each in stopped:
        desk.work.remove(DeadlineRecord, key(DeadlineKind.CHAIN, each.id))
        desk.work.put(each._replace(state=ChainState.STOPPED, ended_at=desk.now, next_at=None, reason=_MERGED))


def part_chains(desk: Desk, moved: dict[str, Any]) -> None:
    """A run that was stopped for the merge goes on."""
    stopped = {each["id"]: each for each in moved.get("stopped_chains", [])}
    for run in desk.work.related(ChainRunRecord, "id", stopped):
        if run.state is ChainState.STOPPED and run.reason == _MERGED:
            kept = stopped[run.id]
            again = run._replace(state=ChainState.RUNNING, ended_at=None, reason="", next_at=_moment(kept["next_at"]))
            desk.work.put(again)
            if (due_at := _moment(kept["due_at"])) is not None:
                desk.work.put(DeadlineRecord(key(DeadlineKind.CHAIN, run.id), DeadlineKind.CHAIN, run.id, due_at))


def join_scores(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """The survivor's score stands until the next day's; where they have none, the other's."""
    scores = {each.contact_id: each for each in _scores(desk, survivor.id, absorbed.id)}
    mine, theirs = scores.get(survivor.id), scores.get(absorbed.id)
    if theirs is None:
        return
    moved["scores"] = {"theirs": _json(theirs), "given": mine is None}
    desk.work.remove(ClientScoreRecord, absorbed.id)
    if mine is None:
        desk.work.put(theirs._replace(contact_id=survivor.id))


def part_scores(desk: Desk, survivor_id: int, absorbed_id: int, moved: dict[str, Any]) -> None:
    """Give the other's score back."""
    kept = moved.get("scores")
    if kept is None:
        return
    theirs = ClientScoreRecord(**_values(kept["theirs"]))
    held = {each.contact_id: each for each in _scores(desk, survivor_id, absorbed_id)}
    if absorbed_id not in held:
        desk.work.put(theirs._replace(contact_id=absorbed_id))
    if kept["given"] and held.get(survivor_id) == theirs._replace(contact_id=survivor_id):
        desk.work.remove(ClientScoreRecord, survivor_id)


def join_needs(desk: Desk, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """What the other would buy is worked out anew, with the survivor's, the next day."""
    needs = desk.work.related(NeedRecord, "contact_id", [absorbed.id])
    moved["needs"] = [_json(each) for each in needs]
    for each in needs:
        desk.work.remove(NeedRecord, each.id)


def part_needs(desk: Desk, absorbed_id: int, moved: dict[str, Any]) -> None:
    """Give the needs back, where none were worked out since."""
    kept = moved.get("needs", [])
    if kept and not desk.work.related(NeedRecord, "contact_id", [absorbed_id]):
        for each in kept:
            desk.work.put(NeedRecord(**_values(each)))


def move_links(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """Links of the other become the survivor's; one that the survivor has already, or that would lead to themselves,
    is taken away."""
    mine = {_ends(each) for each in desk.work.links_of([_CONTACT], survivor.id)}
    changed: list[list[Any]] = []
    for link in desk.work.links_of([_CONTACT], absorbed.id):
        after = _turned(link, absorbed.id, survivor.id)
        own = (after.from_kind, after.from_id) == (after.to_kind, after.to_id)
        gone = own or _ends(after) in mine
        changed.append([*(plain(each) for each in link), gone])
        if gone:
            desk.work.remove(LinkRecord, link.id)
        else:
            mine.add(_ends(after))
            desk.work.put(after)
    moved["links"] = changed


def part_links(desk: Desk, survivor_id: int, moved: dict[str, Any]) -> None:
    """Give the links back; those that somebody took away since stay away."""
    changed = moved.get("links", [])
    held = {each.id: each for each in desk.work.links_of([_CONTACT], survivor_id)}
    for *columns, gone in changed:
        link = LinkRecord(*columns)
        link = link._replace(created_at=_moment(link.created_at) or desk.now)
        if gone or link.id in held:
            desk.work.put(link)


def join_external(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, moved: dict[str, Any]) -> None:
    """By what ids programs know the other, they know the survivor, where they know them by none: a program that says
    its id again must not make the other one forgotten. The rest is found by way of the other."""
    held = desk.work.external_ids_of(_CONTACT, [survivor.id, absorbed.id])
    mine = {each.key.split(":", 2)[1] for each in held.get(survivor.id, ())}
    given = [each for each in held.get(absorbed.id, ()) if each.key.split(":", 2)[1] not in mine]
    for each in given:
        desk.work.put(each._replace(subject_id=survivor.id))
    moved["external"] = [each.key for each in given]


def part_external(desk: Desk, survivor_id: int, absorbed_id: int, moved: dict[str, Any]) -> None:
    """Give the ids back, but those that became somebody else's since."""
    for each in desk.work.external_refs(moved.get("external", [])).values():
        if each.subject_id == survivor_id:
            desk.work.put(each._replace(subject_id=absorbed_id))


def move_traces(desk: Desk, old: int, new: int, keys: Sequence[str] | None = None) -> list[str]:
    """What rules did to a contact is told of another; of these runs only, where they are named. Their keys."""
    column, wanted = ("contact_id", [old]) if keys is None else ("key", list(keys))
    runs = [each for each in desk.work.related(RuleRunRecord, column, wanted) if each.contact_id == old]
    for each in runs:
        subject = new if each.kind == _CONTACT and each.subject_id == old else each.subject_id
        desk.work.put(each._replace(contact_id=new, subject_id=subject))
    return [each.key for each in runs]


def _turned(link: LinkRecord, old: int, new: int) -> LinkRecord:
    if (link.from_kind, link.from_id) == (_CONTACT, old):
        link = link._replace(from_id=new)
    if (link.to_kind, link.to_id) == (_CONTACT, old):
        link = link._replace(to_id=new)
    return link


def _ends(link: LinkRecord) -> tuple[str, int, str, int, str]:
    return link.from_kind, link.from_id, link.to_kind, link.to_id, link.role


def _scores(desk: Desk, *contact_ids: int) -> list[ClientScoreRecord]:
    return desk.work.related(ClientScoreRecord, "contact_id", contact_ids)


def _json(record: ClientScoreRecord | NeedRecord) -> dict[str, Any]:
    return {name: plain(value) for name, value in record._asdict().items()}


def _values(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: _moment(value) if name.endswith("_at") else value for name, value in kept.items()}


def _due(desk: Desk, run: ChainRunRecord) -> str | None:
    found = desk.work.related(DeadlineRecord, "key", [key(DeadlineKind.CHAIN, run.id)])
    return found[0].due_at.isoformat() if found else None


def _moment(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
