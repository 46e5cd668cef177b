"""The journal of rules and that of chains, each of one rule, one client or one record where that is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from crm_core.model.access import Access
from crm_core.model.automation import ChainRunRecord, RuleRunRecord, RunOutcome
from crm_core.model.definitions import Section
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.rights import Right
from crm_core.storage.queries import contacts, definitions, runs
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.history import titles_of
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.runs import RunFilter
from crm_core.storage.queries.workspace.clients import client_of, clients_named, clients_of
from crm_core.storage.staff import load_staff
from hub.web.board.words import OUTCOMES, kind_word, why_word
from hub.web.consent.words import chain_word
from hub.web.here import MOST_FRESH, fresh_rows
from hub.web.moments import start_of
from hub.web.office.summaries import action_said, occasion_said
from hub.web.pages import Answer, Pages, access_here
from hub.web.shown import author_word, called
from hub.web.tongues import _, pgettext, told

_ROWS: Final = 50
_FOUND: Final = 10
_ASKED: Final = ("rule", "outcome", "client", "q", "kind", "subject", "since", "until")
_OF_CHAINS: Final = ("rule", "client", "q", "running")
_LONGEST: Final = 200
_LARGEST: Final = 2**63 - 1
_PATHS: Final[Mapping[str, str]] = {
    "contact": "/contacts",
    "company": "/companies",
    "task": "/tasks",
    "product": "/products",
}
"""Where the pages of records are; whatever else is no plain record is a card."""
_UNTITLED: Final = frozenset({"payment"})
_BY_SOMEBODY: Final = "user:"
_LEAST: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A run as it is shown: on which record, what it did, what stopped it."""

    record: RuleRunRecord
    kind: str
    title: str
    path: str
    why: str
    actions: tuple[str, ...]
    error: str

    @property
    def failed(self) -> bool:
        """Whether somebody should look at it."""
        return self.record.outcome in {RunOutcome.FAILED, RunOutcome.HELD_BACK}


@dataclass(frozen=True, slots=True)
class Clients:
    """Whose runs are asked for: one client, or those to choose from whom what was typed may mean."""

    ident: int | None = None
    name: str = ""
    found: tuple[tuple[int, str], ...] = ()
    nobody: bool = False


class Runs:
    """The two journals."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """What rules did, the newest first: of a rule, a client, a record, an outcome, from a day to a day. With
        `?part=fresh&than=` how many runs there are after a moment."""
        query, hub, access = _asked(request, _ASKED), self._pages.hub, access_here(request)
        where = Slice(request.query.get("after") or None, _ROWS)
        fresh = request.query.get("part") == "fresh"
        than = _moment(request.query.get("than", "")) if fresh else None
        if fresh and than is None:
            return web.Response(status=204)
        subject = _number(query["subject"])
        outcome = RunOutcome(query["outcome"]) if query["outcome"] in list(RunOutcome) else None

        def read(conn: Reading) -> dict[str, Any]:
            clients = self._clients(conn, access_here(request), query)
            wanted = RunFilter(
                kind=query["kind"] or None,
                subject_id=subject,
                rule=query["rule"] or None,
                outcome=outcome,
                since=start_of(query["since"], self._pages.hub.settings.time_zone),
                contact_id=clients.ident,
                until=start_of(query["until"], self._pages.hub.settings.time_zone, days=1),
            )
            if than is not None:
                since = max(than + _LEAST, wanted.since) if wanted.since is not None else than + _LEAST
                newer = runs.list_runs(conn, access, replace(wanted, since=since), Slice(limit=MOST_FRESH + 1))
                return {"fresh": fresh_rows(len(newer.items))}
            page = runs.list_runs(conn, access, wanted, where)
            untitled = (
                _UNTITLED if access.sight.everything else _UNTITLED | {"task"}
            )  # it may tell of a card they don't see
            ends = {(each.kind, each.subject_id) for each in page.items if each.kind not in untitled}
            named = {ident for kind, ident in ends if kind == "contact"}
            named |= {each.contact_id for each in page.items if each.contact_id is not None}
            people = _called(conn, named)
            titles = titles_of(conn, sorted(end for end in ends if end[0] != "contact"))
            titles |= {("contact", ident): name for ident, name in people.items()}
            return {
                "clients": clients,
                "newest": page.items[0].at if page.items else hub.clock.now(),
                "rows": [_row(each, titles) for each in page.items],
                "names": people,
                "next": page.next,
                "rules": _names(conn, access, query["rule"], Section.RULE, Section.CHAIN),
            }

        found = await hub.store.read(read)
        if than is not None:
            here = f"/runs?{urlencode({name: value for name, value in query.items() if value})}"
            return self._pages.fragment(request, "fresh.html", address=here, **found)
        return self._drawn(
            request,
            "runs/rules.html",
            query,
            found,
            outcomes=[(RunOutcome(each).value, pgettext("rule", word)) for each, word in OUTCOMES.items()],
            kind_word=kind_word,
        )

    async def show_chains(self, request: web.Request) -> Answer:
        """Chains of messages to clients, the newest first: of a chain, a client, those that go on; with `?part=live`
        what refreshes by itself."""
        query, hub, access = _asked(request, _OF_CHAINS), self._pages.hub, access_here(request)
        where = Slice(request.query.get("after") or None, _ROWS)

        def read(conn: Reading) -> dict[str, Any]:
            clients = self._clients(conn, access_here(request), query)
            page = runs.list_chain_runs(
                conn,
                access,
                where,
                contact_id=clients.ident,
                chain=query["rule"] or None,
                running=query["running"] == "1",
            )
            staff = load_staff(conn)

            def reason(run: ChainRunRecord) -> str:
                by, _sep, login = run.reason.partition(_BY_SOMEBODY)
                return author_word(staff, login) if not by and login else told(run.reason)

            return {
                "clients": clients,
                "rows": [(each, reason(each)) for each in page.items],
                "names": _called(conn, {each.contact_id for each in page.items}),
                "next": page.next,
                "rules": _names(conn, access, query["rule"], Section.CHAIN),
            }

        found = await hub.store.read(read)
        return self._drawn(request, "runs/chains.html", query, found, chain_word=chain_word)

    def _drawn(
        self, request: web.Request, template: str, query: dict[str, str], found: dict[str, Any], **more: Any
    ) -> Answer:
        filled = {name: value for name, value in query.items() if value}
        following = urlencode({**filled, "after": found["next"]}) if found["next"] else ""
        context = {"query": query, "filled": filled, "more": following, **found, **more}
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "runs/chains_live.html", **context)
        configures, paged = access_here(request).may(Right.CONFIGURE), bool(request.query.get("after"))
        return self._pages.render(request, template, configures=configures, paged=paged, **context)

    def _clients(self, conn: Reading, access: Access, query: Mapping[str, str]) -> Clients:
        """Whose runs an address asks for, by the number of the card or by what was typed of them."""
        ident, typed = _number(query["client"]), query["q"]
        if ident is not None:
            named = clients_named(conn, access, [ident])
            return Clients(ident, called(named[ident]) if ident in named else "")
        if not typed:
            return Clients()
        wanted = ContactFilter(text=typed, region=self._pages.hub.store.office.region)
        cards = contacts.list_contacts(conn, access, wanted, Slice(None, _FOUND)).items
        if len(cards) == 1:
            return Clients(cards[0].contact.id, called(client_of(cards[0])))
        # Of several nobody's runs are shown before somebody is chosen: those of all would be taken for those of one.
        return Clients(0, "", tuple((each.contact.id, called(client_of(each))) for each in cards), nobody=not cards)


def _asked(request: web.Request, names: Iterable[str]) -> dict[str, str]:
    return {name: " ".join(request.query.get(name, "").replace("\x00", "").split())[:_LONGEST] for name in names}


def _moment(text: str) -> datetime | None:
    """A moment as a page of ours names it; None for what is none."""
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(text).astimezone(UTC)
    return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= _LARGEST else None


def _names(conn: Reading, access: Access, asked: str, *sections: Section) -> list[str]:
    """The names there are to choose from; those put away did something, too."""
    found = {
        each.name for section in sections for each in definitions.list_definitions(conn, access, section, archived=True)
    }
    return sorted({*found, *([asked] if asked else [])}, key=str.casefold)


def _called(conn: Reading, idents: Collection[int]) -> dict[int, str]:
    """What clients are called, those without a name by how they are reached."""
    return {ident: called(client) for ident, client in clients_of(conn, sorted(idents)).items()}


def _row(run: RuleRunRecord, titles: Mapping[tuple[str, int], str]) -> Row:
    path = _PATHS.get(run.kind, "" if run.kind in PLAIN_KINDS else "/deals")
    title = titles.get((run.kind, run.subject_id)) or _("no. {number}").format(number=run.subject_id)
    acts = tuple(_act_said(each) for each in run.actions)
    there = f"{path}/{run.subject_id}" if path else ""
    return Row(run, kind_word(run.kind), title, there, occasion_said(run.why), acts, why_word(run))


def _act_said(action: Mapping[str, Any]) -> str:
    """What was done, and why it was not where something held it back."""
    said = action_said(action)
    held = action.get("held_back")
    return _("{act} — not done: {why}").format(act=said, why=told(str(held))) if held else said
