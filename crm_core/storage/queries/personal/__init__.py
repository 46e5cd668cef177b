"""Where what is known of one person stands, all over the record: read for them, and taken out of it.

Which columns those are is said once, in `places`.
"""

from __future__ import annotations

from crm_core.storage.queries.personal.erasing import erase, recording_gone
from crm_core.storage.queries.personal.person import Person, person
from crm_core.storage.queries.personal.places import ERASED
from crm_core.storage.queries.personal.reading import counts, everything, files_in_use, files_of, recordings_of
from crm_core.storage.queries.personal.sweeping import sweep_journal, sweep_small

__all__ = [
    "ERASED",
    "Person",
    "counts",
    "erase",
    "everything",
    "files_in_use",
    "files_of",
    "person",
    "recording_gone",
    "recordings_of",
    "sweep_journal",
    "sweep_small",
]
