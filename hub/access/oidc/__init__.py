"""Logging in at the office's own OpenID provider: Authorization Code with PKCE, state and nonce.

The provider says who somebody is; whether they come in, the record says: only people of the office who are active do.
"""

from hub.access.oidc.client import BACK, Begun, OpenIdConnect
from hub.access.oidc.errors import ProviderRefused, ProviderUnreachable
from hub.access.oidc.id_token import Vouched

__all__ = ["BACK", "Begun", "OpenIdConnect", "ProviderRefused", "ProviderUnreachable", "Vouched"]
