"""Cards that lack what their stage asks for: as a condition of SQL, and by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Text, and_, false, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

from crm_core.model.definitions import FieldBody, Section
from crm_core.model.records import DealRecord
from crm_core.services.cards.pipelines import OWN_COLUMNS, required_keys
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.tables import deal
from crm_core.wording import Sentence

_OWN_TITLES: Final[Mapping[str, Sentence]] = {
    "amount": Sentence("Sum"),
    "company_id": Sentence("Company"),
    "contact_id": Sentence("Client"),
    "due_at": Sentence("Deadline"),
    "grade": Sentence("Grade"),
    "manager": Sentence("Manager"),
    "paid": Sentence("Paid"),
    "source": Sentence("Source"),
    "title": Sentence("Title"),
}
"""The fields that every card has."""


class _absent(FunctionElement[bool]):  # noqa: N801 - a function of SQL
    """That a JSON object has nothing under a key."""

    type = Boolean()
    inherit_cache = True


@compiles(_absent, "postgresql")
def _absent_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    fields, key = (compiler.process(each, **more) for each in element.clauses)
    nothing = ", ".join(f"'{each}'::jsonb" for each in ("null", '""', "[]", "{}"))
    return f"(coalesce({fields} -> {key}, 'null'::jsonb) IN ({nothing}))"


@compiles(_absent, "sqlite")
def _absent_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    fields, key = (compiler.process(each, **more) for each in element.clauses)
    return f"(coalesce(json_extract({fields}, '$.' || {key}), '') IN ('', '[]', '{{}}'))"


def lacking(asker: Asker) -> ColumnElement[bool]:
    """That an open card lacks a field without which none should have come to its stage."""
    places: list[ColumnElement[bool]] = []
    for pipeline in asker.catalogue.pipelines:
        for stage in pipeline.stages:
            keys = required_keys(pipeline, stage) if stage.open else ()
            if keys:
                here = (deal.c.pipeline_id == pipeline.id, deal.c.stage_id == stage.id)
                places.append(and_(*here, or_(*(_without(asker, pipeline.record.type, key) for key in keys))))
    return or_(false(), *places)


def lacked(asker: Asker, record: DealRecord) -> tuple[str, ...]:
    """The fields that a card lacks, by their titles, to be told in the language of who reads."""
    place = asker.catalogue.place(record.stage_id)
    keys = required_keys(*place) if place is not None else ()
    return tuple(_title(asker, record.type, key) for key in keys if not _filled(asker, record, key))


def _without(asker: Asker, kind: str, key: str) -> ColumnElement[bool]:
    if not _own(asker, kind, key):
        return _absent(deal.c.fields, literal(key, Text()))
    column = deal.c[key]
    empty = column == 0 if key in {"amount", "paid"} else column == "" if isinstance(column.type, Text) else None
    return or_(column.is_(None), empty) if empty is not None else column.is_(None)


def _filled(asker: Asker, record: DealRecord, key: str) -> bool:
    if _own(asker, record.type, key):
        return bool(getattr(record, key))
    value = record.fields.get(key)
    return value is not None and value not in ("", [], {})


def _own(asker: Asker, kind: str, key: str) -> bool:
    return key in OWN_COLUMNS and asker.catalogue.body(Section.FIELD, f"{kind}.{key}", FieldBody) is None


def _title(asker: Asker, kind: str, key: str) -> str:
    body = asker.catalogue.body(Section.FIELD, f"{kind}.{key}", FieldBody)
    return body.title if body is not None else _OWN_TITLES.get(key, key)
