"""Reads that services do within a transaction, of what is to be written or would be done; under their names below
`crm_core`."""

from __future__ import annotations

from datetime import timedelta

from crm_core.model.definitions import TemplateBody
from crm_core.model.rights import Right
from crm_core.services.acts import deals
from crm_core.services.automation import trying
from crm_core.services.automation.index import index_with
from crm_core.services.configuration import giving
from crm_core.services.letters import documents, outgoing, previewing, reckoning, replies
from crm_core.storage.queries.pages import LARGEST_ID
from tests.integration.storage.reads import NOBODY, Ask, Reads
from tests.integration.storage.test_rights_of_acts import CLIENT

LETTER = TemplateBody(text="Да")


def _gone_through(ask: Ask) -> object:
    desk = ask.desk
    index = index_with(desk.catalogue, [])
    return trying.gone_through(
        desk, index, "contact", desk.now - timedelta(days=1), desk.now, above=LARGEST_ID, limit=1
    )


READS: Reads = {
    Right.SEE_CLIENTS: {
        "services.letters.outgoing.composed": lambda ask: outgoing.composed(ask.desk, CLIENT, LETTER, "telegram", {}),
    },
    Right.SEE_SALES: {
        "services.acts.deals.seen": lambda ask: deals.seen(ask.desk, NOBODY),
        "services.letters.documents.prepare": lambda ask: documents.prepare(ask.desk, "КП", "ivan"),
        "services.letters.previewing.previewed": lambda ask: previewing.previewed(ask.desk, LETTER, CLIENT),
    },
    Right.BROADCAST: {
        "services.letters.reckoning.reckoned": lambda ask: reckoning.reckoned(ask.desk, NOBODY),
        "services.letters.reckoning.sampled": lambda ask: reckoning.sampled(ask.desk, NOBODY),
    },
    Right.CONFIGURE: {
        "services.automation.trying.gone_through": _gone_through,
        "services.configuration.giving.given_out": lambda ask: giving.given_out(ask.desk),
    },
    Right.KEEP_CLIENTS: {
        "services.letters.replies.goes_to": lambda ask: replies.goes_to(ask.desk, NOBODY, "telegram", "shop"),
    },
}
