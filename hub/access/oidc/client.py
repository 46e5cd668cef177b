"""Asking a provider: what it says of itself and its keys (kept for an hour), and the tokens for a code."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from joserfc.jwk import Key

from crm_core.ports import Clock
from hub.access.oidc.errors import ProviderRefused, ProviderUnreachable
from hub.access.oidc.id_token import Expected, Vouched, key_for, keys_of, vouched
from hub.access.oidc.metadata import Metadata
from hub.log import get_logger
from hub.settings.model import OidcSettings

log = get_logger(__name__)

BACK = "/login/oidc/back"
"""Where on the hub a login ends."""

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=4)
_KEPT_S = 3600.0
# A token with a key that is not known may come after the provider took a new one; so often it is asked for them.
_KEYS_AGAIN_S = 60.0
_MOST_BYTES = 512 * 1024
_SCOPE = "openid email"
_NO_CODE = "hub-check"
_UNKNOWN_CODE = "invalid_grant"


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that was begun: where the browser goes, and what has to come back with it."""

    address: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class OpenIdConnect:
    """One provider. Raises ProviderUnreachable and ProviderRefused."""

    def __init__(self, settings: OidcSettings, redirect_uri: str, clock: Clock) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, tuple[Key, ...]] | None = None

    async def begin(self) -> Begun:
        """Begin a login."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # here, for few offices have a provider
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        async with self._session() as session:
            metadata = await self._about(session)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address: str = prepare_grant_uri(
            metadata.authorization,
            self._settings.client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=_SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Begun(address, state, nonce, verifier)

    async def finish(self, code: str, *, nonce: str, verifier: str, issuer: str | None = None) -> Vouched:
        """Whom the provider vouches for, by the code that the browser brought; `issuer` as the answer named it."""
        async with self._session() as session:
            metadata = await self._about(session)
            if issuer is not None or metadata.names_itself:
                self._check_issuer(issuer)
            told = await self._exchanged(session, metadata, code, verifier)
            token, access_token = told.get("id_token"), told.get("access_token")
            if not isinstance(token, str) or not token.isascii() or not isinstance(access_token, str):
                raise ProviderRefused("the provider gave no ID token")
            key = await self._key(session, metadata, token)
        settings = self._settings
        expected = Expected(settings.issuer, settings.client_id, nonce, metadata.algorithms, self._clock.now())
        return vouched(token, key, access_token, expected)

    def _check_issuer(self, issuer: str | None) -> None:
        if issuer != self._settings.issuer:
            raise ProviderRefused("the answer is of another provider")

    # ------------------------------------------------------------ trying it out

    async def prove_issuer(self) -> None:
        """What it says of itself and its keys can be read."""
        async with self._session() as session:
            metadata = await self._about(session)
            if not keys_of(await self._asked(session, "GET", metadata.jwks)):
                raise ProviderRefused("the provider has no key that a token could be checked with")

    async def prove_client(self) -> None:
        """It knows the client and its secret: a code that it never gave is all that it finds fault with."""
        async with self._session() as session:
            metadata = await self._about(session)
            try:
                await self._exchanged(session, metadata, _NO_CODE, secrets.token_urlsafe(32))
            except ProviderRefused as err:
                if err.code != _UNKNOWN_CODE:
                    raise

    async def prove_redirect(self) -> None:
        """It begins a login of this client that ends at the hub's address."""
        begun = await self.begin()
        try:
            async with self._session() as session, session.get(begun.address, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise ProviderUnreachable(str(err) or type(err).__name__) from err
        if status >= 500:
            raise ProviderUnreachable("it answers {status}", status=status)
        if status >= 400:
            raise ProviderRefused("it refuses the client or its redirect address ({status})", status=status)

    # ------------------------------------------------------------ asking

    async def _about(self, session: aiohttp.ClientSession) -> Metadata:
        if self._metadata is not None and self._clock.monotonic() - self._metadata[0] < _KEPT_S:
            return self._metadata[1]
        address = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = Metadata.parse(await self._asked(session, "GET", address), self._settings.issuer)
        self._metadata = (self._clock.monotonic(), found)
        return found

    async def _key(self, session: aiohttp.ClientSession, metadata: Metadata, token: str) -> Key:
        now = self._clock.monotonic()
        if self._keys is not None and now - self._keys[0] < _KEPT_S:
            known = key_for(token, self._keys[1])
            if known is not None:
                return known
            if now - self._keys[0] < _KEYS_AGAIN_S:
                raise ProviderRefused("the ID token is signed with a key that the provider does not have")
        keys = keys_of(await self._asked(session, "GET", metadata.jwks))
        self._keys = (now, keys)
        found = key_for(token, keys)
        if found is None:
            raise ProviderRefused("the ID token is signed with a key that the provider does not have")
        return found

    async def _exchanged(
        self, session: aiohttp.ClientSession, metadata: Metadata, code: str, verifier: str
    ) -> Mapping[str, Any]:
        client_id, secret = self._settings.client_id, self._settings.client_secret.reveal()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        if metadata.basic:
            auth = aiohttp.encode_basic_auth(quote(client_id, safe=""), quote(secret, safe=""))
            return await self._asked(session, "POST", metadata.token, fields, auth)
        fields |= {"client_id": client_id, "client_secret": secret}
        return await self._asked(session, "POST", metadata.token, fields)

    async def _asked(
        self,
        session: aiohttp.ClientSession,
        method: str,
        address: str,
        fields: Mapping[str, str] | None = None,
        authorization: str = "",
    ) -> Mapping[str, Any]:
        """The JSON object at an address; no redirect is followed."""
        headers = {"Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        try:
            async with session.request(method, address, data=fields, headers=headers, allow_redirects=False) as answer:
                content = b""
                while piece := await answer.content.read(_MOST_BYTES):
                    content += piece
                    if len(content) > _MOST_BYTES:
                        raise ProviderRefused(f"{address}: the answer is too large")
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise ProviderUnreachable(f"{address}: {str(err) or type(err).__name__}") from err
        if status >= 500:
            raise ProviderUnreachable(f"{address}: it answers {status}")
        try:
            told = json.loads(content)
        except ValueError as err:
            raise ProviderRefused(f"{address}: the answer is no JSON ({status})") from err
        if status != 200 or not isinstance(told, dict):
            why = told.get("error") if isinstance(told, dict) else None
            refused = ProviderRefused(f"{address}: it refuses ({status}{f', {why}' if isinstance(why, str) else ''})")
            refused.code = why if isinstance(why, str) else ""
            raise refused
        return told

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=_TIMEOUT)
