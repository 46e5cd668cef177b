"""Records of the written word: threads of mail, answers given by the hub itself, guesses that two clients are one.

Fields stand in the order of the columns, see `crm_core.storage.tables`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from crm_core.model.timeline import Delivery


class ThreadRecord(NamedTuple):
    """A topic of a mailbox: mails that answer each other under one subject. `contact_id` is the client with whom it
    began; `parent_id` the thread that it grew out of under a new subject."""

    id: int
    channel: str
    account: str
    contact_id: int
    subject: str
    created_at: datetime
    parent_id: int | None = None


class ThreadRefRecord(NamedTuple):
    """That a mail is of a thread, also one that has not come: `key` is channel, account and the mail's id."""

    key: str
    thread_id: int


class MessageRefRecord(NamedTuple):
    """What is known of a message of ours by a key that is no entry's own reference.

    With `entry_id` it is the reference of a further part of that message. Else it is what became of a message that is
    not known by this key yet: `delivery` and the provider's words, `at` when; `upto` the provider's id, or our number,
    up to which that holds of a whole conversation.
    """

    key: str
    at: datetime
    entry_id: int | None = None
    delivery: Delivery | None = None
    detail: str = ""
    upto: str = ""


class AutoAnswerRecord(NamedTuple):
    """That a greeting or an off-hours answer was given, once a key: what, conversation, and the occasion."""

    key: str
    at: datetime


class SuggestionReason(StrEnum):
    """Why two contacts may be one person."""

    FORM_NUMBER = "form_number"
    FORM_ADDRESS = "form_address"
    CLAIMED_ADDRESS = "claimed_address"
    CARD = "card"
    HANDLE = "handle"
    NAME = "name"
    TYPED = "typed"


class SuggestionState(StrEnum):
    """What became of a suggestion."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


class SuggestionRecord(NamedTuple):
    """That two contacts may be one person; each pair once, the lower id in `contact_id`. `confidence` in percent."""

    id: int
    contact_id: int
    other_id: int
    reason: SuggestionReason
    confidence: int
    evidence: str
    state: SuggestionState
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
