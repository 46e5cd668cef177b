"""The first page: who waits, enquiries nobody took, tasks of today, what happens; and the acts on a case and a lead."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.inbox.acts import InboxActs
from hub.web.inbox.happening import Happening
from hub.web.inbox.page import InboxPage
from hub.web.live.stream import LivePages
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages, live: LivePages) -> tuple[Route, ...]:
    """The routes of the room; new entries are handed to open pages as finished pieces."""
    page, acts = InboxPage(pages), InboxActs(pages)
    live.offer(Happening(pages).offer)
    return (
        shows("/", page.show, None),
        does("/me/peace", acts.peace, None),
        does(r"/cases/{id:\d+}/take", acts.take_case, Right.SETTLE_CASES),
        does(r"/cases/{id:\d+}/promise", acts.promise, Right.SETTLE_CASES),
        does(r"/cases/{id:\d+}/close", acts.close_case, Right.SETTLE_CASES),
        does(r"/leads/{id:\d+}/take", acts.take_lead, Right.KEEP_SALES),
        does(r"/leads/{id:\d+}/reject", acts.reject_lead, Right.KEEP_SALES),
    )
