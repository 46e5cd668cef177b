"""The calls of VK's API that the connector makes, over plain HTTP; every failure is a delivery error of the port."""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, FormData

from channels.vk.config import API_VERSION, VkConfig
from channels.vk.errors import PAUSE_S, TOO_MANY, refusal
from channels.vk.fields import Fields, ShapeError, clean
from channels.vk.pacing import Pacer
from crm_core.errors import ChannelStopped, DeliveryError, PermanentDeliveryError, TransientDeliveryError

CALL_S = 20.0
CONNECT_S = 10.0
UPLOAD_S = 90.0
GRACE_S = 10.0
MAX_ANSWER = 8 * 1024 * 1024
_RETRIES_OF_TOO_MANY = 1


class VkApi:
    """One community's calls. Constructing does no I/O; the first call opens the connection.

    `counts` are how many calls were made, and how many were refused as too many.
    """

    def __init__(self, config: VkConfig, pacer: Pacer) -> None:
        self._config = config
        self._pacer = pacer
        self._session: ClientSession | None = None
        self._stopped = False
        self.counts: Counter[str] = Counter()

    def begin(self) -> None:
        """Calls are made again after `stop`."""
        self._stopped = False

    def insist(self) -> None:
        """Raise ChannelStopped after `stop`."""
        if self._stopped:
            raise ChannelStopped

    async def stop(self) -> None:
        """Close the connections; until `begin` every call raises ChannelStopped. Idempotent."""
        self._stopped = True
        await self.close()

    async def close(self) -> None:
        """Close the connections. Idempotent; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def session(self) -> ClientSession:
        """The connections; cookies of one call are no business of the next. Raises ChannelStopped after `stop`."""
        self.insist()
        if self._session is None or self._session.closed:
            self._session = ClientSession(cookie_jar=DummyCookieJar())
        return self._session

    async def call(self, method: str, **parameters: object) -> Any:
        """The `response` of a call; parameters that are None are left out. Raises the delivery errors of the port.

        The first «too many requests» is waited out here; that is what the pause of a second is for.
        """
        for tries_left in range(_RETRIES_OF_TOO_MANY, -1, -1):
            await self._pacer.admit()
            try:
                return await self._called(method, parameters)
            except _TooManyError as error:
                self.counts["calls_too_many"] += 1
                self._pacer.quiet(PAUSE_S)
                if not tries_left:
                    raise error.told from error
        raise AssertionError("unreachable")

    async def _called(self, method: str, parameters: Mapping[str, object]) -> Any:
        self.counts["calls"] += 1
        form = {name: str(value) for name, value in parameters.items() if value is not None}
        # In the body, never in the address, which lands in logs.
        form |= {"access_token": self._config.token, "v": API_VERSION}
        url = f"{self._config.api_base.rstrip('/')}/{method}"
        answer = await self._json("POST", url, total_s=CALL_S, what="VK", data=form)
        try:
            fields = Fields.of(answer, "answer")
            if fields.has("error"):
                error = fields.child("error")
                code = error.number("error_code")
                told = refusal(code, error.text("error_msg"))
                if code == TOO_MANY:
                    raise _TooManyError(told)
                raise told
        except ShapeError as error:
            raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error
        if "response" not in fields.values:
            raise TransientDeliveryError("VK's answer holds no response")
        return fields.values["response"]

    async def poll(self, server: str, key: str, ts: str, wait_s: int) -> object:
        """One long poll, as JSON."""
        url = server if server.startswith(("http://", "https://")) else f"https://{server}"
        query = {"act": "a_check", "key": key, "ts": ts, "wait": str(wait_s)}
        return await self._json("GET", url, total_s=wait_s + GRACE_S, what="VK's long poll", params=query)

    async def upload(self, url: str, field: str, name: str, content: bytes, content_type: str) -> Fields:
        """Post a file to an address that VK named; raises PermanentDeliveryError where VK does not want it."""
        form = FormData()
        form.add_field(field, io.BytesIO(content), filename=name, content_type=content_type)
        answer = await self._json("POST", url, total_s=UPLOAD_S, what="VK's upload", data=form)
        try:
            fields = Fields.of(answer, "upload")
            refused = fields.values.get("error")
        except ShapeError as error:
            raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error
        if refused:
            raise PermanentDeliveryError(
                "VK does not take «{file}»: {words}", file=name, words=clean(str(refused))[:200]
            )
        return fields

    async def _json(self, verb: str, url: str, *, total_s: float, what: str, **body: Any) -> object:
        limits = ClientTimeout(total=total_s, connect=CONNECT_S)
        try:
            async with self.session().request(verb, url, timeout=limits, allow_redirects=False, **body) as answer:
                content = await answer.content.read(MAX_ANSWER + 1)
                while len(content) <= MAX_ANSWER and not answer.content.at_eof():
                    content += await answer.content.read(MAX_ANSWER + 1)
                status = answer.status
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            raise TransientDeliveryError("{who} did not answer in time", who=what) from error
        except (ClientError, OSError, ValueError) as error:
            # Only the name: some of these errors quote the address, and keys stand in some.
            raise TransientDeliveryError("{who} can't be reached: {why}", who=what, why=type(error).__name__) from error
        if status != 200:
            raise TransientDeliveryError("{who} can't do it now: HTTP {status}", who=what, status=status)
        if len(content) > MAX_ANSWER:
            raise TransientDeliveryError("{who} answered more than anybody reads", who=what)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise TransientDeliveryError("{who} answered what is no JSON", who=what) from error


class _TooManyError(Exception):
    """VK's error 6, with the delivery error it becomes if it stays."""

    def __init__(self, told: DeliveryError) -> None:
        super().__init__(str(told))
        self.told = told
