"""VK's refusals, in the words of the channel port.

Every call that has an effect carries an id of its own (`random_id`, `guid`), so that repeating one whose end is unknown
does nothing twice: no error of this channel is uncertain.
"""

from __future__ import annotations

from crm_core.errors import ChannelAuthError, DeliveryError, PermanentDeliveryError, TransientDeliveryError
from crm_core.wording import Sentence

TOO_MANY = 6
FLOOD = 9
_AUTH = frozenset({5, 27, 28})
_BUSY = frozenset({1, 10, 14, 22, 29, 43, 603})
"""Unknown and internal errors, a captcha, a failed upload, a daily limit, a part of VK that is switched off."""

PAUSE_S = 1.0
FLOOD_PAUSE_S = 20.0

_MEND = {
    7: Sentence("give the token the right to do this"),
    15: Sentence("give the token the right to do this: messages, wall, photos, docs, manage"),
    900: Sentence("the client has put the community on their black list: call, or write in another channel"),
    901: Sentence("the client has not allowed the community to write to them: they have to write first"),
    902: Sentence("the client's privacy settings forbid it: call, or write in another channel"),
    912: Sentence("switch on «Возможности ботов» in the community's settings of messages"),
    914: Sentence("the message is too long for VK: send it in parts"),
    917: Sentence("the community is not in this chat any more: have it added again"),
}


class VkRefusal(PermanentDeliveryError):
    """VK answered with an error that repeating does not mend; `code` is VK's number of it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def refusal(code: int, words: str) -> DeliveryError:
    """The delivery error of one of VK's error codes, with VK's own words."""
    told = (
        Sentence("VK error {code}: {words}", code=code, words=words)
        if words
        else Sentence("VK error {code}", code=code)
    )
    if code in _AUTH:
        return ChannelAuthError(
            "VK refuses the token ({told}): make a new one in the community's API settings", told=told
        )
    if code == TOO_MANY:
        return TransientDeliveryError(told, retry_after=PAUSE_S)
    if code == FLOOD:
        return TransientDeliveryError(told, retry_after=FLOOD_PAUSE_S)
    if code in _BUSY:
        return TransientDeliveryError(told)
    hint = _MEND.get(code)
    return VkRefusal(Sentence("{told} ({mend})", told=told, mend=hint) if hint else told, code)
