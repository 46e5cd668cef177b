"""How facts of one account or line are treated: where they come from, who takes them, what they open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """The intake policy of a channel account or of a line.

    `source` names the origin of leads; `group` takes new ones; `enquiry` makes every fact an enquiry, also a known
    client's; `leads=False` opens a deal at once in `pipeline`.
    """

    source: str | None = None
    group: str | None = None
    enquiry: bool = False
    leads: bool = True
    pipeline: str | None = None
