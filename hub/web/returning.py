"""Where somebody stands who has to log in first, and how the script of a page is told that its form is out of date.

A part of a page and a form are no place to come back to: the page is that they belong to.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from aiohttp import web

from hub.web.sessions import UNPROVEN
from hub.web.tongues import _

LOGIN_AT = "X-Login-At"
"""With a 401 to a script: the login page that leads back."""
FRESH = "X-CSRF-Fresh"
"""With a 403 to a script: the token that its page should have; `X-Login` says whose it is."""


def scripted(request: web.Request) -> bool:
    """Whether the script of a page asks, and not a person who sees what comes."""
    return "HX-Request" in request.headers


def page_of(request: web.Request) -> str:
    """Path and query of the page that whoever asks stands on; "/" where it is not known."""
    if scripted(request):
        return _here(request, request.headers.get("HX-Current-URL"))
    return request.path_qs if request.method == "GET" else _here(request, request.headers.get("Referer"))


def login_of(request: web.Request) -> str:
    """The login page, from where one comes back; it says why it is shown to somebody who was at work."""
    back = page_of(request)
    at_work = scripted(request) or request.method != "GET" or _here(request, request.headers.get("Referer")) != "/"
    asked = {"next": back} if back != "/" else {}
    return (
        "/login" + ("?" if asked or at_work else "") + urlencode(asked | ({"ended": "1"} if at_work else {}), safe="/")
    )


def ours(request: web.Request) -> bool:
    """Whether a page of this hub asks, as far as the browser says."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return site == "same-origin" and (origin is None or urlsplit(origin).netloc == request.host)


def outdated(text: str, token: str, login: str) -> web.Response:
    """An answer to a script whose page holds the token of an earlier session."""
    return web.Response(status=403, text=text, headers={FRESH: token, "X-Login": quote(login)})


def away(request: web.Request) -> web.Response:
    """Lead a stranger elsewhere. Where a script asks, the whole page goes to the second factor; for the login it stays,
    with what is written on it. Raises HTTPFound for a person who sees what comes."""
    if UNPROVEN in request:
        if scripted(request):
            return web.Response(status=204, headers={"HX-Redirect": "/me/factor"})
        raise web.HTTPFound("/me/factor")
    if scripted(request):
        text = _("Your session has ended. Log in again; what you wrote here stays.")
        return web.Response(status=401, text=text, headers={LOGIN_AT: login_of(request)})
    raise web.HTTPFound(login_of(request))


def _here(request: web.Request, address: str | None) -> str:
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return "/"
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    known = parts.netloc == request.host and path.startswith("/") and not path.startswith(("//", "/\\", "/login"))
    return path if known and path.isprintable() else "/"
