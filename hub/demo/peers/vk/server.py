"""The server itself: HTTP in front of the communities."""

from __future__ import annotations

import json
import secrets
from typing import Any

from aiohttp import web

from crm_core.ports import Clock
from hub.demo.peers.bot_api.wire import WallClock
from hub.demo.peers.faults import When
from hub.demo.peers.serving import PeerServer
from hub.demo.peers.vk.community import API_VERSION, Call, CommunityState, Sent
from hub.demo.peers.vk.errors import VkError, missing, too_many, unauthorized
from hub.demo.peers.vk.methods import METHODS, Method
from hub.demo.peers.vk.people import Person, echo
from hub.demo.peers.vk.stream import Hook


class Community(CommunityState):
    """A community as tests and the demo hold it: its state, and the people it meets."""

    def user(self, user_id: int, first_name: str, last_name: str = "") -> Person:
        """Somebody who has not written yet: the community may not write to them."""
        return Person(self, user_id, first_name, last_name)

    def hook(self, url: str, secret: str, confirmation: str) -> None:
        """Post events to `url` from now on."""
        self.callback.begin(Hook(url, secret, confirmation, "ok"))

    async def write(self, admin: int, peer_id: int, text: str) -> dict[str, Any]:
        """Somebody writes in the community's inbox; returns the event."""
        dialogue = self.dialogue(peer_id)
        number, cmid = self.new_message(dialogue)
        sent = Sent(peer_id, number, cmid, secrets.randbelow(2**31 - 1) + 1, text, "", None)
        dialogue.messages[cmid] = echo(self, sent, admin)
        return await self.tell("message_reply", dialogue.messages[cmid])

    async def comment(self, post_id: int, text: str, answers: int, to_user: int) -> dict[str, Any]:
        """Somebody answers a comment under the community's name; returns the event."""
        content = {
            "id": self.new_object(),
            "from_id": -self.group_id,
            "date": self.now(),
            "text": text,
            "post_owner_id": -self.group_id,
            "owner_id": -self.group_id,
            "post_id": post_id,
            "parents_stack": [],
            "reply_to_comment": answers,
            "reply_to_user": to_user,
        }
        return await self.tell("wall_reply_new", content)

    def put_file(self, content: bytes, name: str = "file") -> str:
        """The path of a file that is given out."""
        path = f"{secrets.token_hex(8)}/{name}"
        self.files[path] = content
        return f"/file/{self.group_id}/{path}"


class VkServer(PeerServer):
    """A strict VK server on a real socket of the loopback interface.

    `per_second` calls are let through with one token; None: as many as come.
    """

    upload_limit = 210 * 1024 * 1024

    def __init__(self, *, clock: Clock | None = None, per_second: int | None = None, port: int = 0) -> None:
        super().__init__(port)
        self._clock = clock or WallClock()
        self._per_second = per_second
        self._communities: dict[int, Community] = {}

    def community(self, group_id: int, token: str, name: str = "Окна") -> Community:
        """The community of a number, new or known."""
        if group_id not in self._communities:
            self._communities[group_id] = Community(group_id, token, name, self._clock, self._per_second)
        return self._communities[group_id]

    @property
    def url(self) -> str:
        """The base for `api_base`."""
        return f"{self.base}/method"

    # ------------------------------------------------------------ HTTP

    def _mount(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/method/{method}", self._call)
        router.add_get("/longpoll/{group}", self._poll)
        router.add_post("/upload/{group}/{kind}", self._upload)
        router.add_get("/file/{group}/{path:.+}", self._file)

    async def _let_go(self) -> None:
        for community in self._communities.values():
            await community.callback.end()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        posted = await request.post() if request.method == "POST" else {}
        given = {**request.query, **{key: value for key, value in posted.items() if isinstance(value, str)}}
        try:
            community = self._authorized(given)
        except VkError as error:
            return _json(error.encoded())
        token = given.pop("access_token")
        fault = community.faults.take(name)
        community.calls.append(Call(name, {key: value for key, value in given.items() if value != token}))
        if fault is not None and fault.when is When.BEFORE:
            return await self._strike(request, fault)
        response = await self._run(community, name, given)
        return response if fault is None else await self._strike(request, fault)

    def _authorized(self, given: dict[str, str]) -> Community:
        token = given.get("access_token", "")
        for community in self._communities.values():
            if community.token == token and not community.revoked:
                return community
        raise unauthorized("invalid access_token (4)" if token else "no access_token passed")

    async def _run(self, community: Community, name: str, given: dict[str, str]) -> web.Response:
        try:
            answer = await _known(community, name, given)(community, given, self.base)
        except VkError as error:
            return _json(error.encoded())
        return _json(json.dumps({"response": answer}).encode())

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        community = self._named(request)
        fault = community.faults.take("poll")
        if fault is not None:
            return await self._strike(request, fault)
        try:
            answer = await community.longpoll.answer(dict(request.query), self._stopping)
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return _json(json.dumps(answer).encode())

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        community, kind = self._named(request), request.match_info["kind"]
        fault = community.faults.take("upload")
        if fault is not None:
            return await self._strike(request, fault)
        part = (await request.post()).get("photo" if kind == "photo" else "file")
        if not isinstance(part, web.FileField):
            return _json(b'{"error": "no file"}')
        content = part.file.read()
        if part.filename.endswith(".exe"):
            return _json(b'{"error": "unknown_error", "error_descr": "file type is forbidden"}')
        ticket = secrets.token_hex(8)
        community.uploads[ticket] = (kind, part.filename, content)
        if kind != "photo":
            return _json(json.dumps({"file": ticket}).encode())
        is_picture = content.startswith((b"\xff\xd8", b"\x89PNG"))
        return _json(json.dumps({"server": 7, "photo": ticket if is_picture else "[]", "hash": "h"}).encode())

    async def _file(self, request: web.Request) -> web.StreamResponse:
        community = self._named(request)
        fault = community.faults.take("file")
        if fault is not None:
            return await self._strike(request, fault)
        content = community.files.get(request.match_info["path"])
        if content is None:
            return web.Response(status=404)
        return web.Response(body=content, content_type="application/octet-stream")

    def _named(self, request: web.Request) -> Community:
        group = request.match_info["group"]
        community = self._communities.get(int(group)) if group.isdecimal() else None
        if community is None:
            raise missing_community()
        return community


def _known(community: Community, name: str, given: dict[str, str]) -> Method:
    """The method of a call that is let through; raises VkError."""
    if not community.admitted():
        raise too_many()
    if given.pop("v", "") != API_VERSION:
        raise VkError(8, "Invalid request: v (version) is required")
    if name not in METHODS:
        raise VkError(3, "Unknown method passed")
    return METHODS[name]


def missing_community() -> web.HTTPNotFound:
    """There is nothing of this kind here."""
    return web.HTTPNotFound(text=missing("group").words)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", charset="utf-8")
