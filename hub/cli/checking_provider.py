"""`hub check` of [oidc]: whether the provider is there, knows the client and its secret, and leads back to the hub."""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.access.oidc import BACK, OpenIdConnect, ProviderRefused, ProviderUnreachable
from hub.cli.finding import Finding
from hub.clock import SystemClock
from hub.settings import Settings
from hub.settings.model import OidcSettings

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_NOWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


async def try_provider(settings: Settings, oidc: OidcSettings) -> list[Finding]:
    """Issuer, client, redirect address: the first that is wrong hides those behind it, for they need it."""
    back = f"{settings.base_url}{BACK}"
    wrong = _address(settings, back)
    found = [Finding("oidc:address", False, wrong)] if wrong else []
    provider = OpenIdConnect(oidc, back, SystemClock())
    try:
        await provider.prove_issuer()
    except ProviderUnreachable as err:
        mend = "проверьте issuer в [oidc], DNS и исходящие соединения этой машины; войти паролем можно и так"
        return [*found, Finding("oidc:issuer", False, f"провайдер не отвечает: {err}; {mend}")]
    except ProviderRefused as err:
        mend = "issuer должен быть ровно тем, что стоит в /.well-known/openid-configuration провайдера"
        return [*found, Finding("oidc:issuer", False, f"{err}; {mend}")]
    found.append(Finding("oidc:issuer", True, f"{oidc.issuer} отвечает, ключи есть"))
    found.append(await _client(provider, oidc))
    found.append(await _redirect(provider, back))
    return found


async def _client(provider: OpenIdConnect, oidc: OidcSettings) -> Finding:
    try:
        await provider.prove_client()
    except (ProviderRefused, ProviderUnreachable) as err:
        mend = "проверьте client_id и client_secret: приложение у провайдера «confidential», с Authorization Code"
        return Finding("oidc:client", False, f"провайдер не принимает клиента «{oidc.client_id}»: {err}; {mend}")
    return Finding("oidc:client", True, f"клиент «{oidc.client_id}» и его секрет приняты")


async def _redirect(provider: OpenIdConnect, back: str) -> Finding:
    try:
        await provider.prove_redirect()
    except (ProviderRefused, ProviderUnreachable) as err:
        mend = f"впишите у провайдера адрес возврата {back}; если хаб открывают по другому адресу, задайте public_url"
        return Finding("oidc:redirect", False, f"вход не начинается: {err}; {mend}")
    return Finding("oidc:redirect", True, f"вход начинается, возврат на {back}")


def _address(settings: Settings, back: str) -> str:
    """What is wrong with the hub's own address, empty where nothing is."""
    parts = urlsplit(back)
    if parts.hostname in _NOWHERE or (settings.public_url is None and parts.hostname not in _HERE):
        return f"браузер не вернётся на {back}: задайте public_url, адрес, по которому хаб открывают сотрудники"
    if parts.scheme != "https" and parts.hostname not in _HERE:
        return f"адрес возврата {back} без https, провайдеры таких не берут: задайте public_url с https"
    return ""
