"""A person's own page: how they like the pages, their password, their second factor, their sessions, their API
tokens."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.access.second_factor import SecondFactors
from hub.web.me.factor import OwnFactor
from hub.web.me.page import Own
from hub.web.me.tokens import OwnTokens
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows

__all__ = ["routes"]


def routes(pages: Pages, factors: SecondFactors) -> tuple[Route, ...]:
    """The routes of this room. Setting up a second factor is open to those of whom it is demanded, too."""
    own = Own(pages)
    factor, tokens = OwnFactor(pages, factors), OwnTokens(own)
    return (
        shows("/me", own.show, None),
        does("/me/tastes", own.set_tastes, None),
        does("/me/password", own.set_password, None),
        does("/me/leave", own.leave_everywhere, None),
        does(r"/me/sessions/{id:\d+}/end", own.end_one, None),
        shows("/me/factor", factor.form, None, public=True),
        does("/me/factor", factor.confirm, None, public=True),
        does("/me/factor/codes", factor.renew, None),
        does("/me/factor/remove", factor.remove, None),
        does("/me/tokens", tokens.issue, Right.KEEP_TOKENS),
        does(r"/me/tokens/{id:\d+}/revoke", tokens.revoke, Right.KEEP_TOKENS),
    )
