"""Records of the office's own types, beside deals: cards with pipelines of their own (claims, production items)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.definitions import Catalogue, RecordTypeBody, Section
from crm_core.model.records import DealRecord
from crm_core.services.cards.pipelines import pipelines
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.seeing import seen_type
from hub.http.api.selling import deals
from hub.http.api.selling.deals import Deal, DealBody, DealQuery, Deals, MoveBody, NewDealBody
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import NoBody, Query

_TAG = "records"


def _demand_type(catalogue: Catalogue, name: str) -> None:
    if catalogue.body(Section.RECORD_TYPE, name, RecordTypeBody) is None:
        raise NotFound("there is no type of records «{name}»", name=name[:60])


def _listed(conn: Reading, call: Call[DealQuery, NoBody]) -> Deals:
    _demand_type(call.hub.store.catalogue(conn), call.path["type"])
    return deals.listed(conn, replace(call, query=call.query.model_copy(update={"type": call.path["type"]})))


def _one(conn: Reading, call: Call[Query, NoBody]) -> Deal:
    _demand_same(seen_type(conn, call.access, call.number()), call)
    return deals.one(conn, call)


def _made(desk: Desk, call: Call[Any, NewDealBody]) -> Deal:
    _demand_type(desk.catalogue, call.path["type"])
    wanted, of_type = call.body.pipeline, call.path["type"]
    if wanted is not None and wanted not in {each.name for each in pipelines(desk) if each.record.type == of_type}:
        raise InvalidInput("pipeline: there is no pipeline «{pipeline}» of {of_type}", pipeline=wanted, of_type=of_type)
    return deals.made(desk, replace(call, body=call.body.model_copy(update={"type": call.path["type"]})))


def _of_type(act_on: Callable[[Desk, Call[Any, Any]], Any]) -> Callable[[Desk, Call[Any, Any]], Any]:
    def checked(desk: Desk, call: Call[Any, Any]) -> Any:
        _demand_same(desk.work.get(DealRecord, call.number()).type, call)
        return act_on(desk, call)

    return checked


def _demand_same(of_type: str, call: Call[Any, Any]) -> None:
    if of_type != call.path["type"]:
        raise NotFound("there is no {path} {number}", path=call.path["type"][:60], number=call.number())


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/records/{type}",
        _listed,
        tag=_TAG,
        summary="Records of a type of the office's own, the newest first",
        right=Right.SEE_SALES,
        query=DealQuery,
        response=Deals,
    ),
    act(
        "POST",
        "/records/{type}",
        _made,
        tag=_TAG,
        summary="Make a record of a type",
        right=Right.KEEP_SALES,
        body=NewDealBody,
        response=Deal,
        status=201,
    ),
    read("/records/{type}/{id}", _one, tag=_TAG, summary="One of them", right=Right.SEE_SALES, response=Deal),
    act(
        "PATCH",
        "/records/{type}/{id}",
        _of_type(deals.corrected),
        tag=_TAG,
        summary="Correct a record: what is not named stays",
        right=Right.KEEP_SALES,
        body=DealBody,
        response=Deal,
    ),
    act(
        "POST",
        "/records/{type}/{id}/move",
        _of_type(deals.moved),
        tag=_TAG,
        summary="Move a record to another stage of its pipeline",
        right=Right.KEEP_SALES,
        body=MoveBody,
        response=Deal,
    ),
    act(
        "DELETE",
        "/records/{type}/{id}",
        _of_type(deals.put_away),
        tag=_TAG,
        summary="Delete a record; it can be brought back",
        right=Right.DELETE,
        response=None,
    ),
)
