"""A client's card: who it is, everything that happened, what is going on; and writing to them, in whatever channel.

Three columns: what is known of the client (`facts`), the timeline with the box to write in (`timeline`, `writing`),
what is going on (`business`). Entries come to an open card as finished pieces (`pieces`).
"""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.attaching import FORM_WITH_FILES
from hub.web.client.business import Business
from hub.web.client.cards import Cards
from hub.web.client.knowing import Knowing
from hub.web.client.mails import Mails
from hub.web.client.pieces import Pieces
from hub.web.client.writing import Writing
from hub.web.live.stream import LivePages
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows

_CARD = r"/contacts/{id:\d+}"
_LEAD = rf"{_CARD}/leads/{{lead_id:\d+}}"
_SUGGESTION = rf"{_CARD}/suggestions/{{suggestion_id:\d+}}"
_ENTRY = rf"{_CARD}/entries/{{entry_id:\d+}}"


def routes(pages: Pages, live: LivePages) -> tuple[Route, ...]:
    """The routes of the room."""
    cards = Cards(pages)
    writing, business, knowing = Writing(pages, cards), Business(pages, cards), Knowing(pages)
    mails, pieces = Mails(pages), Pieces(pages)
    for each in pieces.offers:
        live.offer(each)
    return (
        shows(_CARD, cards.show, Right.SEE_CLIENTS),
        does(f"{_CARD}/reply", writing.reply, Right.KEEP_CLIENTS, body=FORM_WITH_FILES),
        shows(f"{_CARD}/templates", writing.templates, Right.KEEP_CLIENTS),
        does(f"{_CARD}/files", writing.upload, Right.KEEP_CLIENTS),
        does(f"{_ENTRY}/withdraw", writing.withdraw, Right.KEEP_CLIENTS),
        shows(f"{_ENTRY}/mail", mails.show, Right.SEE_CLIENTS),
        shows(f"{_ENTRY}/recording", pieces.hearing, Right.SEE_CLIENTS),
        shows(f"{_ENTRY}/why", pieces.why, Right.EXPLAIN),
        does(f"{_CARD}/set", business.mend, Right.KEEP_CLIENTS),
        does(f"{_CARD}/tasks", business.add_task, Right.KEEP_SALES),
        does(rf"{_CARD}/tasks/{{task_id:\d+}}/close", business.close_task, Right.KEEP_SALES, body=FORM_WITH_FILES),
        does(f"{_CARD}/documents", business.send_document, Right.KEEP_SALES),
        does(f"{_LEAD}/take", business.take_lead, Right.KEEP_SALES),
        does(f"{_LEAD}/reject", business.reject_lead, Right.KEEP_SALES),
        does(f"{_LEAD}/convert", business.convert_lead, Right.KEEP_SALES),
        does(f"{_CARD}/ways", knowing.add_way, Right.KEEP_CLIENTS),
        does(f"{_CARD}/ways/remove", knowing.take_way, Right.KEEP_CLIENTS),
        does(f"{_CARD}/merge", knowing.merge, Right.KEEP_CLIENTS),
        does(f"{_CARD}/unmerge", knowing.unmerge, Right.KEEP_CLIENTS),
        does(f"{_SUGGESTION}/accept", knowing.accept, Right.KEEP_CLIENTS),
        does(f"{_SUGGESTION}/dismiss", knowing.dismiss, Right.KEEP_CLIENTS),
    )
