"""A message in the parts that Telegram takes: pieces of its text, files one by one or as albums, keyboards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from channels.telegram.split import CAPTION_LIMIT, split_text, units
from crm_core.errors import PermanentDeliveryError
from crm_core.messages import OutboundFile, OutboundMessage

MAX_FILE = 50 * 1024 * 1024
MAX_PHOTO = 10 * 1024 * 1024
MAX_ALBUM = 10

_PHOTOS = frozenset({"image/jpeg", "image/png"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})


class Shape(Enum):
    """How a file is shown in the chat."""

    PHOTO = "photo"
    VOICE = "voice"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Part:
    """One call: a text, a file, or an album of several files of one shape; `text` is the caption where there are files.

    `first` answers what the whole message answers; `buttons` and `ask` carry the keyboards.
    """

    text: str
    files: tuple[OutboundFile, ...] = ()
    shape: Shape = Shape.DOCUMENT
    first: bool = False
    buttons: bool = False
    ask: bool = False

    @property
    def messages(self) -> int:
        """How many messages Telegram makes of it."""
        return max(1, len(self.files))


def shape_of(file: OutboundFile) -> Shape:
    """A picture as a picture, a voice message as one, everything else as a file."""
    if file.content_type in _PHOTOS and file.stored.size <= MAX_PHOTO:
        return Shape.PHOTO
    return Shape.VOICE if file.content_type in _VOICES else Shape.DOCUMENT


def planned(message: OutboundMessage, *, ask: str = "") -> list[Part]:
    """The parts of a message, in order: pieces of the text, then files; a short text is the first file's caption.

    `ask` are the words with which a number is asked for where the chat allows that, empty where it does not; they are
    sent only where no other part has room for that keyboard. Raises PermanentDeliveryError for a message with nothing
    in it.
    """
    caption = message.text.strip()
    texts = [Part(piece) for piece in split_text(message.text)]
    parts = list(_albums(message.files))
    asks = message.ask_contact and bool(ask)
    if not parts:
        parts = texts
    elif units(caption) > CAPTION_LIMIT:
        parts = [*texts, *parts]
    elif len(parts[-1].files) == 1 or not (message.buttons or asks):
        parts[0] = replace(parts[0], text=caption)
    elif texts:
        parts = [*parts, *texts]  # no keyboard stands under an album
    if not parts:
        raise PermanentDeliveryError("The message is empty.")
    if (message.buttons or asks) and len(parts[-1].files) > 1:
        parts[-1:] = _without_last(parts[-1])
    return _with_keyboards(parts, buttons=bool(message.buttons), ask=ask if asks else "")


def _with_keyboards(parts: list[Part], *, buttons: bool, ask: str) -> list[Part]:
    parts[0] = replace(parts[0], first=True)
    if buttons:
        parts[-1] = replace(parts[-1], buttons=True)
    if ask and buttons:
        # A message carries one keyboard: this one stands at the bottom of the screen, whichever message brings it.
        free = next((index for index, part in enumerate(parts[:-1]) if part.messages == 1), None)
        if free is None:
            parts.append(Part(ask, ask=True))
        else:
            parts[free] = replace(parts[free], ask=True)
    elif ask:
        parts[-1] = replace(parts[-1], ask=True)
    return parts


def _albums(files: Sequence[OutboundFile]) -> Iterable[Part]:
    run: list[OutboundFile] = []
    for file in files:
        if run and not _together(run, file):
            yield Part("", tuple(run), shape_of(run[0]))
            run = []
        run.append(file)
    if run:
        yield Part("", tuple(run), shape_of(run[0]))


def _together(run: Sequence[OutboundFile], file: OutboundFile) -> bool:
    shape = shape_of(file)
    size = sum(each.stored.size for each in run) + file.stored.size
    return shape is not Shape.VOICE and shape is shape_of(run[0]) and len(run) < MAX_ALBUM and size <= MAX_FILE


def _without_last(album: Part) -> list[Part]:
    return [
        Part(album.text, album.files[:-1], album.shape),
        Part("", album.files[-1:], album.shape),
    ]
