"""What is said of lines that can't be taken in, or only in part: what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from crm_core.wording import Sentence


class Fault(StrEnum):
    """What is wrong with a line."""

    UNCLOSED = "unclosed"
    RAGGED = "ragged"
    NOBODY = "nobody"
    NO_NAME = "no_name"
    SHORTENED = "shortened"
    NO_NUMBER = "no_number"
    NO_ADDRESS = "no_address"
    NO_IDENTITY = "no_identity"
    HELD = "held"
    TWO = "two"
    MANAGER = "manager"
    VALUE = "value"
    PIPELINE = "pipeline"
    STAGE = "stage"
    LIST = "list"
    NO_CLIENT = "no_client"
    NO_RECORD = "no_record"
    SEVERAL = "several"
    MERGED = "merged"
    ERASED = "erased"
    FORMULA = "formula"
    REFUSED = "refused"


_TEXTS: Mapping[Fault, Sentence] = {
    Fault.UNCLOSED: Sentence("a quotation mark is not closed, or stands inside a cell: remove it or double it"),
    Fault.RAGGED: Sentence(
        "the line has {count} cells under {headings} headings: put texts with the separator into quotes"
    ),
    Fault.NOBODY: Sentence("there is neither a name nor a phone nor an address: write any of them"),
    Fault.NO_NAME: Sentence("there is no name: write it"),
    Fault.SHORTENED: Sentence("the spreadsheet shortened «{value}» and its digits are lost: make the column a text"),
    Fault.NO_NUMBER: Sentence("«{value}» is not a telephone number: write it in digits, like +79161234567"),
    Fault.NO_ADDRESS: Sentence("«{value}» is not a mail address"),
    Fault.NO_IDENTITY: Sentence("«{value}»: {error}"),
    Fault.HELD: Sentence("{identity} belongs to client {holder}: left there, a merge is suggested"),
    Fault.TWO: Sentence("{ones} are different clients: the line went to the first, a merge is suggested"),
    Fault.MANAGER: Sentence("there is no active user «{value}»: nobody was made responsible"),
    Fault.VALUE: Sentence("column «{heading}»: {error}"),
    Fault.PIPELINE: Sentence("there is no pipeline «{value}» (only {known}): add it or replace the value"),
    Fault.STAGE: Sentence("pipeline «{pipeline}» has no stage «{value}» (only {known}): add it or replace the value"),
    Fault.LIST: Sentence("there is no list «{value}»: not put on it"),
    Fault.NO_CLIENT: Sentence("whose it is, is not said: a phone, an address, a name or an id of a client is needed"),
    Fault.NO_RECORD: Sentence("{what} «{value}» is not there: import it first"),
    Fault.SEVERAL: Sentence("{what} «{value}»: there are {count}, it is not clear which is meant"),
    Fault.MERGED: Sentence("the record was deleted here: it is left alone"),
    Fault.ERASED: Sentence("the record was deleted: it is left alone"),
    Fault.FORMULA: Sentence("column «{heading}» is worked out by a formula and left out"),
    Fault.REFUSED: Sentence("not taken: {error}"),
}


def said(fault: Fault, **what: object) -> Sentence:
    """A fault in words."""
    return Sentence(_TEXTS[fault].template, **what)
