"""What a telephone system that pushes its calls needs to be known by."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey

CHANNEL = "cti"
PATH = "/api/v1/cti/{token}"
MAX_SIZE = 64 * 1024
_ANY = "*"


@dataclass(frozen=True, slots=True)
class CallerId:
    """The number shown to clients whose own number fits: all digits, or the first ones and `*`."""

    pattern: str
    number: str

    def fits(self, digits: str) -> bool:
        """Whether a number, as digits with its country code, is meant."""
        wanted = self.pattern.lstrip("+")
        return digits.startswith(wanted[:-1]) if wanted.endswith(_ANY) else digits == wanted


@dataclass(frozen=True, slots=True)
class CtiConfig:
    """A telephone system. `token` stands in the address it posts to.

    `caller_ids` are tried in order for outgoing calls, `caller_id` is shown where none fits; without one the telephone
    system decides. Raises InvalidInput for an empty token.
    """

    name: str
    token: str = field(repr=False)
    caller_id: str | None = None
    caller_ids: tuple[CallerId, ...] = ()

    def __post_init__(self) -> None:
        if not self.token:
            raise InvalidInput("cti {name}: the token is empty", name=self.name)

    @property
    def channel_key(self) -> ChannelKey:
        """Channel and account."""
        return ChannelKey(CHANNEL, self.name)

    def shown_to(self, digits: str) -> str | None:
        """What a client with this number is to see, None where the telephone system decides."""
        return next((each.number for each in self.caller_ids if each.fits(digits)), self.caller_id)
