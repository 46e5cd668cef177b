"""How far a folder has been read: a place among its UIDs, and which of its older mails are wanted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from channels.email.config import MailServer
from channels.email.imap_link import FolderState, Listed

ALWAYS = datetime.fromtimestamp(0, UTC)
_HIGHEST = 2**32 - 1
# Servers' clocks differ: what came shortly before the first connection may come once more, and changes nothing.
_OVERLAP = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """All mails up to `uid` of this generation (`validity`) are taken in. Up to the UID `old` lie mails that were there
    before the folder was first read; of them only those that came since `since` (aware) are wanted.
    """

    validity: int
    uid: int
    old: int
    since: datetime

    def text(self) -> str:
        """For the store of cursors."""
        return f"{self.validity}:{self.uid}:{self.old}:{self.since.isoformat()}"

    def at(self, uid: int) -> Place:
        """The same folder, read up to here."""
        return replace(self, uid=uid)

    def wants(self, mail: Listed) -> bool:
        """Whether a mail is taken in."""
        return mail.uid > self.old or mail.at is None or mail.at >= self.since

    def now_in(self, folder: FolderState) -> Place:
        """The place in the folder as it is opened now: its beginning where the UIDs were given anew, for the mails that
        are known already change nothing when they come again.
        """
        if folder.validity == self.validity:
            return self
        return Place(folder.validity, 0, _newest(folder), self.since)


def parse_place(text: str | None) -> Place | None:
    """Read a stored place; None where there is none that can be read."""
    try:
        validity, uid, old, since = (text or "").split(":", 3)
        moment = datetime.fromisoformat(since)
        return Place(int(validity), int(uid), int(old), moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return None


def first_place(folder: FolderState, since: timedelta | None, now: datetime) -> Place:
    """Where a folder begins that was never read: mails up to `since` old are wanted, None: all, zero: new ones."""
    newest = _newest(folder)
    if since is None:
        return Place(folder.validity, 0, newest, ALWAYS)
    if since <= timedelta(0) and folder.next_uid > 0:
        return Place(folder.validity, newest, newest, now - _OVERLAP)
    return Place(folder.validity, 0, newest, now - since)


def cursor_name(server: MailServer) -> str:
    """The place of one folder of one login of one server: whoever changes any of them begins anew."""
    words = f"{server.user}\n{server.host.lower()}\n{server.folder}"
    return f"imap:{hashlib.sha256(words.encode()).hexdigest()[:20]}"


def _newest(folder: FolderState) -> int:
    return folder.next_uid - 1 if folder.next_uid > 0 else _HIGHEST
