"""Segments of the base: kept, tried, and who is in them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from crm_core.model.definitions import Body, Catalogue, Section, SegmentBody
from crm_core.model.definitions.base import Slug
from crm_core.model.filters import Filter
from crm_core.model.records import ContactRecord
from crm_core.services.desk import Desk
from crm_core.services.letters import broadcasts as service
from crm_core.storage.catalogue import load_catalogue
from crm_core.storage.filtering import Asking
from crm_core.storage.queries import definitions, segments
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.within import connection_of
from hub.http.api.office.definitions import SectionOperations
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, PageQuery, Taken


class SegmentClient(Given):
    """A client of a segment."""

    id: int
    name: str
    manager: str | None
    city: str | None
    status: str | None


class SegmentPage(Paged[SegmentClient]):
    """A page of the clients of a segment, and how many there are altogether."""

    count: int


class SegmentTrial(Taken):
    """A segment that is not kept."""

    of: Slug = "contact"
    filter: Filter = Filter()


def _makes_sense(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, SegmentBody):
        service.audience(desk, body, limit=1)


SEGMENTS = SectionOperations(
    Section.SEGMENT,
    "/segments",
    SegmentBody,
    "Segment",
    "a segment of clients",
    "segments of clients",
    keep=Right.BROADCAST,
    check=_makes_sense,
)


def _asking(call: Call[Any, Any], catalogue: Catalogue) -> Asking:
    office = call.hub.store.office
    return Asking(catalogue, call.hub.clock.now(), ZoneInfo(office.time_zone), office.region, call.access.sight)


def _client(record: ContactRecord) -> SegmentClient:
    return SegmentClient(id=record.id, name=record.name, manager=record.manager, city=record.city, status=record.status)


def _page_of(
    conn: Reading, call: Call[Any, Any], catalogue: Catalogue, body: SegmentBody, query: PageQuery
) -> SegmentPage:
    asking = _asking(call, catalogue)
    found = segments.page(conn, call.access, body.of, body.filter, asking, query.where)
    count = segments.count(conn, call.access, body.of, body.filter, asking)
    return SegmentPage(items=[_client(each) for each in found.items], next=found.next, count=count)


def _tried(desk: Desk, call: Call[PageQuery, SegmentTrial]) -> SegmentPage:
    body = SegmentBody(of=call.body.of, filter=call.body.filter)
    return _page_of(connection_of(desk), call, desk.catalogue, body, call.query)


def _listed(conn: Reading, call: Call[PageQuery, NoBody]) -> SegmentPage:
    record = definitions.definition(conn, call.access, Section.SEGMENT, call.number())
    return _page_of(conn, call, load_catalogue(conn, 0), SegmentBody.model_validate(record.body), call.query)


OPERATIONS: tuple[Operation, ...] = (
    *SEGMENTS.operations(),
    act(
        "POST",
        "/segments/preview",
        _tried,
        tag="segments",
        summary="The clients of a segment that is not kept (yet), and how many",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        body=SegmentTrial,
        response=SegmentPage,
    ),
    read(
        "/segments/{id}/clients",
        _listed,
        tag="segments",
        summary="The clients of a segment as of now, and how many",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        response=SegmentPage,
    ),
)
