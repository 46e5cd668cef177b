"""One's own API tokens. A token makes none that opens more, or for longer, than it does itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field, ValidationError

from crm_core.errors import InvalidInput
from crm_core.model.scopes import EVERYTHING, Scopes
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.tokens import Token, add_token, list_tokens, revoke_token
from crm_core.wording import Sentence
from hub.access.areas import AREAS
from hub.access.noting import Noted, note
from hub.access.remote import remote_of
from hub.access.security import new_token, token_digest
from hub.http.acting import json_response, to_json
from hub.http.bodies import MAX_JSON, parse_json, read_body
from hub.http.operations import Call, Operation, own, read
from hub.http.problems import Problem, of_validation
from hub.http.rights import Right
from hub.http.types import Given, Moment, Named, NoBody, NoQuery, Short, Taken

_TAG = "tokens"


class TokenBody(Taken):
    """A token to be made. `scopes`: `read`, `write`, or one of them within an area (a tag of this description), like
    `calls:read`; null: all that the person, or the token that asks, may."""

    name: Short = ""
    scopes: Annotated[list[Named], Field(max_length=100)] | None = None
    expires_at: Moment | None = None


class KeptToken(Given):
    """A token without the token itself; `last_used_at` to the hour."""

    id: int
    name: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class FreshToken(Given):
    """A token, told this once."""

    id: int
    token: str
    scopes: list[str] | None
    expires_at: datetime | None


class KeptTokens(Given):
    """All of them, the newest first."""

    items: list[KeptToken]


def _all(conn: Reading, call: Call[NoQuery, NoBody]) -> KeptTokens:
    return KeptTokens(items=[_shown(each) for each in list_tokens(conn, call.access, call.user.login)])


async def _issued(request: web.Request, call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """Not kept under an Idempotency-Key: the token would be, too."""
    content = await read_body(request, MAX_JSON)
    try:
        body = TokenBody.model_validate(parse_json(content) if content.strip() else {})
    except ValidationError as err:
        raise of_validation(err) from err
    scopes, expires_at = _bounded(body, call.token, request.config_dict[AREAS])
    token, user, remote = new_token(), call.user, remote_of(request)

    def service(desk: Desk) -> int:
        desk.acts_for(user, remote)
        token_id = add_token(
            desk, user.login, token_digest(token), name=body.name, scopes=scopes, expires_at=expires_at
        )
        opens = " ".join(scopes.plain() or ["everything"])
        note(desk, Noted.TOKEN_ISSUED, user, by=user.login, remote=remote, subject_id=token_id, detail=opens)
        return token_id

    token_id = await call.hub.store.run(service)
    fresh = FreshToken(id=token_id, token=token, scopes=scopes.plain(), expires_at=expires_at)
    return json_response(to_json(fresh), 201)


async def _revoked(request: web.Request, call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    user, remote, token_id = call.user, remote_of(request), call.number()

    def service(desk: Desk) -> None:
        desk.acts_for(user, remote)
        if revoke_token(desk, token_id, login=user.login).revoked_at is None:
            note(desk, Noted.TOKEN_REVOKED, user, by=user.login, remote=remote, subject_id=token_id)

    await call.hub.store.run(service)
    return json_response(b"", 204)


def _bounded(body: TokenBody, held: Token | None, areas: tuple[str, ...]) -> tuple[Scopes, datetime | None]:
    try:
        wanted = Scopes.parse(body.scopes, areas)
    except InvalidInput as err:
        raise Problem(422, str(err), kind="invalid") from err
    if held is None:
        return wanted, body.expires_at
    scopes = held.scopes if wanted == EVERYTHING else wanted
    if not held.scopes.cover_all(scopes):
        raise Problem(403, Sentence("a token makes none that opens more than it does itself"), kind="forbidden")
    ends = [each for each in (held.expires_at, body.expires_at) if each is not None]
    return scopes, min(ends, default=None)


def _shown(token: Token) -> KeptToken:
    return KeptToken(
        id=token.id,
        name=token.name,
        scopes=token.scopes.plain(),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )


OPERATIONS: tuple[Operation, ...] = (
    read("/tokens", _all, tag=_TAG, summary="One's own API tokens", right=Right.KEEP_TOKENS, response=KeptTokens),
    own(
        "POST",
        "/tokens",
        _issued,
        tag=_TAG,
        summary="Make an API token; it is told this once",
        right=Right.KEEP_TOKENS,
        body=TokenBody,
        response=FreshToken,
        status=201,
    ),
    own(
        "DELETE",
        "/tokens/{id}",
        _revoked,
        tag=_TAG,
        summary="Let a token open nothing more",
        right=Right.KEEP_TOKENS,
        status=204,
    ),
)
