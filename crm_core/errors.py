"""What can go wrong in the record, in words a caller can act on. The docstring of an error is its default message.

An error that people are shown is given its words as a constant text and the values that it is filled in with:
`NotFound("there is no call {call}", call=ident)`, so that they can be said in another language as well.
"""

from __future__ import annotations

from crm_core.wording import Worded


class CoreError(Worded):
    """Something went wrong in the record."""


class InvalidInput(CoreError):
    """The input does not make sense."""


class InvalidIdentity(InvalidInput):
    """This is not an identity the hub knows."""


class NotFound(CoreError):
    """There is no such record."""


class Forbidden(CoreError):
    """Whoever asks may not do this."""


class Conflict(CoreError):
    """The record is not in a state that allows this."""


class Outdated(Conflict):
    """The record was changed meanwhile. `current` is how it is now: the record itself, or what the API shows of it."""

    def __init__(self, text: str | None = None, /, current: object = None, **values: object) -> None:
        super().__init__(text, **values)
        self.current = current


class NeedsConfirmation(Conflict):
    """This is possible only where it is confirmed."""


class Duplicate(Conflict):
    """Such a record exists already."""


class IntakeError(CoreError):
    """A fact was not taken in; its provider has to send it again."""


class IntakeFull(IntakeError):
    """Too many facts are waiting; try again in a moment."""


class IntakeUnavailable(IntakeError):
    """The database can't be reached; nothing was taken in."""


class StorageUnavailable(CoreError):
    """The database can't be reached."""


class ConcurrentChange(CoreError):
    """Somebody else changed the same records at the same time; reading again and retrying settles it."""


class DeliveryError(CoreError):
    """A message could not be delivered."""


class TransientDeliveryError(DeliveryError):
    """The provider can't take the message now.

    `retry_after` is in seconds, None where the provider named no time. `uncertain` says that the provider may have
    taken the message although no answer came.
    """

    def __init__(
        self,
        message: str | None = None,
        /,
        *,
        retry_after: float | None = None,
        uncertain: bool = False,
        **values: object,
    ) -> None:
        super().__init__(message or "The provider can't take the message now.", **values)
        self.retry_after = retry_after
        self.uncertain = uncertain


class ChannelStopped(TransientDeliveryError):
    """The account is stopped: nothing went out, the message goes when it is started again."""

    def __init__(self) -> None:
        super().__init__((type(self).__doc__ or "").strip(), retry_after=1.0)


class PermanentDeliveryError(DeliveryError):
    """The provider refuses the message for good."""


class ChannelAuthError(DeliveryError):
    """The provider refuses the account's credentials; the message stays queued."""
