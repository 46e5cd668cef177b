"""What a provider says of itself (OpenID Connect Discovery), checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from hub.access.oidc.errors import ProviderRefused

# No algorithm with a shared secret and never «none»: only what the provider alone can sign with.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where the provider is asked for what, and how. `basic`: it takes the client's secret in the header."""

    authorization: str
    token: str
    jwks: str
    algorithms: frozenset[str]
    basic: bool = True
    names_itself: bool = False

    @classmethod
    def parse(cls, told: Mapping[str, object], issuer: str) -> Metadata:
        """Raises ProviderRefused where it is somebody else's, lacks something or is not encrypted."""
        if told.get("issuer") != issuer:
            raise ProviderRefused(f"the provider calls itself {told.get('issuer')!r}, not {issuer!r} as configured")
        tls = urlsplit(issuer).scheme == "https"
        signing = _texts(told, "id_token_signing_alg_values_supported") or frozenset({"RS256"})
        if not signing & ALGORITHMS:
            raise ProviderRefused("the provider signs in no way that is accepted: " + ", ".join(sorted(signing)))
        methods = _texts(told, "token_endpoint_auth_methods_supported")
        return cls(
            authorization=_address(told, "authorization_endpoint", tls=tls),
            token=_address(told, "token_endpoint", tls=tls),
            jwks=_address(told, "jwks_uri", tls=tls),
            algorithms=signing & ALGORITHMS,
            basic=not methods or "client_secret_basic" in methods,
            names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        )


def _address(told: Mapping[str, object], key: str, *, tls: bool) -> str:
    found = told.get(key)
    allowed = {"https"} if tls else {"https", "http"}
    if not isinstance(found, str) or urlsplit(found).scheme not in allowed or not urlsplit(found).hostname:
        raise ProviderRefused(f"the provider's {key} is no address that is accepted")
    return found


def _texts(told: Mapping[str, object], key: str) -> frozenset[str]:
    found = told.get(key)
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()
