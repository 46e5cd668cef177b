"""Configurations as TOML: read with the line of every fault, and written so that they are read again."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w

from crm_core.errors import InvalidInput
from crm_core.services.configuration import BadConfiguration, Configuration, read
from crm_core.services.configuration.reading import place
from crm_core.wording import Joined, Sentence
from hub.settings.toml_lines import key_lines


def parsed(text: str, named: str) -> Configuration:
    """The configuration that a TOML text says; raises InvalidInput that names the file, line and key of each fault."""
    try:
        tables = tomllib.loads(text)
    except RecursionError as err:
        raise InvalidInput("{named}: lists or tables are nested too deep", named=named) from err
    except tomllib.TOMLDecodeError as err:
        raise InvalidInput("{named}: not valid TOML: {why}", named=named, why=err) from err
    try:
        return read(tables)
    except BadConfiguration as err:
        lines = key_lines(text.replace("\r\n", "\n"))
        told = []
        for fault in err.faults:
            line = next(
                (lines[fault.path[:end]] for end in range(len(fault.path), 0, -1) if fault.path[:end] in lines), 0
            )
            told.append(Sentence("{where}: {why}", where=f"{named}:{line}: {place(fault.path)}", why=fault.what))
        raise InvalidInput(Joined(told, "\n")) from err


def written(tables: dict[str, Any]) -> str:
    """A configuration as TOML."""
    return tomli_w.dumps(tables, multiline_strings=True)
