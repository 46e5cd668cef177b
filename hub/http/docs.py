"""The description of the API, for programs and, drawn by the browser, for people; nothing comes from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import swagger_ui
from aiohttp import web

DOCUMENT = "/api/v1/openapi.json"
_PAGE = "/api/docs"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_HTML = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>API</title>
<link rel="stylesheet" href="{_PAGE}/swagger-ui.css">
<link rel="icon" href="{_PAGE}/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{_PAGE}/swagger-ui-bundle.js"></script>
<script src="{_PAGE}/swagger-ui-standalone-preset.js"></script>
<script src="{_PAGE}/start.js"></script>
</body>
</html>
"""
# Without a validator: that would be somebody else's server.
_START = f"""window.ui = SwaggerUIBundle({{
  url: "{DOCUMENT}",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "BaseLayout"
}});
"""
_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"


def mount_docs(app: web.Application, document: Callable[[], bytes]) -> None:
    """Serve the description and its page; `document` makes it, in another thread, when somebody asks."""
    folder = Path(swagger_ui.__file__).parent / "static"

    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(document), content_type="application/json")

    async def page(_request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": _POLICY}
        return web.Response(text=_HTML, content_type="text/html", headers=headers)

    async def start(_request: web.Request) -> web.Response:
        return web.Response(text=_START, content_type="text/javascript")

    async def asset(request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        if name not in _ASSETS:
            raise web.HTTPNotFound
        return web.FileResponse(folder / name, headers={"Content-Type": _ASSETS[name], "Cache-Control": "max-age=3600"})

    app.router.add_get(DOCUMENT, openapi)
    app.router.add_get(_PAGE, page)
    app.router.add_get(f"{_PAGE}/", page)
    app.router.add_get(f"{_PAGE}/start.js", start)
    app.router.add_get(f"{_PAGE}/{{name}}", asset)
