"""Segments: the common editor with a filter as rows of «field, how, value», all of which hold, and who is in it now.

A filter that says more (one of several, not, whose deals …) stays the text that it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.model.access import Access, Right
from crm_core.model.definitions import Body, Catalogue, DefinitionRecord, Section, SegmentBody
from crm_core.model.fields import fields_of
from crm_core.model.filters import Op
from crm_core.storage.filtering import Asking
from crm_core.storage.queries import segments as queries
from crm_core.storage.queries.definitions import definition
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.workspace.clients import Client, clients_of
from hub.access.remote import remote_of
from hub.exchange import exporting
from hub.http.tables import Form, send_table
from hub.web.office.drafts import Draft
from hub.web.office.editing import Editor
from hub.web.office.forms.filled import Sent
from hub.web.office.forms.inputs import Choice, Input
from hub.web.pages import Answer, access_here, number_in
from hub.web.routes import Route, shows
from hub.web.tongues import NP_, _, pgettext

_FILTER: Final = "filter"
_ROWS: Final = "row"
_MORE: Final = "more"
_WHO: Final = "who"
_SHOWN: Final = 20
_SPARE: Final = 2
_MOST_ROWS: Final = 50

_OF_CLIENTS: Final[Mapping[str, str]] = {
    "status": NP_("of a client", "status"),
    "manager": NP_("of a client", "manager (login)"),
    "tags": NP_("of a client", "tag"),
    "city": NP_("of a client", "city"),
    "last_contact_at": NP_("of a client", "last contact"),
    "created_at": NP_("of a client", "known since"),
    "list": NP_("of a client", "special list"),
    "open_case": NP_("of a client", "waits for an answer"),
    "open_task": NP_("of a client", "has an open task"),
    "name": NP_("of a client", "name"),
    "company": NP_("of a client", "company"),
}
_BEYOND: Final = frozenset({"status", "city", "tags", "last_contact_at"})
_OF_SCORES: Final[Mapping[str, str]] = {
    "client.abc": NP_("of a client", "ABC group"),
    "client.xyz": NP_("of a client", "XYZ group"),
    "client.rfm": NP_("of a client", "RFM"),
    "client.orders": NP_("of a client", "number of purchases"),
    "client.revenue": NP_("of a client", "revenue"),
    "client.last_sale_at": NP_("of a client", "last purchase"),
}
_OF_CARDS: Final[Mapping[str, str]] = {
    "pipeline": NP_("of a deal", "pipeline"),
    "stage": NP_("of a deal", "stage"),
    "state": NP_("of a deal", "state: open, won, lost"),
    "amount": NP_("of a deal", "amount"),
    "manager": NP_("of a deal", "manager (login)"),
    "tags": NP_("of a deal", "tag"),
    "source": NP_("of a deal", "source"),
    "reason": NP_("of a deal", "reason of the refusal"),
    "grade": NP_("of a deal", "grade"),
    "created_at": NP_("of a deal", "made"),
    "closed_at": NP_("of a deal", "closed"),
    "due_at": NP_("of a deal", "due"),
}
_OF_LEADS: Final[Mapping[str, str]] = {
    "status": NP_("of a lead", "state: new, taken, converted, rejected"),
    "source": NP_("of a lead", "source"),
    "channel": NP_("of a lead", "channel"),
    "utm_source": NP_("of a lead", "utm_source"),
    "utm_campaign": NP_("of a lead", "utm_campaign"),
    "manager": NP_("of a lead", "manager (login)"),
    "reason": NP_("of a lead", "reason of the rejection"),
    "grade": NP_("of a lead", "grade"),
    "created_at": NP_("of a lead", "came"),
}
_HOW: Final[Mapping[Op, str]] = {
    Op.EQ: NP_("compared", "is"),
    Op.NE: NP_("compared", "is not"),
    Op.GE: NP_("compared", "from"),
    Op.LE: NP_("compared", "up to"),
    Op.GT: NP_("compared", "more than, after"),
    Op.LT: NP_("compared", "less than, before"),
    Op.CONTAINS: NP_("compared", "contains"),
    Op.STARTS: NP_("compared", "begins with"),
    Op.IN: NP_("compared", "one of (by comma)"),
    Op.EMPTY: NP_("compared", "is empty"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A condition as it is typed."""

    field: str = ""
    op: str = Op.EQ.value
    value: str = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the template draws: the rows, and what may be chosen in them."""

    rows: Sequence[Row]
    fields: Sequence[Choice]
    how: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Who:
    """Who is in a segment now: how many, and the first of them."""

    count: int
    clients: Sequence[Client]


class Segments(Editor):
    """The pages of segments."""

    def routes(self) -> tuple[Route, ...]:
        """Those of every section, and the hashed audience of a segment for advertising."""
        audience = rf"/office/{self.keeping.path}/{{id:\d+}}/audience"
        return (*Editor.routes(self), shows(audience, self.audience, Right.EXPORT_AUDIENCE))

    async def audience(self, request: web.Request) -> Answer:
        """Hashed numbers and addresses of everybody in a segment of clients; who took them is noted."""
        ident, hub, access = number_in(request), self.pages.hub, access_here(request)
        record = await hub.store.read(lambda conn: definition(conn, access, Section.SEGMENT, ident))
        body = SegmentBody.model_validate(record.body)
        if body.of != "contact":
            raise InvalidInput(_("Only a segment of clients themselves can be taken away, not one of their records."))
        remote = remote_of(request)
        table = await exporting.export(
            hub.store,
            hub.clock,
            exporting.AUDIENCE,
            body.filter,
            login=access.login,
            remote=remote,
            access=access,
        )
        return await send_table(request, exporting.AUDIENCE, Form.CSV, table)

    def inputs(
        self, draft: Draft, catalogue: Catalogue, usual: list[Input], more: list[Input]
    ) -> tuple[list[Input], list[Input]]:
        """The filter is drawn as rows where it is one, unless the whole is looked at as text."""
        rows = rows_of(draft.values.get(_FILTER))
        if rows is None or draft.text is not None:
            return usual, more
        spare = _SPARE if len(rows) < _MOST_ROWS else 0
        fields = _fields(catalogue, str(draft.values.get("of") or "contact"))
        known = {each.value for each in fields}
        fields += [Choice(each.field, each.field) for each in rows if each.field not in known]
        how = [Choice(each.value, pgettext("compared", word)) for each, word in _HOW.items()]
        draft.more["conditions"] = Conditions([*rows, *[Row()] * spare], fields, how)
        return [each for each in usual if each.path != _FILTER], [each for each in more if each.path != _FILTER]

    def sent(self, sent: Sent, record: DefinitionRecord | None) -> Draft:
        """What was typed; rows become the filter."""
        draft = Editor.sent(self, sent, record)
        if draft.text is None and sent.has(f"{_ROWS}.0.field"):
            typed = (Row(*(sent.one(f"{_ROWS}.{at}.{name}").strip() for name in _PARTS)) for at in sent.rows(_ROWS))
            draft.values[_FILTER] = filter_of_rows([each for each in typed if each.field])
        return draft

    async def other(self, request: web.Request, act: str, draft: Draft, body: Body) -> Answer:
        """Check a segment, give it more rows, or show who is in it; nothing is kept."""
        if act == _MORE:
            return await self.drawn(request, draft)  # there are always some to spare
        if act != _WHO or not isinstance(body, SegmentBody):
            return await Editor.other(self, request, act, draft, body)
        await self.checked(draft, body)
        access = access_here(request)
        draft.more["who"] = await self.pages.hub.store.read(lambda conn: self._who(conn, body, access))
        return await self.drawn(request, draft)

    def _who(self, conn: Reading, body: SegmentBody, access: Access) -> Who:
        store = self.pages.hub.store
        office = store.office
        asking = Asking(
            store.catalogue(conn), store.clock.now(), ZoneInfo(office.time_zone), office.region, access.sight
        )
        page = queries.page(conn, access, body.of, body.filter, asking, Slice(None, _SHOWN))
        count = queries.count(conn, access, body.of, body.filter, asking)
        return Who(count, [*clients_of(conn, [each.id for each in page.items]).values()])


_PARTS: Final = ("field", "op", "value")


def rows_of(given: Any) -> list[Row] | None:
    """A filter as rows; None where it says more than rows can."""
    if given in (None, "", {}):
        return []
    if not isinstance(given, Mapping):
        return None
    terms = given.get("all") if set(given) == {"all"} else [given]
    if not isinstance(terms, list) or len(terms) > _MOST_ROWS:
        return None
    rows = [_row(each) for each in terms]
    return None if None in rows else [each for each in rows if each is not None]


def _row(term: Any) -> Row | None:
    if not isinstance(term, Mapping) or not set(term) <= {"field", "op", "value"} or not term.get("field"):
        return None
    op, value = str(term.get("op") or Op.EQ.value), term.get("value")
    if op not in {each.value for each in _HOW}:
        return None
    if op == Op.EMPTY.value and value is None:
        value = True
    if value is None:
        return None
    if isinstance(value, list):
        plain = op == Op.IN.value and not any(isinstance(each, list | Mapping) or "," in str(each) for each in value)
        return Row(str(term["field"]), op, ", ".join(_text(each) for each in value)) if plain else None
    return None if isinstance(value, Mapping) else Row(str(term["field"]), op, _text(value))


def filter_of_rows(rows: Sequence[Row]) -> Mapping[str, Any]:
    """Rows as a filter, all of which hold; an empty one where there are none."""
    return {"all": [_term(each) for each in rows]} if rows else {}


def _term(row: Row) -> Mapping[str, Any]:
    value: Any = row.value
    if row.op == Op.IN.value:
        value = [each.strip() for each in row.value.split(",") if each.strip()]
    elif row.op == Op.EMPTY.value:
        value = row.value or "да"
    return {"field": row.field, "op": row.op, "value": value}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return pgettext("flag", "yes") if value else pgettext("flag", "no")
    return str(value)


def _fields(catalogue: Catalogue, of: str) -> list[Choice]:
    """What may be asked of records of a kind: what they have themselves, the office's indexed fields, their client."""
    own, context = {
        "contact": (_OF_CLIENTS, "of a client"),
        "lead": (_OF_LEADS, "of a lead"),
    }.get(of, (_OF_CARDS, "of a deal"))
    found = [Choice(key, pgettext(context, word)) for key, word in own.items()]
    found += [Choice(f"fields.{key}", field.title) for key, field in _indexed(catalogue, of)]
    if of != "contact":
        client = pgettext("of a client", "Client: {what}")
        of_client = {key: pgettext("of a client", word) for key, word in _OF_CLIENTS.items() if key in _BEYOND}
        of_client |= {f"fields.{key}": field.title for key, field in _indexed(catalogue, "contact")}
        found += [Choice(f"contact.{key}", client.format(what=word)) for key, word in of_client.items()]
    return [*found, *(Choice(key, pgettext("of a client", word)) for key, word in _OF_SCORES.items())]


def _indexed(catalogue: Catalogue, of: str) -> list[tuple[str, Any]]:
    return [(key, field) for key, field in fields_of(catalogue, of).by_key.items() if field.body.kept_apart]
