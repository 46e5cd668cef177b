"""The office's configuration as a whole: read from plain data, compared with the record, applied to it, given out."""

from __future__ import annotations

from crm_core.services.configuration.applying import applied
from crm_core.services.configuration.checking import clashes, problems
from crm_core.services.configuration.comparing import Difference, Verb, compared
from crm_core.services.configuration.giving import given_out
from crm_core.services.configuration.reading import BadConfiguration, Configuration, Fault, read

__all__ = [
    "BadConfiguration",
    "Configuration",
    "Difference",
    "Fault",
    "Verb",
    "applied",
    "clashes",
    "compared",
    "given_out",
    "problems",
    "read",
]
