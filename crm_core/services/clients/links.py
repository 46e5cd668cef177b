"""Records that belong together: participants of a deal with their roles, claims of a client, anything to anything."""

from __future__ import annotations

from typing import Any

from crm_core.errors import Duplicate, InvalidInput, NotFound
from crm_core.model.definitions import RecordTypeBody, Section
from crm_core.model.history import KIND_OF
from crm_core.model.records import DealRecord
from crm_core.model.rights import Right
from crm_core.model.selling import LinkRecord
from crm_core.services.custom.typed import kind_of, living
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_name

_RECORD_OF = {kind: record for record, kind in KIND_OF.items() if kind not in {"line_item", "payment"}}
_CLIENTS = frozenset({"contact", "company"})
_MOST = 1000


def link(desk: Desk, one: tuple[str, int], other: tuple[str, int], role: str, login: str) -> LinkRecord:
    """Say that two records belong together; `role` is what the second is to the first («ЛПР»).

    Raises NotFound, InvalidInput, Duplicate where it was said before.
    """
    desk.demand(Right.KEEP_CLIENTS if one[0] in _CLIENTS else Right.KEEP_SALES)
    if one == other:
        raise InvalidInput("a record can't be linked with itself")
    role = clean_name(role)
    for end in (one, other):
        record(desk, *end)
    known = desk.work.links_of([one[0]], one[1])
    if any((each.to_kind, each.to_id, each.role) == (*other, role) for each in known):
        raise Duplicate("these two are linked so already")
    if len(known) >= _MOST:
        raise InvalidInput("a record has at most {most} links", most=_MOST)
    made = LinkRecord(desk.work.next_id(), *one, *other, role, desk.now, login)
    desk.work.put(made)
    return made


def unlink(desk: Desk, link_id: int) -> None:
    """Take a link away; raises NotFound."""
    desk.demand(Right.KEEP_SALES)
    found = desk.work.get(LinkRecord, link_id)
    desk.work.remove(LinkRecord, found.id)


def record(desk: Desk, kind: str, ident: int) -> Any:
    """A living record by its kind (a custom type too) and id; raises NotFound, InvalidInput for no such kind."""
    record_of = _RECORD_OF.get(kind)
    if record_of is None:
        if desk.catalogue.body(Section.RECORD_TYPE, kind, RecordTypeBody) is None:
            raise InvalidInput("there is no kind of records «{kind}»", kind=kind[:60])
        record_of = DealRecord
    found: Any = desk.work.get(record_of, ident)
    if kind_of(found) != kind or not living(found):
        raise NotFound("there is no {kind} {ident}", kind=kind, ident=ident)
    return found
