"""What the office configures in the record: custom fields, types of records, groups of tags."""

from __future__ import annotations

import re
from datetime import datetime

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Body, FieldBody, RecordTypeBody, Section, TagGroupBody
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.expressions import compiled
from crm_core.services.custom.typed import unseen_by_formula
from crm_core.services.desk import Desk
from crm_core.services.scope import OWN_NAMES
from crm_core.storage.queries.field_checks import field_check
from crm_core.storage.queries.pages import Reading
from hub.http.api.office.definitions import SectionOperations
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Query


def _field_name(body: Body) -> str:
    return f"{body.of}.{body.key}" if isinstance(body, FieldBody) else ""


def _field_checked(desk: Desk, _name: str, body: Body) -> None:
    """A field stands on records that there are, and a formula names what it sees."""
    if not isinstance(body, FieldBody):
        return
    _demand_kind(desk, "of", body.of)
    if body.to is not None:
        _demand_kind(desk, "to", body.to)
    if body.expression:
        try:
            program = compiled(body.expression)
        except ValueError as err:
            raise InvalidInput("expression: {why}", why=err) from err
        problem = unseen_by_formula(desk.catalogue, program, body)
        if problem:
            raise InvalidInput("expression: {why}", why=problem)


def _demand_kind(desk: Desk, where: str, kind: str) -> None:
    known = [*sorted(PLAIN_KINDS), "deal", *desk.catalogue.section(Section.RECORD_TYPE)]
    if kind not in known:
        raise InvalidInput(
            "{where}: there is no kind of records «{kind}», only {known}",
            where=where,
            kind=kind,
            known=", ".join(known),
        )


def _type_checked(_desk: Desk, name: str, _body: Body) -> None:
    """A type's name stands in addresses and expressions, beside those of the hub's own kinds."""
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise InvalidInput("name: small Latin letters, digits and «_», e.g. «claim»; «title» is what people read")
    if name in OWN_NAMES:
        raise InvalidInput("name: «{name}» is a kind of the hub's own", name=name)


class Misfit(Given):
    """A value that does not fit its field: whose, how it reads, and why."""

    record_id: int
    value: str
    why: str


class FieldCheck(Given):
    """The records of a field looked through anew after its definition changed: how many were looked at and changed, how
    many values do not fit, the first of them."""

    state: str
    started_at: datetime
    ended_at: datetime | None
    looked: int
    changed: int
    problems: int
    samples: list[Misfit]


def _check(conn: Reading, call: Call[Query, NoBody]) -> FieldCheck:
    found = field_check(conn, call.access, call.number())
    samples = [Misfit(record_id=each[0], value=each[1], why=each[2]) for each in found.samples]
    plain = {name: getattr(found, name) for name in ("started_at", "ended_at", "looked", "changed", "problems")}
    return FieldCheck(state=found.state.value, samples=samples, **plain)


SECTIONS: tuple[SectionOperations, ...] = (
    SectionOperations(
        Section.FIELD,
        "/fields",
        FieldBody,
        "CustomField",
        "a custom field",
        "custom fields",
        name_of=_field_name,
        check=_field_checked,
    ),
    SectionOperations(
        Section.RECORD_TYPE,
        "/record-types",
        RecordTypeBody,
        "RecordType",
        "a type of records",
        "types of records",
        check=_type_checked,
    ),
    SectionOperations(Section.TAG_GROUP, "/tag-groups", TagGroupBody, "TagGroup", "a group of tags", "groups of tags"),
)

OPERATIONS: tuple[Operation, ...] = (
    *(operation for each in SECTIONS for operation in each.operations()),
    read(
        "/fields/{id}/check",
        _check,
        tag="fields",
        summary="What came of looking through the records after a field changed",
        right=Right.SEE_SALES,
        response=FieldCheck,
    ),
)
