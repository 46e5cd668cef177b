"""The form of a draft: what is said to whom, by which ways, how fast. Nothing goes out by it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from multidict import MultiMapping

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Catalogue, Section
from crm_core.model.office import Office
from crm_core.model.outreach import BroadcastRecord, BroadcastState
from crm_core.services.desk import Desk
from crm_core.services.letters import broadcasts as service
from crm_core.storage.queries import broadcasts as queries
from hub.web.doing import Refused, part, tried
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.tongues import N_, _, gettext
from hub.web.words import CHANNELS

_NO_LETTERS = frozenset({"pbx", "cti"})
_LONGEST_TEXT = 100_000
_LONGEST_LINE = 200
_WAYS = 3


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in the form, as it was typed."""

    name: str = ""
    segment: str = ""
    template: str = ""
    text: str = ""
    subject: str = ""
    channels: tuple[str, ...] = ()
    per_minute: str = "60"

    @classmethod
    def of(cls, form: MultiMapping[object]) -> Fields:
        """As a form was sent."""

        def line(name: str, most: int = _LONGEST_LINE) -> str:
            value = form.get(name)
            return " ".join(value.split())[:most] if isinstance(value, str) else ""

        text = form.get("text")
        ways = [each for each in form.getall("channel", []) if isinstance(each, str) and each]
        return cls(
            name=line("name"),
            segment=line("segment"),
            template=line("template"),
            text=text.replace("\r\n", "\n").strip()[:_LONGEST_TEXT] if isinstance(text, str) else "",
            subject=line("subject"),
            channels=tuple(dict.fromkeys(each[:64] for each in ways))[: len(CHANNELS)],
            per_minute=line("per_minute", 10),
        )

    @classmethod
    def of_record(cls, record: BroadcastRecord) -> Fields:
        """As a draft says."""
        return cls(
            record.name,
            record.segment,
            record.template,
            record.text,
            record.subject,
            tuple(record.channels),
            str(record.per_minute),
        )

    def meant(self) -> service.NewBroadcast:
        """What is wanted; raises InvalidInput in words of the form."""
        if not self.name:
            raise InvalidInput(gettext(N_("Give the mailing a name: people see it in this list alone.")))
        if not self.segment:
            raise InvalidInput(gettext(N_("Choose a segment: whom it is for.")))
        if bool(self.template) == bool(self.text):
            raise InvalidInput(gettext(N_("Choose a template, or write a text of its own: one of them.")))
        if not (
            self.per_minute.isascii() and self.per_minute.isdigit() and 1 <= int(self.per_minute) <= service.FASTEST
        ):
            said = gettext(N_("Messages a minute: a whole number from 1 to {most}."))
            raise InvalidInput(said.format(most=service.FASTEST))
        return service.NewBroadcast(
            self.name,
            self.segment,
            self.template,
            self.text,
            "" if self.template else self.subject,
            self.channels,
            int(self.per_minute),
        )


class Drafting:
    """A new draft, or a change of one."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show_new(self, request: web.Request) -> Answer:
        """An empty form, with what the address gives already."""
        segment, template = (request.query.get(name, "")[:_LONGEST_LINE] for name in ("segment", "template"))
        return await self._drawn(request, None, Fields(segment=segment, template=template))

    async def show(self, request: web.Request) -> Answer:
        """A draft, to be changed."""
        record = await self._draft(request)
        return await self._drawn(request, record, Fields.of_record(record))

    async def save(self, request: web.Request) -> Answer:
        """Keep it, and go on to its page; what is wrong is said above what was typed."""
        form = await request.post()
        fields, seen = Fields.of(form), form.get("seen")
        record = await self._draft(request) if "id" in request.match_info else None
        login = user_here(request).login

        def keep(desk: Desk) -> BroadcastRecord:
            given = fields.meant()
            if record is None:
                return service.draft(desk, given, login)
            changes = {name: getattr(given, name) for name in service.NewBroadcast.__dataclass_fields__}
            known = seen if isinstance(seen, str) else None
            return service.change(desk, record.id, seen=known, **{**changes, "channels": list(given.channels)})

        kept = await tried(self._pages.act(request, keep))
        if isinstance(kept, Refused):
            record = await self._draft(request) if kept.outdated else record
            return await self._drawn(request, record, fields, kept.text, kept.status)
        raise self._pages.redirect(request, f"/broadcasts/{kept.id}", _("Saved as a draft: nothing was sent yet."))

    async def _draft(self, request: web.Request) -> BroadcastRecord:
        access, ident = access_here(request), number_in(request)
        record = await self._pages.hub.store.read(lambda conn: queries.one_broadcast(conn, access, ident))
        if record.state is not BroadcastState.DRAFT:
            raise self._pages.redirect(request, f"/broadcasts/{ident}", _("It was started: only drafts are changed."))
        return record

    async def _drawn(
        self, request: web.Request, record: BroadcastRecord | None, fields: Fields, problem: str = "", status: int = 200
    ) -> Answer:
        hub = self._pages.hub
        catalogue, seen = await hub.store.look(
            lambda desk: (desk.catalogue, service.look_of(desk, record) if record is not None else "")
        )
        kinds = _kinds(hub.store.office, fields.channels)
        answer = self._pages.render(
            request,
            "broadcasts/form.html",
            status=status,
            record=record,
            seen=seen,
            fields=fields,
            problem=problem,
            segments=_with(catalogue, Section.SEGMENT, fields.segment),
            templates=_with(catalogue, Section.TEMPLATE, fields.template),
            kinds=kinds,
            ways=[*fields.channels, *[""] * max(min(_WAYS, len(kinds)) - len(fields.channels), 0)],
            fastest=service.FASTEST,
        )
        return part(answer)


def _with(catalogue: Catalogue, section: Section, chosen: str) -> list[str]:
    """The names there are, and what is chosen though it may be gone."""
    return list(dict.fromkeys([*catalogue.section(section), *([chosen] if chosen else [])]))


def _kinds(office: Office, chosen: tuple[str, ...]) -> list[str]:
    """The kinds of channels by which this office can write, and those chosen already."""
    there = {key.channel for key in office.policies} | ({"email"} if office.mail_channel is not None else set())
    return [*(each for each in CHANNELS if each in there - _NO_LETTERS or each in chosen)]
