"""What can go wrong between the hub and a provider; the messages are for the log."""

from __future__ import annotations

from crm_core.errors import CoreError


class ProviderUnreachable(CoreError):
    """The provider does not answer."""


class ProviderRefused(CoreError):
    """What the provider says can't be believed, or it refuses; `code` is OAuth's word for why, where it said one."""

    code = ""
