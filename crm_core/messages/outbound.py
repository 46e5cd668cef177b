"""What goes out: messages to clients and staff, and the proof that a provider took them."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.messages.inbound import StoredFile
from crm_core.model.channel import ChannelKey


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `data` comes back when it is pressed.

    To staff it is `act:subject_id:argument` (`StaffCommand`), or `write:contact_id:`, which asks for the words of an
    answer. To clients it is `menu:item` (`MenuChosen`).
    """

    text: str
    data: str


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file to be sent; its content lies in the file store."""

    name: str
    content_type: str
    stored: StoredFile


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message to be delivered through `key` into `conversation`.

    `idempotency_key` is the same on every try; `number` is a 31-bit number unique to the message for providers that
    want one. `reply_to` is the provider's id of the message answered. `buttons` are rows. `ask_contact`: the client is
    offered to share their number, where the provider can. `references` are the ids of the mails before it, oldest
    first, `thread` the thread they are of. `automatic`: no person wrote it; a mail says so, that no robot answers it.
    `unsubscribe` is the address by which the reader leaves the mailing that this is of; empty where it is of none.
    `attempt` counts from 1.
    """

    key: ChannelKey
    conversation: str
    text: str
    idempotency_key: str
    number: int = 0
    subject: str = ""
    reply_to: str | None = None
    files: tuple[OutboundFile, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    ask_contact: bool = False
    references: tuple[str, ...] = ()
    thread: int | None = None
    automatic: bool = False
    unsubscribe: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The provider took the message; `refs` are its ids of the parts, in order."""

    refs: tuple[str, ...]
