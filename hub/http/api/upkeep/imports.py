"""Imports: a table is posted, brought in by a worker, looked at while it goes on; what was wrong can be mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
from aiohttp import BodyPartReader, web
from pydantic import Field, ValidationError

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.definitions import Body, Section
from crm_core.model.definitions.mappings import MappingBody, mapping_name
from crm_core.model.exchange import ImportProblemRecord, ImportRecord, ImportState
from crm_core.model.importing import How, ImportKind, Policy
from crm_core.services.desk import Desk
from crm_core.services.importing import runs
from crm_core.storage.queries import imports as queries
from crm_core.storage.queries.pages import Reading
from crm_core.wording import Sentence
from hub.exchange.failed_lines import failed_lines
from hub.exchange.importing import understand
from hub.http.acting import run_act
from hub.http.api.office.definitions import SectionOperations
from hub.http.operations import Call, Operation, own, read
from hub.http.problems import Problem, of_validation, too_large
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, PageQuery, Query, Short, Taken
from hub.tongues import aloud
from hub.workers.importing import forget_file

_TAG = "imports"
_PIECE = 256 * 1024
_LONGEST_FIELD = 256 * 1024
_MOST_PARTS = 50


class ImportOptions(Taken):
    """How a table is brought in, as fields of the form beside the file. `map`: `{"Телефон раб.": "phone"}`; `values`:
    `{"stage": {"Первичный контакт": "Новая"}}`; `policy`: what becomes of what is there already."""

    kind: ImportKind
    dry_run: bool = False
    map: dict[Short, Short] = Field(default_factory=dict, max_length=500)
    values: dict[Short, dict[Short, Short]] = Field(default_factory=dict, max_length=50)
    policy: Policy = Policy.FILL
    system: Annotated[str, Field(pattern=r"^[^:\x00]{1,50}$")] | None = None
    manager: Short | None = None
    pipeline: Short | None = None
    rules: bool = False
    remember: bool = True
    encoding: Short | None = None
    separator: Annotated[str, Field(max_length=1)] | None = None
    sheet: Short | None = None


class ImportColumn(Given):
    """A column of the file, and what it means; empty: it is left out."""

    heading: str
    target: str


class ImportCounts(Given):
    """What became of the lines so far, or would."""

    created: int
    updated: int
    unchanged: int
    failed: int


class Import(Given):
    """A file being brought in. `line` is the last one that was taken in, `total` about how many there are; `form` and
    `certainty` (per cent) say how the file was read, where it was just posted."""

    id: int
    kind: ImportKind
    name: str
    state: ImportState
    dry_run: bool
    author: str
    created_at: datetime
    ended_at: datetime | None
    line: int
    total: int | None
    system: str
    columns: list[ImportColumn]
    counts: ImportCounts
    error: str
    form: str = ""
    certainty: int | None = None


class Imports(Paged[Import]):
    """Imports, the newest first."""


class ImportProblem(Given):
    """A line that was not taken in (`failed`), or not all of it, and why."""

    line: int
    became: str
    error: str
    cells: list[str]


class ImportProblems(Paged[ImportProblem]):
    """What was wrong, in the order of the lines."""


def _json(record: ImportRecord, form: str = "", certainty: int | None = None) -> Import:
    same = ("id", "kind", "name", "state", "author", "created_at", "ended_at", "line", "total", "error")
    return Import(
        **{name: aloud(getattr(record, name)) for name in same},
        dry_run=runs.how_of(record).dry_run,
        system=record.mapping["system"],
        columns=[ImportColumn(heading=heading, target=target) for heading, target in record.mapping["columns"]],
        counts=ImportCounts(**{name: record.counts.get(name, 0) for name in ImportCounts.model_fields}),
        form=form,
        certainty=certainty,
    )


def _problem(record: ImportProblemRecord) -> ImportProblem:
    return ImportProblem(line=record.line, became=record.cells[0], error=aloud(record.error), cells=record.cells[1:])


async def _posted(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    hub = call.hub
    most = hub.settings.imports.max_size
    if (request.content_length or 0) > most + _LONGEST_FIELD * _MOST_PARTS:
        raise too_large(most)
    given, sha256, name = await _parts(request, call, most)
    options = _options(given)
    how = How(
        policy=options.policy,
        rules=options.rules,
        author=call.user.login,
        values=options.values,
        manager=options.manager,
        pipeline=options.pipeline,
        separator=options.separator,
        encoding=options.encoding,
        sheet=options.sheet,
        dry_run=options.dry_run,
    )
    try:
        opened = await understand(
            hub.store, hub.files.path(sha256), options.kind, how, dict(options.map), options.system
        )
    except InvalidInput:
        await forget_file(hub.store, hub.files, sha256)
        raise
    table, plan, how = opened.table, opened.plan, opened.how

    def begin(desk: Desk) -> Import:
        if options.manager is not None and desk.work.staff.get(options.manager) is None:
            raise InvalidInput("manager: there is no user «{user}»", user=options.manager)
        if (options.map or options.values) and options.remember:
            runs.keep_mapping(desk, plan, how.values, call.user.login)
        record = runs.begin(desk, options.kind, name, sha256, plan, how, table.total)
        return _json(record, table.form, table.certainty)

    content = f"{sha256}\n{options.model_dump_json()}".encode()
    response = await run_act(hub, request, call.user, content, begin, status=201)
    hub.imports.wake()
    return response


async def _parts(request: web.Request, call: Call[Any, Any], most: int) -> tuple[dict[str, str], str, str]:
    """The fields of the form, the hash of the stored file and its name."""
    if request.content_type != "multipart/form-data":
        raise Problem(415, Sentence("a table is sent as multipart/form-data"), kind="media-type")
    given: dict[str, str] = dict(request.query)
    sha256 = name = ""
    try:
        reader = await request.multipart()
        for _ in range(_MOST_PARTS):
            part = await reader.next()
            if part is None:
                break
            if not isinstance(part, BodyPartReader):
                continue
            if part.filename is not None and not sha256:
                name = part.filename[:300]
                sha256 = (await call.hub.files.put(_pieces(part, most), most)).sha256
            elif part.name and part.filename is None:
                given[part.name] = await _field(part)
    except (ValueError, AssertionError) as err:
        raise Problem(400, Sentence("the body is no multipart/form-data: {why}", why=err), kind="bad-request") from err
    if not sha256:
        raise Problem(422, Sentence("no part of the body is a file (a part with a filename)"), kind="invalid-input")
    return given, sha256, name


async def _pieces(part: BodyPartReader, most: int) -> AsyncIterator[bytes]:
    size = 0
    while piece := await part.read_chunk(_PIECE):
        size += len(piece)
        if size > most:
            raise Problem(
                413,
                Sentence(
                    "the file is larger than {most} MB: cut it into parts, or raise [imports] max_size",
                    most=most // 1024 // 1024,
                ),
                kind="too-large",
            )
        yield piece


async def _field(part: BodyPartReader) -> str:
    content = bytearray()
    while piece := await part.read_chunk(65536):
        content += piece
        if len(content) > _LONGEST_FIELD:
            raise too_large(_LONGEST_FIELD)
    return content.decode("utf-8", "replace")


def _options(given: Mapping[str, str]) -> ImportOptions:
    values: dict[str, Any] = {name: text for name, text in given.items() if text != ""}
    for name in ("map", "values"):
        if name in values:
            try:
                values[name] = orjson.loads(values[name])
            except orjson.JSONDecodeError as err:
                raise Problem(
                    422, Sentence("{name}: this is not JSON: {why}", name=name, why=err), kind="invalid-input"
                ) from err
    try:
        return ImportOptions.model_validate(values)
    except ValidationError as err:
        raise of_validation(err, "?") from err


def _listed(conn: Reading, call: Call[PageQuery, NoBody]) -> Imports:
    page = queries.list_imports(conn, call.access, call.query.where)
    return Imports(items=[_json(each) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Import:
    return _json(queries.one_import(conn, call.access, call.number()))


def _problems(conn: Reading, call: Call[PageQuery, NoBody]) -> ImportProblems:
    queries.one_import(conn, call.access, call.number())
    page = queries.list_problems(conn, call.access, call.number(), call.query.where)
    return ImportProblems(items=[_problem(each) for each in page.items], next=page.next)


async def _cancelled(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    hub = call.hub
    response = await run_act(
        hub, request, call.user, b"", lambda desk: _json(runs.cancel(desk, call.number())), status=200
    )
    record = await hub.store.read(lambda conn: queries.one_import(conn, call.access, call.number()))
    await forget_file(hub.store, hub.files, record.sha256)
    return response


async def _failed_lines(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    """The lines that were not taken in, as a table that can be mended and posted again."""
    pieces = failed_lines(call.hub.store, call.access, call.number())
    first = await anext(pieces)
    response = web.StreamResponse(headers=_csv_headers(f"import-{call.number()}-failed.csv"))
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


async def _report(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    record = await call.hub.store.read(lambda conn: queries.one_import(conn, call.access, call.number()))
    sha256 = runs.report_of(record)
    path = call.hub.files.path(sha256) if sha256 is not None else None
    if path is None or not await asyncio.to_thread(path.is_file):
        raise NotFound("there is no report: only a rehearsal (dry_run) that is over has one")
    return web.FileResponse(path, headers=_csv_headers(f"import-{record.id}-report.csv"))


def _csv_headers(name: str) -> dict[str, str]:
    return {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _mapping_name(body: Body) -> str:
    return mapping_name(body.kind, [each.heading for each in body.columns]) if isinstance(body, MappingBody) else ""


_MAPPINGS = SectionOperations(
    Section.MAPPING,
    "/import-mappings",
    MappingBody,
    "ImportMapping",
    "a remembered mapping of columns",
    "remembered mappings of columns",
    keep=Right.IMPORT,
    name_of=_mapping_name,
)

OPERATIONS: tuple[Operation, ...] = (
    own(
        "POST",
        "/imports",
        _posted,
        tag=_TAG,
        summary="Bring a table in (multipart: the file, and the fields kind, dry_run, map, values, policy, system, …)",
        right=Right.IMPORT,
        response=Import,
        status=201,
        takes_media="multipart/form-data",
    ),
    read("/imports", _listed, tag=_TAG, summary="Imports", right=Right.IMPORT, query=PageQuery, response=Imports),
    read("/imports/{id}", _one, tag=_TAG, summary="How an import goes", right=Right.IMPORT, response=Import),
    read(
        "/imports/{id}/problems",
        _problems,
        tag=_TAG,
        summary="Lines that were not taken in, or not all of them, and why",
        right=Right.IMPORT,
        query=PageQuery,
        response=ImportProblems,
    ),
    own(
        "GET",
        "/imports/{id}/failed-lines",
        _failed_lines,
        tag=_TAG,
        summary="The lines that were not taken in, as CSV with the reasons: to be mended and posted again",
        right=Right.IMPORT,
        media="text/csv",
    ),
    own(
        "GET",
        "/imports/{id}/report",
        _report,
        tag=_TAG,
        summary="What would become of every line, as CSV, of a rehearsal that is over",
        right=Right.IMPORT,
        media="text/csv",
    ),
    own(
        "POST",
        "/imports/{id}/cancel",
        _cancelled,
        tag=_TAG,
        summary="Stop an import; what was taken in stays",
        right=Right.IMPORT,
        response=Import,
    ),
    *_MAPPINGS.operations(),
)
