"""The timeline of a client as it is shown: which kinds, what stands around an entry, where it stands among others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_core.model.access import Access
from crm_core.model.records import AttachmentRecord, EntryRecord, FileState
from crm_core.model.timeline import EntryKind
from crm_core.model.user import Staff
from crm_core.services.calls.recordings import may_hear
from crm_core.services.letters.scheduling import is_scheduled
from crm_core.storage.queries.contacts import ContactCard
from crm_core.storage.queries.timeline import EntryCard
from hub.http.sending import may_be_previewed
from hub.web.tongues import NP_, pgettext
from hub.web.words import HEARD

SHOWS: Mapping[str, tuple[str, frozenset[EntryKind]]] = {
    "": (NP_("timeline", "Everything"), frozenset()),
    "chats": (NP_("timeline", "Chats"), frozenset({EntryKind.MESSAGE})),
    "mail": (NP_("timeline", "Mail"), frozenset({EntryKind.EMAIL})),
    "calls": (NP_("timeline", "Calls"), frozenset({EntryKind.CALL})),
    "forms": (NP_("timeline", "Forms"), frozenset({EntryKind.FORM})),
    "tasks": (NP_("timeline", "Tasks"), frozenset({EntryKind.TASK})),
    "stages": (NP_("timeline", "Stages"), frozenset({EntryKind.STAGE})),
    "notes": (NP_("timeline", "Notes"), frozenset({EntryKind.NOTE, EntryKind.SYSTEM})),
}
"""What a timeline is narrowed to, by the name in the address."""

_OF_CARDS = frozenset({EntryKind.STAGE, EntryKind.TASK, EntryKind.SYSTEM, EntryKind.NOTE})


@dataclass(frozen=True, slots=True)
class Around:
    """What an entry is shown with. `access` is that of whoever looks, None where the same is shown to everybody."""

    client: ContactCard
    staff: Staff
    now: datetime
    access: Access | None = None

    def hearing(self, card: EntryCard) -> str:
        """What there is of a recording: `play` it, `refused` to whoever looks, `ask` who looks; empty where none."""
        if card.call is None or card.recording is None or card.recording.state not in HEARD:
            return ""
        if self.access is None:
            return "ask"
        return "play" if may_hear(self.access, card.call, self.client.contact.manager) else "refused"

    def scheduled(self, entry: EntryRecord) -> bool:
        """Whether it has not gone yet."""
        return is_scheduled(entry, self.now)


def depends_on_sight(entry: EntryRecord) -> bool:
    """Whether not everybody sees an entry: it tells how a card is getting on."""
    return entry.deal_id is not None and entry.kind in _OF_CARDS


def place_of(entry: EntryRecord) -> str:
    """Where an entry stands among the others, compared as text."""
    at = entry.occurred_at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S.%f} {max(entry.sequence, 0):020} {entry.id:020}"


def is_photo(file: AttachmentRecord) -> bool:
    """Whether a file is shown as a picture; what a mail holds within its own layout is seen there."""
    if file.state is not FileState.STORED or file.cid:
        return False
    return may_be_previewed(file.content_type, file.size, file.warning)


def kind_word(name: str) -> str:
    """What a timeline is narrowed to."""
    return pgettext("timeline", SHOWS[name][0])


def kinds_of(name: str) -> str:
    """What a timeline is narrowed to, as the classes of its entries in CSS: `.note, .system`."""
    return ", ".join(f".{kind.value}" for kind in sorted(SHOWS[name][1]))
