"""Bringing tables in: a file is uploaded, its columns are looked through, a rehearsal tells of every line, then it is
brought in; how far it is can be watched."""

from __future__ import annotations

import asyncio
import csv
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from aiohttp import web

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.definitions import Catalogue
from crm_core.model.exchange import ImportProblemRecord, ImportRecord, ImportState
from crm_core.model.fields import fields_of
from crm_core.model.importing import Became, How, ImportKind, Policy
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.services.importing import runs
from crm_core.services.importing.headings import targets
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.services.taking_away import take_lines
from crm_core.storage.queries import files as file_queries
from crm_core.storage.queries import idempotency
from crm_core.storage.queries import imports as queries
from crm_core.storage.queries.idempotency import KeptAnswer
from crm_core.storage.queries.pages import Page, Reading, Slice
from hub.exchange.failed_lines import failed_lines
from hub.exchange.importing import Opened, understand
from hub.exchange.tables import sheets_of
from hub.web.pages import Answer, Pages, access_here, field_of, number_in, user_here
from hub.web.tongues import _, told
from hub.web.upkeep.table_forms import ENCODINGS, SEPARATORS, as_fields, how_of, mapping_of
from hub.web.upkeep.table_values import Words, words_of_columns
from hub.web.upkeep.table_words import (
    TargetWord,
    became_word,
    import_word,
    kind_word,
    policy_word,
    target_word,
    target_words,
)
from hub.workers.importing import forget_file

_OVER_IN_VAIN = frozenset({ImportState.CANCELLED, ImportState.FAILED})
_ROWS = 30
_PROBLEMS = 100
_PIECE = 256 * 1024
_SAMPLE = 4
_REPORT_CELLS = 4
_EXPORTS = ("contacts", "companies", "leads", "deals", "tasks", "products", "sales")


@dataclass(frozen=True, slots=True)
class _Columns:
    """How a file is understood: each heading with its meaning (empty: left out) and some of its cells."""

    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    targets: tuple[TargetWord, ...]
    form: str
    certainty: int | None
    total: int | None
    system: str
    remembered: bool


class Imports:
    """The pages of imports."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """What was brought in, and the form for more."""
        return await self._listed(request)

    async def upload(self, request: web.Request) -> Answer:
        """Keep a file; the body is the file, `?name=` what it is called. Its number, or what is wrong, as JSON."""
        most = self._pages.hub.settings.imports.max_size
        name = unquote(request.query.get("name", ""), errors="replace")
        try:
            number = await self._stored(request, name, _pieces(request), most)
        except InvalidInput as err:
            return web.json_response({"detail": told(str(err))}, status=413)
        return web.json_response({"id": number}, status=201)

    async def columns(self, request: web.Request) -> Answer:
        """What the columns of an uploaded file mean, to be put right."""
        try:
            kind, number = await self._chosen(request)
            mapping, how = await mapping_of(request), await how_of(request)
        except InvalidInput as err:
            return await self._listed(request, str(err), 422)
        try:
            return await self._mapped(request, kind, number, how, mapping)
        except InvalidInput as err:
            return await self._listed(request, str(err), 422)

    async def begin(self, request: web.Request) -> Answer:
        """Rehearse it, or bring it in; the file of a rehearsal stays for the next step."""
        kind, number = await self._chosen(request)
        dry = await field_of(request, "act") != "bring"
        mapping = await mapping_of(request)
        login = user_here(request).login
        how = replace(await how_of(request), dry_run=dry)
        hub = self._pages.hub
        upload = await self._uploaded(login, number)
        path = hub.files.path(upload.sha256)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound("the file is no longer in the store")
        try:
            opened = await understand(hub.store, path, kind, how, mapping, None)
        except InvalidInput as err:
            return await self._mapped(request, kind, number, how, mapping, str(err))

        said = repr((kind.value, number, sorted(mapping.items()), as_fields(opened.how)))
        pressed = f"import:{hashlib.sha256(said.encode()).hexdigest()}"

        def beginning(desk: Desk) -> ImportRecord:
            before = None if dry else idempotency.find(desk, login, pressed)
            if before is not None:  # pressed twice, or once more after going back
                begun = desk.work.get(ImportRecord, int(before.response))
                if begun.state not in _OVER_IN_VAIN:
                    return begun
            if mapping or how.values:
                runs.keep_mapping(desk, opened.plan, opened.how.values, login)
            record = runs.begin(desk, kind, upload.name, upload.sha256, opened.plan, opened.how, opened.table.total)
            # What a rehearsal is followed by needs the file, and nothing else tells which it was.
            record = record._replace(mapping={**record.mapping, "upload": number})
            desk.work.put(record)
            if not dry and before is None:
                idempotency.keep(desk, login, pressed, KeptAnswer("", 303, str(record.id).encode()))
            return record

        record = await self._pages.act(request, beginning)
        hub.imports.wake()
        raise self._pages.redirect(request, f"/office/imports/{record.id}")

    async def one(self, request: web.Request) -> Answer:
        """How an import goes, or went, and what was wrong with which line."""
        import_id, where = number_in(request), Slice(request.query.get("after"), _PROBLEMS)
        access = access_here(request)

        def read(conn: Reading) -> tuple[ImportRecord, Page[ImportProblemRecord]]:
            problems = queries.list_problems(conn, access, import_id, where)
            return queries.one_import(conn, access, import_id), problems

        record, problems = await self._pages.hub.store.read(read)
        context = {
            "record": record,
            "problems": problems,
            "dry": bool(record.options.get("dry_run")),
            "active": record.state in runs.ACTIVE,
            "kind_word": kind_word,
            "import_word": import_word,
            "upload": record.mapping.get("upload"),
            "columns": record.mapping["columns"],
            "told": as_fields(runs.how_of(record)),
            "report": await asyncio.to_thread(self._reported, record),
            "became_word": became_word,
        }
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "upkeep/import_live.html", **context)
        return self._pages.render(request, "upkeep/import.html", **context)

    async def report(self, request: web.Request) -> Answer:
        """What would become of every line, as a table."""
        one = partial(queries.one_import, access=access_here(request), import_id=number_in(request))
        record = await self._pages.hub.store.read(one)
        sha256 = runs.report_of(record)
        path = self._pages.hub.files.path(sha256) if sha256 is not None else None
        if path is None or not await asyncio.to_thread(path.is_file):
            raise NotFound("there is no report of this import")
        await self._pages.act(request, lambda desk: take_lines(desk, record.id, record.total or 0))
        headers = {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="import-{record.id}-report.csv"',
        }
        return web.FileResponse(path, headers=headers)

    async def failed(self, request: web.Request) -> Answer:
        """The lines that were not taken in, as a table with the reasons: to be mended and brought in again."""
        access, import_id = access_here(request), number_in(request)
        one = partial(queries.one_import, access=access, import_id=import_id)
        record = await self._pages.hub.store.read(one)
        pieces = failed_lines(self._pages.hub.store, access, import_id)
        first = await anext(pieces)
        await self._pages.act(request, lambda desk: take_lines(desk, import_id, record.counts.get(Became.FAILED, 0)))
        headers = {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="import-{import_id}-failed.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    async def cancel(self, request: web.Request) -> Answer:
        """Stop it; what was taken in stays."""
        hub, import_id = self._pages.hub, number_in(request)
        record = await self._pages.act(request, lambda desk: runs.cancel(desk, import_id))
        await forget_file(hub.store, hub.files, record.sha256)
        raise self._pages.redirect(
            request, f"/office/imports/{import_id}", _("It was stopped. What was taken in stays.")
        )

    # ------------------------------------------------------------ what they share

    def _reported(self, record: ImportRecord) -> list[list[str]]:
        """The first lines of a rehearsal's report: number, what would become of it, record, why."""
        sha256 = runs.report_of(record)
        path = self._pages.hub.files.path(sha256) if sha256 is not None else None
        if path is None or not path.is_file():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = islice(csv.reader(file, delimiter=";"), 1, _PROBLEMS + 1)
            return [row for row in rows if len(row) == _REPORT_CELLS]

    async def _listed(self, request: web.Request, problem: str = "", status: int = 200) -> Answer:
        where, access = Slice(request.query.get("after"), _ROWS), access_here(request)
        page = await self._pages.hub.store.read(lambda conn: queries.list_imports(conn, access, where))
        exporting = access.may(Right.EXPORT)
        return self._pages.render(
            request,
            "upkeep/imports.html",
            status=status,
            page=page,
            kinds=[(each.value, kind_word(each.value)) for each in ImportKind],
            kind_word=kind_word,
            import_word=import_word,
            problem=problem,
            most=self._pages.hub.settings.imports.max_size,
            exports=_EXPORTS if exporting else (),
        )

    async def _chosen(self, request: web.Request) -> tuple[ImportKind, int]:
        """The kind and the number of the file, which may come with the form itself. Raises InvalidInput."""
        posted = await request.post()
        try:
            kind = ImportKind(await field_of(request, "kind"))
        except ValueError:
            raise InvalidInput(_("Say what the lines of the file are.")) from None
        text, file = await field_of(request, "upload"), posted.get("file")
        if text.isdecimal() and len(text) < 19:
            return kind, int(text)
        if not isinstance(file, web.FileField) or not file.filename:
            raise InvalidInput(_("Choose a file: CSV or XLSX."))
        most = self._pages.hub.settings.imports.max_size
        return kind, await self._stored(request, unquote(file.filename, errors="replace"), _read(file.file), most)

    async def _stored(self, request: web.Request, name: str, content: AsyncIterator[bytes], most: int) -> int:
        hub, login = self._pages.hub, user_here(request).login
        try:
            stored = await hub.files.put(content, most)
        except InvalidInput as err:
            said = _(
                "The file is larger than {size} MB: cut it into parts, or raise max_size in [imports] of hub.toml."
            )
            raise InvalidInput(said.format(size=most // 1024 // 1024)) from err
        named = clean_file_name(name[:300]) or "table"
        added = await hub.store.run(
            lambda desk: file_queries.add_upload(desk, login, named, "application/octet-stream", stored)
        )
        return added.id

    async def _uploaded(self, login: str, number: int) -> file_queries.Upload:
        found = await self._pages.hub.store.look(lambda desk: file_queries.uploads(desk, [number], by=login))
        return found[0]

    async def _mapped(
        self,
        request: web.Request,
        kind: ImportKind,
        number: int,
        how: How,
        mapping: dict[str, str],
        problem: str = "",
    ) -> Answer:
        hub = self._pages.hub
        upload = await self._uploaded(user_here(request).login, number)
        path = hub.files.path(upload.sha256)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound("the file is no longer in the store")
        catalogue, staff = await hub.store.look(lambda desk: (desk.catalogue, desk.work.staff))
        sheets: tuple[str, ...] = ()
        columns: _Columns | None = None
        words: tuple[Words, ...] = ()
        try:
            sheets = await asyncio.to_thread(sheets_of, path)
            opened = await self._understood(path, kind, how, mapping)
            columns = await asyncio.to_thread(_columns, kind, opened, catalogue, mapping)
            again = await self._understood(path, kind, how, mapping)  # the lines of the first were read
            looked = partial(words_of_columns, catalogue=catalogue, staff=staff, replaced=again.how.values)
            words = await asyncio.to_thread(looked, kind, again.plan.columns, again.table.lines)
        except InvalidInput as err:
            if columns is None and not problem:
                problem = str(err)
        return self._pages.render(
            request,
            "upkeep/columns.html",
            status=422 if problem else 200,
            kind=kind,
            upload=upload,
            columns=columns,
            words=words,
            sheets=sheets,
            how=how,
            encodings=ENCODINGS,
            separators=SEPARATORS,
            policies=[(each.value, policy_word(each)) for each in Policy],
            kind_word=kind_word,
            target_word=target_word,
            problem=problem,
        )

    async def _understood(self, path: Path, kind: ImportKind, how: How, mapping: dict[str, str]) -> Opened:
        """The file with what people said of its columns, or without where that belongs to another sheet of it."""
        try:
            return await understand(self._pages.hub.store, path, kind, how, mapping, None)
        except InvalidInput:
            if not mapping:
                raise
            return await understand(self._pages.hub.store, path, kind, how, {}, None)


def _columns(kind: ImportKind, opened: Opened, catalogue: Catalogue, mapping: dict[str, str]) -> _Columns:
    lines = []
    for line in opened.table.lines:
        lines.append(line.cells)
        if len(lines) == _SAMPLE:
            break
    rows = []
    for position, column in enumerate(opened.plan.columns):
        cells = tuple(cells[position] for cells in lines if position < len(cells) and cells[position])
        target = mapping.get(column.heading, column.target)
        rows.append((column.heading, "" if target == "skip" else target, cells))
    words = target_words(sorted(targets(kind)), fields_of(catalogue, kind.of), [row[1] for row in rows])
    table = opened.table
    return _Columns(
        tuple(rows), words, table.form, table.certainty, table.total, opened.plan.system, opened.plan.remembered
    )


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    async for piece in request.content.iter_chunked(_PIECE):
        yield piece
