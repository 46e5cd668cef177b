"""What `hub check` says of one part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What trying one part out came to; `detail` says what was proved, or what is wrong and how to mend it."""

    part: str
    ok: bool
    detail: str
