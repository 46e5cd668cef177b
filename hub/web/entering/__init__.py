"""Coming in: the first visit, logging in by password and code or at the office's provider, logging out; what was sent
after a session had ended."""

from __future__ import annotations

from hub.access.oidc import BACK, OpenIdConnect
from hub.access.second_factor import SecondFactors
from hub.web.entering.first_visit import FirstVisit
from hub.web.entering.logging_in import LoggingIn
from hub.web.entering.provider import Provider
from hub.web.entering.too_late import TooLate
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows
from hub.web.unsent import UNSENT_AT

__all__ = ["routes"]


def routes(pages: Pages, factors: SecondFactors) -> tuple[Route, ...]:
    """The routes of this room; for most one need not be logged in."""
    first, entering, late = FirstVisit(pages), LoggingIn(pages, factors), TooLate(pages)
    found = (
        shows("/setup", first.form, None, public=True),
        does("/setup", first.create, None, public=True),
        shows("/login", entering.form, None, public=True),
        does("/login", entering.log_in, None, public=True),
        shows("/login/code", entering.code_form, None, public=True),
        does("/login/code", entering.give_code, None, public=True),
        does("/logout", entering.log_out, None, public=True),
        shows(UNSENT_AT, late.show, None),
        does(rf"{UNSENT_AT}/{{id:\d+}}/send", late.send, None),
        does(rf"{UNSENT_AT}/{{id:\d+}}/drop", late.drop, None),
    )
    settings = pages.hub.settings
    if settings.oidc is None:
        return found
    redirect_uri = f"{settings.base_url}{BACK}"
    provider = Provider(pages, entering, OpenIdConnect(settings.oidc, redirect_uri, pages.hub.clock))
    return (
        *found,
        shows("/login/oidc", provider.go, None, public=True),
        shows(BACK, provider.come_back, None, public=True),
    )
