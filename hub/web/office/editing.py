"""The common editor: the definitions of a section listed, added, changed, put away and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from crm_core.errors import Conflict, CoreError, Forbidden, InvalidInput, StorageUnavailable
from crm_core.model.definitions import Body, Catalogue, DefinitionRecord
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.services.using import users_of
from hub.http.api.files import MAX_FILE
from hub.web.doing import part
from hub.web.office.drafts import Draft, as_text, body_of, draft_of, kept_before, unplaced
from hub.web.office.forms.filled import Sent, fault_in, pressed
from hub.web.office.forms.inputs import Input, drawn
from hub.web.office.forms.offers import offers_of
from hub.web.office.sections import with_secret, without_secret
from hub.web.office.shelves import Shelf
from hub.web.office.summaries import definition_said
from hub.web.pages import Answer
from hub.web.routes import Route, does, shows
from hub.web.tongues import _

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
class Editor(Shelf):
    """The pages of one section."""

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

    # ------------------------------------------------------------ pages

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
            others=unplaced(draft.faults, shown),
            users=users,
            covered=draft.name in keeping.set_by_file(self.pages.hub),
            now=as_text(draft.record.body) if draft.status == 409 and draft.record is not None else "",
            largest=MAX_FILE,
            **{**_NOTHING_MORE, **draft.more},
        )
        return part(answer)

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
        body = body_of(self.keeping.form, draft)
        if body is None:
            draft.status = 400
            return await self.drawn(request, draft)
        body, made = with_secret(body, kept_before(record))
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

    # ------------------------------------------------------------ inside

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

    def sent(self, sent: Sent, record: DefinitionRecord | None) -> Draft:
        """What was typed."""
        return draft_of(self.keeping.form, sent, record)

    def _asked_text(self, request: web.Request, values: Mapping[str, Any]) -> str | None:
        return as_text(values) if request.query.get("as") == "text" else None
