"""Posted JSON as the hub's facts. Nothing here raises and nothing is lost: what is not understood says so."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from channels.gateway.config import GatewayConfig
from channels.gateway.wire import (
    MAX_EVENTS,
    BlockEvent,
    CardEvent,
    DeleteEvent,
    DeliveryEvent,
    EditEvent,
    Event,
    MenuEvent,
    MessageEvent,
    ReactionEvent,
    WireFile,
    WireSender,
)
from crm_core.errors import InvalidIdentity
from crm_core.messages import (
    Attachment,
    BlockChanged,
    BlockState,
    ContactShared,
    Delivery,
    DeliveryChanged,
    EntryKind,
    InboundEvent,
    Location,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Payload,
    ReactionChanged,
    Sender,
    StoredFile,
    Unparsable,
    Utm,
)
from crm_core.messages.unread import failed_at, misshapen, not_json
from crm_core.model.identity import Identity, IdentityKind, find_addresses, find_telephones, opaque
from crm_core.wording import Sentence, Worded

MENU = "menu:"
_MAX_WORDS = 500
_EVENT: TypeAdapter[Event] = TypeAdapter(Event, config=ConfigDict(defer_build=True))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A posted event as it arrived: the fact, the files to store first, and why it was not understood, else empty."""

    event: InboundEvent
    files: tuple[bytes, ...] = ()
    trouble: str = ""


class Malformed(Worded, ValueError):
    """The body is not what it should be; the words say where and how."""


def events_in(body: bytes) -> list[Any]:
    """The events of a body: one object, or `{"events": […]}` of at most 100; raises Malformed."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(not_json(error)) from error
    if not isinstance(said, dict):
        raise Malformed('the body must be an object: an event, or {"events": […]}')
    if "events" not in said:
        return [said]
    found = said["events"]
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_EVENTS:
        raise Malformed("events: a list of 1 to {most} events is wanted", most=MAX_EVENTS)
    return found


def read(
    config: GatewayConfig, region: str, said: object, received_at: datetime, external_id: str | None = None
) -> Arrival:
    """The fact of one event; its raw form is its JSON again."""
    try:
        raw = json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return _unread(config, b"", received_at, external_id, Sentence("the event is nested too deep"))
    try:
        event = _EVENT.validate_python(said)
        payload, files = _payload(config, region, event, received_at)
        sender = _sender(config, region, event.sender)
    except ValidationError as error:
        return _unread(config, raw, received_at, external_id or _id_of(said), misshapen(error, "event"))
    except Malformed as error:
        return _unread(config, raw, received_at, external_id or _id_of(said), error.sentence)
    except Exception as error:  # noqa: BLE001 - whatever this code fails at is kept as failed, to be replayed when mended
        return _unread(config, raw, received_at, external_id or _id_of(said), failed_at(error))
    at = event.at.astimezone(UTC) if event.at is not None else received_at.astimezone(UTC)
    external = external_id or event.id
    fact = InboundEvent(
        key=config.channel_key,
        external_id=external,
        conversation=event.conversation,
        occurred_at=at,
        sender=sender,
        payload=payload,
        raw=raw,
        correlation_id=f"{config.channel_key}:{external}",
    )
    return Arrival(fact, files)


def unreadable(config: GatewayConfig, body: bytes, received_at: datetime, trouble: str) -> Arrival:
    """The fact of a whole body that is no event at all."""
    return _unread(config, body, received_at, None, trouble)


def _payload(
    config: GatewayConfig, region: str, event: Event, received_at: datetime
) -> tuple[Payload, tuple[bytes, ...]]:
    match event:
        case MessageEvent(type="message"):
            attachments, files = _attachments(event.files)
            return _message(event, attachments), files
        case MessageEvent():
            attachments, files = _attachments(event.files)
            return _sent(event, attachments), files
        case EditEvent():
            return MessageEdited(event.message_id, event.text, event.at or received_at), ()
        case DeleteEvent():
            return MessageDeleted(event.message_ids, event.at or received_at), ()
        case DeliveryEvent():
            return DeliveryChanged(Delivery(event.state), (event.message_id,), detail=event.detail), ()
        case ReactionEvent():
            return ReactionChanged(event.message_id, event.emojis), ()
        case CardEvent():
            return _card(config, region, event), ()
        case MenuEvent():
            return MenuChosen(event.message_id, event.data.removeprefix(MENU)), ()
        case BlockEvent():
            blocked = event.type == "blocked"
            return BlockChanged(BlockState.BLOCKED if blocked else BlockState.ALLOWED), ()


def _message(event: MessageEvent, attachments: tuple[Attachment, ...]) -> MessageReceived:
    place, marks = event.location, event.utm
    return MessageReceived(
        kind=EntryKind.MESSAGE,
        text=_words(event),
        ref=event.message_id,
        attachments=attachments,
        quoted=event.quoted,
        location=Location(place.latitude, place.longitude) if place is not None else None,
        automatic=event.automatic,
        utm=Utm(marks.source, marks.medium, marks.campaign, marks.content, marks.term),
        source=event.source,
        answers=event.reply_to or "",
    )


def _sent(event: MessageEvent, attachments: tuple[Attachment, ...]) -> MessageSent:
    place = event.location
    return MessageSent(
        kind=EntryKind.MESSAGE,
        text=_words(event),
        ref=event.message_id,
        attachments=attachments,
        author_name=event.author,
        location=Location(place.latitude, place.longitude) if place is not None else None,
    )


def _words(event: MessageEvent) -> str:
    """The text; of a mere place its degrees."""
    if event.text or event.location is None:
        return event.text
    return f"{event.location.latitude:.6f}, {event.location.longitude:.6f}"


def _card(config: GatewayConfig, region: str, event: CardEvent) -> ContactShared:
    numbers = find_telephones(event.phone, region)
    text = ", ".join(part for part in (event.name, event.phone) if part)
    own = event.own and config.phones and bool(numbers)
    return ContactShared(event.message_id, text, own, numbers, event.name)


def _sender(config: GatewayConfig, region: str, sender: WireSender) -> Sender:
    identities = [_identity(config, sender.id)]
    handle = sender.handle
    if config.phones:
        identities += find_telephones(sender.phone, region)[:1]
    elif not handle:
        handle = sender.phone or next((each.value for each in find_addresses(sender.email)), "")
    return Sender(tuple(identities), sender.name.strip(), handle)


def _identity(config: GatewayConfig, id_: str) -> Identity:
    """`gw:account/id`; an id of unusual characters or length by its hash."""
    try:
        return opaque(IdentityKind.GATEWAY, f"{config.name}/{id_}")
    except InvalidIdentity:
        digest = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
        return opaque(IdentityKind.GATEWAY, f"{config.name}/sha256-{digest}")


def _attachments(files: tuple[WireFile, ...]) -> tuple[tuple[Attachment, ...], tuple[bytes, ...]]:
    """What lies with the provider is fetched later; what came along is named by its content."""
    attachments: list[Attachment] = []
    contents: list[bytes] = []
    for position, file in enumerate(files, start=1):
        name = file.name.strip() or f"file_{position}"
        if file.content is not None:
            try:
                content = base64.b64decode(file.content, validate=True)
            except (binascii.Error, ValueError) as error:
                raise Malformed("files.{place}.content: not base64", place=position - 1) from error
            contents.append(content)
            stored = StoredFile(hashlib.sha256(content).hexdigest(), len(content))
            attachments.append(Attachment(name, file.content_type, stored=stored, size=len(content)))
        elif file.url is not None:
            attachments.append(Attachment(name, file.content_type, remote_id=file.url, size=file.size))
        else:
            raise Malformed("files.{place}: url or content is wanted", place=position - 1)
    return tuple(attachments), tuple(contents)


def _unread(config: GatewayConfig, raw: bytes, received_at: datetime, external_id: str | None, trouble: str) -> Arrival:
    external = external_id or f"sha256:{hashlib.sha256(raw).hexdigest()}"
    event = InboundEvent(
        key=config.channel_key,
        external_id=external,
        conversation="",
        occurred_at=received_at.astimezone(UTC),
        sender=Sender(),
        payload=Unparsable(trouble),
        raw=raw,
        correlation_id=f"{config.channel_key}:{external[-40:]}",
    )
    return Arrival(event, trouble=trouble)


def _id_of(said: object) -> str | None:
    """The id of an event that was not understood, with its content: mended and sent again, it is another fact."""
    found = said.get("id") if isinstance(said, dict) else None
    if not isinstance(found, str) or not found or len(found) > 200:
        return None
    content = json.dumps(said, sort_keys=True).encode("utf-8", "replace")
    return f"{found} sha256:{hashlib.sha256(content).hexdigest()[:32]}"
