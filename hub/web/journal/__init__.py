"""The journal for administrators: what came in, what of it was not understood, another try."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.journal.facts import Journal
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    journal = Journal(pages)
    return (
        shows("/journal", journal.show, Right.KEEP_JOURNAL),
        shows(r"/journal/{id:\d+}", journal.one, Right.KEEP_JOURNAL),
        does("/journal/replay", journal.replay_kind, Right.KEEP_JOURNAL),
        does(r"/journal/{id:\d+}/replay", journal.replay, Right.KEEP_JOURNAL),
    )
