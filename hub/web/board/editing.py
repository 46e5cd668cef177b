"""Forms of a card, read into what is to be changed: what a form does not name stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from multidict import MultiDict, MultiMapping

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import FieldSet
from crm_core.services.acts.deals import DealChange
from crm_core.services.clients.contacts import clean_tags
from hub.web.board.words import input_text
from hub.web.moments import moment_of

FIELD = "f."
"""Before the key of a custom field in a form."""

SEVERAL = "has."
"""Before the key of a field with several values, in a hidden field: where none is chosen nothing else would be sent."""

EDITABLE = ("title", "amount", "manager", "source", "due_at", "contact_id", "company_id", "tags")
_LONGEST = 10_000

Form = MultiMapping[Any]


def change_of(form: Form, fields: FieldSet, zone: ZoneInfo, currency: str) -> DealChange:
    """What a form changes; raises InvalidInput that names what can't be read."""
    given: dict[str, Any] = {}
    for name in ("title", "source"):
        if name in form:
            given[name] = " ".join(text_of(form, name).split())
    if "source" in given:
        given["source"] = given["source"] or None
    if "amount" in form:
        found = written.money(text_of(form, "amount") or "0", currency)
        given["amount"], given["currency"] = found["amount"], found["currency"]
    if "manager" in form:
        given["manager"] = text_of(form, "manager") or None
    if "due_at" in form:
        given["due_at"] = moment_of(text_of(form, "due_at"), zone)
    for name in ("contact_id", "company_id"):
        if name in form:
            given[name] = ident_of(text_of(form, name), name)
    if "tags" in form:
        given["tags"] = clean_tags([each for each in text_of(form, "tags").split(",") if each.strip()])
    custom = fields_given(form, fields)
    if custom:
        given["fields"] = custom
    return DealChange(**given)


def fields_given(form: Form, fields: FieldSet) -> Mapping[str, Any]:
    """The custom fields that a form names, by key; None where one is emptied."""
    found: dict[str, Any] = {}
    for key, field in fields.by_key.items():
        if field.type is FieldType.FORMULA:
            continue
        if field.type is FieldType.MULTI:
            if f"{SEVERAL}{key}" in form or f"{FIELD}{key}" in form:
                chosen = [each for each in form.getall(f"{FIELD}{key}", []) if isinstance(each, str) and each.strip()]
                found[key] = chosen or None
        elif f"{FIELD}{key}" in form:
            found[key] = text_of(form, f"{FIELD}{key}").strip() or None
    return found


def own_typed(fields: Mapping[str, Any]) -> MultiMapping[Any]:
    """The custom fields of a record as its form would be sent."""
    found: MultiDict[Any] = MultiDict()
    for key, value in fields.items():
        for each in value if isinstance(value, list) else [input_text(value)]:
            found.add(f"{FIELD}{key}", each)
    return found


def text_of(form: Form, name: str) -> str:
    """A text of a form; empty where there is none. Raises InvalidInput for one that can't be stored."""
    value = form.get(name)
    if not isinstance(value, str):
        return ""
    if "\x00" in value:
        raise InvalidInput("{name}: a NUL character can't be stored", name=name)
    return value.replace("\r\n", "\n")[:_LONGEST].strip()


def ident_of(text: str, what: str) -> int | None:
    """An id that a form names; None where it is empty. Raises InvalidInput."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidInput("{what}: «{text}» is no number of a record", what=what, text=written.brief(text))
    return int(text)
