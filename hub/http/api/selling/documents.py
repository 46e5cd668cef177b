"""Documents: their templates, making one and sending it in one act, handing them out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from crm_core.errors import ConcurrentChange, InvalidInput, NotFound
from crm_core.model.definitions import Body, DocumentBody, Section
from crm_core.model.exchange import DocumentRecord
from crm_core.services.desk import Desk
from crm_core.services.letters import documents as service
from crm_core.services.letters.document_names import check_document, check_paths
from crm_core.services.letters.documents import NumberTaken, Prepared, Sending
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import definitions, files
from crm_core.storage.queries import documents as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.seeing import seen_type
from hub.documents.making import DocumentMaker
from hub.http.acting import kept_answer, run_act
from hub.http.api.office.definitions import SectionOperations
from hub.http.bodies import parse_json, read_body
from hub.http.operations import Call, Kind, Operation, own, read
from hub.http.problems import of_validation
from hub.http.rights import Right
from hub.http.sending import attachment_headers
from hub.http.types import Given, Long, Named, NoBody, Paged, PageQuery, Query, QueryId, Short, Taken

_TAG = "documents"
_MOST_BODY = 200_000
_TRIES = 10


class DocumentSending(Taken):
    """How it goes to the client: where they wrote last, unless a channel is named; `text` goes with it."""

    channel: Short = ""
    account: Short | None = None
    text: Long = ""
    subject: Short = ""


class DocumentOrder(Taken):
    """Which template; with `send` the document goes to the client in the same act."""

    template: Named
    send: DocumentSending | None = None


class PreviewQuery(Query):
    """For whom a template is tried."""

    deal_id: QueryId | None = None
    contact_id: QueryId | None = None


class DocumentCard(Given):
    """A document. `number` counts within its template; `url` hands out the file; `entry_id` is where it stands on the
    client's timeline."""

    id: int
    template: str
    number: int
    title: str
    created_at: datetime
    author: str
    name: str
    content_type: str
    size: int
    url: str
    contact_id: int | None
    deal_id: int | None
    entry_id: int | None


def _with_files(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, DocumentBody):
        check_document(desk, body)
        wanted = [each.sha256 for each in (*body.pictures, *([body.docx] if body.docx is not None else ()))]
        missing = files.unknown_uploads(desk, wanted)
        if missing:
            raise InvalidInput(
                "docx, pictures: no file {missing} was uploaded: send it to /api/v1/files first", missing=missing[0]
            )


async def _readable(call: Call[Any, Any]) -> None:
    """Refuse a Word file that nobody could fill in, where it is named; what is broken is said now, not to a client."""
    given = getattr(call.body, "docx", None)
    if given is None:
        return
    try:
        named = await _maker(call).look(given["sha256"] if isinstance(given, dict) else given.sha256)
    except NotFound:
        return  # of what was never uploaded the act itself tells
    of = getattr(call.body, "of", None)
    if of is None and "id" in call.path:
        of = (
            await call.hub.store.read(
                lambda conn: definitions.definition(conn, call.access, Section.DOCUMENT, call.number())
            )
        ).body["of"]
    try:
        await call.hub.store.look(lambda desk: check_paths(desk, of or "deal", named, rows=True))
    except InvalidInput as err:
        raise InvalidInput("{where}: {why}", where="docx", why=err) from err


TEMPLATES = SectionOperations(
    Section.DOCUMENT,
    "/document-templates",
    DocumentBody,
    "DocumentTemplate",
    "a template of documents",
    "templates of documents",
    check=_with_files,
)


async def _previewed(_request: web.Request, call: Call[PreviewQuery, NoBody]) -> web.StreamResponse:
    """As it would be made now; it gets no number and is kept nowhere."""
    if call.query.deal_id is None and call.query.contact_id is None:
        raise InvalidInput("give «deal_id» or «contact_id»")
    record = await call.hub.store.read(
        lambda conn: definitions.definition(conn, call.access, Section.DOCUMENT, call.number())
    )

    def gather(desk: Desk) -> Prepared:
        desk.acts_for(call.user)
        return service.prepare(
            desk, record.name, call.user.login, deal_id=call.query.deal_id, contact_id=call.query.contact_id
        )

    prepared = await call.hub.store.run(gather)
    content = await _maker(call).filled(prepared)
    headers = attachment_headers(prepared.file_name, prepared.body.content_type, inline=False)
    return web.Response(body=content, headers=headers)


async def _of_deal(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    return await _made(request, call, deal_id=call.number())


async def _of_contact(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    return await _made(request, call, contact_id=call.number())


async def _made(request: web.Request, call: Call[Query, NoBody], **of: int) -> web.StreamResponse:
    content = await read_body(request, _MOST_BODY)
    kept = await kept_answer(call.hub, request, call.user, content)
    if kept is not None:
        return kept
    try:
        order = DocumentOrder.model_validate(parse_json(content) if content.strip() else {})
    except ValidationError as err:
        raise of_validation(err) from err
    sending = Sending(**order.send.model_dump()) if order.send is not None else None
    login = call.user.login

    def preparing(desk: Desk) -> service.Prepared:
        desk.acts_for(call.user)
        return service.prepare(desk, order.template, login, **of)

    for _ in range(_TRIES):
        prepared = await call.hub.store.run(preparing)
        made = await _maker(call).make(prepared)

        def kept_now(desk: Desk, prepared: Prepared = prepared, made: service.Made = made) -> DocumentCard:
            return _card(service.keep(desk, prepared, made, login, sending))

        try:
            return await run_act(call.hub, request, call.user, content, kept_now, status=201)
        except NumberTaken:
            continue
    raise ConcurrentChange("others make documents of this template all the time: try again in a moment")


def _maker(call: Call[Any, Any]) -> DocumentMaker:
    return call.hub.documents


def _list_of_deal(conn: Reading, call: Call[PageQuery, NoBody]) -> Paged[DocumentCard]:
    seen_type(conn, call.access, call.number())
    page = queries.list_documents(conn, call.access, call.query.where, deal_id=call.number())
    return Paged[DocumentCard](items=[_card(each) for each in page.items], next=page.next)


def _list_of_contact(conn: Reading, call: Call[PageQuery, NoBody]) -> Paged[DocumentCard]:
    contact = contact_queries.current(conn, call.access, call.number())
    page = queries.list_documents(conn, call.access, call.query.where, contact_id=contact.id)
    return Paged[DocumentCard](items=[_card(each) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> DocumentCard:
    return _card(queries.one_document(conn, call.access, call.number()))


async def _file(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    record = await call.hub.store.read(lambda conn: queries.one_document(conn, call.access, call.number()))
    path = call.hub.files.path(record.sha256)
    if not path.is_file():
        raise NotFound("the file of document {record} is not in the file store", record=record.id)
    return web.FileResponse(path, headers=attachment_headers(record.name, record.content_type, inline=False))


def _card(record: DocumentRecord) -> DocumentCard:
    values = {name: getattr(record, name) for name in DocumentCard.model_fields if name != "url"}
    return DocumentCard(**values, url=f"/api/v1/documents/{record.id}/file")


OPERATIONS: tuple[Operation, ...] = (
    *(replace(each, before=_readable) if each.kind is Kind.ACT else each for each in TEMPLATES.operations()),
    own(
        "GET",
        "/document-templates/{id}/preview",
        _previewed,
        tag="document-templates",
        summary="A document as it would be made now; it gets no number and is kept nowhere",
        right=Right.SEE_SALES,
        query=PreviewQuery,
        media="application/octet-stream",
    ),
    *(
        own(
            "POST",
            f"/{of}/{{id}}/documents",
            handler,
            tag=_TAG,
            summary="Make a document of a template, number it and, where that is wanted, send it: one act",
            right=Right.KEEP_SALES,
            body=DocumentOrder,
            response=DocumentCard,
            status=201,
        )
        for of, handler in (("deals", _of_deal), ("contacts", _of_contact))
    ),
    read(
        "/deals/{id}/documents",
        _list_of_deal,
        tag=_TAG,
        summary="The documents of a deal, the newest first",
        right=Right.SEE_SALES,
        query=PageQuery,
        response=Paged[DocumentCard],
    ),
    read(
        "/contacts/{id}/documents",
        _list_of_contact,
        tag=_TAG,
        summary="The documents of a client, the newest first",
        right=Right.SEE_SALES,
        query=PageQuery,
        response=Paged[DocumentCard],
    ),
    read("/documents/{id}", _one, tag=_TAG, summary="A document", right=Right.SEE_SALES, response=DocumentCard),
    own(
        "GET",
        "/documents/{id}/file",
        _file,
        tag=_TAG,
        summary="The file of a document",
        right=Right.SEE_SALES,
        media="application/octet-stream",
    ),
)
