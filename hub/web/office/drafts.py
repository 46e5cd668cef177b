"""A definition in the editor: what was typed, field by field or as TOML, and what is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tomli_w
from pydantic import ValidationError

from crm_core.model.definitions import Body, DefinitionRecord, Section
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.faults import why_of
from hub.settings.toml_lines import key_lines
from hub.web.office.forms.filled import Faults, Sent, Values, faults_of, values_of
from hub.web.tongues import _, told


@dataclass(slots=True)
class Draft:
    """What stands in the editor: values as they were typed, and what is wrong with them."""

    record: DefinitionRecord | None
    name: str
    values: Values
    version: int = 0
    faults: Faults = field(default_factory=dict)
    text: str | None = None
    told: str = ""
    status: int = 200
    more: dict[str, Any] = field(default_factory=dict)
    """What a page of its own adds for its template."""


def draft_of(form: type[Body], sent: Sent, record: DefinitionRecord | None) -> Draft:
    """What was typed."""
    name = sent.one("name") if sent.has("name") else record.name if record is not None else ""
    version = int(sent.one("version")) if sent.one("version").isdigit() else 0
    draft = Draft(record, name, {}, version)
    if not sent.has("as_text"):
        draft.values = values_of(form, sent)
        return draft
    draft.text = sent.one("as_text")
    try:
        draft.values = tomllib.loads(draft.text)
    except (tomllib.TOMLDecodeError, RecursionError) as err:
        draft.faults = {"": [_("This is no TOML: {why}").format(why=err)]}
    return draft


def body_of(form: type[Body], draft: Draft) -> Body | None:
    """The body that a draft says; None, and its faults, where it says none."""
    if draft.faults:
        return None
    try:
        return form.model_validate(draft.values)
    except ValidationError as err:
        draft.faults = faults_of(form, err)
        if draft.text is not None:
            _add_lines(draft, err)
        return None


def kept_before(record: DefinitionRecord | None) -> Body | None:
    """The body of a subscription as it is kept, for the secret in it."""
    if record is None or record.section is not Section.WEBHOOK:
        return None
    return WebhookBody.model_validate(record.body)


def as_text(values: Mapping[str, Any]) -> str:
    """Values as TOML, which knows no null: what is none is left out."""
    return tomli_w.dumps(_without_none(values), multiline_strings=True)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_none(each) for each in value if each is not None]
    return value


def _add_lines(draft: Draft, err: ValidationError) -> None:
    """Say in which lines of the text the faults are."""
    lines = key_lines(draft.text or "")
    found: Faults = {}
    for each in err.errors(include_url=False, include_input=False):
        way = tuple(step for step in each["loc"])
        at = next((lines[way[:end]] for end in range(len(way), 0, -1) if way[:end] in lines), 0)
        where = ".".join(str(step) for step in way)
        line = _("line {number}").format(number=at) if at else ""
        found.setdefault("", []).append(": ".join(part for part in (line, where, told(why_of(each))) if part))
    draft.faults = found


def unplaced(faults: Faults, shown: set[str]) -> list[str]:
    """What is wrong and stands beside no input."""
    heads = {path.split(".", 1)[0] for path in shown}
    return [text for path, texts in faults.items() if path.split(".", 1)[0] not in heads for text in texts]
