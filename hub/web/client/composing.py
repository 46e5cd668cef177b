"""What stands in the box in which one writes to a client: where to, what, when, with which files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.messages import ChannelKey
from hub.web.attaching import sent_ahead
from hub.web.moments import moment_of
from hub.web.pages import field_of

NOTE = "note"
"""In place of an account: for the office's eyes alone."""

_LONGEST_TEXT = 100_001  # one more than a message may have, so that the service refuses what is longer


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was uploaded and waits for its message."""

    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is writing, as the form has it. `at` is local time of the office, `template` the one whose files go
    along."""

    target: str = ""
    text: str = ""
    subject: str = ""
    at: str = ""
    template: str = ""
    files: tuple[int, ...] = ()
    problem: str = ""

    @property
    def note(self) -> bool:
        """Whether it is for the office alone."""
        return self.target == NOTE

    def key(self) -> tuple[str, str | None]:
        """The channel and the account."""
        channel, _colon, account = self.target.partition(":")
        return channel, account or None

    def until(self, zone: ZoneInfo) -> datetime | None:
        """When it is to go, None at once; raises InvalidInput."""
        return moment_of(self.at, zone)


async def draft_of(request: web.Request) -> Draft:
    """What the form holds; raises InvalidInput for what no form of ours sends."""
    return Draft(
        target=await field_of(request, "target", 200),
        text=(await field_of(request, "text", _LONGEST_TEXT)).replace("\r\n", "\n"),
        subject=" ".join((await field_of(request, "subject", 300)).split()),
        at=await field_of(request, "at", 40),
        template=await field_of(request, "template", 200),
        files=await sent_ahead(request, "file"),
    )


def target_name(key: ChannelKey | None) -> str:
    """An account as the form names it."""
    return f"{key.channel}:{key.account}" if key is not None else NOTE
