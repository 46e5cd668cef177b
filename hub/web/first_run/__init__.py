"""The first steps of an office: a ready configuration, a first channel, people. They can be left and come back to."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.first_run.presets import Presets
from hub.web.first_run.steps import Steps
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows
from hub.web.upkeep.accounts import AccountPages

CHANNEL = "/first-run/channel"


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room. Its first step, the administrator, is `/setup`."""
    steps, presets = Steps(pages), Presets(pages)
    accounts = AccountPages(pages, CHANNEL, "first_run/account.html")
    return (
        shows("/first-run", presets.show, Right.CONFIGURE),
        shows(r"/first-run/preset/{name:[\w-]+}", presets.one, Right.CONFIGURE),
        does(r"/first-run/preset/{name:[\w-]+}", presets.apply, Right.CONFIGURE),
        shows(CHANNEL, steps.channels, Right.CONFIGURE_CHANNELS),
        shows(CHANNEL + r"/new/{kind:\w+}", accounts.new, Right.CONFIGURE_CHANNELS),
        does(CHANNEL + r"/new/{kind:\w+}", accounts.add, Right.CONFIGURE_CHANNELS),
        shows(CHANNEL + r"/{id:\d+}", accounts.one, Right.CONFIGURE_CHANNELS),
        does(CHANNEL + r"/{id:\d+}", accounts.change, Right.CONFIGURE_CHANNELS),
        does(CHANNEL + r"/{id:\d+}/remove", accounts.remove, Right.CONFIGURE_CHANNELS),
        shows("/first-run/done", steps.done, Right.CONFIGURE),
    )
