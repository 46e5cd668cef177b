"""What an ID token says, once everything about it is checked: who signed it, for whom, for which login, until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from hub.access.oidc.errors import ProviderRefused
from hub.access.security import same_text

_LEEWAY_S = 60
_LONGEST_SUBJECT = 255
_KINDS = frozenset({"RSA", "EC", "OKP"})  # public ones; a shared secret has no business in a public set


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for. `email` only where it says that the address is theirs."""

    issuer: str
    subject: str
    email: str | None = None

    @property
    def account(self) -> str:
        """What is kept of the account: subjects are unique within their issuer only."""
        return f"{self.issuer} {self.subject}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to be about. `now` aware."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: frozenset[str]
    now: datetime


def keys_of(told: Mapping[str, Any]) -> tuple[Key, ...]:
    """The keys of a JWK set that tokens can be signed with; others are left out. Raises ProviderRefused."""
    listed = told.get("keys")
    if not isinstance(listed, list):
        raise ProviderRefused("the provider's keys are no JWK set")
    found: list[Key] = []
    for each in listed:
        if not isinstance(each, dict) or each.get("kty") not in _KINDS or each.get("use", "sig") != "sig":
            continue
        try:
            key = import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # a key that can't be read here signs nothing for us
        found.append(key)
    return tuple(found)


def key_for(token: str, keys: Sequence[Key]) -> Key | None:
    """The key that a token names; without a name the only one there is. Raises ProviderRefused for what is no token."""
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError) as err:
        raise ProviderRefused(f"the ID token can't be read: {err}") from err
    kid = header.get("kid")
    if kid is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.kid == kid), None)


def vouched(token: str, key: Key, access_token: str, expected: Expected) -> Vouched:
    """Whom a token is about; raises ProviderRefused saying what is wrong with it."""
    from authlib.oidc.core import CodeIDToken  # here, for few offices have a provider, and it is heavy

    try:
        found = jwt.decode(token, key, algorithms=sorted(expected.algorithms))
        claims = CodeIDToken(
            found.claims,
            found.header,
            {
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
            },
            {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": access_token},
        )
        claims.validate(now=int(expected.now.timestamp()), leeway=_LEEWAY_S)
    except (JoseError, ValueError, TypeError) as err:
        raise ProviderRefused(f"the ID token is not accepted: {err}") from err
    told: Mapping[str, Any] = found.claims
    nonce, subject, email = told.get("nonce"), told.get("sub"), told.get("email")
    if not isinstance(nonce, str) or not same_text(nonce, expected.nonce):
        raise ProviderRefused("the ID token is of another login")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise ProviderRefused("the ID token names nobody")
    sure = told.get("email_verified") is True and isinstance(email, str)
    return Vouched(expected.issuer, subject, email if sure else None)
