"""Running what changes something: once a key, the answer kept in the transaction of the act."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from aiohttp import web
from pydantic import BaseModel

from crm_core.errors import CoreError
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.storage.queries import idempotency
from crm_core.storage.queries.idempotency import KeptAnswer
from crm_core.wording import Sentence
from hub.access.remote import remote_of
from hub.bootstrap import Hub
from hub.http.problems import Problem
from hub.log import get_logger

log = get_logger(__name__)

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


def key_of(request: web.Request) -> str | None:
    """The caller's key of a POST; a Problem 400 for one that is no key."""
    if request.method != "POST" or HEADER not in request.headers:
        return None
    key = request.headers[HEADER].strip()
    if not _KEY.match(key):
        text = Sentence("{header}: 1 to 255 visible ASCII characters", header=HEADER)
        raise Problem(400, text, kind="bad-request")
    return key


def digest_of(request: web.Request, content: bytes) -> str:
    """What makes two requests the same: method, address and content."""
    found = hashlib.sha256(f"{request.method} {request.path_qs}\n".encode("utf-8", "surrogateescape"))
    found.update(content)
    return found.hexdigest()


async def run_act(
    hub: Hub,
    request: web.Request,
    user: User,
    content: bytes,
    service: Callable[[Desk], BaseModel | None],
    *,
    status: int,
    decides_calls: bool = False,
) -> web.Response:
    """Run a service, or answer as its first run was answered where the caller's key is known.

    A Problem 422 where the key came with another request before. Errors are not kept: a repeat tries again.
    """
    key, digest = key_of(request), digest_of(request, content)

    def once(desk: Desk) -> tuple[KeptAnswer, bool]:
        kept = idempotency.find(desk, user.login, key) if key is not None else None
        if kept is not None:
            return _same(kept, digest), True
        desk.acts_for(user, remote_of(request))
        model = service(desk)
        answer = KeptAnswer(digest, status, to_json(model) if model is not None else b"")
        if key is not None:
            idempotency.keep(desk, user.login, key, answer)
        return answer, False

    try:
        (answer, repeated), position = await hub.store.run_at(once)
    except CoreError:
        # What stands in the way may be the very act, done by the same request a moment ago.
        if (replayed := await kept_answer(hub, request, user, content)) is not None:
            return replayed
        raise
    if decides_calls and position is not None and not await hub.directory.caught_up(position):
        log.warning("calls are not yet decided by a change that was made", path=request.path)
    response = json_response(answer.response, answer.status)
    if repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


async def kept_answer(hub: Hub, request: web.Request, user: User, content: bytes) -> web.Response | None:
    """The answer kept under the caller's key, for acts that run in transactions of their own."""
    key, digest = key_of(request), digest_of(request, content)
    if key is None:
        return None
    kept = await hub.store.run(lambda desk: idempotency.find(desk, user.login, key))
    if kept is None:
        return None
    response = json_response(_same(kept, digest).response, kept.status)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def to_json(model: BaseModel) -> bytes:
    """A model on the wire."""
    return model.model_dump_json(by_alias=True).encode()


def json_response(body: bytes, status: int) -> web.Response:
    """JSON that no cache keeps; 204 has no body."""
    headers = {"Cache-Control": "no-store"}
    if status == 204:
        return web.Response(status=204, headers=headers)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _same(kept: KeptAnswer, digest: str) -> KeptAnswer:
    if kept.request_digest != digest:
        text = Sentence("this {header} came with another request before", header=HEADER)
        raise Problem(422, text, kind="idempotency-key-reused")
    return kept
