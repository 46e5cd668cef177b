"""What an outbox row does outside, and how its end is noted: the act, then one transaction for all that follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_core.errors import (
    DeliveryError,
    InvalidInput,
    PermanentDeliveryError,
    StorageUnavailable,
    TransientDeliveryError,
)
from crm_core.messages import Button, ChannelKey, DeliveryReceipt, OutboundFile, OutboundMessage, StoredFile
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.file_warning import written
from crm_core.model.office import Office
from crm_core.model.records import AttachmentRecord, EntryRecord, FileState, OutboxKind, OutboxRecord, OutboxState
from crm_core.ports import Channel, FetchesFiles, FileStore
from crm_core.services import subscriptions
from crm_core.services.desk import Desk
from crm_core.services.letters import replies
from crm_core.services.letters.opting_out import opted_out
from crm_core.services.watching.telling import enqueue_notification
from crm_core.storage import queues
from crm_core.storage.queries import webhooks as log_of_webhooks
from crm_core.storage.store import Store
from crm_core.storage.work import SqlWork
from crm_core.wording import Sentence
from hub.inspection import FileInspector, Judgement
from hub.log import get_logger
from hub.webhooks import Posting, Resting, WebhookSender

log = get_logger(__name__)

_LARGEST_FILE = 50 * 1024 * 1024
_NOTE_AGAIN_S = 1.0
_REPEATED = Sentence("possibly delivered twice: the first try was not answered")


class Acts:
    """The acts by kind of outbox row."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[ChannelKey, Channel],
        files: FileStore,
        webhooks: WebhookSender,
        inspector: FileInspector | None = None,
    ) -> None:
        self._inspector = inspector
        self._store = store
        self._channels = channels
        self._files = files
        self._webhooks = webhooks

    async def act(self, record: OutboxRecord) -> None:
        """Do it and note that it is done; raises the delivery errors of `Channel.send`."""
        match record.kind:
            case OutboxKind.MESSAGE:
                if "mailing" in record.payload:
                    await self._still_wanted(record)
                receipt = await self._send(record)
                note = _REPEATED if record.started > 1 else None
                await self._finish(record, lambda desk: _sent(desk, record, receipt, note))
            case OutboxKind.NOTIFICATION:
                await self._send(record)
                await self._finish(record)
            case OutboxKind.FETCH:
                stored = await self._fetch(record)
                judgement = await self._judged(record, stored)
                await self._finish(record, lambda desk: _fetched(desk, record, stored, judgement))
            case OutboxKind.WEBHOOK:
                await self._deliver(record)

    async def give_up(self, record: OutboxRecord, error: str) -> None:
        """Note that it will not be done, and what follows from that."""
        log.warning("an outbox row was given up", id=record.id, kind=record.kind.value, error=error)

        def service(desk: Desk) -> None:
            match record.kind:
                case OutboxKind.MESSAGE if record.entry_id is not None:
                    replies.given_up(desk, record.entry_id, error)
                case OutboxKind.NOTIFICATION if record.payload.get("then"):
                    _tell_otherwise(desk, record.payload)
                case OutboxKind.FETCH:
                    _not_fetched(desk, record, error)
                case OutboxKind.WEBHOOK if "delivery_id" in record.payload:
                    subscriptions.ended(desk, record.payload["delivery_id"], None, error)
                case _:
                    pass

        await self._finish(record, service, OutboxState.FAILED, error)

    async def _still_wanted(self, record: OutboxRecord) -> None:
        """Raise PermanentDeliveryError where the client left the mailings while this one waited to go out."""
        left = await self._store.run(lambda desk: opted_out(desk, [record.payload["mailing"]]))
        if left:
            raise PermanentDeliveryError("the client opted out before it went")

    async def _deliver(self, record: OutboxRecord) -> None:
        """Post an event to a subscriber, and keep in the log how that went."""
        payload = record.payload
        number = payload.get("delivery_id", 0)
        posting = await self._store.read(lambda conn: _posting(conn, self._store.office, record))
        try:
            status = await self._webhooks.post(posting)
        except Resting:
            raise  # nothing was tried
        except DeliveryError as err:
            answered, error = getattr(err, "status", None), str(err)
            await self._store.run(lambda desk: subscriptions.tried(desk, number, answered, error))
            raise
        await self._finish(record, lambda desk: subscriptions.ended(desk, number, status))

    async def _finish(
        self,
        record: OutboxRecord,
        service: Callable[[Desk], None] | None = None,
        state: OutboxState = OutboxState.DONE,
        error: str | None = None,
    ) -> None:
        def work(desk: Desk) -> None:
            if service is not None:
                service(desk)
            conn = _connection(desk)
            if not queues.finish_outbox(conn, record, state, desk.now, error):
                raise _ClaimLost

        while True:
            try:
                await self._store.run(work)
            except _ClaimLost:
                log.warning("an outbox row was taken over by another worker", id=record.id)
            except StorageUnavailable as err:
                # It is done outside: forgetting that would do it twice. The caller's patience ends before the lease.
                log.warning("the end of an outbox row can't be noted yet", id=record.id, error=str(err))
                await asyncio.sleep(_NOTE_AGAIN_S)
                continue
            return

    async def _send(self, record: OutboxRecord) -> DeliveryReceipt:
        payload = record.payload
        key = ChannelKey(payload["channel"], payload["account"])
        channel = self._channels.get(key)
        if channel is None:
            raise PermanentDeliveryError("the account {key} is not configured", key=key)
        files = await self._files_of(payload.get("files", ()))
        message = OutboundMessage(
            key=key,
            conversation=payload["conversation"],
            text=payload["text"],
            idempotency_key=record.dedupe,
            number=payload.get("number", 0),
            subject=payload.get("subject", ""),
            reply_to=payload.get("reply_to"),
            files=files,
            buttons=tuple(
                tuple(Button(button["text"], button["data"]) for button in row) for row in payload.get("buttons", ())
            ),
            ask_contact=payload.get("ask_contact", False),
            references=tuple(payload.get("references", ())),
            thread=payload.get("thread"),
            automatic=payload.get("automatic", False),
            unsubscribe=payload.get("unsubscribe", ""),
            attempt=record.attempts,
        )
        return await channel.send(message)

    async def _files_of(self, listed: Sequence[Mapping[str, Any]]) -> tuple[OutboundFile, ...]:
        """The files of a message; raises where one of them is not here yet, or will never be."""
        awaited = [file["attachment_id"] for file in listed if "attachment_id" in file]
        fetched: dict[int, AttachmentRecord] = {}
        if awaited:
            records = await self._store.run(lambda desk: desk.work.related(AttachmentRecord, "id", awaited))
            fetched = {record.id: record for record in records}
        files: list[OutboundFile] = []
        for file in listed:
            if "attachment_id" not in file:
                stored = StoredFile(file["sha256"], file["size"])
            else:
                stored = _stored(fetched.get(file["attachment_id"]), file["name"])
            files.append(OutboundFile(file["name"], file["content_type"], stored))
        return tuple(files)

    async def _judged(self, record: OutboxRecord, stored: StoredFile) -> Judgement | None:
        if self._inspector is None:
            return None
        payload = record.payload
        return await self._inspector.look(stored.sha256, payload.get("name", ""), payload.get("content_type", ""))

    async def _fetch(self, record: OutboxRecord) -> StoredFile:
        payload = record.payload
        key = ChannelKey(payload["channel"], payload["account"])
        channel: object = self._channels.get(key)
        if not isinstance(channel, FetchesFiles):
            raise PermanentDeliveryError("the account {key} is not configured", key=key)
        try:
            return await self._files.put(channel.fetch(payload["remote_id"]), _LARGEST_FILE)
        except InvalidInput as err:
            raise PermanentDeliveryError(str(err)) from err


def _stored(record: AttachmentRecord | None, name: str) -> StoredFile:
    if record is not None and record.state is FileState.STORED and record.sha256 is not None:
        return StoredFile(record.sha256, record.size or 0)
    if record is not None and record.state is FileState.PENDING:
        raise TransientDeliveryError("«{file}» is still being fetched", file=name)
    why = record.error if record is not None and record.error else Sentence("it is gone")
    raise PermanentDeliveryError("«{file}» could not be fetched: {why}", file=name, why=why)


def _posting(conn: Any, office: Office, record: OutboxRecord) -> Posting:
    """What is to be posted where; raises PermanentDeliveryError where nobody wants it any more."""
    payload = record.payload
    key = payload["target"]
    if "delivery_id" in payload:
        content = log_of_webhooks.one_delivery(conn, None, payload["delivery_id"]).payload
    else:  # queued before deliveries were kept
        content = {name: payload[name] for name in ("event", "at", "data")}
    delivery = payload.get("delivery", record.dedupe)
    target = next((each for each in office.webhooks if each.url == key), None)
    if target is not None:
        return Posting(key, target.url, target.secret, delivery, content, own=True)
    found = log_of_webhooks.subscription(conn, int(key)) if key.isdigit() else None
    if found is None or found.archived:
        raise PermanentDeliveryError("the subscription is not there any more")
    body = WebhookBody.model_validate(found.body)
    if not body.active:
        raise PermanentDeliveryError("the subscription was put to rest")
    return Posting(key, body.url, body.secret, delivery, content)


class _ClaimLost(Exception):
    """Another worker has the row now; what this one wanted to note is rolled back."""


def _connection(desk: Desk) -> Any:
    if not isinstance(desk.work, SqlWork):
        raise TypeError("outbox rows live in the database")
    return desk.work.conn


def _sent(desk: Desk, record: OutboxRecord, receipt: DeliveryReceipt, note: str | None) -> None:
    if record.entry_id is not None:
        replies.sent(desk, record.entry_id, receipt.refs, note)


def _tell_otherwise(desk: Desk, payload: dict[str, Any]) -> None:
    """The messenger refused for good: the person is told by what stands next."""
    media = list(payload["then"])
    rest = {name: value for name, value in payload.items() if name not in {"then", *media[0]}}
    enqueue_notification(desk, media, rest)


def _fetched(desk: Desk, record: OutboxRecord, stored: StoredFile, judgement: Judgement | None) -> None:
    attachment = _attachment(desk, record)
    if attachment is None:
        return
    if judgement is not None:
        attachment = attachment._replace(content_type=judgement.content_type, warning=written(judgement.warnings))
    desk.work.put(attachment._replace(state=FileState.STORED, sha256=stored.sha256, size=stored.size, error=None))
    _file_changed(desk, attachment)


def _not_fetched(desk: Desk, record: OutboxRecord, error: str) -> None:
    attachment = _attachment(desk, record)
    if attachment is None:
        return
    desk.work.put(attachment._replace(state=FileState.FAILED, error=error))
    _file_changed(desk, attachment)


def _file_changed(desk: Desk, attachment: AttachmentRecord) -> None:
    """Tell the feed of a file, and of the entry that shows it."""
    desk.work.changed("attachment", attachment.id)
    for entry in desk.work.related(EntryRecord, "id", [attachment.entry_id]):
        desk.work.changed("timeline", entry.id, entry.contact_id)


def _attachment(desk: Desk, record: OutboxRecord) -> AttachmentRecord | None:
    """The file of a row; None where it went with the echo of a message that has its own."""
    found = desk.work.related(AttachmentRecord, "id", [record.payload["attachment_id"]])
    return found[0] if found else None
