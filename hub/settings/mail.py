"""Values of `[[email]]`: the servers that are believed, the age of mails, what labels of a site's mailed forms mean."""

from __future__ import annotations

import re
from datetime import timedelta

from crm_core.wording import Sentence
from hub.settings.errors import BadValueError, Fault
from hub.settings.values import duration, shown, text, wrong_type

_SERVER = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\Z")
_MOST_LABEL = 100


def server_id(value: object) -> str:
    """The name that a mail server gives itself in `Authentication-Results`; `*.example.net` is all of a domain."""
    found = text(value).strip().lower()
    if not _SERVER.match(found):
        mend = Sentence(
            'Copy the first word behind "Authentication-Results:" of a mail received, like "mx.example.org"'
        )
        raise BadValueError(Sentence("{value} is not the name of a mail server", value=shown(value)), mend)
    return found


def since(value: object) -> timedelta | None:
    """`new` (zero), `all` (None), or how old a mail may be: `30d`."""
    match value:
        case "new":
            return timedelta(0)
        case "all":
            return None
    try:
        return duration(value)
    except BadValueError:
        mend = Sentence('Write "new", "all", or how old the mails may be that are fetched first, like "30d"')
        raise BadValueError(Sentence("{value} is not an age of mails", value=shown(value)), mend) from None


def form_fields(value: object) -> tuple[tuple[str, str], ...]:
    """`{ "Ваше имя" = "name", "Город" = "city" }`: labels and what they mean, in order."""
    if not isinstance(value, dict):
        raise wrong_type(Sentence("a table"), value, 'Write { "Ваше имя" = "name", "Телефон для связи" = "phone" }')
    found: list[tuple[str, str]] = []
    faults: list[Fault] = []
    for label, meaning in value.items():
        plain = " ".join(str(label).split()).rstrip(":").strip()
        if not plain or len(plain) > _MOST_LABEL:
            faults.append(
                Fault(
                    Sentence("this is no label of a form"), Sentence("Write it as it stands before the colon"), (label,)
                )
            )
            continue
        try:
            found.append((plain, text(meaning).strip()))
        except BadValueError as error:
            faults.extend(Fault(each.what, each.mend, (label, *each.at)) for each in error.faults)
    if faults:
        raise BadValueError(Sentence("the table has faults"), faults=tuple(faults))
    return tuple(found)
