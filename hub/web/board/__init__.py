"""Deals and cards of other types: the board, the table, the page of one card."""

from __future__ import annotations

from crm_core.model.access import Right
from hub.web.attaching import FORM_WITH_FILES
from hub.web.board.board_pages import Boards
from hub.web.board.bulk import Bulk
from hub.web.board.deal_acts import DealActs
from hub.web.board.moving import Moving
from hub.web.filtering.kept import KeptViews
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    boards, moving, bulk = Boards(pages), Moving(pages), Bulk(pages)
    views = KeptViews(pages, "/deals")
    deal, of_deal = DealActs(pages), r"/deals/{id:\d+}"
    return (
        shows("/deals", boards.choose, Right.SEE_SALES),
        shows(r"/deals/board/{pipeline_id:\d+}", boards.board, Right.SEE_SALES),
        shows("/deals/list", boards.table, Right.SEE_SALES),
        shows("/deals/export", boards.export, Right.EXPORT),
        shows("/deals/clients", boards.clients, Right.SEE_CLIENTS),
        shows("/deals/companies", boards.companies, Right.SEE_CLIENTS),
        shows("/deals/new", boards.new, Right.KEEP_SALES),
        does("/deals/new", boards.create, Right.KEEP_SALES),
        does("/deals/bulk", bulk.act_on_all, Right.KEEP_SALES),
        does("/deals/views", views.keep, Right.SEE_SALES),
        does(r"/deals/views/{id:\d+}", views.change, Right.SEE_SALES),
        shows(of_deal, deal.show, Right.SEE_SALES),
        shows(of_deal + "/group", deal.group, Right.KEEP_SALES),
        shows(of_deal + r"/documents/{document_id:\d+}", deal.document, Right.SEE_SALES),
        does(of_deal + "/move", moving.move, Right.KEEP_SALES),
        does(of_deal + "/edit", deal.edit, Right.KEEP_SALES),
        does(of_deal + "/tick", deal.tick, Right.KEEP_SALES),
        does(of_deal + "/lines", deal.put_lines, Right.KEEP_SALES),
        does(of_deal + "/payments", deal.pay, Right.KEEP_SALES),
        does(of_deal + r"/payments/{payment_id:\d+}/remove", deal.unpay, Right.DELETE),
        does(of_deal + "/tasks", deal.give_task, Right.KEEP_SALES),
        does(of_deal + r"/tasks/{task_id:\d+}/close", deal.close_task, Right.KEEP_SALES, body=FORM_WITH_FILES),
        does(of_deal + "/documents", deal.make_document, Right.KEEP_SALES),
        does(of_deal + "/links", deal.link, Right.KEEP_SALES),
        does(of_deal + r"/links/{link_id:\d+}/remove", deal.unlink, Right.KEEP_SALES),
        does(of_deal + "/tunnel", deal.tunnel, Right.KEEP_SALES),
        does(of_deal + "/delete", deal.delete, Right.DELETE),
        does(of_deal + "/restore", deal.restore, Right.DELETE),
    )
