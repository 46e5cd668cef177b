"""The pages of many cards: the board, its columns as they are scrolled, the table, a new card, what is taken away."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import JsonValue

from crm_core.errors import CoreError, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.access import Right
from crm_core.model.fields import fields_of
from crm_core.model.filters import Filter, Op
from crm_core.model.records import DealRecord
from crm_core.model.selling import CompanyRecord
from crm_core.services.acts import deals
from crm_core.services.clients import links
from crm_core.services.desk import Desk
from crm_core.storage.filtering import condition
from crm_core.storage.queries.companies import CompanyFilter, list_companies
from crm_core.storage.queries.contacts import ContactFilter, list_contacts
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, client_of, clients_named
from crm_core.storage.queries.workspace.unindexed import cards_with
from hub.access.remote import remote_of
from hub.exchange import exporting
from hub.web.board.acting import Acting
from hub.web.board.asking import SORTED, Wanted, asking_of
from hub.web.board.boards import (
    AT_ONCE,
    MOST_OPEN,
    ROWS,
    BoardView,
    board_view,
    expected,
    pipelines_of,
    table_view,
    titles_of_types,
)
from hub.web.board.editing import change_of, ident_of, text_of
from hub.web.board.words import WORDS
from hub.web.doing import part
from hub.web.filtering.asking import NOBODY
from hub.web.filtering.own_fields import SPANNED
from hub.web.here import MOST_SHOWN, rows_shown
from hub.web.pages import Answer, access_here, number_in, user_here
from hub.web.returning import scripted
from hub.web.tongues import _

_LAST = "pipeline"
_YEAR_S = 365 * 86400
_FOUND = 8
_SHORTEST = 2  # a letter alone finds everybody
_LONGEST_ID = 18
_LONGEST_OPENED = 4_000


class Boards(Acting):
    """Boards and tables of cards."""

    async def choose(self, request: web.Request) -> Answer:
        """The board where somebody was last, else the first."""
        known = await self.ask(request, lambda _conn, asker: pipelines_of(asker))
        last = request.cookies.get(_LAST, "")
        found = next((each for each in known if str(each.id) == last), known[0] if known else None)
        if found is None:
            return self.pages.render(request, "board/none.html")
        raise web.HTTPFound(f"/deals/board/{found.id}" + (f"?{request.query_string}" if request.query_string else ""))

    async def board(self, request: web.Request) -> Answer:
        """The board; with `?part=board` its columns alone, with `?part=column` more cards of one `stage`."""
        pipeline_id, wanted = number_in(request, "pipeline_id"), Wanted.of(request.query)
        asked = request.query.get("part")
        after = _number(request.query.get("after"))
        opened = _opened(request.query.get("open", ""))
        stage_id = _number(request.query.get("stage")) if asked == "column" else None

        def read(conn: Reading, asker: Asker) -> BoardView:
            offset = after if asked == "column" else 0
            return board_view(conn, asker, pipeline_id, wanted, opened=opened, after=offset, stage_id=stage_id)

        view = await self.ask(request, read)
        context: dict[str, Any] = {
            "view": view,
            "after": after,
            "expected": expected,
            "NOBODY": NOBODY,
            "SPANNED": SPANNED,
            "able": able(view.beside.asker),
            "AT_ONCE": AT_ONCE,
            "MOST_OPEN": MOST_OPEN,
            **WORDS,
        }
        if asked == "column":
            if not view.columns:
                raise NotFound("there is no such stage")
            return self.pages.fragment(request, "board/more.html", column=view.columns[0], **context)
        if asked == "board":
            return self.pages.fragment(request, "board/columns.html", **context)
        answer = self.pages.render(request, "board/board.html", **context)
        where, secure = str(view.pipeline.id), self.pages.sessions.secure(request)
        answer.set_cookie(_LAST, where, max_age=_YEAR_S, httponly=True, samesite="Lax", path="/deals", secure=secure)
        return answer

    async def table(self, request: web.Request) -> Answer:
        """Cards in a table; with `?part=live` what refreshes by itself, with `?part=rows` further rows."""
        wanted = Wanted.of(request.query)
        pipeline_id = _number(request.query.get("pipeline")) or None
        stage_id = _number(request.query.get("stage")) or None
        after = request.query.get("after") or None
        rows = rows_shown(request, ROWS)
        if rows > MOST_SHOWN:
            return web.Response(status=204)

        def read(conn: Reading, asker: Asker) -> Any:
            return table_view(conn, asker, wanted, pipeline_id=pipeline_id, stage_id=stage_id, after=after, rows=rows)

        view = await self.ask(request, read)
        context = {
            "view": view,
            "NOBODY": NOBODY,
            "SPANNED": SPANNED,
            "SORTED": SORTED,
            "able": able(view.beside.asker),
            "after": after,
            **WORDS,
        }
        if request.query.get("part") == "rows":
            return self.pages.fragment(request, "board/rows.html", **context)
        if request.query.get("part") == "live":
            return self.pages.fragment(request, "board/table.html", **context)
        return self.pages.render(request, "board/list.html", **context)

    async def export(self, request: web.Request) -> Answer:
        """The cards of a page as a table that goes out: CSV; it is noted who took it."""
        hub, user = self.pages.hub, user_here(request)
        wanted = Wanted.of(request.query)
        pipeline_id = _number(request.query.get("pipeline")) or None

        def read(conn: Reading, asker: Asker) -> tuple[str, Filter, Asker]:
            found = next((each for each in pipelines_of(asker) if each.id == pipeline_id), None)
            if pipeline_id is not None and found is None:
                raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
            kind = found.record.type if found is not None else "deal"
            terms = [wanted.filter(kind, asker.catalogue, asker.staff)]
            if found is not None:
                terms.append(Filter(field="pipeline", value=str(found.id)))
            if not wanted.closed:
                terms.append(Filter(field="state", value="open"))
            if wanted.unindexed(kind, asker.catalogue):
                terms.append(Filter(field="id", op=Op.IN, value=_only(conn, asker, wanted, kind, pipeline_id)))
            return kind, Filter(all=[each for each in terms if not each.everything]), asker

        kind, filtered, asker = await self.ask(request, read)
        name = "deals" if kind == "deal" else kind
        table = await exporting.export(
            hub.store,
            hub.clock,
            name,
            filtered,
            login=user.login,
            remote=remote_of(request),
            access=asker.access,
            asked={name: ", ".join(request.query.getall(name)) for name in request.query},
        )
        headers = {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        async for piece in exporting.as_csv(table):
            await response.write(piece)
        await response.write_eof()
        return response

    # ------------------------------------------------------------ a new card

    async def new(self, request: web.Request) -> Answer:
        """The form of a new card."""
        return await self._form(request)

    async def create(self, request: web.Request) -> Answer:
        """Open a card; what is wrong is said above the form, which keeps what was typed."""
        form, login = await request.post(), user_here(request).login
        pipeline_id = _number(text_of(form, "pipeline"))

        def service(desk: Desk) -> DealRecord:
            found = desk.catalogue.pipeline(pipeline_id)
            if found is None or not found.admits(user_here(request)):
                raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
            currency = text_of(form, "currency") or "RUB"
            given = change_of(form, fields_of(desk.catalogue, found.record.type), self.zone, currency)
            stage = text_of(form, "stage") or None
            made = deals.create(desk, login, given, found.name, stage, of_type=found.record.type).deal
            if beside is not None:
                origin = deals.seen(desk, beside)
                links.link(desk, (origin.type, origin.id), (made.type, made.id), "", login)
            return made

        try:
            beside = ident_of(text_of(form, "beside"), "beside")
            made = await self.act(request, service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            answer = await self._form(request, status=400, problem=str(err))
            return part(answer, 400) if scripted(request) else answer
        raise self.pages.redirect(request, f"/deals/{made.id}", _("The card is there."))

    async def _form(self, request: web.Request, *, status: int = 200, problem: str = "") -> Answer:
        form = await request.post() if request.method == "POST" else request.query
        pipeline_id = _number(text_of(form, "pipeline"))
        contact_id = ident_of(text_of(form, "contact_id"), "contact_id") if text_of(form, "contact_id").isdigit() else 0

        def read(conn: Reading, asker: Asker) -> tuple[Asker, Client | None]:
            return asker, clients_named(conn, asker.access, [contact_id]).get(contact_id) if contact_id else None

        asker, client = await self.ask(request, read)
        known = pipelines_of(asker)
        chosen = next((each for each in known if each.id == pipeline_id), known[0] if known else None)
        context = {
            "pipelines": known,
            "chosen": chosen,
            "client": client,
            "form": form,
            "problem": problem,
            "asker": asker,
            "titles": titles_of_types(asker),
            **WORDS,
        }
        return self.pages.render(request, "board/new.html", status=status, **context)

    async def clients(self, request: web.Request) -> Answer:
        """The first clients that a part of a name, number or address finds, to choose one from."""
        text = request.query.get("client", "")[:200].strip()
        region, access = self.pages.hub.settings.region, access_here(request)

        def read(conn: Reading) -> tuple[Client, ...]:
            if len(text) < _SHORTEST:
                return ()
            page = list_contacts(conn, access, ContactFilter(text=text, region=region), Slice(limit=_FOUND))
            return tuple(client_of(each) for each in page.items)

        found = await self.pages.hub.store.read(read)
        return self.pages.fragment(request, "board/clients.html", found=found, text=text)

    async def companies(self, request: web.Request) -> Answer:
        """The first companies that a part of a name or tax id finds, to choose one from."""
        text = request.query.get("company", "")[:200].strip()
        wanted, access = CompanyFilter(text=text, region=self.pages.hub.settings.region), access_here(request)

        def read(conn: Reading) -> tuple[CompanyRecord, ...]:
            return list_companies(conn, access, wanted, Slice(limit=_FOUND)).items if len(text) >= _SHORTEST else ()

        found = await self.pages.hub.store.read(read)
        return self.pages.fragment(request, "board/companies.html", found=found, text=text)


def able(asker: Asker) -> dict[str, bool]:
    """What somebody may do with the cards that they see."""
    rights = {"keep": Right.KEEP_SALES, "export": Right.EXPORT, "delete": Right.DELETE, "clients": Right.SEE_CLIENTS}
    return {name: asker.access.may(right) for name, right in rights.items()}


def _number(text: str | None) -> int:
    """A number that an address names; nothing where it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else 0


def _opened(text: str) -> dict[int, int]:
    """How many cards of which stage stand open, `7:60,9:25`; what is none of that counts for nothing."""
    pairs = (each.partition(":") for each in text[:_LONGEST_OPENED].split(","))
    found = {_number(stage): _number(count) for stage, _colon, count in pairs}
    return {stage: count for stage, count in found.items() if stage and count}


def _only(conn: Reading, asker: Asker, wanted: Wanted, kind: str, pipeline_id: int | None) -> list[JsonValue]:
    """The cards whose fields without an index are as asked for; raises InvalidInput where there are more than are
    looked at, for a table that lacks some would pass for the whole."""
    also = condition(kind, wanted.filter(kind, asker.catalogue, asker.staff), asking_of(asker))
    terms = wanted.unindexed(kind, asker.catalogue)
    found = cards_with(conn, asker, kind, terms, also, pipeline_id=pipeline_id, closed=wanted.closed)
    if not found.whole:
        raise InvalidInput("the filter asks for fields that are not indexed, and there are too many cards: narrow it")
    return list(found.ids)
