"""The definitions of a section as they lie there: listed, put away, brought back, put in order, switched off and on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from crm_core.errors import Forbidden, NotFound, StorageUnavailable
from crm_core.model.definitions import DefinitionRecord, FieldBody
from crm_core.model.faults import first_of
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.storage.queries import definitions as queries
from hub.web.doing import going_back
from hub.web.office.forms.filled import Sent
from hub.web.office.sections import Keeping
from hub.web.office.summaries import Said, definition_said, said
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.tongues import _, told


@dataclass(frozen=True, slots=True)
class Line:
    """A definition as it is listed: what people call it, and its `key` where programs call it otherwise. `wrong`: it
    can't be read; `covered`: hub.toml says something else of that name."""

    record: DefinitionRecord
    title: str
    key: str = ""
    said: tuple[Said, ...] = ()
    off: bool = False
    wrong: str = ""
    covered: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """The list of one section, and what is done to a definition as a whole."""

    pages: Pages
    keeping: Keeping

    @property
    def home(self) -> str:
        """The address of the list."""
        return f"/office/{self.keeping.path}"

    async def show_all(self, request: web.Request) -> Answer:
        """The definitions there are, those put away too."""
        keeping, hub, access = self.keeping, self.pages.hub, access_here(request)
        records = await hub.store.read(
            lambda conn: queries.list_definitions(conn, access, keeping.section, archived=True)
        )
        by_file = keeping.set_by_file(hub)
        lines = [self._line(each, by_file) for each in records]
        return self.pages.render(
            request,
            "office/section.html",
            keeping=keeping,
            definition_said=definition_said,
            lines=[each for each in lines if not each.record.archived],
            away=[each for each in lines if each.record.archived],
            by_file=by_file,
            **self.beside(),
        )

    def beside(self) -> dict[str, Any]:
        """What else a section shows beside its list."""
        return {}

    async def put_away(self, request: web.Request) -> Answer:
        """Take a definition out of use."""
        ident, login = number_in(request), user_here(request).login
        return await self._done(
            request,
            lambda desk: defining.put_away(desk, self.keeping.section, ident, login),
            _("It is put away. Below the list it can be brought back."),
        )

    async def bring_back(self, request: web.Request) -> Answer:
        """Take a definition back into use."""
        ident, login = number_in(request), user_here(request).login

        def service(desk: Desk) -> None:
            record = defining.one(desk, self.keeping.section, ident)
            body = self.keeping.form.model_validate(record.body)
            if self.keeping.check is not None:
                self.keeping.check(self.pages.hub, desk, record.name, body)
            defining.add(desk, self.keeping.section, record.name, body, login, record.position)

        return await self._done(request, service, _("It is in use again."))

    async def up(self, request: web.Request) -> Answer:
        """Put a definition one place up."""
        ident, login = number_in(request), user_here(request).login

        def service(desk: Desk) -> None:
            section = self.keeping.section
            known = [each for each in defining.of_section(desk, section) if not each.archived]
            place = next((index for index, each in enumerate(known) if each.id == ident), None)
            if place is None:
                raise NotFound("there is no {section} {ident}", section=section.value, ident=ident)
            if place:
                known[place - 1], known[place] = known[place], known[place - 1]
            for position, each in enumerate(known):
                if each.position != position:
                    defining.change(desk, section, each.id, login, position=position)

        return await self._done(request, service, "")

    async def switch(self, request: web.Request) -> Answer:
        """Put a definition to rest, or back into use, and change nothing else of it."""
        ident, login, key = number_in(request), user_here(request).login, self.keeping.switch or ""
        on = Sent((await request.post()).items()).one("on") == "1"

        def service(desk: Desk) -> None:
            record = defining.one(desk, self.keeping.section, ident)
            body = self.keeping.form.model_validate({**record.body, key: on})
            defining.change(desk, self.keeping.section, ident, login, body=body)

        return await self._done(request, service, _("Switched on.") if on else _("Switched off."))

    # ------------------------------------------------------------ inside

    async def _done(self, request: web.Request, service: Any, notice: str) -> Answer:
        try:
            with going_back(self.pages, request, self.home, (StorageUnavailable, Forbidden)):
                await self.pages.act(request, service)
        except ValidationError as err:
            where, why = first_of(err)
            raise self.pages.redirect(request, self.home, f"{where}: {told(why)}") from err
        raise self.pages.redirect(request, self.home, notice)

    async def _record(self, request: web.Request) -> DefinitionRecord:
        access, ident, section = access_here(request), number_in(request), self.keeping.section
        return await self.pages.hub.store.read(lambda conn: queries.definition(conn, access, section, ident))

    def _line(self, record: DefinitionRecord, by_file: tuple[str, ...]) -> Line:
        line = Line(record, definition_said(record.name), covered=record.name in by_file)
        try:
            body = self.keeping.form.model_validate(record.body)
        except ValidationError as err:
            where, why = first_of(err)
            return replace(line, wrong=f"{where}: {told(why)}")
        off = self.keeping.switch is not None and not getattr(body, self.keeping.switch)
        if isinstance(body, FieldBody):
            line = replace(line, title=body.title, key=record.name)
        return replace(line, said=tuple(said(body)), off=off)
