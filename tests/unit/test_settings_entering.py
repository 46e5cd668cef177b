"""How people get in, as hub.toml says it: [access], [oidc], trusted_proxies."""

from ipaddress import ip_network

import pytest

from crm_core.model.user import Role
from hub.settings import Secret, SettingsError, parse_settings
from hub.settings.model import LOOPBACK, OidcLink, OidcSettings

_OIDC = """
[oidc]
issuer = "https://id.example.org/realms/office/"
client_id = "hub"
client_secret = "kept-secret"
"""


def test_nothing_is_demanded_where_nothing_is_said() -> None:
    settings = parse_settings("")
    assert settings.access.second_factor == frozenset()
    assert settings.oidc is None
    assert settings.trusted_proxies == LOOPBACK


def test_a_provider_is_read_to_the_letter_and_its_secret_kept_out_of_the_log() -> None:
    settings = parse_settings(_OIDC)
    issuer = "https://id.example.org/realms/office/"
    assert settings.oidc == OidcSettings(issuer, "hub", Secret("kept-secret"), "OpenID", OidcLink.EMAIL)
    assert "kept-secret" in set(settings.secrets())
    assert "kept-secret" not in repr(settings)
    named = parse_settings(_OIDC + 'name = "Яндекс"\nlink = "subject"').oidc
    assert named is not None
    assert (named.name, named.link) == ("Яндекс", OidcLink.SUBJECT)
    here = parse_settings(_OIDC.replace("https://id.example.org", "http://127.0.0.1:9000")).oidc
    assert here is not None


def test_roles_and_proxies() -> None:
    settings = parse_settings('trusted_proxies = ["10.0.0.5", "10.1.0.0/16"]\n[access]\nsecond_factor = ["admin"]')
    assert settings.access.second_factor == {Role.ADMIN}
    assert settings.trusted_proxies == (ip_network("10.0.0.5/32"), ip_network("10.1.0.0/16"))
    by_variable = parse_settings("", environ={"HUB_TRUSTED_PROXIES": "10.0.0.5, ::1"})
    assert by_variable.trusted_proxies == (ip_network("10.0.0.5/32"), ip_network("::1/128"))
    assert parse_settings("trusted_proxies = []").trusted_proxies == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('trusted_proxies = ["proxy"]', "is no network"),
        ('trusted_proxies = ["10.0.0.1/8"]', "is no network"),
        ("trusted_proxies = 5", "expected a list"),
        ('[access]\nsecond_factor = ["boss"]', "is not known here"),
        ("[access]\nsecond = 1", "unknown key"),
        (_OIDC.replace("https", "http"), "readable"),
        ('[oidc]\nissuer = "https://id.example.org"', "client_id"),
        (_OIDC.replace("office/", "office?x=1"), "holds a ?"),
        (_OIDC + 'link = "name"', "is not known here"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text)
    assert said in str(caught.value)
