"""Tables that go out: read by the page at constant memory, every cell harmless for spreadsheets, every one noted.

The columns bear the names by which `hub import` takes them, so that a table may come back.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.access import Access, Right
from crm_core.model.fields import Field, fields_of
from crm_core.model.filters import Filter, filter_of
from crm_core.ports import Clock
from crm_core.services.auditing import note
from crm_core.services.importing.cells import harmless
from crm_core.storage import exporting as exports
from crm_core.storage.exporting import Stretch, Taker
from crm_core.storage.filtering import Asking
from crm_core.storage.store import Store

AT_ONCE = 500
KINDS = {
    "contacts": "contact",
    "companies": "company",
    "leads": "lead",
    "deals": "deal",
    "tasks": "task",
    "products": "product",
    "sales": "sale",
}
AUDIENCE = "audience"
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_MOST_ROWS = 1_048_575
_LONGEST_CELL = 32_000

Get = Callable[[Any, Stretch], str]


@dataclass(frozen=True, slots=True)
class Export:
    """A table that goes out: its headings, and its rows by the page."""

    kind: str
    headings: tuple[str, ...]
    pages: AsyncIterator[list[list[str]]]
    count: int


async def export(
    store: Store,
    clock: Clock,
    kind: str,
    wanted: Filter,
    *,
    login: str,
    remote: str,
    form: str = "csv",
    access: Access | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Export:
    """A table of all records of a kind that a filter lets through; who takes it is noted before the first row goes out.

    `kind` is one of `KINDS`, the key of a custom type, or `audience`. With `access` only
    what its person may take away goes out: their own, their group's, all. `asked` is what is noted in place of a filter
    that says it at length. Raises InvalidInput, Forbidden.
    """
    right = Right.EXPORT_AUDIENCE if kind == AUDIENCE else Right.EXPORT
    taker = Taker.of(access, right) if access is not None else None
    catalogue = await store.read(store.catalogue)
    asking = Asking(catalogue, clock.now(), ZoneInfo(store.office.time_zone), store.office.region)
    audience = kind == AUDIENCE
    of = "contact" if audience else KINDS.get(kind, kind)
    if audience:
        wanted = Filter(all=[wanted, Filter(field="opted_out", value=False)])
    if of == "sale" and wanted != Filter():
        raise InvalidInput("filter: sales go out all or none")
    asking = replace(asking, sight=access.sight) if access is not None else asking
    count = await store.read(partial(exports.count, kind=of, wanted=wanted, asking=asking, taker=taker))
    if form == "xlsx" and count > _MOST_ROWS:
        raise InvalidInput(
            "{count} rows don't fit on a sheet, which has {most}: take CSV or a filter", count=count, most=_MOST_ROWS
        )
    columns = _hashed_columns() if audience else await _columns(store, of, asking)
    said = asked if asked is not None else wanted.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    detail = orjson.dumps({"count": count, "form": form, "filter": said}).decode()
    await store.run(lambda desk: note(desk, f"export.{kind}", count, login=login, remote=remote, detail=detail))
    return Export(kind, tuple(columns), _pages(store, of, wanted, asking, columns, taker), count)


async def _pages(
    store: Store, of: str, wanted: Filter, asking: Asking, columns: Mapping[str, Get], taker: Taker | None
) -> AsyncIterator[list[list[str]]]:
    above = 0
    while True:
        query = partial(exports.stretch, kind=of, wanted=wanted, asking=asking, taker=taker, above=above, limit=AT_ONCE)
        found: Stretch = await store.read(query)
        if not found.records:
            return
        yield [[get(record, found) for get in columns.values()] for record in found.records]
        above = found.records[-1].id


async def as_csv(table: Export) -> AsyncIterator[bytes]:
    """The table as CSV: UTF-8 with a mark, `;`, CRLF."""
    yield "\ufeff".encode() + _csv([table.headings])
    async for page in table.pages:
        yield _csv([[harmless(cell) for cell in row] for row in page])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";").writerows(rows)
    return buffer.getvalue().encode("utf-8", "replace")


async def write_xlsx(table: Export, path: Path) -> None:
    """The table as a spreadsheet on disk; every cell is a text."""
    from openpyxl import Workbook  # here, for it is heavy and spreadsheets are seldom
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.kind[:31])

    def rows(page: Sequence[Sequence[str]]) -> None:
        for row in page:
            cells = []
            for text in row:
                cell = WriteOnlyCell(sheet, value=_UNWRITABLE.sub("", harmless(text))[:_LONGEST_CELL])
                cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)

    await asyncio.to_thread(rows, [table.headings])
    async for page in table.pages:
        await asyncio.to_thread(rows, page)
    await asyncio.to_thread(book.save, path)


async def write(table: Export, path: Path) -> None:
    """The table as a file, by the ending of its name; raises InvalidInput for another one."""
    if path.suffix.lower() == ".xlsx":
        await write_xlsx(table, path)
        return
    with path.open("wb") as file:
        async for piece in as_csv(table):
            file.write(piece)


def wanted_of(text: str | None) -> Filter:
    """The filter that JSON says; everything where nothing is said. Raises InvalidInput."""
    return filter_of(text) if text else Filter()


def form_of(path: Path) -> str:
    """`csv` or `xlsx`, by the ending of a name; raises InvalidInput."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in {"csv", "xlsx"}:
        raise InvalidInput("«{path}»: the name of the file ends with .csv or .xlsx", path=path.name)
    return ending


# ---------------------------------------------------------------- columns


async def _columns(store: Store, of: str, asking: Asking) -> dict[str, Get]:
    columns = dict(_FIXED[of if of in _FIXED else "deal"])
    if of == "deal" or of not in _FIXED:
        places = exports.places(asking)
        columns["pipeline"] = lambda record, _: places.get(record.stage_id, ("", ""))[0]
        columns["stage"] = lambda record, _: places.get(record.stage_id, ("", ""))[1]
    declared = fields_of(asking.catalogue, of)
    keys = await store.read(partial(exports.field_keys, kind=of, asking=asking))
    for key in dict.fromkeys([*declared.by_key, *keys]):
        field = declared.by_key.get(key)
        heading = field.title if field is not None else key
        if heading in columns or declared.named(heading) not in (None, field):
            heading = f"fields.{key}"
        columns[heading] = partial(_field, key, field)
    return columns


def _field(key: str, field: Field | None, record: Any, _: Stretch) -> str:
    return value_text(record.fields.get(key), field)


def value_text(value: Any, field: Field | None = None) -> str:
    """The value of a custom field as a cell that an import reads back."""
    match value:
        case None:
            return ""
        case bool():
            return "да" if value else "нет"
        case {"amount": int(amount), **rest}:
            currency = str(rest.get("currency", "RUB"))
            return f"{_major(amount, currency)} {currency}"
        case float() | int():
            return str(int(value)) if float(value).is_integer() else repr(value)
        case list() | tuple():
            return ", ".join(str(each) for each in value)
        case dict():
            return str(value.get("error", "")) if field is not None else orjson.dumps(value).decode()
        case _:
            return str(value)


def _major(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-written.places_of(currency)):f}"


def _moment(value: datetime | None) -> str:
    return value.astimezone(UTC).isoformat() if value is not None else ""


def _plain(name: str) -> Get:
    def get(record: Any, _: Stretch) -> str:
        value = getattr(record, name)
        return "" if value is None else str(value)

    return get


def _at(name: str) -> Get:
    return lambda record, _: _moment(getattr(record, name))


def _tags(record: Any, _: Stretch) -> str:
    return ", ".join(record.tags)


def _money(name: str) -> Get:
    return lambda record, _: _major(getattr(record, name), record.currency)


def _refs(record: Any, found: Stretch) -> str:
    return " ".join(found.refs.get(record.id, ()))


def _identities(owner: str, kinds: frozenset[str], *, bare: bool, inside: bool = True) -> Get:
    def get(record: Any, found: Stretch) -> str:
        keys = found.identities.get(getattr(record, owner) or 0, ())
        wanted = [key for key in keys if (key.partition(":")[0] in kinds) is inside]
        return (", " if bare else " ").join(key.partition(":")[2] if bare else key for key in wanted)

    return get


_TEL, _MAIL = frozenset({"tel"}), frozenset({"mailto"})


def _people(owner: str) -> dict[str, Get]:
    return {
        "phone": _identities(owner, _TEL, bare=True),
        "email": _identities(owner, _MAIL, bare=True),
        "identifier": _identities(owner, _TEL | _MAIL, bare=False, inside=False),
    }


def _client(record: Any, found: Stretch) -> str:
    return found.contacts.get(record.contact_id or 0, "")


def _company(record: Any, found: Stretch) -> str:
    return found.companies.get(record.company_id or 0, "")


def _hub_id(record: Any, _: Stretch) -> str:
    return str(record.id)


_ABOUT: dict[str, Get] = {"hub_id": _hub_id, "known_as": _refs, "created_at": _at("created_at")}
_FIXED: dict[str, dict[str, Get]] = {
    "contact": {
        **_ABOUT,
        "name": _plain("name"),
        **_people("id"),
        **{name: _plain(name) for name in ("company", "city", "manager", "status")},
        "list": _plain("list_name"),
        "tags": _tags,
    },
    "company": {**_ABOUT, **{name: _plain(name) for name in ("name", "tax_id", "city", "manager")}, "tags": _tags},
    "lead": {
        **_ABOUT,
        "title": _plain("title"),
        "name": _client,
        **_people("contact_id"),
        **{name: _plain(name) for name in ("status", "source", "manager", "reason", "grade")},
        **{name: _plain(name) for name in ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")},
        "closed_at": _at("closed_at"),
        "tags": _tags,
    },
    "deal": {
        **_ABOUT,
        "title": _plain("title"),
        "name": _client,
        **_people("contact_id"),
        "company": _company,
        "amount": _money("amount"),
        "currency": _plain("currency"),
        "paid": _money("paid"),
        **{name: _plain(name) for name in ("manager", "source", "reason", "grade")},
        "due_at": _at("due_at"),
        "closed_at": _at("closed_at"),
        "tags": _tags,
    },
    "task": {
        **_ABOUT,
        "title": _plain("title"),
        "text": _plain("text"),
        "kind": _plain("kind"),
        "assignee": _plain("assignee"),
        "due_at": _at("due_at"),
        "state": _plain("state"),
        "result": _plain("result"),
        "name": _client,
        **_people("contact_id"),
        "tags": _tags,
    },
    "product": {
        **_ABOUT,
        **{name: _plain(name) for name in ("name", "sku", "unit")},
        "price": _money("price"),
        "currency": _plain("currency"),
        "archived": lambda record, _: value_text(record.archived),
    },
    "sale": {
        "hub_id": _hub_id,
        "ref": _plain("ref"),
        "at": _at("at"),
        "name": _client,
        **_people("contact_id"),
        "company": _company,
        "product": _plain("name"),
        "sku": lambda record, found: found.products.get(record.product_id or 0, ("", ""))[1],
        "quantity": lambda record, _: value_text(record.quantity / 1000),
        "amount": _money("amount"),
        "currency": _plain("currency"),
    },
}


def _hashed_columns() -> dict[str, Get]:
    """SHA-256 of addresses in lower case and of numbers in digits with the country's code, as advertising systems match
    them; the first three of each."""

    def hashed(kind: str, number: int) -> Get:
        def get(record: Any, found: Stretch) -> str:
            keys = found.identities.get(record.id, ())
            values = [key.partition(":")[2] for key in keys if key.startswith(f"{kind}:")]
            if number >= len(values):
                return ""
            return hashlib.sha256(values[number].lstrip("+").lower().encode()).hexdigest()

        return get

    return {
        f"{name}_sha256{'' if number == 0 else f'_{number + 1}'}": hashed(kind, number)
        for name, kind in (("phone", "tel"), ("email", "mailto"))
        for number in range(3)
    }
