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
from crm_core.wording import Sentence

# Nothing had been written to the wire yet: the message surely did not arrive.
_BEFORE_WRITING = (ClientConnectorError, ConnectionTimeoutError)

# What Telegram's words come to, and what to do; the first whose words are in them.
_MEANT: tuple[tuple[str, Sentence], ...] = (
    ("blocked by the user", Sentence("the client has blocked the bot: call, or write in another channel")),
    ("user_is_blocked", Sentence("the client has blocked the bot: call, or write in another channel")),
    ("user is deactivated", Sentence("the client has deleted their Telegram account: call, or write elsewhere")),
    ("initiate conversation", Sentence("the client has to write to the bot first: call, or write in another channel")),
    ("chat not found", Sentence("Telegram does not know this chat any more: call, or write in another channel")),
    ("peer_id_invalid", Sentence("Telegram does not know this chat any more: call, or write in another channel")),
    ("bot was kicked", Sentence("the bot was removed from the group: have it added again")),
    ("bot is not a member", Sentence("the bot was removed from the group: have it added again")),
    ("not enough rights", Sentence("the bot may not write in this group: have it made an administrator")),
    ("have no rights", Sentence("the bot may not write in this group: have it made an administrator")),
    ("need administrator rights", Sentence("the bot may not write in this group: have it made an administrator")),
    ("too long", Sentence("the message is too long for Telegram: send it in parts")),
    ("too big", Sentence("the file is too large for Telegram: send a link to it, or a mail")),
    ("entity too large", Sentence("the file is too large for Telegram: send a link to it, or a mail")),
    (
        "business_connection",
        Sentence("the bot is not connected to the manager's Telegram Business any more: connect it"),
    ),
)


class PollConflictError(TransientDeliveryError):
    """Somebody else takes this bot's updates: another program polls, or a webhook is set."""


class ChatMigratedError(PermanentDeliveryError):
    """The group became a supergroup with the id `chat_id`."""

    def __init__(self, words: str, chat_id: int) -> None:
        super().__init__(Sentence("the group was moved to another chat: {words}", words=words))
        self.chat_id = chat_id


def translated(error: AiogramError | UnicodeError) -> DeliveryError:
    """The delivery error that says the same, for `raise … from error`."""
    return _refusal(error) if isinstance(error, TelegramAPIError) else _riddle(error)


def _refusal(error: TelegramAPIError) -> DeliveryError:
    words = error.message
    match error:
        case TelegramRetryAfter():
            later = Sentence("Telegram takes no more messages for the moment: {words}", words=words)
            return TransientDeliveryError(later, retry_after=float(error.retry_after))
        case TelegramMigrateToChat():
            return ChatMigratedError(words, error.migrate_to_chat_id)
        case TelegramUnauthorizedError() | TelegramNotFound():
            # A token of a wrong shape is answered 404.
            return ChannelAuthError("Telegram refuses the token: {words}", words=words)
        case TelegramConflictError():
            return PollConflictError(Sentence("somebody else takes this bot's updates: {words}", words=words))
        case TelegramBadRequest() | TelegramForbiddenError() | TelegramEntityTooLarge():
            return PermanentDeliveryError(_meant(words))
        case TelegramNetworkError():
            uncertain = not isinstance(error.__cause__, _BEFORE_WRITING)
            return TransientDeliveryError("Telegram can't be reached: {words}", words=words, uncertain=uncertain)
        case _:
            return TransientDeliveryError("Telegram can't do it now: {words}", words=words)


def _meant(words: str) -> Sentence:
    """What a refusal comes to, with Telegram's own words beside."""
    lower = words.lower()
    found = next((sentence for told, sentence in _MEANT if told in lower), None)
    if found is None:
        return Sentence("Telegram refuses it: {words}", words=words)
    return Sentence("{meant} (Telegram: {words})", meant=found, words=words)


def _riddle(error: AiogramError | UnicodeError) -> DeliveryError:
    """An answer came, and nobody knows what it says; the call may well have taken effect."""
    return TransientDeliveryError(
        "Telegram's answer is not understood ({why})", why=type(error).__name__, uncertain=True
    )
