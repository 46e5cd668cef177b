"""The areas of the API, which scopes of tokens name: for the pages and the API alike."""

from __future__ import annotations

from aiohttp import web

AREAS = web.AppKey("areas", tuple[str, ...])
"""The tags of the API's description, in order."""
