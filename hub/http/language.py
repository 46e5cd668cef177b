"""In which language the API answers people: the one that `Accept-Language` asks for, else that of the pages of whoever
asks, else the office's."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from crm_core.model.user import Language, User
from hub.tongues import LANGUAGES, speak

HEADER: Final = "Accept-Language"
_LONGEST: Final = 1000


def answer_in_theirs(request: web.Request, user: User | None, office: Language) -> None:
    """From here on a request of the API is answered in the language of whoever asks."""
    own = user.tastes.language if user is not None else None
    speak(asked_for(request.headers.get(HEADER, "")) or (own or office).value)


def asked_for(header: str) -> str | None:
    """The language of ours that is liked best (RFC 9110, 12.5.4); None where it names none of them."""
    best, most = None, 0.0
    for part in header[:_LONGEST].split(","):
        tag, _, parameters = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if name in LANGUAGES and weight > most:
            best, most = name, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
