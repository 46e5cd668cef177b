"""The HTTP side of the chat: who may speak, what becomes of it, what a browser is told.

Everything is a POST with the visitor's token in its body: addresses stand in logs, bodies do not, and a browser sends
such a request to another origin without asking first. There are no cookies, so that nobody else's page can speak for a
visitor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from channels.web import answers, talk
from channels.web.answers import JSON, Headers
from channels.web.config import WebConfig
from channels.web.inbound import TRAP
from channels.web.limits import RateLimit, visitor
from channels.web.shapes import event, message
from channels.web.streams import Streams, TooManyStreams
from channels.web.talk import ActKind, BadTalk, Posted
from channels.web.tokens import Seals
from channels.web.uploads import RefusedFile, uploaded
from crm_core.errors import IntakeError, StorageUnavailable
from crm_core.messages import DeliveryChanged, InboundEvent, Sender
from crm_core.model.call import Direction
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.timeline import Delivery
from crm_core.ports import (
    Clock,
    Conversations,
    FileStore,
    HttpRequest,
    HttpResponse,
    HttpStream,
    InboundSink,
    Said,
    Writing,
)

_PAGE = 100
_ACTS_A_MINUTE = 20
_WRITES_A_MINUTE = 40  # the widget says so every three seconds at most
_REQUESTS_A_MINUTE = 240
_FRESH = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))
_LATER = ("Retry-After", "5")
_UNREAD = frozenset({Delivery.SENT, Delivery.DELIVERED})
_SECOND = timedelta(seconds=1)
Answer = TypeVar("Answer", bound=HttpResponse | HttpStream)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was let in: what was posted, and the headers that let the page read the answer."""

    given: Posted
    shared: Headers
    request: HttpRequest


Do = Callable[[Asked], Awaitable[Answer]]


class Stranger(BadTalk):
    """The token is none of this site's."""


class ChatView:
    """What a visitor's browser may ask of the chat."""

    def __init__(
        self,
        config: WebConfig,
        seals: Seals,
        conversations: Conversations,
        files: FileStore,
        clock: Clock,
        writing: Writing | None = None,
    ) -> None:
        self._config = config
        self._key = config.channel_key
        self._seals = seals
        self._conversations = conversations
        self._files = files
        self._clock = clock
        self._of_address = RateLimit(max(_REQUESTS_A_MINUTE, config.per_minute), clock)
        self._acts_of_address = RateLimit(config.per_minute, clock)
        self._of_visitor = RateLimit(_ACTS_A_MINUTE, clock)
        self._writes_of_visitor = RateLimit(_WRITES_A_MINUTE, clock)
        self._writing = writing

    async def preflight(self, request: HttpRequest) -> HttpResponse:
        """204 for an allowed origin, else 403; the widget itself never asks."""
        return answers.preflight(self._config, request)

    async def start(self, request: HttpRequest) -> HttpResponse:
        """The visitor's token, the one they have or a new one, and whether somebody is there (`open`, else `opens`)."""
        return await self._asked(request, self._start)

    async def act(self, kind: ActKind, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """What the visitor does; 200 after its commit, also for a repeat with the same id."""

        async def do(asked: Asked) -> HttpResponse:
            given = asked.given
            done = talk.act(kind, self._known(given), given)
            if kind is ActKind.CONTACT and given.line(TRAP):
                return answers.ok(asked.shared)  # a robot, which need not know that it was found out
            if (limited := self._limited(asked, done.visitor)) is not None:
                return limited
            await sink.receive_many(talk.facts(self._key, done, self._clock.now()))
            return answers.ok(asked.shared)

        return await self._asked(request, do)

    async def upload(self, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """A file, multipart/form-data with `token`, `id` and one file; 413 and 415 say why it is not taken."""

        async def do(asked: Asked) -> HttpResponse:
            content_type = request.headers.get("content-type", "")
            given, file = uploaded(request.body, content_type, self._config.chat.file_size)
            who = self._known(given)
            if (limited := self._limited(asked, who)) is not None:
                return limited
            stored = await self._files.put_bytes(file.content)
            kept = (stored.sha256, stored.size, file.name, file.content_type)
            done = talk.act(ActKind.FILE, who, given, kept)
            await sink.receive_many(talk.facts(self._key, done, self._clock.now()))
            return answers.ok(asked.shared)

        return await self._asked(request, do, reads_json=False)

    async def seen(self, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """The visitor has seen the office's messages up to the one numbered `seq`."""

        async def do(asked: Asked) -> HttpResponse:
            who, seq = self._known(asked.given), asked.given.number("seq")
            found = await self._conversations.said(self._key, who, max(seq - 1, 0), 1)
            if (
                found
                and found[0].direction is Direction.OUT
                and found[0].delivery in {Delivery.SENT, Delivery.DELIVERED}
            ):
                await sink.receive(self.became(who, found[0], Delivery.READ))
            return answers.ok(asked.shared)

        return await self._asked(request, do)

    async def writes(self, request: HttpRequest) -> HttpResponse:
        """The visitor is writing at this moment: nothing of it is kept."""

        async def do(asked: Asked) -> HttpResponse:
            who = self._known(asked.given)
            if wait_s := self._writes_of_visitor.wait_s(who):
                return _too_much(wait_s, asked.shared)
            if self._writing is not None:
                self._writing.client_writes(self._key, who, Identity(IdentityKind.WEB, who))
            return answers.ok(asked.shared)

        return await self._asked(request, do)

    async def history(self, request: HttpRequest) -> HttpResponse:
        """`{messages, more}` behind `after`: for browsers behind a proxy that holds streams back."""
        return await self._asked(request, self._history)

    async def stream(self, request: HttpRequest, streams: Streams) -> HttpResponse | HttpStream:
        """Server-sent events: `said`, a list of messages, first those behind `after`, then those that come."""

        async def do(asked: Asked) -> HttpResponse | HttpStream:
            who, after = self._known(asked.given), asked.given.number("after")
            try:
                content = streams.open(who, visitor(request), after, self._event)
            except TooManyStreams:
                words = "Too many windows are open."
                return answers.refusal(503, words, (*asked.shared, ("Retry-After", "30")))
            return HttpStream(content, headers=(*asked.shared, *_FRESH))

        return await self._asked(request, do)

    def became(self, who: str, said: Said, state: Delivery) -> InboundEvent:
        """The fact that a message of the office, and those before it, arrived or were seen."""
        return InboundEvent(
            key=self._key,
            external_id=f"{talk.PREFIX}{who}:{state.value}:{said.ref}",
            conversation=who,
            occurred_at=self._clock.now(),
            sender=Sender((Identity(IdentityKind.WEB, who),)),
            payload=DeliveryChanged(state, (said.ref,), upto=True),
            raw=answers.body(kind=state.value, visitor=who, ref=said.ref),
            correlation_id=f"{self._key}:{who[:8]}:{said.ref}",
        )

    async def _start(self, asked: Asked) -> HttpResponse:
        token = asked.given.texts.get("token", "")
        known = self._seals.visitor(token) is not None
        now, hours = self._clock.now(), self._config.chat.hours
        answer: dict[str, object] = {"token": token if known else self._seals.new_visitor(), "known": known}
        answer["open"] = hours.is_open(now)
        if not answer["open"]:
            # The moment after which a second of working time has passed is the next opening.
            answer["opens"] = int((hours.add(now, _SECOND) - _SECOND).timestamp() * 1000)
        return HttpResponse(200, answers.body(**answer), JSON, (*asked.shared, *_FRESH))

    async def _history(self, asked: Asked) -> HttpResponse:
        found = await self._conversations.said(self._key, self._known(asked.given), asked.given.number("after"), _PAGE)
        now = int(self._clock.now().timestamp())
        body = answers.body(messages=[message(each, self._seals, now) for each in found], more=len(found) == _PAGE)
        return HttpResponse(200, body, JSON, (*asked.shared, *_FRESH))

    def _event(self, found: Sequence[Said]) -> bytes:
        return event(found, self._seals, int(self._clock.now().timestamp()))

    async def _asked(self, request: HttpRequest, do: Do[Answer], *, reads_json: bool = True) -> Answer | HttpResponse:
        """Let in whoever may ask: what `do` answers, 403 for another origin, 401 for a wrong token, 422 for nonsense,
        429 for too much, 503 where the record is away."""
        origin = request.headers.get("origin", "")
        if not origin or not self._config.allows(origin):
            return answers.foreign()
        shared = answers.cors(origin)
        address = visitor(request)
        if address is not None and (wait_s := self._of_address.wait_s(address)):
            return _too_much(wait_s, shared)
        try:
            return await do(Asked(talk.posted(request.body) if reads_json else Posted(), shared, request))
        except Stranger as error:
            return answers.refusal(401, str(error), shared)
        except RefusedFile as error:
            return answers.refusal(error.status, str(error), shared)
        except BadTalk as error:
            return answers.refusal(422, str(error), shared)
        except (IntakeError, StorageUnavailable) as error:
            # Said here and not by the face, for a page may read only answers that name its origin.
            return answers.refusal(503, str(error), (*shared, _LATER))

    def _known(self, given: Posted) -> str:
        who = self._seals.visitor(given.texts.get("token", ""))
        if who is None:
            raise Stranger
        return who

    def _limited(self, asked: Asked, who: str) -> HttpResponse | None:
        address = visitor(asked.request)
        wait_s = self._acts_of_address.wait_s(address) if address is not None else 0
        wait_s = wait_s or self._of_visitor.wait_s(who)
        return _too_much(wait_s, asked.shared) if wait_s else None


def _too_much(wait_s: int, shared: Headers) -> HttpResponse:
    return answers.refusal(429, "Too many messages at once.", (*shared, ("Retry-After", str(wait_s))))
