"""Companies: found, made, corrected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from crm_core.model.selling import CompanyRecord
from crm_core.services.clients import companies as services
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.desk import Desk
from crm_core.services.settling import settle
from crm_core.storage.queries import companies as queries
from crm_core.storage.queries.companies import CompanyFilter
from crm_core.storage.queries.pages import Reading
from hub.http.api.trading import ExternalIds, keep_external
from hub.http.filtering import FilterQuery
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Fields, Given, Id, Login, NoBody, Paged, Query, Short, Tags, Taken
from hub.http.versions import or_as_it_is

_TAG = "companies"


class CompanyQuery(FilterQuery):
    """`q`: part of a name or of a tax id."""

    q: Short = ""
    tax_id: Short | None = None
    manager: Login | None = None


class CompanyBody(Taken):
    """A company to be made or corrected. `tax_id` stands once. Of `fields` those that are null are taken away, the
    others added. `version`, where given, is the one that was seen: 409 where it changed meanwhile.
    `external` are its ids in other programs, by program."""

    name: Short = ""
    tax_id: Short | None = None
    manager: Login | None = None
    city: Short | None = None
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)
    version: Id | None = None
    external: ExternalIds = Field(default_factory=dict)


class Company(Given):
    """A company."""

    id: int
    name: str
    tax_id: str | None
    manager: str | None
    city: str | None
    tags: list[str]
    fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    version: int


class Companies(Paged[Company]):
    """A page of companies."""


def company_json(record: CompanyRecord) -> Company:
    """A company on the wire."""
    return Company(**{name: getattr(record, name) for name in Company.model_fields})


def _listed(conn: Reading, call: Call[CompanyQuery, NoBody]) -> Companies:
    query = call.query
    tax_id = query.tax_id.upper() if query.tax_id is not None else None
    wanted = CompanyFilter(query.q, tax_id, query.manager, call.hub.settings.region)
    page = queries.list_companies(conn, wanted, query.where, query.more(conn, call.hub.store, "company"))
    return Companies(items=[company_json(each) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Company:
    return company_json(queries.one_company(conn, call.number()))


def _made(desk: Desk, call: Call[Any, CompanyBody]) -> Company:
    record = services.create(desk, _change(call.body))
    keep_external(desk, "company", record.id, call.body)
    return _now(desk, record)


def _corrected(desk: Desk, call: Call[Any, CompanyBody]) -> Company:
    def change() -> Company:
        record = services.change(desk, call.number(), _change(call.body), call.body.version)
        keep_external(desk, "company", record.id, call.body)
        return _now(desk, record)

    return or_as_it_is(change, CompanyRecord, company_json)


def _now(desk: Desk, record: CompanyRecord) -> Company:
    settle(desk)
    return company_json(desk.work.peek(CompanyRecord, record.id) or record)


def _change(body: CompanyBody) -> CompanyChange:
    return CompanyChange(**{name: getattr(body, name) for name in body.model_fields_set - {"version", "external"}})


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/companies",
        _listed,
        tag=_TAG,
        summary="Companies, the newest first, found by what is typed or by a filter",
        right=Right.SEE_CLIENTS,
        query=CompanyQuery,
        response=Companies,
    ),
    act(
        "POST",
        "/companies",
        _made,
        tag=_TAG,
        summary="Add a company; 409 where another has its tax id",
        right=Right.KEEP_CLIENTS,
        body=CompanyBody,
        response=Company,
        status=201,
    ),
    read("/companies/{id}", _one, tag=_TAG, summary="One company", right=Right.SEE_CLIENTS, response=Company),
    act(
        "PATCH",
        "/companies/{id}",
        _corrected,
        tag=_TAG,
        summary="Correct a company: what is not named stays; its name goes along to its contacts",
        right=Right.KEEP_CLIENTS,
        body=CompanyBody,
        response=Company,
    ),
)
