"""What a form is drawn with is sealed, so that whoever saves it is told where somebody else was faster."""

from __future__ import annotations

import hashlib
import json

from crm_core.errors import Conflict
from hub.web.office.forms.filled import Values
from hub.web.tongues import _


def seal(values: Values) -> str:
    """What tells whether something was changed meanwhile."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def demand_same(seen: str, values: Values) -> None:
    """Raise Conflict where a form was drawn with other values than stand now; one without a seal is taken as it is."""
    if seen and seen != seal(values):
        raise Conflict(_("Somebody changed it meanwhile. What you typed is still here: saving again replaces theirs."))
