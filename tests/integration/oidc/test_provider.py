"""Against a strict provider over real sockets: what it vouches for, and every way in which it may lie."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from joserfc.jwk import RSAKey

from hub.access.oidc import Begun, OpenIdConnect, ProviderRefused, ProviderUnreachable, Vouched
from hub.settings import Secret
from hub.settings.model import OidcSettings
from tests.fakes.clock import DrivenClock
from tests.integration.oidc.conftest import BACK
from tests.peers.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider


def client_of(provider: Provider, clock: DrivenClock, secret: str = CLIENT_SECRET) -> OpenIdConnect:
    """The hub's end."""
    return OpenIdConnect(OidcSettings(provider.issuer, CLIENT_ID, Secret(secret), "Office"), BACK, clock)


async def visit(begun: Begun) -> dict[str, str]:
    """What the browser brings back."""
    async with aiohttp.ClientSession() as session, session.get(begun.address, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        where = answer.headers["Location"]
    assert where.startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}


async def log_in(client: OpenIdConnect) -> Vouched:
    """A whole login."""
    begun = await client.begin()
    brought = await visit(begun)
    assert brought["state"] == begun.state
    return await client.finish(brought["code"], nonce=begun.nonce, verifier=begun.verifier)


async def test_the_provider_vouches_for_a_person(provider: Provider, clock: DrivenClock) -> None:
    client = client_of(provider, clock)
    found = await log_in(client)
    assert found == Vouched(provider.issuer, "1001", "ivan@example.org")
    assert found.account == f"{provider.issuer} 1001"
    provider.asked.clear()
    await log_in(client)
    assert provider.asked == ["authorize", "token"], "what it says of itself and its keys is kept"
    clock.advance(timedelta(hours=1))
    provider.asked.clear()
    await log_in(client)
    assert provider.asked == ["openid-configuration", "authorize", "token", "keys"]


async def test_every_login_has_secrets_of_its_own(provider: Provider, clock: DrivenClock) -> None:
    client = client_of(provider, clock)
    one, two = await client.begin(), await client.begin()
    assert len({one.state, one.nonce, one.verifier, two.state, two.nonce, two.verifier}) == 6
    assert one.verifier not in one.address
    assert one.verifier not in repr(one)


@pytest.mark.parametrize("claim", [{"email_verified": False}, {"email_verified": "true"}, {"email_verified": None}])
async def test_an_address_that_is_not_vouched_for_is_none(
    provider: Provider, clock: DrivenClock, claim: dict[str, object]
) -> None:
    provider.lies = claim
    assert (await log_in(client_of(provider, clock))).email is None


async def test_a_code_is_good_once_and_with_its_own_verifier(provider: Provider, clock: DrivenClock) -> None:
    client = client_of(provider, clock)
    begun = await client.begin()
    code = (await visit(begun))["code"]
    await client.finish(code, nonce=begun.nonce, verifier=begun.verifier)
    with pytest.raises(ProviderRefused, match="invalid_grant"):
        await client.finish(code, nonce=begun.nonce, verifier=begun.verifier)
    code = (await visit(begun))["code"]
    with pytest.raises(ProviderRefused, match="invalid_grant"):
        await client.finish(code, nonce=begun.nonce, verifier="another" * 10)


async def test_a_token_of_another_login_is_refused(provider: Provider, clock: DrivenClock) -> None:
    client = client_of(provider, clock)
    begun = await client.begin()
    code = (await visit(begun))["code"]
    with pytest.raises(ProviderRefused, match="nonce"):
        await client.finish(code, nonce="of another login", verifier=begun.verifier)


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "wrong"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": None},
        {"aud": [CLIENT_ID, "another client"]},
        {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 9_000_000_000},
        {"nbf": 9_000_000_000},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"sub": None},
        {"sub": ""},
        {"sub": 1001},
        {"sub": "x" * 256},
    ],
    ids=str,
)
async def test_a_token_that_is_not_right_is_refused(
    provider: Provider, clock: DrivenClock, lies: dict[str, object]
) -> None:
    provider.lies = lies
    with pytest.raises(ProviderRefused):
        await log_in(client_of(provider, clock))


async def test_several_audiences_are_accepted_where_the_hub_is_the_one_it_was_made_for(
    provider: Provider, clock: DrivenClock
) -> None:
    provider.lies = {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID}
    assert (await log_in(client_of(provider, clock))).subject == "1001"


async def test_a_token_expires_with_a_little_leeway(provider: Provider, clock: DrivenClock) -> None:
    now = int(clock.now().timestamp())
    provider.lies = {"exp": now - 30, "iat": now - 330}
    assert (await log_in(client_of(provider, clock))).subject == "1001"
    provider.lies = {"exp": now - 90, "iat": now - 390}
    with pytest.raises(ProviderRefused, match="exp"):
        await log_in(client_of(provider, clock))


async def test_another_signature_is_refused(provider: Provider, clock: DrivenClock) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "first"})
    with pytest.raises(ProviderRefused, match="not accepted"):
        await log_in(client_of(provider, clock))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_that_anybody_can_make_is_refused(provider: Provider, clock: DrivenClock, algorithm: str) -> None:
    provider.algorithm = algorithm
    with pytest.raises(ProviderRefused):
        await log_in(client_of(provider, clock))


async def test_a_new_key_is_asked_for_and_not_again_and_again(provider: Provider, clock: DrivenClock) -> None:
    client = client_of(provider, clock)
    await log_in(client)
    provider.renew_key()
    with pytest.raises(ProviderRefused, match="does not have"):
        await log_in(client)
    clock.advance(timedelta(minutes=1))
    assert (await log_in(client)).subject == "1001"
    assert provider.asked.count("keys") == 2


async def test_a_token_without_a_name_of_its_key_is_of_the_only_one(provider: Provider, clock: DrivenClock) -> None:
    provider.named = False
    assert (await log_in(client_of(provider, clock))).subject == "1001"


async def test_the_secret_goes_where_the_provider_wants_it(provider: Provider, clock: DrivenClock) -> None:
    provider.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert (await log_in(client_of(provider, clock))).subject == "1001"
    with pytest.raises(ProviderRefused, match="invalid_client"):
        await log_in(client_of(provider, clock, "another secret"))


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"jwks_uri": "/keys"},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    ],
    ids=str,
)
async def test_a_provider_that_is_another_or_lacks_something_is_refused(
    provider: Provider, clock: DrivenClock, about: dict[str, object]
) -> None:
    provider.about = about
    with pytest.raises(ProviderRefused):
        await client_of(provider, clock).begin()


async def test_an_answer_of_another_provider_is_refused(provider: Provider, clock: DrivenClock) -> None:
    provider.about = {"authorization_response_iss_parameter_supported": True}
    client = client_of(provider, clock)
    begun = await client.begin()
    code = (await visit(begun))["code"]
    for issuer in (None, "https://evil.example"):
        with pytest.raises(ProviderRefused, match="another provider"):
            await client.finish(code, nonce=begun.nonce, verifier=begun.verifier, issuer=issuer)
    found = await client.finish(code, nonce=begun.nonce, verifier=begun.verifier, issuer=provider.issuer)
    assert found.subject == "1001"


async def test_a_provider_that_is_not_there_or_not_well_is_unreachable(provider: Provider, clock: DrivenClock) -> None:
    client = client_of(provider, clock)
    provider.status = 503
    with pytest.raises(ProviderUnreachable, match="503"):
        await client.begin()
    provider.status = 302
    with pytest.raises(ProviderRefused):
        await client.begin()
    provider.status = 200
    begun = await client.begin()
    code = (await visit(begun))["code"]
    await provider.stop()
    with pytest.raises(ProviderUnreachable):
        await client.finish(code, nonce=begun.nonce, verifier=begun.verifier)
    with pytest.raises(ProviderUnreachable):
        await client_of(provider, clock).begin()
