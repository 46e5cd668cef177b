"""Connecting an account: its form, the check that really asks the provider, and only then keeping and starting it.

The same pages stand in the office and in the first-run wizard; `base` is where.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.definitions import DefinitionRecord, Section
from crm_core.model.definitions.accounts import AccountBody, AccountKind
from crm_core.ports import ChannelState
from crm_core.storage.queries.definitions import definition
from hub.accounts.advice import advice
from hub.accounts.changing import add_account, change_account, name_of, remove_account
from hub.accounts.findings import Finding, Findings, Step
from hub.accounts.keeping import BadAccount, Given, kept
from hub.accounts.kinds import accounts_of, key_of
from hub.accounts.sealing import Seal
from hub.accounts.trying import try_account
from hub.log import get_logger
from hub.web.doing import part
from hub.web.office.forms.offers import offers_of
from hub.web.pages import Answer, Pages, access_here, field_of, number_in, session_of
from hub.web.returning import scripted
from hub.web.tongues import _, language
from hub.web.upkeep.asked import ASKED, NAMES, PURPOSES
from hub.web.upkeep.channels import begun_again
from hub.web.upkeep.elsewhere import Piece, pieces
from hub.web.upkeep.given import Form, shown, taken

log = get_logger(__name__)

_SETTLE_S = 5.0
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class _Filled:
    """A form that was sent: what it gives, what it was before, how it is shown again."""

    given: Given
    form: Form
    record: DefinitionRecord | None

    @property
    def version(self) -> int:
        """Of what it was before; 0 of a new one."""
        return self.record.version if self.record is not None else 0


class AccountPages:
    """The pages of one account. `template` is the page around the form."""

    def __init__(self, pages: Pages, base: str, template: str) -> None:
        self._pages = pages
        self._base = base
        self._template = template

    async def new(self, request: web.Request) -> Answer:
        """The form of a new account of a channel."""
        kind = _kind(request)
        return await self._shown(request, kind, NAMES[kind], shown(kind, None))

    async def one(self, request: web.Request) -> Answer:
        """An account of the record: its form, how it stands, what to put elsewhere."""
        record, body = await self._kept(request)
        return await self._shown(request, body.channel, name_of(record), shown(body.channel, body), record=record)

    async def add(self, request: web.Request) -> Answer:
        """Check a new account; keep and start it where it works, or where somebody insists."""
        filled = await self._filled(request, _kind(request), None)
        return await self._checked(request, filled)

    async def change(self, request: web.Request) -> Answer:
        """The same of one that is kept."""
        record, body = await self._kept(request)
        return await self._checked(request, await self._filled(request, body.channel, record, body))

    async def remove(self, request: web.Request) -> Answer:
        """Take an account out of use; what came through it stays."""
        pages, account_id = self._pages, number_in(request)
        _done, position = await pages.act_at(
            request, lambda desk: remove_account(desk, account_id, desk.work.author or "")
        )
        await self._settled(position)
        raise pages.redirect(request, self._base, _("The account is out of use. What came through it stays."))

    async def tried(self, request: web.Request) -> Answer:
        """Try an account as it is kept."""
        record, body = await self._kept(request)
        found = await try_account(self._pages.hub, Given(body.channel, name_of(record), {}, body), language())
        await begun_again(self._pages.hub, key_of(body.channel, name_of(record)), found)
        if scripted(request):
            return self._pages.fragment(request, "upkeep/findings.html", findings=found, titles={}, saved=False)
        form = shown(body.channel, body)
        return await self._shown(request, body.channel, name_of(record), form, record=record, findings=found)

    # ------------------------------------------------------------ what they share

    async def _filled(
        self, request: web.Request, kind: AccountKind, record: DefinitionRecord | None, body: AccountBody | None = None
    ) -> _Filled:
        posted = await request.post()
        name = name_of(record) if record is not None else (await field_of(request, "name", _LONGEST_NAME)).strip()
        settings, form = taken(kind, {key: posted.get(key) for key in posted}, body)
        return _Filled(Given(kind, name, settings, body), form, record)

    async def _checked(self, request: web.Request, filled: _Filled) -> Answer:
        act = await field_of(request, "act")
        if act == "snippet":
            return await self._snippet(request, filled)
        findings = await self._findings(filled)
        unusable = any(not each.ok and each.step is Step.SETTINGS for each in findings.steps)
        if act == "connect" and (findings.ok or (not unusable and bool(await field_of(request, "anyway")))):
            try:
                record = await self._saved(request, filled)
            except (InvalidInput, Conflict) as err:
                findings = Findings((*findings.steps, Finding(Step.SETTINGS, False, str(err))))
            else:
                return self._go(request, f"{self._base}/{record.id}", _("The account is connected."))
        return await self._told(request, filled, findings)

    async def _findings(self, filled: _Filled) -> Findings:
        wrong = tuple(Finding(Step.SETTINGS, False, why, "", key) for key, why in filled.form.wrong.items())
        if wrong:
            return Findings(wrong)
        try:
            return await try_account(self._pages.hub, filled.given, language())
        except InvalidInput as err:
            return Findings((Finding(Step.SETTINGS, False, str(err)),))
        except OSError as err:
            log.exception("the key of secrets can't be kept")
            said = _("The key that secrets are sealed with can't be kept ({why}): set secret_key in hub.toml.")
            return Findings((Finding(Step.SETTINGS, False, said.format(why=err)),))

    async def _saved(self, request: web.Request, filled: _Filled) -> DefinitionRecord:
        hub, given, record = self._pages.hub, filled.given, filled.record
        if record is None:
            saved, position = await self._pages.act_at(
                request,
                lambda desk: add_account(
                    desk, hub.settings, given.kind, given.name, given.settings, desk.work.author or ""
                ),
            )
        else:
            text = await field_of(request, "version", 18)
            version = int(text) if text.isdecimal() else record.version
            saved, position = await self._pages.act_at(
                request,
                lambda desk: change_account(
                    desk, hub.settings, record.id, given.settings, desk.work.author or "", version
                ),
            )
        await self._settled(position)
        return saved

    async def _settled(self, position: int | None) -> None:
        """Wait, not for ever, until this node does as was said, so that the page shows it."""
        hub = self._pages.hub
        if position is not None and await hub.live.reached(position, _SETTLE_S):
            await hub.accounts.settled(_SETTLE_S)

    async def _snippet(self, request: web.Request, filled: _Filled) -> Answer:
        """What to put elsewhere for the account as the form says it."""
        hub, given = self._pages.hub, filled.given
        freepbx = bool(await field_of(request, "freepbx"))
        try:
            catalogue = await hub.store.look(lambda desk: desk.catalogue)
            today = hub.clock.now().astimezone(hub.settings.time_zone).date()
            found = kept(given, hub.settings, catalogue, Seal(hub.settings), today)
            texts = pieces(found.account, found.among, freepbx=freepbx, plainly=given.before is None)
        except BadAccount as err:
            steps = tuple(Finding(Step.SETTINGS, False, each.what, each.mend, each.key) for each in err.problems)
            return await self._told(request, filled, Findings(steps))
        except (InvalidInput, ValueError, OSError) as err:
            return await self._told(request, filled, Findings((Finding(Step.SETTINGS, False, str(err)),)))
        if scripted(request):
            return self._pages.fragment(request, "upkeep/pieces.html", pieces=texts)
        return await self._shown(
            request, given.kind, given.name, filled.form, record=filled.record, texts=texts, status=200
        )

    async def _told(self, request: web.Request, filled: _Filled, findings: Findings) -> Answer:
        """What the check came to, with what was typed; secrets are not sent back."""
        kind, status = filled.given.kind, 200 if findings.ok else 422
        if scripted(request):
            titles = {each.key: each.title for each in ASKED[kind]}
            answer = self._pages.fragment(
                request, "upkeep/findings.html", findings=findings, titles=titles, saved=False, form=True
            )
            return part(answer, status)
        return await self._shown(
            request, kind, filled.given.name, filled.form, record=filled.record, findings=findings, status=status
        )

    def _go(self, request: web.Request, where: str, notice: str) -> Answer:
        if not scripted(request):
            raise self._pages.redirect(request, where, notice)
        self._pages.keep(request, replace(session_of(request), notice=notice))
        return web.Response(status=204, headers={"HX-Redirect": where})

    async def _shown(
        self,
        request: web.Request,
        kind: AccountKind,
        name: str,
        form: Form,
        *,
        record: DefinitionRecord | None = None,
        findings: Findings | None = None,
        texts: list[Piece] | None = None,
        status: int = 200,
    ) -> Answer:
        hub = self._pages.hub
        offers = await hub.store.look(offers_of)
        health = None
        if record is not None:
            channel = hub.channels.get(key_of(kind, name))
            health = channel.health if channel is not None else None
            account = next((each for each in accounts_of(hub.configured.settings, kind) if each.name == name), None)
            if texts is None and account is not None:
                texts = pieces(account, hub.configured.settings, freepbx="freepbx" in request.query)
        return self._pages.render(
            request,
            self._template,
            status=status,
            base=self._base,
            kind=kind.value,
            name=name,
            asked=ASKED[kind],
            purpose=PURPOSES[kind],
            form=form,
            offered={key: offers.by_key[key] for key in ("group", "pipeline")},
            record=record,
            health=health,
            mend=advice(kind.value, health, language()) if health is not None else "",
            well=health is not None and health.state is ChannelState.CONNECTED and not health.trouble,
            findings=findings,
            titles={each.key: each.title for each in ASKED[kind]},
            texts=texts or [],
        )

    async def _kept(self, request: web.Request) -> tuple[DefinitionRecord, AccountBody]:
        access, ident = access_here(request), number_in(request)
        record = await self._pages.hub.store.read(lambda conn: definition(conn, access, Section.ACCOUNT, ident))
        if record.archived:
            raise web.HTTPNotFound
        return record, AccountBody.model_validate(record.body)


def _kind(request: web.Request) -> AccountKind:
    try:
        return AccountKind(request.match_info["kind"])
    except ValueError:
        raise web.HTTPNotFound from None
