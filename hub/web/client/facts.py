"""What is known of a client and mended in its place: name, manager, company, city, tags, custom fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, fields_of, shown
from crm_core.model.records import ContactRecord
from crm_core.model.user import Staff
from crm_core.services.clients.contacts import ContactChange
from crm_core.storage.queries.workspace.asker import Asker
from hub.web.tongues import N_, _

_KIND = "contact"
_FIELD = "field:"
_TITLES = {
    "name": N_("Name"),
    "manager": N_("Manager"),
    "company": N_("Company"),
    "city": N_("City"),
    "tags": N_("Tags"),
}


class Input(StrEnum):
    """By what a value is given."""

    TEXT = "text"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a card. `value` is what people read, `given` what stands in the input; `options` are (value, text).
    `name` tells it in the form; `problem` is why what was typed, which stands in the input then, could not be kept."""

    name: str
    title: str
    value: str
    given: str
    input: Input = Input.TEXT
    options: tuple[tuple[str, str], ...] = ()
    chosen: frozenset[str] = frozenset()
    problem: str = ""
    help: str = ""

    @property
    def open(self) -> bool:
        """Whether it is being mended."""
        return bool(self.problem)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed and could not be kept, and why."""

    name: str
    values: tuple[str, ...]
    problem: str


def facts_of(contact: ContactRecord, asker: Asker, typed: Typed | None = None) -> tuple[Fact, ...]:
    """The lines of a card, with what was typed in place of what is known."""
    return tuple(_with(each, typed) for each in _facts(contact, asker))


def _facts(contact: ContactRecord, asker: Asker) -> Iterator[Fact]:
    for name, value in (("name", contact.name), ("company", contact.company), ("city", contact.city)):
        yield Fact(name, _title(name), value or "", value or "")
    manager = asker.staff.get(contact.manager)
    yield Fact(
        "manager",
        _title("manager"),
        manager.name if manager is not None else contact.manager or "",
        contact.manager or "",
        Input.CHOICE,
        (("", "—"), *people(asker.staff, contact.manager)),
        frozenset({contact.manager or ""}),
    )
    tags = ", ".join(contact.tags)
    yield Fact("tags", _title("tags"), tags, tags, help=_("separated by commas"))
    declared = fields_of(asker.catalogue, _KIND).by_key
    for field in declared.values():
        yield _field(field, contact.fields.get(field.key), asker)
    for key, value in contact.fields.items():
        if key not in declared:
            yield Fact(f"{_FIELD}{key}", key, _plain(value), _plain(value))


def _title(name: str) -> str:
    return _(_TITLES[name])


def people(staff: Staff, also: str | None = None) -> tuple[tuple[str, str], ...]:
    """Those who can be given work, by name; `also` somebody who is no more among them."""
    found = [each for each in staff.by_login.values() if each.active or each.login == also]
    return tuple((each.login, each.name) for each in sorted(found, key=lambda each: each.name.casefold()))


def _field(field: Field, value: Any, asker: Asker) -> Fact:
    said = shown(field, value)
    name, title = f"{_FIELD}{field.key}", field.title
    match field.type:
        case FieldType.FORMULA:
            return Fact(name, title, said, said, Input.NONE, help=field.body.help)
        case FieldType.LIST:
            listed = (("", "—"), *((each, each) for each in field.body.options))
            return Fact(name, title, said, said, Input.CHOICE, listed, frozenset({said}), help=field.body.help)
        case FieldType.MULTI:
            many = tuple((each, each) for each in field.body.options)
            chosen = frozenset(value if isinstance(value, list) else ())
            return Fact(name, title, said, "", Input.CHOICES, many, chosen, help=field.body.help)
        case FieldType.FLAG:
            flags = (("", "—"), ("да", _("yes")), ("нет", _("no")))
            chosen = frozenset({"" if value is None else "да" if value else "нет"})
            text = "" if value is None else _("yes") if value else _("no")
            return Fact(name, title, text, "", Input.CHOICE, flags, chosen, help=field.body.help)
        case FieldType.USER:
            user = asker.staff.get(value)
            listed = (("", "—"), *people(asker.staff, value))
            chosen = frozenset({value or ""})
            return Fact(name, title, user.name if user else said, said, Input.CHOICE, listed, chosen)
        case FieldType.DATE:
            return Fact(name, title, said, str(value or ""), Input.DATE, help=field.body.help)
        case _:
            return Fact(name, title, said, said, help=field.body.help)


def _plain(value: Any) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _with(fact: Fact, typed: Typed | None) -> Fact:
    if typed is None or typed.name != fact.name:
        return fact
    given = typed.values[0] if typed.values else ""
    return Fact(
        fact.name,
        fact.title,
        fact.value,
        given,
        fact.input,
        fact.options,
        frozenset(typed.values),
        typed.problem,
        fact.help,
    )


def change_of(name: str, values: Sequence[str]) -> ContactChange:
    """What a line of the form asks for; raises InvalidInput where there is no such line."""
    given = values[0].strip() if values else ""
    match name:
        case "name":
            return ContactChange(name=given)
        case "company":
            return ContactChange(company=given or None)
        case "city":
            return ContactChange(city=given or None)
        case "manager":
            return ContactChange(manager=given or None)
        case "tags":
            return ContactChange(tags=given.split(","))
    if not name.startswith(_FIELD):
        raise InvalidInput("there is no field «{field}»", field=name[:80])
    chosen = [each for each in values if each.strip()]
    value: Any = chosen if len(chosen) > 1 else given or None
    return ContactChange(fields={name.removeprefix(_FIELD): value})
