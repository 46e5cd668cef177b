"""Posted forms as the hub's facts. Nothing here raises; what is not understood says so.

Field names are read without regard to case. `name phone email message page` and `utm_source utm_medium utm_campaign
utm_content utm_term` have their own places; every other one becomes a custom field. Not shown, but obeyed:

- `submission_id`: the form's hidden id; a repeat with the same one changes nothing, whatever else it says.
- `form_id`, `_id`, `id`, `tranid`: the same for whoever calls it so, but only together with the same content, for many
  sites number their forms or goods with these names.
- `_redirect`: where the visitor is sent afterwards, on an allowed origin.
- `callback`: when the visitor wants to be rung back (see `channels.web.wishes`); shown as a field too.
- `_trap`: invisible to people; whoever fills it is a robot.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from channels.web import wishes
from channels.web.config import WebConfig
from channels.web.fields import Fields, FormFile, MalformedForm, read_fields
from crm_core.messages import (
    Attachment,
    FormSubmitted,
    Ignored,
    InboundEvent,
    Payload,
    Sender,
    StoredFile,
    Unparsable,
    Utm,
)
from crm_core.messages.unread import failed_at
from crm_core.wording import cut

REDIRECT = "_redirect"
TRAP = "_trap"
HIDDEN_ID = "submission_id"
_OTHER_IDS = ("form_id", "_id", "id", "tranid")
_OWN_PLACE = frozenset({"name", "phone", "email", "message", "page"})
_UTM = "utm_"
_MARKS = ("source", "medium", "campaign", "content", "term")
_MAX_LINE = 500
_MAX_TEXT = 100_000
_MAX_LABEL = 100
_MAX_ID = 200
_MAX_WORDS = 500
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A form as it arrived. `empty`: there is nothing in it; `trouble`: why it was not understood, else empty."""

    event: InboundEvent
    files: tuple[FormFile, ...] = ()
    redirect: str = ""
    empty: bool = False
    trouble: str = ""


def new_id() -> str:
    """The id of a form that has none of its own."""
    return f"new:{uuid.uuid4().hex}"


def read(
    config: WebConfig,
    body: bytes,
    content_type: str,
    received_at: datetime,
    *,
    external_id: str | None = None,
    fresh: NewId = new_id,
) -> Arrival:
    """The fact of a posted body, which is kept byte for byte; `external_id` where it is known from the journal."""
    digest = hashlib.sha256(body).hexdigest()

    def event(id_: str, payload: Payload, name: str = "") -> InboundEvent:
        return InboundEvent(
            key=config.channel_key,
            external_id=external_id or id_,
            conversation="",
            occurred_at=received_at.astimezone(UTC),
            sender=Sender(name=name),
            payload=payload,
            raw=body,
            raw_type=_one_line(content_type)[:_MAX_LINE] or "application/octet-stream",
            correlation_id=f"{config.channel_key}:{(external_id or id_)[-40:]}",
        )

    try:
        fields = read_fields(body, content_type)
        values = _folded(config, fields)
        form = _form(values, fields.files)
        form = replace(form, callback_at=wishes.callback_at(_first(values, wishes.FIELD), received_at, config.zone))
        id_ = _id(values, fields, fresh)
    except MalformedForm as error:
        words = cut(error.sentence, _MAX_WORDS)
        return Arrival(event(f"sha256:{digest}", Unparsable(words)), trouble=words)
    except Exception as error:  # noqa: BLE001 - whatever this code fails at is kept as failed, to be replayed when mended
        words = failed_at(error)
        return Arrival(event(f"sha256:{digest}", Unparsable(words)), trouble=words)
    redirect = _first(values, REDIRECT)
    if _first(values, TRAP):
        return Arrival(event(id_, Ignored(f"a robot filled the field {TRAP}")), redirect=redirect)
    empty = not (form.name or form.phone or form.email or form.message or form.attachments or _telling(form))
    return Arrival(event(id_, form, form.name), fields.files, redirect, empty)


def _telling(form: FormSubmitted) -> bool:
    return any(value for name, value in form.fields if name not in _OTHER_IDS)


def _folded(config: WebConfig, fields: Fields) -> list[tuple[str, str]]:
    """Names on one line; names with a place of their own in small letters. The key is not repeated anywhere."""
    folded: list[tuple[str, str]] = []
    for label, value in fields.values:
        name = _one_line(label)[:_MAX_LABEL]
        low = name.lower()
        if low == "key" and value == config.key:
            continue
        own = (
            low in {*_OWN_PLACE, wishes.FIELD}
            or low.startswith("_")
            or low in {HIDDEN_ID, *_OTHER_IDS}
            or _mark(low) is not None
        )
        folded.append((low if own else name, value))
    return folded


def _form(values: list[tuple[str, str]], files: tuple[FormFile, ...]) -> FormSubmitted:
    hidden = {REDIRECT, TRAP, HIDDEN_ID, "_id"}
    marks = {name: _one_line(_first(values, f"{_UTM}{name}"))[:_MAX_LINE] for name in _MARKS}
    others: dict[str, list[str]] = {}
    for name, value in values:
        text = _text(value)
        if name and text and name not in hidden and name not in _OWN_PLACE and _mark(name) is None:
            others.setdefault(name, []).append(text)
    return FormSubmitted(
        name=_line(values, "name"),
        phone=_line(values, "phone"),
        email=_line(values, "email"),
        message=_text("\n".join(value for name, value in values if name == "message" and value)),
        page=_line(values, "page"),
        utm=Utm(**marks),
        fields=tuple((name, ", ".join(texts)[:_MAX_TEXT]) for name, texts in others.items()),
        attachments=tuple(_attachment(file) for file in files),
    )


def _id(values: list[tuple[str, str]], fields: Fields, fresh: NewId) -> str:
    own = _one_line(_first(values, HIDDEN_ID))
    if own:
        return f"id:{_bounded(own)}"
    for name in _OTHER_IDS:
        given = _one_line(_first(values, name))
        if given:
            return f"id:{_bounded(given)}:{_content_hash(fields)}"
    return fresh()


def _bounded(text: str) -> str:
    if len(text) <= _MAX_ID:
        return text
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _content_hash(fields: Fields) -> str:
    """Of what the form says; a multipart body says the same with another boundary."""
    files = [[file.field, file.name, hashlib.sha256(file.content).hexdigest()] for file in fields.files]
    said = json.dumps([fields.values, files]).encode()
    return hashlib.sha256(said).hexdigest()[:32]


def _mark(name: str) -> str | None:
    mark = name.removeprefix(_UTM)
    return mark if mark != name and mark in _MARKS else None


def _first(values: list[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in values if name == wanted and value.strip()), "")


def _line(values: list[tuple[str, str]], wanted: str) -> str:
    """Everything under this name on one line."""
    found = (_one_line(value) for name, value in values if name == wanted)
    return ", ".join(each for each in found if each)[:_MAX_LINE]


def _one_line(value: str) -> str:
    return " ".join(_CONTROL.sub("", value).split())


def _text(value: str) -> str:
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()[:_MAX_TEXT]


def _attachment(file: FormFile) -> Attachment:
    """The file store names files by their content, so that this is known before the file is stored."""
    size = len(file.content)
    stored = StoredFile(hashlib.sha256(file.content).hexdigest(), size)
    return Attachment(file.name, file.content_type, stored=stored, size=size)
