"""Mailings: messages to everybody of a segment, from the draft over its count and a test to what became of each."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.broadcasts.acts import BroadcastActs
from hub.web.broadcasts.drafting import Drafting
from hub.web.broadcasts.pages import BroadcastPages
from hub.web.broadcasts.words import broadcast_word
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    pages.templates.globals.update(broadcast_word=broadcast_word)
    page, drafting, acts = BroadcastPages(pages), Drafting(pages), BroadcastActs(pages)
    one = r"/broadcasts/{id:\d+}"
    return (
        shows("/broadcasts", page.show_all, Right.BROADCAST),
        shows("/broadcasts/new", drafting.show_new, Right.BROADCAST),
        does("/broadcasts/new", drafting.save, Right.BROADCAST),
        shows(one, page.show, Right.BROADCAST),
        shows(f"{one}/reach", page.reach, Right.BROADCAST),
        shows(f"{one}/change", drafting.show, Right.BROADCAST),
        does(f"{one}/change", drafting.save, Right.BROADCAST),
        does(f"{one}/sample", acts.sample, Right.BROADCAST),
        does(f"{one}/start", acts.start, Right.BROADCAST),
        does(f"{one}/pause", acts.pause, Right.BROADCAST),
        does(f"{one}/resume", acts.resume, Right.BROADCAST),
        does(f"{one}/cancel", acts.cancel, Right.BROADCAST),
        does(f"{one}/resend", acts.resend, Right.BROADCAST),
    )
