"""The daily control list: counted views of what is looked at every day, each with its lines and their acts."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.control.acts import ControlActs
from hub.web.control.export import ControlExport
from hub.web.control.page import ControlPages
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room. Rejections are checked by those who oversee, not by whoever rejected."""
    page, acts, export = ControlPages(pages), ControlActs(pages), ControlExport(pages)
    return (
        shows("/control", page.show_all, Right.SEE_REPORTS),
        shows("/control/{view}", page.show, Right.SEE_REPORTS),
        shows("/control/{view}/export", export.send, Right.EXPORT),
        does(r"/control/leads/{id:\d+}/confirm", acts.confirm, Right.SEE_ALARMS),
        does(r"/control/leads/{id:\d+}/restore", acts.restore, Right.SEE_ALARMS),
        does(r"/control/deals/{id:\d+}/give", acts.give_deal, Right.KEEP_SALES),
        does(r"/control/tasks/{id:\d+}/give", acts.give_task, Right.KEEP_SALES),
    )
