"""The common editor: the definitions of a section listed, added, changed, put away and brought back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import tomli_w
from aiohttp import web
from pydantic import ValidationError

from crm_core.errors import Conflict, CoreError, Forbidden, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.definitions import Body, Catalogue, DefinitionRecord, Section
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.faults import first_of, why_of
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.services.using import users_of
from crm_core.storage.queries import definitions as queries
from hub.http.api.files import MAX_FILE
from hub.settings.toml_lines import key_lines
from hub.web.office.forms.filled import Faults, Sent, Values, fault_in, faults_of, pressed, values_of
from hub.web.office.forms.inputs import Input, drawn
from hub.web.office.forms.offers import offers_of
from hub.web.office.sections import Keeping, with_secret, without_secret
from hub.web.office.summaries import Said, definition_said, said
from hub.web.pages import Answer, Pages, number_in, user_here
from hub.web.routes import Route, does, shows
from hub.web.tongues import _, told

_NOTHING_MORE: Mapping[str, Any] = {
    "made": "",
    "trial": None,
    "days": 7,
    "preview": None,
    "clients": (),
    "q": "",
    "conditions": None,
    "who": None,
}
_BUTTONS = ("add:", "drop:", "up:", "show")


@dataclass(frozen=True, slots=True)
class Line:
    """A definition as it is listed. `wrong`: it can't be read; `covered`: hub.toml says something else of that name."""

    record: DefinitionRecord
    said: tuple[Said, ...] = ()
    off: bool = False
    wrong: str = ""
    covered: bool = False


@dataclass(slots=True)
class Draft:
    """What stands in the editor: values as they were typed, and what is wrong with them."""

    record: DefinitionRecord | None
    name: str
    values: Values
    version: int = 0
    faults: Faults = field(default_factory=dict)
    text: str | None = None
    told: str = ""
    status: int = 200
    more: dict[str, Any] = field(default_factory=dict)
    """What a page of its own adds for its template."""


@dataclass(frozen=True, slots=True)
class Editor:
    """The pages of one section."""

    pages: Pages
    keeping: Keeping

    body: ClassVar[int | None] = None
    """How many bytes a form may have; None: as many as any page's."""

    def routes(self) -> tuple[Route, ...]:
        """The routes of the section."""
        path, right = f"/office/{self.keeping.path}", self.keeping.right
        one = rf"{path}/{{id:\d+}}"
        return (
            shows(path, self.show_all, right),
            shows(f"{path}/new", self.show_new, right),
            does(f"{path}/new", self.save, right, body=self.body),
            shows(one, self.show, right),
            does(one, self.save, right, body=self.body),
            does(f"{one}/away", self.put_away, right),
            does(f"{one}/back", self.bring_back, right),
            does(f"{one}/up", self.up, right),
            *((does(f"{one}/switch", self.switch, right),) if self.keeping.switch else ()),
        )

    @property
    def home(self) -> str:
        """The address of the list."""
        return f"/office/{self.keeping.path}"

    # ------------------------------------------------------------ pages

    async def show_all(self, request: web.Request) -> Answer:
        """The definitions there are, those put away too."""
        keeping, hub = self.keeping, self.pages.hub
        records = await hub.store.read(lambda conn: queries.list_definitions(conn, keeping.section, archived=True))
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

    async def show_new(self, request: web.Request) -> Answer:
        """An empty form, with what the address gives already."""
        given = {key: value for key, value in request.query.items() if key in self.keeping.form.model_fields}
        return await self.drawn(request, Draft(None, "", dict(given), text=self._asked_text(request, given)))

    async def show(self, request: web.Request) -> Answer:
        """One definition."""
        record = await self._record(request)
        values = without_secret(dict(record.body))
        draft = Draft(record, record.name, values, record.version, text=self._asked_text(request, values))
        return await self.drawn(request, draft)

    async def drawn(self, request: web.Request, draft: Draft) -> Answer:
        """The page with the form as it stands."""
        keeping = self.keeping
        of = str(draft.values.get("of") or draft.values.get("on") or "deal")
        offers, users, catalogue = await self.pages.hub.store.look(
            lambda desk: (
                offers_of(desk, of),
                users_of(desk.catalogue, keeping.section, draft.record.name) if draft.record is not None else [],
                desk.catalogue,
            )
        )
        usual, more = self.inputs(draft, catalogue, *drawn(keeping.form, draft.values, draft.faults, offers))
        shown = {each.path for each in (*usual, *more)}
        answer = self.pages.render(
            request,
            "office/editor.html",
            status=draft.status,
            keeping=keeping,
            definition_said=definition_said,
            draft=draft,
            usual=usual,
            more=more,
            others=_unplaced(draft.faults, shown),
            users=users,
            covered=draft.name in keeping.set_by_file(self.pages.hub),
            now=_as_text(draft.record.body) if draft.status == 409 and draft.record is not None else "",
            largest=MAX_FILE,
            **{**_NOTHING_MORE, **draft.more},
        )
        if draft.status >= 400:
            answer.headers["X-Part"] = "1"
        return answer

    def inputs(
        self, draft: Draft, catalogue: Catalogue, usual: list[Input], more: list[Input]
    ) -> tuple[list[Input], list[Input]]:
        """What of the form is drawn as usual; a section may draw some of it in a way of its own."""
        del draft, catalogue
        return usual, more

    # ------------------------------------------------------------ acts

    async def save(self, request: web.Request) -> Answer:
        """What the form's buttons do: change the form itself, check what stands in it, or keep it."""
        sent = Sent((await request.post()).items())
        record = await self._record(request) if "id" in request.match_info else None
        act = sent.one("act") or "save"
        draft = self.sent(sent, record)
        if not draft.faults and act.startswith(_BUTTONS):
            draft.values = pressed(self.keeping.form, draft.values, act)
            return await self.drawn(request, draft)
        try:
            await self.taken(request, draft)
        except InvalidInput as err:
            draft.faults = {"": [str(err)]}
        body = self.body_of(draft)
        if body is None:
            draft.status = 400
            return await self.drawn(request, draft)
        body, made = with_secret(body, _before(record))
        try:
            if act != "save":
                return await self.other(request, act, draft, body)
            kept = await self.pages.act(request, lambda desk: self.kept(desk, draft, body))
        except (StorageUnavailable, Forbidden):
            raise
        except Conflict as err:
            return await self._outdated(request, draft, record, err)
        except CoreError as err:
            draft.faults, draft.status = fault_in(self.keeping.form, str(err)), 400
            return await self.drawn(request, draft)
        if made:
            draft = Draft(kept, kept.name, without_secret(dict(kept.body)), kept.version, more={"made": made})
            draft.told = _("Saved. Copy the secret now: it is not shown again.")
            return await self.drawn(request, draft)
        raise self.pages.redirect(request, self.home, _("«{name}» is saved.").format(name=kept.name))

    async def taken(self, request: web.Request, draft: Draft) -> None:
        """What else came with the form. Raises InvalidInput."""

    async def other(self, request: web.Request, act: str, draft: Draft, body: Body) -> Answer:
        """A button that keeps nothing: checks what stands there. Raises CoreError for what is wrong."""
        del act
        await self.checked(draft, body)
        draft.told = _("Nothing is wrong with it. It is not saved yet.")
        return await self.drawn(request, draft)

    async def checked(self, draft: Draft, body: Body) -> None:
        """Raise CoreError for the first thing that is wrong beyond the form."""
        keeping, hub = self.keeping, self.pages.hub
        name = keeping.named(body, draft.name)
        if keeping.check is not None:
            check = keeping.check
            await hub.store.look(lambda desk: check(hub, desk, name, body))

    def kept(self, desk: Desk, draft: Draft, body: Body) -> DefinitionRecord:
        """Keep a definition; raises CoreError."""
        keeping, login = self.keeping, desk.work.author or ""
        name = keeping.named(body, draft.name)
        if keeping.check is not None:
            keeping.check(self.pages.hub, desk, name, body)
        if draft.record is None:
            return defining.add(desk, keeping.section, name, body, login)
        return defining.change(
            desk, keeping.section, draft.record.id, login, name=name, body=body, version=draft.version
        )

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

    def body_of(self, draft: Draft) -> Body | None:
        """The body that a draft says; None, and its faults, where it says none."""
        if draft.faults:
            return None
        try:
            return self.keeping.form.model_validate(draft.values)
        except ValidationError as err:
            draft.faults = faults_of(self.keeping.form, err)
            if draft.text is not None:
                _add_lines(draft, err)
            return None

    async def _done(self, request: web.Request, service: Any, notice: str) -> Answer:
        try:
            await self.pages.act(request, service)
        except (StorageUnavailable, Forbidden):
            raise
        except ValidationError as err:
            where, why = first_of(err)
            raise self.pages.redirect(request, self.home, f"{where}: {told(why)}") from err
        except CoreError as err:
            raise self.pages.redirect(request, self.home, str(err)) from err
        raise self.pages.redirect(request, self.home, notice)

    async def _outdated(
        self, request: web.Request, draft: Draft, record: DefinitionRecord | None, err: Conflict
    ) -> Answer:
        """Somebody was faster: what was typed stays, what stands now is shown beside it."""
        draft.status = 409
        draft.faults = {"": [str(err)]}
        if record is not None:
            fresh = await self._record(request)
            if fresh.version != draft.version:
                said_now = _("{name} changed it meanwhile. Below is what stands now; saving again replaces it.")
                draft.faults = {"": [said_now.format(name=fresh.updated_by)]}
            draft.record, draft.version = fresh, fresh.version
        return await self.drawn(request, draft)

    async def _record(self, request: web.Request) -> DefinitionRecord:
        ident, section = number_in(request), self.keeping.section
        return await self.pages.hub.store.read(lambda conn: queries.definition(conn, section, ident))

    def sent(self, sent: Sent, record: DefinitionRecord | None) -> Draft:
        """What was typed."""
        name = sent.one("name") if sent.has("name") else record.name if record is not None else ""
        version = int(sent.one("version")) if sent.one("version").isdigit() else 0
        draft = Draft(record, name, {}, version)
        if not sent.has("as_text"):
            draft.values = values_of(self.keeping.form, sent)
            return draft
        draft.text = sent.one("as_text")
        try:
            draft.values = tomllib.loads(draft.text)
        except (tomllib.TOMLDecodeError, RecursionError) as err:
            draft.faults = {"": [_("This is no TOML: {why}").format(why=err)]}
        return draft

    def _asked_text(self, request: web.Request, values: Mapping[str, Any]) -> str | None:
        return _as_text(values) if request.query.get("as") == "text" else None

    def _line(self, record: DefinitionRecord, by_file: tuple[str, ...]) -> Line:
        line = Line(record, covered=record.name in by_file)
        try:
            body = self.keeping.form.model_validate(record.body)
        except ValidationError as err:
            where, why = first_of(err)
            return replace(line, wrong=f"{where}: {told(why)}")
        off = self.keeping.switch is not None and not getattr(body, self.keeping.switch)
        return replace(line, said=tuple(said(body)), off=off)


def _before(record: DefinitionRecord | None) -> Body | None:
    """The body of a subscription as it is kept, for the secret in it."""
    if record is None or record.section is not Section.WEBHOOK:
        return None
    return WebhookBody.model_validate(record.body)


def _as_text(values: Mapping[str, Any]) -> str:
    """Values as TOML, which knows no null: what is none is left out."""
    return tomli_w.dumps(_without_none(values), multiline_strings=True)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_none(each) for each in value if each is not None]
    return value


def _add_lines(draft: Draft, err: ValidationError) -> None:
    """Say in which lines of the text the faults are."""
    lines = key_lines(draft.text or "")
    found: Faults = {}
    for each in err.errors(include_url=False, include_input=False):
        way = tuple(step for step in each["loc"])
        at = next((lines[way[:end]] for end in range(len(way), 0, -1) if way[:end] in lines), 0)
        where = ".".join(str(step) for step in way)
        line = _("line {number}").format(number=at) if at else ""
        found.setdefault("", []).append(": ".join(part for part in (line, where, told(why_of(each))) if part))
    draft.faults = found


def _unplaced(faults: Faults, shown: set[str]) -> list[str]:
    """What is wrong and stands beside no input."""
    heads = {path.split(".", 1)[0] for path in shown}
    return [text for path, texts in faults.items() if path.split(".", 1)[0] not in heads for text in texts]
