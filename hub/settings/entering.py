"""How people get in: who is believed about addresses, of whom a second factor is demanded, the office's provider."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from crm_core.model.user import Role
from hub.settings import urls, values
from hub.settings.errors import BadValueError
from hub.settings.model import AccessSettings, IpNetwork, OidcLink, OidcSettings
from hub.settings.reader import Section
from hub.settings.secret import Secret
from hub.settings.values import Parser, shown


def networks(value: object) -> tuple[IpNetwork, ...]:
    """Networks of proxies: a list, or one text with commas, as a variable of the environment has it."""
    parse: Parser[tuple[IpNetwork, ...]] = values.list_of(_network)
    if isinstance(value, str):
        return parse([part.strip() for part in value.split(",") if part.strip()])
    return parse(value)


def access(section: Section) -> AccessSettings:
    """[access]"""
    roles = section.take("second_factor", values.list_of(values.one_of(Role)), ())
    return AccessSettings(second_factor=frozenset(roles))


def oidc(section: Section) -> OidcSettings:
    """[oidc]"""
    return OidcSettings(
        issuer=section.need("issuer", _issuer, ""),
        client_id=section.need("client_id", values.text, ""),
        client_secret=section.need("client_secret", values.secret, Secret("")),
        name=section.take("name", values.text, "OpenID"),
        link=section.take("link", values.one_of(OidcLink), OidcLink.EMAIL),
    )


def _network(value: object) -> IpNetwork:
    try:
        return ipaddress.ip_network(values.text(value).strip())
    except ValueError:
        mend = 'Write an address or a network, like "10.0.0.5" or "10.0.0.0/24"'
        raise BadValueError(f"{shown(value)} is no network", mend) from None


def _issuer(value: object) -> str:
    """The issuer as it calls itself, to the letter: a trailing slash may belong to it."""
    found = values.text(value).strip()
    split = urlsplit(urls.base_address(found))
    if split.scheme != "https" and not _here(split.hostname or ""):
        raise BadValueError("what the provider says would cross the network readable", "Write its https:// address")
    return found


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
