"""Static files: the hub's own and the scripts of its libraries, under an address that changes with their content.

All are served below `/static/<hash>/`, so that modules which import one another by relative paths always fit together,
and a browser keeps each for a year. They are read once, packed once.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

_HERE = Path(__file__).parent / "static"
# Of libraries that are installed as Python packages: name here, package, path in it.
_VENDORED: Final = (("vendor/htmx.js", "js_lib_htmx", "static/htmx/htmx.min.js"),)
_LEAST_PACKED = 700
_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `packed` by gzip where that makes it smaller."""

    content_type: str
    plain: bytes
    packed: bytes | None


class Assets:
    """All static files; no I/O after it was made."""

    def __init__(self) -> None:
        found = {path.relative_to(_HERE).as_posix(): path.read_bytes() for path in _HERE.rglob("*") if path.is_file()}
        found.update({name: (files(package) / path).read_bytes() for name, package, path in _VENDORED})
        digest = hashlib.sha256()
        for name in sorted(found):
            digest.update(name.encode() + b"\0" + hashlib.sha256(found[name]).digest())
        self.version = digest.hexdigest()[:12]
        self._assets: Mapping[str, Asset] = {name: _asset(name, content) for name, content in found.items()}

    def url(self, name: str) -> str:
        """The address of a file; KeyError where there is none, so that no page is drawn without what it needs."""
        if name not in self._assets:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A file. Of an older version nothing is kept: a page that was open while the hub was renewed gets the new
        one, and no cache keeps it under the old address."""
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        current = request.match_info["version"] == self.version
        headers = {
            "Cache-Control": _YEAR if current else "no-store",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        body = asset.plain
        if asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = asset.packed, "gzip"
        return web.Response(body=body, content_type=asset.content_type, charset=_charset(asset), headers=headers)


@cache
def served() -> Assets:
    """Those of this process: whatever number of hubs it holds, the files are read and packed once."""
    return Assets()


def _asset(name: str, content: bytes) -> Asset:
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(content, mtime=0) if len(content) >= _LEAST_PACKED else None
    return Asset(kind, content, packed if packed is not None and len(packed) < len(content) else None)


def _charset(asset: Asset) -> str | None:
    return "utf-8" if asset.content_type.startswith("text/") else None
