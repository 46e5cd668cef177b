"""Why something that came in was not understood: sentences, so that whoever reads the journal reads their own language.

What programs say themselves, the place in a JSON for instance, stands in them as it is.
"""

from __future__ import annotations

import re
from typing import Final

from pydantic import ValidationError

from crm_core.wording import Counted, Sentence

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LONGEST: Final = 300


def not_json(error: BaseException) -> Sentence:
    """The body should have been JSON."""
    return Sentence("it is not JSON: {why}", why=_storable(str(error)))


def failed_at(error: BaseException) -> Sentence:
    """Something went wrong within the hub itself while it was read."""
    return Sentence("the hub itself failed at it: {why}", why=_storable(f"{type(error).__name__}: {error}"))


def misshapen(error: ValidationError, whole: str) -> Sentence:
    """Its fields are not as its provider describes them: the first that is not, and how many others there are.

    `whole` names that which has the fields.
    """
    problems = error.errors(include_url=False, include_input=False)
    first, others = problems[0], len(problems) - 1
    where, kind = _storable(".".join(str(part) for part in first["loc"])) or whole, str(first["type"])
    if kind == "missing":
        found = Sentence("{where}: is missing", where=where)
    elif kind.endswith(("_type", "_parsing")):
        found = Sentence("{where}: should be something else ({why})", where=where, why=_storable(first["msg"]))
    else:
        found = Sentence("{where}: {why}", where=where, why=_storable(first["msg"]))
    if not others:
        return found
    more = Counted("and {count} problem more", "and {count} problems more", others)
    return Sentence("{problem} ({more})", problem=found, more=more)


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)[:_LONGEST]
