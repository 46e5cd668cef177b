"""The JSON of gateways, in and out. docs/gateway.md shows it with examples, which a test reads with these models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from crm_core.model.shaped import Shaped

MAX_EVENTS = 100
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(max_length=500)]
Text = Annotated[str, StringConstraints(max_length=100_000)]


class _Wire(Shaped):
    """Unknown keys are left alone: a provider may send more than is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class WireSender(_Wire):
    """Who wrote: `id` is theirs at the provider and never changes."""

    id: Id
    name: Line = ""
    handle: Line = ""
    phone: Line = ""
    email: Line = ""


class WireFile(_Wire):
    """A file: at `url`, or in `content` as base64."""

    name: Line = ""
    content_type: Line = "application/octet-stream"
    url: Annotated[str, StringConstraints(max_length=2000)] | None = None
    content: str | None = None
    size: Annotated[int, Field(ge=0)] | None = None


class WirePlace(_Wire):
    """A place, WGS 84 degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class WireMarks(_Wire):
    """Where the client came from."""

    source: Line = ""
    medium: Line = ""
    campaign: Line = ""
    content: Line = ""
    term: Line = ""


class _Event(_Wire):
    id: Id
    conversation: Id
    at: AwareDatetime | None = None
    sender: WireSender


class MessageEvent(_Event):
    """A client wrote (`message`), or somebody of the office did on the provider's own side (`message.sent`)."""

    type: Literal["message", "message.sent"]
    message_id: Id
    text: Text = ""
    files: Annotated[tuple[WireFile, ...], Field(max_length=20)] = ()
    location: WirePlace | None = None
    reply_to: Id | None = None
    quoted: Text = ""
    source: Line = ""
    utm: WireMarks = WireMarks()
    author: Line = ""
    automatic: bool = False


class EditEvent(_Event):
    """A message was changed."""

    type: Literal["message.edited"]
    message_id: Id
    text: Text


class DeleteEvent(_Event):
    """Messages were deleted."""

    type: Literal["message.deleted"]
    message_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]


class DeliveryEvent(_Event):
    """What became of an answer: `message_id` is the id that the gateway gave it when it took it."""

    type: Literal["delivery"]
    message_id: Id
    state: Literal["sent", "delivered", "read", "failed"]
    detail: Line = ""


class ReactionEvent(_Event):
    """The sender's reactions to a message, all that stand now."""

    type: Literal["reaction"]
    message_id: Id
    emojis: Annotated[tuple[Annotated[str, StringConstraints(max_length=50)], ...], Field(max_length=20)]


class CardEvent(_Event):
    """A contact card; `own`: the provider proves that it is the sender's own."""

    type: Literal["contact"]
    message_id: Id
    name: Line = ""
    phone: Line
    own: bool = False


class MenuEvent(_Event):
    """The client pressed a button of ours."""

    type: Literal["menu"]
    message_id: Id
    data: Id


class BlockEvent(_Event):
    """The client blocked or unblocked the account."""

    type: Literal["blocked", "unblocked"]


Event = Annotated[
    MessageEvent | EditEvent | DeleteEvent | DeliveryEvent | ReactionEvent | CardEvent | MenuEvent | BlockEvent,
    Field(discriminator="type"),
]


class OutFile(Shaped):
    """A file of an answer, `content` as base64."""

    name: str
    content_type: str
    size: int
    content: str


class OutButton(Shaped):
    """A button under an answer; `data` comes back in a `menu` event."""

    text: str
    data: str


class OutMessage(Shaped):
    """An answer to a client. `id` is the same on every try: whoever has seen it answers 2xx again and sends nothing."""

    id: str
    type: Literal["message"] = "message"
    account: str
    conversation: str
    at: datetime
    text: str
    reply_to: str | None = None
    files: list[OutFile] = Field(default_factory=list)
    buttons: list[list[OutButton]] = Field(default_factory=list)
    ask_contact: bool = False


class Taken(Shaped):
    """What the gateway answers: its id of the message, by which it later tells of the delivery."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: Id | None = None
    error: Line = ""
