"""Exports: tables of records as CSV or XLSX, hashed audiences; who took what away is kept."""

from __future__ import annotations

import re
from typing import Annotated

from aiohttp import web
from pydantic import Field

from crm_core.errors import NotFound
from crm_core.model.filters import Filter, filter_of
from hub.access.remote import remote_of
from hub.exchange import exporting
from hub.http.operations import Call, Operation, own
from hub.http.rights import Right
from hub.http.tables import Form, send_table, table_headers
from hub.http.types import NoBody, Query

_TAG = "exports"
_KIND = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


class ExportQuery(Query):
    """`filter` as JSON, like that of segments; `form` csv or xlsx."""

    filter: Annotated[str | None, Field(max_length=100_000)] = None
    form: Form = Form.CSV


async def _exported(request: web.Request, call: Call[ExportQuery, NoBody]) -> web.StreamResponse:
    kind = call.path["kind"]
    if not _KIND.match(kind):
        raise NotFound("there is nothing to export called «{kind}»", kind=kind[:60])
    return await _sent(request, call, kind)


async def _audience(request: web.Request, call: Call[ExportQuery, NoBody]) -> web.StreamResponse:
    return await _sent(request, call, exporting.AUDIENCE)


async def _sent(request: web.Request, call: Call[ExportQuery, NoBody], kind: str) -> web.StreamResponse:
    query, hub = call.query, call.hub
    wanted = filter_of(query.filter) if query.filter else Filter()
    if request.method == "HEAD":
        return web.Response(headers=table_headers(kind, query.form))
    remote = remote_of(request)
    table = await exporting.export(
        hub.store,
        hub.clock,
        kind,
        wanted,
        login=call.user.login,
        remote=remote,
        form=query.form.value,
        access=call.access,
    )
    return await send_table(request, kind, query.form, table)


OPERATIONS: tuple[Operation, ...] = (
    own(
        "GET",
        f"/exports/{exporting.AUDIENCE}",
        _audience,
        tag=_TAG,
        summary="Take an audience away: clients by hashes of their numbers and addresses, for advertising",
        right=Right.EXPORT_AUDIENCE,
        query=ExportQuery,
        media="text/csv",
    ),
    own(
        "GET",
        "/exports/{kind}",
        _exported,
        tag=_TAG,
        summary="Take records away: contacts, companies, leads, deals, tasks, products, sales, a custom type",
        right=Right.EXPORT,
        query=ExportQuery,
        media="text/csv",
    ),
)
