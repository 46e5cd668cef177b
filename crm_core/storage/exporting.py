"""Records for tables that go out: a page at a time behind an id, with all that stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model.access import Access, People, Reach, Right, Sight
from crm_core.model.exchange import ExternalRefRecord
from crm_core.model.filters import Filter
from crm_core.model.records import ContactRecord, DealRecord, IdentityRecord, LeadRecord
from crm_core.model.selling import CompanyRecord, ProductRecord, SaleRecord
from crm_core.model.task import TaskRecord
from crm_core.storage import bulk, filtering
from crm_core.storage.filtering import Asking
from crm_core.storage.queries.pages import all_of, both
from crm_core.storage.queries.seeing import seen_task
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import (
    company,
    contact,
    deal,
    external_ref,
    identity,
    product,
    sale,
    task,
)

_KINDS: dict[str, type] = {
    "contact": ContactRecord,
    "company": CompanyRecord,
    "lead": LeadRecord,
    "deal": DealRecord,
    "task": TaskRecord,
    "product": ProductRecord,
    "sale": SaleRecord,
}
_MOST_KEYS = 300


@dataclass(slots=True)
class Stretch:
    """Some records by id, and what stands beside them: identities and names of their clients, names of companies and
    products, ids that other programs give (`system:id`)."""

    records: list[Any]
    identities: dict[int, list[str]] = field(default_factory=dict)
    contacts: dict[int, str] = field(default_factory=dict)
    companies: dict[int, str] = field(default_factory=dict)
    products: dict[int, tuple[str, str]] = field(default_factory=dict)
    refs: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes records away: whose they may take, and which cards they see."""

    people: People
    reach: Reach
    sight: Sight

    @classmethod
    def of(cls, access: Access, right: Right) -> Taker:
        """Somebody who takes away what this right gives. Raises Forbidden."""
        access.demand(right)
        return cls(access.people, access.reach(right), access.sight)


def stretch(
    conn: Connection,
    kind: str,
    wanted: Filter,
    asking: Asking,
    *,
    above: int,
    limit: int,
    taker: Taker | None = None,
) -> Stretch:
    """The next records behind an id that a filter and whoever takes them lets through. A fixed number of statements."""
    record_of = _KINDS.get(kind, DealRecord)
    if kind == "sale":
        if wanted != Filter():
            raise InvalidInput("filter: sales go out all or none")
        behind = select(sale).where(sale.c.id > above, *_taken(sale, taker)).order_by(sale.c.id).limit(limit)
        found = all_of(conn, SaleRecord, behind)
        return _with_names(conn, kind, found)
    also = _taken(filtering.table_of(kind, asking.catalogue), taker)
    ids = filtering.matching(conn, kind, wanted, asking, above=above, limit=limit, also=also)
    if not ids:
        return Stretch([])
    table = filtering.table_of(kind, asking.catalogue)
    columns = bulk.select_list(record_of, "t", conn.dialect.name)
    sql = f'SELECT {columns} FROM "{table.name}" AS t WHERE t.id {bulk.among(conn, 1)} ORDER BY t.id'
    return _with_names(conn, kind, bulk.read(conn, record_of, sql, (bulk.keys(conn, ids),)))


def count(conn: Connection, kind: str, wanted: Filter, asking: Asking, taker: Taker | None = None) -> int:
    """How many records a filter and whoever takes them lets through."""
    if kind == "sale":
        return int(conn.execute(select(func.count()).select_from(sale).where(*_taken(sale, taker))).scalar_one())
    return filtering.count(conn, kind, wanted, asking, also=_taken(filtering.table_of(kind, asking.catalogue), taker))


def _taken(table: Table, taker: Taker | None) -> list[ColumnElement[bool]]:
    """Which records somebody may take: theirs by their manager or doer, sales by their client's; what is nobody's by
    its kind (products) goes with any reach."""
    if taker is None:
        return []
    found = both((seen_card(taker.sight, table) if table is deal else None,))
    if table is task:
        found += both((seen_task(task, taker.sight),))
    if taker.reach is Reach.ALL:
        return found
    logins = sorted(taker.people.own if taker.reach is Reach.OWN else taker.people.group)
    column = table.c.get("manager", table.c.get("assignee"))
    if column is not None:
        found.append(_of(column, logins, taker.reach))
    elif table is sale:
        theirs = select(contact.c.id).where(_of(contact.c.manager, logins, taker.reach))
        found.append(sale.c.contact_id.in_(theirs))
    return found


def _of(column: Any, logins: list[str], reach: Reach) -> ColumnElement[bool]:
    within: ColumnElement[bool] = column.in_(logins)
    return or_(column.is_(None), within) if reach is Reach.GROUP else within


def field_keys(conn: Connection, kind: str, asking: Asking) -> list[str]:
    """The keys of all custom fields that records of a kind have, whoever declared them, in order."""
    if kind == "sale":
        return []
    table = filtering.table_of(kind, asking.catalogue).name
    if conn.dialect.name == "sqlite":
        keys = f'SELECT DISTINCT k.key FROM "{table}" AS t, json_each(t.fields) AS k WHERE t.deleted_at IS NULL'
    else:
        keys = f'SELECT DISTINCT jsonb_object_keys(t.fields) AS key FROM "{table}" AS t WHERE t.deleted_at IS NULL'
    rows = conn.exec_driver_sql(f"SELECT key FROM ({keys}) AS found ORDER BY key LIMIT {_MOST_KEYS}")
    return [str(row[0]) for row in rows]


def _with_names(conn: Connection, kind: str, records: list[Any]) -> Stretch:
    found = Stretch(records)
    if not records:
        return found
    clients = _ids(records, "id") if kind == "contact" else _ids(records, "contact_id")
    if clients:
        columns = identity.c
        statement = select(identity).where(columns.contact_id.in_(clients)).order_by(columns.created_at, columns.key)
        for each in all_of(conn, IdentityRecord, statement):
            found.identities.setdefault(each.contact_id, []).append(each.key)
    if clients and kind != "contact":
        found.contacts = _names(conn, contact, clients)
    if companies := _ids(records, "company_id"):
        found.companies = _names(conn, company, companies)
    if products := _ids(records, "product_id"):
        columns = product.c
        rows = conn.execute(select(columns.id, columns.name, columns.sku).where(columns.id.in_(products)))
        found.products = {row[0]: (row[1], row[2] or "") for row in rows}
    of = "deal" if kind not in _KINDS else kind
    columns = external_ref.c
    statement = select(external_ref).where(columns.kind == of, columns.subject_id.in_([each.id for each in records]))
    for ref in all_of(conn, ExternalRefRecord, statement.order_by(columns.key)):
        _, _, plain = ref.key.partition(":")
        if not plain.startswith("line:"):
            found.refs.setdefault(ref.subject_id, []).append(plain)
    return found


def _ids(records: Iterable[Any], column: str) -> list[int]:
    return sorted({value for each in records if (value := getattr(each, column, None)) is not None})


def _names(conn: Connection, table: Any, ids: list[int]) -> dict[int, str]:
    return {row[0]: row[1] for row in conn.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids)))}


def places(asking: Asking) -> Mapping[int, tuple[str, str]]:
    """The names of pipeline and stage by the stage's id."""
    return {
        stage.id: (pipeline.name, stage.name) for pipeline in asking.catalogue.pipelines for stage in pipeline.stages
    }
