"""Tasks: one's own and, for who oversees them, others'; each on a page that reads well on a telephone."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.attaching import FORM_WITH_FILES
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows
from hub.web.tasks.acts import TaskActs
from hub.web.tasks.page import TaskPages


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    page, acts = TaskPages(pages), TaskActs(pages)
    return (
        shows("/tasks", page.show_all, Right.SEE_SALES),
        shows(r"/tasks/{id:\d+}", page.show, Right.SEE_SALES),
        does("/tasks/new", acts.make, Right.KEEP_SALES),
        does(r"/tasks/{id:\d+}/close", acts.close, Right.KEEP_SALES, body=FORM_WITH_FILES),
        does("/tasks/files", acts.upload, Right.KEEP_SALES),
        does(r"/tasks/{id:\d+}/cancel", acts.cancel, Right.KEEP_SALES),
        does(r"/tasks/{id:\d+}/reopen", acts.reopen, Right.KEEP_SALES),
        does(r"/tasks/{id:\d+}/change", acts.change, Right.KEEP_SALES),
        does(r"/tasks/{id:\d+}/tick", acts.tick, Right.KEEP_SALES),
    )
