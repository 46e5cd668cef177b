"""A strict OpenID provider over real sockets: it refuses what a real one refuses, and lies where a test asks it to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from crm_core.ports import Clock

CLIENT_ID = "hub office"
CLIENT_SECRET = "it's a+secret/of:the office"


@dataclass
class Grant:
    """A code that was given out."""

    redirect_uri: str
    challenge: str
    nonce: str


@dataclass
class Provider:
    """Whoever comes is `person` at once; `lies` overrides claims, None takes one away."""

    clock: Clock
    redirect_uri: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "1001", "email": "ivan@example.org", "email_verified": True}
    )
    lies: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signing: RSAKey | None = None
    named: bool = True
    denies: bool = False
    status: int = 200
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, Grant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        app = web.Application(middlewares=[self._counted])
        app.router.add_get("/realm/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/realm/authorize", self._authorize)
        app.router.add_post("/realm/token", self._token)
        app.router.add_get("/realm/keys", self._keys)
        self._server = TestServer(app, host="127.0.0.1")

    async def start(self) -> None:
        """Serve."""
        await self._server.start_server()

    async def stop(self) -> None:
        """End."""
        await self._server.close()

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return f"http://127.0.0.1:{self._server.port}/realm"

    def renew_key(self) -> None:
        """Sign with another key from now on; the old one is gone."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    @web.middleware
    async def _counted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path.rpartition("/")[2])
        if self.status != 200:
            return web.Response(status=self.status, text="<h1>maintenance</h1>")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _configuration(self, _request: web.Request) -> web.Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }
        return web.json_response(told | self.about)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("client_id") != CLIENT_ID or query.get("redirect_uri") != self.redirect_uri:
            return web.Response(status=400, text="an unknown client, or an address that is not registered")
        wrong = [
            name
            for name, right in (
                ("response_type", query.get("response_type") == "code"),
                ("scope", "openid" in query.get("scope", "").split()),
                ("state", len(query.get("state", "")) >= 16),
                ("nonce", len(query.get("nonce", "")) >= 16),
                ("code_challenge", len(query.get("code_challenge", "")) == 43),
                ("code_challenge_method", query.get("code_challenge_method") == "S256"),
            )
            if not right
        ]
        if wrong or self.denies:
            error = {"error": "access_denied" if self.denies else "invalid_request", "error_description": str(wrong)}
            return self._back(error | {"state": query.get("state", "")})
        code = secrets.token_urlsafe(16)
        self._codes[code] = Grant(query["redirect_uri"], query["code_challenge"], query["nonce"])
        return self._back({"code": code, "state": query["state"]})

    def _back(self, fields: Mapping[str, str]) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{self.redirect_uri}?{urlencode(fields)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        grant = self._codes.pop(str(form.get("code", "")), None)
        verifier = str(form.get("code_verifier", ""))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if (
            form.get("grant_type") != "authorization_code"
            or grant is None
            or form.get("redirect_uri") != grant.redirect_uri
            or not 43 <= len(verifier) <= 128
            or challenge != grant.challenge
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access_token = secrets.token_urlsafe(16)
        return web.json_response(
            {"access_token": access_token, "token_type": "Bearer", "id_token": self._signed(grant.nonce, access_token)}
        )

    def _is_client(self, request: web.Request, form: Mapping[str, Any]) -> bool:
        methods = self.about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        header = request.headers.get("Authorization", "")
        if methods == ["client_secret_post"]:
            return not header and (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if not header.startswith("Basic ") or "client_secret" in form:
            return False
        given, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return (unquote(given), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)

    def _signed(self, nonce: str, access_token: str) -> str:
        now = int(self.clock.now().timestamp())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.person,
            **self.lies,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, **({"kid": self.key.kid} if self.named else {})}
        if self.algorithm == "none":
            parts = [json.dumps(part).encode() for part in (header, claims)]
            return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
        if self.algorithm == "HS256":
            return _with_public_key_as_secret(header, claims, self.key)
        return jwt.encode(header, claims, self.signing or self.key)

    async def _keys(self, _request: web.Request) -> web.Response:
        told: dict[str, Any] = dict(KeySet([self.key]).as_dict(private=False))
        strange = [{"kty": "strange", "kid": "x"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}]
        return web.json_response({"keys": [*strange, *told["keys"]]})


def _with_public_key_as_secret(header: Mapping[str, Any], claims: Mapping[str, Any], key: RSAKey) -> str:
    """The old trick: signed with what everybody can read, as if it were a shared secret."""
    import hmac

    signed = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    )
    digest = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
