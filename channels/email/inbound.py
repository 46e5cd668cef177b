"""Mails as the hub's facts. Nothing here raises and nothing is lost: what is not understood says so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from channels.email.authenticity import authenticity
from channels.email.automatic import is_automatic
from channels.email.bounces import Report, report_of
from channels.email.config import EmailConfig
from channels.email.forms import form_of
from channels.email.message_ids import answered, is_own, message_id
from channels.email.mime import Mail, MailFile, parse
from channels.email.names import person_name
from channels.email.quotation import split_quotation
from channels.email.sameness import fingerprint
from channels.email.token import plain_address, thread_of
from crm_core.errors import InvalidIdentity
from crm_core.messages import (
    Attachment,
    Authenticity,
    DeliveryChanged,
    EntryKind,
    Ignored,
    InboundEvent,
    MessageReceived,
    Payload,
    Sender,
    StoredFile,
    Thread,
    Trust,
    Unparsable,
)
from crm_core.messages.unread import failed_at
from crm_core.model.identity import Identity, address, claimed
from crm_core.model.subject import bare_subject
from crm_core.wording import Sentence

RAW_TYPE = "message/rfc822"
_OLDEST = timedelta(days=7)  # no server keeps trying for longer; an older date is a wrong clock
_AHEAD = timedelta(minutes=10)
_MAX_WORDS = 500
_MAX_SUBJECT = 500
# Where an address of ours may stand by which a mail came to us.
_RECIPIENTS = ("to", "delivered-to", "x-original-to", "envelope-to", "cc", "resent-to")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail as it arrived: the fact, and the files to store before it is handed on."""

    event: InboundEvent
    files: tuple[MailFile, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fact:
    payload: Payload
    sender: Sender = Sender()  # noqa: RUF009 - frozen
    conversation: str = ""
    at: datetime | None = None
    id: str = ""
    files: tuple[MailFile, ...] = ()


def with_return_path(raw: bytes, mail_from: str) -> bytes:
    """The mail with the SMTP sender on top where the mail itself would not tell: a bounce, or a mail without From.

    Any other mail is kept byte for byte.
    """
    head = raw[:65536].lower()
    has_from = head.startswith(b"from:") or b"\nfrom:" in head
    if mail_from and has_from:
        return raw
    shown = mail_from.encode("utf-8", "surrogateescape").replace(b"\r", b"").replace(b"\n", b"")
    return b"Return-Path: <" + shown + b">\r\n" + raw


def read(config: EmailConfig, raw: bytes, received_at: datetime, external_id: str | None = None) -> Arrival:
    """The fact of a mail for this account; `external_id` where it is known from the journal.

    Costs time that grows with the mail: call it off the event loop for large ones.
    """
    try:
        fact = _fact(config, raw, received_at)
    except Exception as error:  # noqa: BLE001 - whatever this code fails at is kept as failed, to be replayed when mended
        fact = _Fact(Unparsable(failed_at(error)))
    if external_id is None:
        same = f"sha256:{fingerprint(raw)}"
        external_id = f"{fact.id} {same}" if fact.id else same
    event = InboundEvent(
        key=config.key,
        external_id=external_id,
        conversation=fact.conversation,
        occurred_at=fact.at or received_at.astimezone(UTC),
        sender=fact.sender,
        payload=fact.payload,
        raw=raw,
        raw_type=RAW_TYPE,
        correlation_id=f"{config.key}:{external_id[-16:]}",
    )
    return Arrival(event, fact.files)


def _fact(config: EmailConfig, raw: bytes, received_at: datetime) -> _Fact:
    mail = parse(raw)
    own_id = message_id(mail.header("message-id"))
    sender = _sender(mail)
    if sender is None:
        return _Fact(Unparsable(Sentence("The mail names no sender.")), id=own_id)
    writer = sender.identities[0].value
    ours = writer == config.mailbox
    if ours and is_own(config, own_id):
        return _Fact(Ignored("our own mail came back"), sender, writer, id=own_id)
    at = _written(mail, received_at)
    report = report_of(config, mail, writer)
    if report is not None:
        return _reported(report, at, own_id)
    found = authenticity(config, mail)
    attachments = tuple(_attachment(file) for file in mail.files)
    form = form_of(config, mail, writer)
    if form is not None:
        payload = replace(form, attachments=attachments, authenticity=found)
        return _Fact(payload, Sender(name=person_name(form.name)), _valid(form.email), at, own_id, mail.files)
    # The ref has to be the same on every reading, also of a mail without an id.
    ref = own_id or f"sha256:{fingerprint(raw)}"
    text, quoted = split_quotation(mail.text)
    message = MessageReceived(
        kind=EntryKind.EMAIL,
        text=text,
        ref=ref,
        attachments=attachments,
        subject=mail.header("subject")[:_MAX_SUBJECT],
        html=mail.html,
        quoted=quoted,
        automatic=ours or is_automatic(mail, writer),
        authenticity=found,
        thread=_thread(config, mail, ref),
    )
    return _Fact(message, _believed(sender, found), _answer_to(config, mail, sender), at, own_id, mail.files)


def _reported(report: Report, at: datetime, own_id: str) -> _Fact:
    """What became of a mail of ours; whoever tells it is no client."""
    payload: Payload = Ignored("the mail server tries on to deliver")
    if report.state is not None:
        payload = DeliveryChanged(report.state, report.refs, detail=report.detail)
    return _Fact(payload, Sender(), report.recipient, at, own_id)


def _thread(config: EmailConfig, mail: Mail, ref: str) -> Thread:
    recipients = (mailbox for name in _RECIPIENTS for _, mailbox in mail.addresses(name))
    tokens = (thread_of(config, mailbox) for mailbox in recipients)
    return Thread(
        own=ref,
        answers=tuple(
            each for each in answered(config, mail.header("in-reply-to"), mail.tail("references")) if each != ref
        ),
        token=next((token for token in tokens if token is not None), None),
        subject=bare_subject(mail.header("subject")),
    )


def _sender(mail: Mail) -> Sender | None:
    for header in ("from", "sender", "return-path"):
        for shown, mailbox in mail.addresses(header):
            found = _identity(mailbox)
            if found is not None:
                return Sender((found,), person_name(shown))
    return None


def _believed(sender: Sender, found: Authenticity | None) -> Sender:
    """Whoever writes under an address that is proven not to be theirs only claims it."""
    if found is None or found.trust is not Trust.FORGED:
        return sender
    return replace(sender, identities=tuple(claimed(each.value) for each in sender.identities))


def _answer_to(config: EmailConfig, mail: Mail, sender: Sender) -> str:
    """Where a reply goes: the address that the sender asks for, unless it is ours, else their own."""
    for _, mailbox in mail.addresses("reply-to"):
        found = _identity(mailbox)
        if found is not None and plain_address(found.value) != config.mailbox:
            return found.value
    return sender.identities[0].value


def _identity(mailbox: str) -> Identity | None:
    try:
        return address(mailbox)
    except InvalidIdentity:
        return None


def _valid(mailbox: str) -> str:
    found = _identity(mailbox)
    return found.value if found is not None else ""


def _written(mail: Mail, received_at: datetime) -> datetime:
    """The time in the mail where it can be true, else the time of its arrival; aware, UTC."""
    arrival = received_at.astimezone(UTC)
    try:
        stated = parsedate_to_datetime(mail.header("date"))
        at = (stated if stated.tzinfo is not None else stated.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return arrival
    return at if arrival - _OLDEST <= at <= arrival + _AHEAD else arrival


def _attachment(file: MailFile) -> Attachment:
    """The file store names files by their content, so that this is known before the file is stored."""
    size = len(file.content)
    stored = StoredFile(hashlib.sha256(file.content).hexdigest(), size)
    return Attachment(file.name, file.content_type, stored=stored, size=size, cid=file.cid)
