"""A website as a channel: its forms, and the chat on its pages."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from channels.web import talk
from channels.web.chat import ChatView
from channels.web.config import WebConfig
from channels.web.fields import FormFile
from channels.web.inbound import read
from channels.web.script import widget
from channels.web.streams import Streams
from channels.web.talk import ActKind
from channels.web.tokens import Seals, is_visitor
from channels.web.uploads import handed_out, not_here
from channels.web.view import FormView
from crm_core.errors import (
    ChannelStopped,
    IntakeError,
    IntakeUnavailable,
    NotFound,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage
from crm_core.model.timeline import Delivery
from crm_core.ports import (
    ChannelContext,
    ChannelHealth,
    ChannelState,
    HttpRequest,
    HttpResponse,
    HttpRoute,
    HttpStream,
    InboundSink,
    Said,
)
from crm_core.wording import Joined, Sentence

log = logging.getLogger(__name__)

_TALK_SIZE = 64 * 1024
_MULTIPART_SIZE = 16 * 1024  # what stands around a file
_PURPOSE = "visitors of websites"


class WebChannel:
    """One website: `Channel`, `ReceivesHttp`, `Streams`, `ReparsesRaw`, `KeepsFiles`, `Measured`, `ProvesItself`,
    `ShowsWriting`.

    Without `secret` and `conversations` in the context there is no chat.
    """

    def __init__(self, config: WebConfig, context: ChannelContext) -> None:
        self._config = config
        self._context = context
        self._view = FormView(config, context.files, context.clock)
        self._chat: _Chat | None = None
        self._sink: InboundSink | None = None
        self._stopped = False
        self._health = ChannelHealth(ChannelState.CONNECTING)

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.channel_key

    @property
    def health(self) -> ChannelHealth:
        """Forms need no connection: it is connected while it is started."""
        return self._health

    async def start(self, sink: InboundSink) -> None:
        """Begin taking forms and messages in."""
        trouble = ""
        if self._has_chat:
            try:
                self._chat = self._open_chat()
            except OSError as error:
                trouble = Sentence(
                    "the chat does not work, for its key can't be kept: {why}; set secret_key", why=error
                )
        self._sink = sink
        self._stopped = False
        self._health = ChannelHealth(ChannelState.CONNECTED, trouble, trouble=bool(trouble))

    async def stop(self) -> None:
        """Take nothing more in; the HTTP server lets running requests end."""
        self.end_streams()
        self._stopped = True
        self._sink = None
        self._health = ChannelHealth(ChannelState.STOPPED)

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """A message to a visitor is sent as soon as it is in the record, where their window reads it; a form can't be
        answered where it came from."""
        if not is_visitor(message.conversation):
            raise PermanentDeliveryError(
                "{account}: a form has no way back; answer by mail, messenger or telephone.", account=message.key
            )
        if self._stopped:
            raise ChannelStopped
        if self._chat is None:
            words = self._health.detail or Sentence("the chat of this site is switched off")
            raise TransientDeliveryError(words) if self._has_chat else PermanentDeliveryError(words)
        return DeliveryReceipt((f"out-{message.number}",))

    def routes(self) -> Sequence[HttpRoute]:
        """Where forms are posted, and where browsers ask whether they may; the widget, and what it asks."""
        path, size = self._config.path, self._config.max_size
        forms = (
            HttpRoute("POST", path, self._posted, size),
            HttpRoute("OPTIONS", path, self._view.preflight, size),
        )
        if not self._has_chat:
            return forms
        handlers: dict[str, tuple[_Handle, int]] = {
            "start": (lambda chat, asked, _: chat.view.start(asked), _TALK_SIZE),
            "history": (lambda chat, asked, _: chat.view.history(asked), _TALK_SIZE),
            "stream": (lambda chat, asked, _: chat.view.stream(asked, chat.streams), _TALK_SIZE),
            "seen": (lambda chat, asked, sink: chat.view.seen(asked, sink), _TALK_SIZE),
            "writes": (lambda chat, asked, _: chat.view.writes(asked), _TALK_SIZE),
            "send": (lambda chat, asked, sink: chat.view.act(ActKind.SEND, asked, sink), _TALK_SIZE),
            "contact": (lambda chat, asked, sink: chat.view.act(ActKind.CONTACT, asked, sink), _TALK_SIZE),
            "choose": (lambda chat, asked, sink: chat.view.act(ActKind.CHOOSE, asked, sink), _TALK_SIZE),
            "upload": (
                lambda chat, asked, sink: chat.view.upload(asked, sink),
                self._config.chat.file_size + _MULTIPART_SIZE,
            ),
        }
        chat = [HttpRoute("GET", f"{path}/widget.js", self._script), HttpRoute("GET", f"{path}/chat/file", self._file)]
        for name, (handle, most) in handlers.items():
            chat.append(HttpRoute("POST", f"{path}/chat/{name}", self._talking(handle), most))
            chat.append(HttpRoute("OPTIONS", f"{path}/chat/{name}", self._view.preflight, most))
        return (*forms, *chat)

    def end_streams(self) -> None:
        """Let every open window's answer come to its end; the windows come back by themselves."""
        if self._chat is not None:
            self._chat.streams.end()

    @property
    def everywhere(self) -> bool:
        """A visitor's window may be open at any node."""
        return True

    def show_writing(self, conversation: str, author: str, /) -> None:
        """Say in the visitor's open windows that somebody writes."""
        if self._chat is not None:
            self._chat.streams.show_writing(conversation, author)

    def measurements(self) -> Mapping[str, float]:
        """How many windows are open now."""
        return {"web_windows_open": float(len(self._chat.streams)) if self._chat is not None else 0.0}

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw form or act of the journal again. A form's kind is told by its look; its files: `keep_files`."""
        if external_id.startswith(talk.PREFIX):
            return talk.again(self.key, external_id, raw, received_at)
        return read(self._config, raw, "", received_at, external_id=external_id).event

    async def keep_files(self, raw: bytes) -> None:
        """Store the files of a raw form: before the replay of one that could not be read when it came."""
        arrival = read(self._config, raw, "", self._context.clock.now())
        await self._store(arrival.files)

    async def check(self) -> str:
        """Nothing to connect to; tells the address to post to, without its key, and the tag of the chat."""
        base = f"{self._context.public_url.rstrip('/')}{self._config.path}"
        if not self._config.origins:
            return Sentence("forms are posted to {url}?key=… from servers only; a chat needs origins", url=base)
        where = ", ".join(self._config.origins)
        forms = Sentence("forms are posted to {url}?key=… from {where}", url=base, where=where)
        if not self._has_chat:
            return forms
        return Joined((forms, Sentence("chat: {tag}", tag=f'<script src="{base}/widget.js" async></script>')))

    @property
    def _has_chat(self) -> bool:
        return self._config.chat.on and self._context.secret is not None and self._context.conversations is not None

    def _open_chat(self) -> _Chat | None:
        secret, conversations = self._context.secret, self._context.conversations
        if secret is None or conversations is None:
            return None
        seals = Seals(secret(_PURPOSE), self._config.name)
        context = self._context
        view = ChatView(self._config, seals, conversations, context.files, context.clock, context.writing)
        return _Chat(view, Streams(self.key, self._config.chat, conversations, self._arrived), seals)

    async def _arrived(self, visitor: str, said: Said) -> None:
        """A window got a message of the office. Where that can't be noted now, the next one says it too."""
        if self._sink is None or self._chat is None:
            return
        try:
            await self._sink.receive(self._chat.view.became(visitor, said, Delivery.DELIVERED))
        except IntakeError as error:
            log.warning("%s: it can't be noted that a visitor got a message: %s", self.key, error)

    def _talking(self, handle: _Handle) -> Callable[[HttpRequest], Awaitable[HttpResponse | HttpStream]]:
        async def talked(request: HttpRequest) -> HttpResponse | HttpStream:
            if self._sink is None or self._chat is None:
                raise IntakeUnavailable("the chat is not started")
            return await handle(self._chat, request, self._sink)

        return talked

    async def _script(self, request: HttpRequest) -> HttpResponse:
        return widget(self._config, request)

    async def _file(self, request: HttpRequest) -> HttpResponse:
        now = int(self._context.clock.now().timestamp())
        if self._chat is None:
            return not_here()
        linked = self._chat.seals.linked(request.query.get("f", ""), request.query.get("s", ""), now)
        if linked is None:
            return not_here()
        try:
            return handed_out(linked, await self._context.files.read(linked.sha256))
        except NotFound:
            return not_here()

    async def _posted(self, request: HttpRequest) -> HttpResponse:
        if self._sink is None:
            raise IntakeUnavailable("the channel is not started")
        return await self._view.post(request, self._sink)

    async def _store(self, files: Sequence[FormFile]) -> None:
        for file in files:
            await self._context.files.put_bytes(file.content)


class _Chat:
    """The parts of a chat that is open."""

    __slots__ = ("seals", "streams", "view")

    def __init__(self, view: ChatView, streams: Streams, seals: Seals) -> None:
        self.view = view
        self.streams = streams
        self.seals = seals


_Handle = Callable[[_Chat, HttpRequest, InboundSink], Awaitable[HttpResponse | HttpStream]]


def create(config: WebConfig, context: ChannelContext) -> WebChannel:
    """The connector of one website; no I/O."""
    return WebChannel(config, context)
