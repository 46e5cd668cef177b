"""Special lists: who stands on which; and the buttons that put a client on one wherever they are met."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.lists.acts import Lists
from hub.web.lists.bringing import MOST, Bringing
from hub.web.lists.page import ListPages
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    acts, page, bringing = Lists(pages), ListPages(pages), Bringing(pages)
    return (
        shows("/lists", page.show, Right.KEEP_LISTS),
        does("/lists/add", page.add, Right.KEEP_LISTS),
        does("/lists/remove", page.remove, Right.KEEP_LISTS),
        shows("/lists/bring", bringing.show, Right.KEEP_LISTS),
        does("/lists/bring", bringing.bring, Right.KEEP_LISTS, body=MOST),
        does(r"/cases/{id:\d+}/list", acts.put_case, Right.KEEP_LISTS),
        does(r"/calls/{id:\d+}/list", acts.put_call, Right.KEEP_LISTS),
        does(r"/contacts/{id:\d+}/list", acts.put_client, Right.KEEP_LISTS),
        does(r"/contacts/{id:\d+}/unlist", acts.take_client, Right.KEEP_LISTS),
    )
