"""Deals and cards of other types: the board, the table, the page of one card."""

from __future__ import annotations

from crm_core.model.access import Right
from hub.web.board.board_pages import Boards
from hub.web.board.moving import Moving
from hub.web.board.views import Bulk, Views
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    boards, moving, views, bulk = Boards(pages), Moving(pages), Views(pages), Bulk(pages)
    return (
        shows("/deals", boards.choose, Right.SEE_SALES),
        shows(r"/deals/board/{pipeline_id:\d+}", boards.board, Right.SEE_SALES),
        shows("/deals/list", boards.table, Right.SEE_SALES),
        shows("/deals/export", boards.export, Right.EXPORT),
        shows("/deals/clients", boards.clients, Right.SEE_CLIENTS),
        shows("/deals/new", boards.new, Right.KEEP_SALES),
        does("/deals/new", boards.create, Right.KEEP_SALES),
        does("/deals/bulk", bulk.act_on_all, Right.KEEP_SALES),
        does("/deals/views", views.keep, Right.SEE_SALES),
        does(r"/deals/views/{id:\d+}", views.change, Right.SEE_SALES),
        does(r"/deals/{id:\d+}/move", moving.move, Right.KEEP_SALES),
    )
