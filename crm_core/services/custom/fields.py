"""Custom fields as they are given: by people, who hear what is wrong; by facts, which never lose what they bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_core.errors import Duplicate, InvalidInput
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, FieldSet, fields_of, is_error, parse, shown, unique_key
from crm_core.model.history import KIND_OF
from crm_core.model.records import DealRecord
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase
from crm_core.wording import Joined

_RECORD_OF = {kind: record for record, kind in KIND_OF.items()}
_BESIDE = "_text"


@dataclass(frozen=True, slots=True)
class Told:
    """What a fact brought: `values` to be kept, what could not be read among them as text beside; `unread` says in
    words what that was."""

    values: dict[str, Any]
    unread: tuple[str, ...] = ()


def given(desk: Desk, kind: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The `fields` of a record with what a person gives; None takes a value away.

    A declared field may be named by its key, its title or another of its names; what is not declared is kept as it is
    given. Raises InvalidInput that names the field, Duplicate where the value of a unique one stands elsewhere.
    """
    of = fields_of(desk.catalogue, kind)
    if not of.by_key:
        return {name: value for name, value in {**known, **given}.items() if value is not None}
    fields = dict(known)
    fresh: list[tuple[Field, Any]] = []
    for name, raw in given.items():
        field = of.named(name)
        key = field.key if field is not None else name
        value = raw
        if field is not None and not (field.type is FieldType.FORMULA and raw == known.get(key)):
            value = _read(desk, field, raw)
            if field.body.unique and value is not None and value != known.get(key):
                fresh.append((field, value))
        if value is None:
            fields.pop(key, None)
        else:
            fields[key] = value
    _refuse_taken(desk, fresh)
    return fields


def told(desk: Desk, kind: str, given: Mapping[str, Any]) -> Told:
    """What a fact brings for a record, read as far as it can be; nothing is lost and nothing raised."""
    of = fields_of(desk.catalogue, kind)
    if not of.by_key:
        return Told(dict(given))
    values: dict[str, Any] = {}
    unread: list[str] = []
    for name, value in given.items():
        field = of.named(name)
        if field is None:
            values.setdefault(name, value)
            continue
        try:
            read = _read(desk, field, value)
        except InvalidInput as err:
            values[_free(of, field, values)] = value if isinstance(value, str) else str(value)
            unread.append(desk.say(Phrase.FIELD_UNREAD, field=field.title, why=err.sentence.values["why"]))
            continue
        if read is not None:
            values[field.key] = read
    return Told(values, tuple(unread))


def carried(desk: Desk, kind: str, fields: Mapping[str, Any], source: str | None = None) -> dict[str, Any]:
    """The fields of one record as those of another of `kind`: read anew by its types, formulas left out, values that
    stand once left with the first. `source` is the kind they come from, whose way of showing them is used."""
    target = fields_of(desk.catalogue, kind)
    origin = fields_of(desk.catalogue, source) if source is not None else target
    found: dict[str, Any] = {}
    for key, value in fields.items():
        before, after = origin.by_key.get(key), target.by_key.get(key)
        if is_error(value) or (after is None and before is not None and before.type is FieldType.FORMULA):
            continue
        if after is None:
            found[key] = value
        elif after.type is not FieldType.FORMULA and not (after.body.unique and kind == (source or kind)):
            try:
                same = before is not None and before.type is after.type
                read = parse(after, value if same or before is None else shown(before, value))
            except InvalidInput:
                found[_free(target, after, found)] = shown(before, value) if before is not None else str(value)
            else:
                if read is not None:
                    found[key] = read
    return found


def missing(desk: Desk, kind: str, fields: Mapping[str, Any], keys: list[str]) -> list[str]:
    """The titles of the fields of `keys` that have no value."""
    of = fields_of(desk.catalogue, kind).by_key
    return [of[key].title if key in of else key for key in keys if fields.get(key) in (None, "", [])]


def told_of(desk: Desk, contact_id: int | None, unread: tuple[str, ...]) -> None:
    """Say on the client's timeline what could not be read."""
    if unread and contact_id is not None:
        desk.note(contact_id, Joined(unread, "\n"))


def taken_by(desk: Desk, wanted: Mapping[tuple[int, str], Field]) -> dict[tuple[int, str], int]:
    """Which of these unique values `(field, key)` stand with a record already, and with which."""
    return desk.work.unique_holders(wanted) if wanted else {}


def _refuse_taken(desk: Desk, fresh: list[tuple[Field, Any]]) -> None:
    asked = {(field.id, key): (field, value) for field, value in fresh if (key := unique_key(field, value)) is not None}
    for place, holder in (desk.work.unique_holders(asked) if asked else {}).items():
        field, value = asked[place]
        kind = field.body.of
        raise Duplicate(
            "fields.{field}: «{field_title}» «{value}» stands with {kind} {holder}",
            field=field.key,
            field_title=field.title,
            value=shown(field, value),
            kind=kind,
            holder=holder,
        )


def _read(desk: Desk, field: Field, given: Any) -> Any:
    """A value with whom and what it names looked up; raises InvalidInput that names the field."""
    try:
        value = parse(field, given)
        if value is not None and field.type is FieldType.USER:
            value = _login(desk, value)
        if value is not None and field.type is FieldType.LINK:
            _linked(desk, field, value)
    except InvalidInput as err:
        raise InvalidInput(
            "fields.{field} («{field_title}»): {why}", field=field.key, field_title=field.title, why=err
        ) from err
    return value


def _login(desk: Desk, given: str) -> str:
    user = desk.work.staff.get(given)
    if user is not None:
        return user.login
    wanted = " ".join(given.casefold().split())
    named = [
        each for each in desk.work.staff.by_login.values() if each.name.casefold() == wanted or each.login == wanted
    ]
    if len(named) != 1:
        raise InvalidInput("there is no user «{user}»", user=given)
    return named[0].login


def _linked(desk: Desk, field: Field, value: int) -> None:
    to = field.body.to or ""
    record_of = _RECORD_OF.get(to, DealRecord)
    found: list[Any] = desk.work.related(record_of, "id", [value])
    if not found or (record_of is DealRecord and found[0].type != to):
        raise InvalidInput("there is no {kind} {ident}", kind=to, ident=value)


def _free(of: FieldSet, field: Field, taken: Mapping[str, Any]) -> str:
    """A key for what stands beside a field."""
    name, number = f"{field.key}{_BESIDE}", 2
    while name in of.by_key or name in taken:
        name, number = f"{field.key}{_BESIDE}_{number}", number + 1
    return name
