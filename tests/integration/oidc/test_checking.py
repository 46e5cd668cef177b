"""`hub check` of [oidc] against a provider: what works, and what to mend where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.cli.checking_provider import try_provider
from hub.cli.finding import Finding
from hub.settings import Secret, Settings, parse_settings
from hub.settings.model import OidcSettings
from tests.integration.oidc.conftest import BACK
from tests.peers.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider


async def tried(settings: Settings, oidc: OidcSettings) -> dict[str, Finding]:
    """Every finding by its part."""
    return {each.part: each for each in await try_provider(settings, oidc)}


@pytest.fixture
def settings() -> Settings:
    return parse_settings(f'public_url = "{BACK.removesuffix("/login/oidc/back")}"\n')


@pytest.fixture
def oidc(provider: Provider) -> OidcSettings:
    return OidcSettings(provider.issuer, CLIENT_ID, Secret(CLIENT_SECRET), "Office")


async def test_a_provider_that_is_well(settings: Settings, oidc: OidcSettings) -> None:
    found = await tried(settings, oidc)
    assert list(found) == ["oidc:issuer", "oidc:client", "oidc:redirect"]
    assert all(each.ok for each in found.values())
    assert BACK in found["oidc:redirect"].detail


async def test_a_provider_that_is_away_or_calls_itself_otherwise(
    settings: Settings, oidc: OidcSettings, provider: Provider
) -> None:
    found = await tried(settings, replace(oidc, issuer="http://127.0.0.1:9/realm"))
    assert list(found) == ["oidc:issuer"]
    assert "не отвечает" in found["oidc:issuer"].detail
    provider.about = {"issuer": "https://id.example.org"}
    found = await tried(settings, oidc)
    assert "https://id.example.org" in found["oidc:issuer"].detail
    assert "well-known" in found["oidc:issuer"].detail


async def test_a_wrong_secret_and_an_address_that_is_not_registered(
    settings: Settings, oidc: OidcSettings, provider: Provider
) -> None:
    found = await tried(settings, replace(oidc, client_secret=Secret("another")))
    assert [each.part for each in found.values() if not each.ok] == ["oidc:client"]
    assert "invalid_client" in found["oidc:client"].detail
    assert "client_secret" in found["oidc:client"].detail
    assert "another" not in found["oidc:client"].detail, "no secret is told"
    provider.redirect_uri = "https://elsewhere.example/login/oidc/back"
    found = await tried(settings, oidc)
    assert [each.part for each in found.values() if not each.ok] == ["oidc:redirect"]
    assert BACK in found["oidc:redirect"].detail


@pytest.mark.parametrize(
    ("head", "word"),
    [('http = "0.0.0.0:8080"\n', "public_url"), ('public_url = "http://hub.example.org"\n', "https")],
)
async def test_an_address_that_nobody_comes_back_to(oidc: OidcSettings, head: str, word: str) -> None:
    found = await tried(parse_settings(head), oidc)
    assert word in found["oidc:address"].detail
