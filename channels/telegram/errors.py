"""Telegram's refusals and the network's failures, in the words of the channel port."""

from __future__ import annotations

from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from crm_core.errors import ChannelAuthError, DeliveryError, PermanentDeliveryError, TransientDeliveryError

# Nothing had been written to the wire yet: the message surely did not arrive.
_BEFORE_WRITING = (ClientConnectorError, ConnectionTimeoutError)


class PollConflictError(TransientDeliveryError):
    """Somebody else takes this bot's updates: another program polls, or a webhook is set."""


class ChatMigratedError(PermanentDeliveryError):
    """The group became a supergroup with the id `chat_id`."""

    def __init__(self, message: str, chat_id: int) -> None:
        super().__init__(message)
        self.chat_id = chat_id


def translated(error: AiogramError | UnicodeError) -> DeliveryError:
    """The delivery error that says the same, for `raise … from error`."""
    return _refusal(error) if isinstance(error, TelegramAPIError) else _riddle(error)


def _refusal(error: TelegramAPIError) -> DeliveryError:
    words = error.message
    match error:
        case TelegramRetryAfter():
            return TransientDeliveryError(words, retry_after=float(error.retry_after))
        case TelegramMigrateToChat():
            return ChatMigratedError(words, error.migrate_to_chat_id)
        case TelegramUnauthorizedError() | TelegramNotFound():
            # A token of a wrong shape is answered 404.
            return ChannelAuthError(f"Telegram refuses the token: {words}")
        case TelegramConflictError():
            return PollConflictError(words)
        case TelegramBadRequest() | TelegramForbiddenError() | TelegramEntityTooLarge():
            return PermanentDeliveryError(words)
        case TelegramNetworkError():
            uncertain = not isinstance(error.__cause__, _BEFORE_WRITING)
            return TransientDeliveryError(f"Telegram can't be reached: {words}", uncertain=uncertain)
        case _:
            return TransientDeliveryError(f"Telegram can't do it now: {words}")


def _riddle(error: AiogramError | UnicodeError) -> DeliveryError:
    """An answer came, and nobody knows what it says; the call may well have taken effect."""
    return TransientDeliveryError(f"Telegram's answer is not understood ({type(error).__name__})", uncertain=True)
