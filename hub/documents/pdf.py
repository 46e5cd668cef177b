"""Pages printed to PDF. What a page shows comes with it: nothing is fetched, neither from the network nor from disk."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from crm_core.errors import InvalidInput
from crm_core.wording import Sentence

# Where a page seems to lie, so that the names of its pictures are addresses; nobody is ever asked for them there.
_OWN = "http://template.invalid/"
_MISSING = Sentence(
    "PDF can't be made on this machine: the Pango library is missing. On Debian and Ubuntu: "
    "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core."
    " Word templates work without it."
)


class _Own:
    """Hands out the template's own pictures, and nothing else; what is not there is left out of the page."""

    _fail_on_errors = False  # the library asks for it

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        self._pictures = pictures

    def __call__(self, url: str) -> Any:
        from weasyprint.urls import URLFetcherResponse

        name = unquote(url.removeprefix(_OWN)) if url.startswith(_OWN) else ""
        if name not in self._pictures:
            raise ValueError("only pictures of the template itself are shown")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, self._pictures[name], {"Content-Type": kind})


def printed(html: str, pictures: Mapping[str, bytes]) -> bytes:
    """The page as a PDF; `pictures` by the names under which it shows them. Raises InvalidInput."""
    try:
        from weasyprint import HTML
    except OSError as err:
        raise InvalidInput(_MISSING) from err

    found: bytes = HTML(string=html, base_url=_OWN, url_fetcher=_Own(pictures)).write_pdf()
    return found
