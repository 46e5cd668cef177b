"""What can have become of a call's recording."""

from __future__ import annotations

from enum import StrEnum


class RecordingState(StrEnum):
    """`expected`: the PBX recorded, the file is not found yet; `stored` on disk; `remote` in the object storage;
    `empty`: a file without sound, dropped; `missing`: looked for in vain; `expired`: kept as long as it should be."""

    EXPECTED = "expected"
    STORED = "stored"
    REMOTE = "remote"
    EMPTY = "empty"
    MISSING = "missing"
    EXPIRED = "expired"
