"""Companies: found, made, corrected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from crm_core.model.selling import CompanyRecord
from crm_core.services.clients import companies as services
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.desk import Desk
from crm_core.storage.queries import companies as queries
from crm_core.storage.queries.companies import CompanyFilter
from crm_core.storage.queries.pages import Reading
from hub.http.api.selling.trading import ExternalIds, external_of, held_external, keep_external
from hub.http.filtering import FilterQuery
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Fields, Given, Id, Login, NoBody, Paged, Query, Short, Tags, Taken
from hub.http.versions import as_it_is, or_as_it_is

_TAG = "companies"
_KIND = "company"


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
    external: dict[str, str]


class Companies(Paged[Company]):
    """A page of companies."""


def company_json(record: CompanyRecord, known: dict[str, str]) -> Company:
    """A company on the wire; by what ids other programs know it."""
    return Company(**{name: getattr(record, name) for name in set(Company.model_fields) - {"external"}}, external=known)


def _listed(conn: Reading, call: Call[CompanyQuery, NoBody]) -> Companies:
    query = call.query
    tax_id = query.tax_id.upper() if query.tax_id is not None else None
    wanted = CompanyFilter(query.q, tax_id, query.manager, call.hub.settings.region)
    page = queries.list_companies(
        conn, call.access, wanted, query.where, query.more(conn, call.hub.store, "company", call.access.sight)
    )
    known = external_of(conn, _KIND, [each.id for each in page.items])
    return Companies(items=[company_json(each, known.get(each.id, {})) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Company:
    record = queries.one_company(conn, call.access, call.number())
    return company_json(record, external_of(conn, _KIND, [record.id]).get(record.id, {}))


def _made(desk: Desk, call: Call[Any, CompanyBody]) -> Company:
    record = services.create(desk, _change(call.body))
    keep_external(desk, _KIND, record.id, call.body)
    return _now(desk, record)


def _corrected(desk: Desk, call: Call[Any, CompanyBody]) -> Company:
    def change() -> Company:
        record = services.change(desk, call.number(), _change(call.body), call.body.version)
        keep_external(desk, _KIND, record.id, call.body)
        return _now(desk, record)

    return or_as_it_is(change, CompanyRecord, lambda record: _now(desk, record))


def _now(desk: Desk, record: CompanyRecord) -> Company:
    return company_json(as_it_is(desk, record), held_external(desk, _KIND, record.id))


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
