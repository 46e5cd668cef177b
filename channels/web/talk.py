"""What a visitor does in the chat, read at the edge, and the facts that it makes. Pure; raises BadTalk alone.

A browser posts JSON (as text/plain, so that it need not ask first), files as multipart/form-data. What goes into the
journal is the act without its token (`Act.raw`), which `facts` reads again to the same facts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from crm_core.errors import InvalidInput
from crm_core.messages import (
    Attachment,
    ChannelKey,
    EntryKind,
    FormSubmitted,
    InboundEvent,
    MenuChosen,
    MessageReceived,
    Noted,
    Payload,
    Sender,
    StoredFile,
    Unparsable,
    Utm,
)
from crm_core.messages.unread import failed_at
from crm_core.model.identity import Identity, IdentityKind

PREFIX = "chat:"
LONGEST_TEXT = 10_000
_LONGEST_LINE = 300
_LONGEST_URL = 1_000
_LONGEST_BODY = 64 * 1024
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What turns text around or hides in it: a name must read as it is.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_MARKS = ("source", "medium", "campaign", "content", "term")


class BadTalk(InvalidInput):
    """What the browser posted can't be understood."""


class ActKind(StrEnum):
    """What a visitor can do."""

    SEND = "send"
    CONTACT = "contact"
    CHOOSE = "choose"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Act:
    """What a visitor did. `id` was made by the browser and is the same on every try; `page` is set where it is new to
    the conversation; `landing` and `referrer` tell how the visitor came to the site. `file` is the hash, size, name and
    type of a stored one."""

    kind: ActKind
    visitor: str
    id: str
    text: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    item: str = ""
    page: str = ""
    title: str = ""
    landing: str = ""
    referrer: str = ""
    file: tuple[str, int, str, str] | None = None

    @property
    def external_id(self) -> str:
        """What makes the fact unique within the account."""
        return f"{PREFIX}{self.visitor}:{self.id}"

    def raw(self) -> bytes:
        """The act as the journal keeps it."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({name: value for name, value in named.items() if value}, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Posted:
    """A JSON body: its texts, and the whole numbers in it."""

    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)

    def line(self, name: str, longest: int = _LONGEST_LINE) -> str:
        """A text on one line, of what can be seen."""
        return " ".join(_INVISIBLE.sub("", _CONTROL.sub(" ", self.texts.get(name, ""))).split())[:longest]

    def number(self, name: str) -> int:
        """A whole number, 0 where there is none."""
        return self.numbers.get(name, 0)


def posted(body: bytes) -> Posted:
    """The fields of a JSON object; values of other kinds are left out. Raises BadTalk."""
    if len(body) > _LONGEST_BODY:
        raise BadTalk("The message is too long.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadTalk("The JSON can't be read: {why}", why=type(error).__name__) from error
    if not isinstance(content, dict):
        raise BadTalk("The JSON has to be an object.")
    texts = {str(name): value for name, value in content.items() if isinstance(value, str)}
    numbers = {
        str(name): value
        for name, value in content.items()
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    }
    return Posted(texts, numbers)


def act(kind: ActKind, visitor: str, given: Posted, file: tuple[str, int, str, str] | None = None) -> Act:
    """What a verified visitor did. Raises BadTalk where there is nothing in it, or too much."""
    id_ = given.texts.get("id", "")
    if not _ID.match(id_):
        raise BadTalk("The id has to be 8 to 64 letters, digits, _ and -.")
    text = _CONTROL.sub("", given.texts.get("text", "").replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(text) > LONGEST_TEXT:
        raise BadTalk("The message is longer than {most} characters.", most=LONGEST_TEXT)
    found = Act(
        kind=kind,
        visitor=visitor,
        id=id_,
        text=text,
        name=given.line("name"),
        phone=given.line("phone"),
        email=given.line("email"),
        item=given.line("item", 64),
        page=address(given.line("page", _LONGEST_URL)),
        title=given.line("title"),
        landing=address(given.line("landing", _LONGEST_URL)),
        referrer=address(given.line("referrer", _LONGEST_URL)),
        file=file,
    )
    wanted = {
        ActKind.SEND: found.text,
        ActKind.CONTACT: found.name or found.phone or found.email or found.text,
        ActKind.CHOOSE: found.item,
        ActKind.FILE: found.file,
    }
    if not wanted[kind]:
        raise BadTalk("There is nothing in it.")
    return found


def address(text: str) -> str:
    """A web address without what may be secret in it (login, fragment); empty for anything else."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{host}:{port}" if port else host
    return f"{parts.scheme}://{place}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def marks(*addresses: str) -> Utm:
    """The marks of a campaign in the first address that has any."""
    for each in addresses:
        try:
            given = parse_qsl(urlsplit(each).query, max_num_fields=100)
        except ValueError:
            continue  # hundreds of parameters are nobody's campaign
        found = {name[4:].lower(): value for name, value in given if name.lower().startswith("utm_")}
        named = {mark: " ".join(_CONTROL.sub("", found.get(mark, "")).split())[:_LONGEST_LINE] for mark in _MARKS}
        if any(named.values()):
            return Utm(**named)
    return Utm()


def facts(key: ChannelKey, done: Act, at: datetime) -> Sequence[InboundEvent]:
    """The facts of an act in their order: the page that the visitor is on, where it is told, then the act itself."""
    sender = Sender((Identity(IdentityKind.WEB, done.visitor),), done.name)
    raw = done.raw()

    def event(external_id: str, payload: Payload, sequence: int) -> InboundEvent:
        return InboundEvent(
            key=key,
            external_id=external_id,
            conversation=done.visitor,
            occurred_at=at.astimezone(UTC),
            sender=sender,
            payload=payload,
            raw=raw,
            sequence=sequence,
            correlation_id=f"{key}:{done.visitor[:8]}:{done.id}"[:80],
        )

    main = event(done.external_id, _payload(done), 1)
    if not done.page or done.kind is ActKind.CONTACT:  # a form has a place for its page
        return (main,)
    digest = hashlib.sha256(done.page.encode("utf-8", "replace")).hexdigest()[:16]
    return (event(f"{PREFIX}{done.visitor}:page:{digest}", Noted(_where(done)), 0), main)


def again(key: ChannelKey, external_id: str, raw: bytes, at: datetime) -> InboundEvent:
    """The fact of a journal row, read again; never raises."""
    try:
        content = json.loads(raw)
        file = content.pop("file", None)
        kind, visitor = ActKind(content.pop("kind")), str(content.pop("visitor"))
        done = act(kind, visitor, Posted(content), tuple(file) if file else None)
        found = {each.external_id: each for each in facts(key, done, at)}
        return found[external_id]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidInput) as error:
        what = Unparsable(error.sentence if isinstance(error, InvalidInput) else failed_at(error))
        return InboundEvent(key, external_id, "", at.astimezone(UTC), Sender(), what, raw)


def _payload(done: Act) -> Payload:
    utm = marks(done.page, done.landing)
    match done.kind:
        case ActKind.CONTACT:
            more = (("referrer", done.referrer),) if done.referrer else ()
            return FormSubmitted(
                name=done.name,
                phone=done.phone,
                email=done.email,
                message=done.text,
                page=done.page,
                utm=utm,
                fields=more,
            )
        case ActKind.CHOOSE:
            return MenuChosen(done.id, done.item)
        case ActKind.FILE if done.file is not None:
            sha256, size, name, content_type = done.file
            kept = Attachment(name, content_type, stored=StoredFile(sha256, size), size=size)
            return MessageReceived(EntryKind.MESSAGE, done.text, done.id, (kept,), utm=utm)
        case _:
            return MessageReceived(EntryKind.MESSAGE, done.text, done.id, utm=utm)


def _where(done: Act) -> str:
    """The page in a line of the timeline, and where the visitor came from."""
    named = f"{done.title} · {done.page}" if done.title else done.page
    return f"{named} ← {done.referrer}" if done.referrer else named
