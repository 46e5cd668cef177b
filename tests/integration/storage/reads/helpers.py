"""What doors call of the storage and that asks for no right: each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ITS_OWN: Final[Mapping[str, str]] = {
    "bootstrap": "puts the hub together",
    "cli": "the command line, of whoever has the machine",
    "clients": "what clients are shown of their own conversations",
    "nodes": "what nodes tell each other",
    "telephony": "decides on calls while a caller waits",
    "workers": "what the hub does by itself",
}
"""Rooms of `hub` where nobody asks but the hub itself."""

_NONE: Mapping[str, str] = {
    "is no read of the record": """
        queries.within.connection_of
        queries.health.answers
        queries.health.takes_writes
        leases.owners
        feed.after
        feed.oldest
        leases.acquire
        leases.release
    """,
    "finds out who comes, before anybody is known": """
        entering.find_by_subject
        sessions.find_visit
        sessions.keep_seen
        sessions.standing
        tokens.find_bearer
        users.anybody
        users.credentials
        users.credentials_of
    """,
    "keeps the answer of an act for who asked: it is found by their own login and key": """
        queries.idempotency.find
        queries.idempotency.keep
    """,
    "adds to what was read for somebody who was asked for their right: names, numbers, files, what was said last": """
        queries.contacts.cards_of
        queries.contacts.identities_of
        queries.history.titles_of
        queries.opt_outs.among
        queries.seeing.seen_among
        queries.workspace.cards.companies_of
        queries.workspace.clients.clients_of
        queries.workspace.climbing.told_of
        queries.workspace.inbox.last_words
    """,
    "keeps and finds what somebody sends along with an act, which asks for its right": """
        queries.files.add_upload
        queries.files.unknown_uploads
        queries.files.uploads
    """,
    "tells nobody: it says whose open pages are to ask anew": """
        queries.workspace.owners.owners_of
    """,
    "finds what is one's own, by one's login and session": """
        unsent.list_unsent
    """,
    "reads for a `Taker`, whom only those are made who may take it away; `test_rights_of_acts.py` tries it": """
        exporting.count
        exporting.field_keys
        exporting.stretch
    """,
    "names what is configured, and who works here, beside what was asked for: everybody needs it": """
        catalogue.load_catalogue
        staff.load_staff
    """,
    "tells more of what whoever asks was shown already": """
        queries.broadcasts.standing
        queries.calls.given_out
        queries.cases.waiting_since
        queries.deals.stage_spans
        queries.recordings.recordings_of
        queries.selling.deals_with_payments
        queries.selling.external_of
        queries.tasks.files_of_task
    """,
    "is a condition of what is asked for next": """
        queries.selling.subjects_of
    """,
    "tells of a call to several people at once: `popups`, which says what of it, asks for the right of each": """
        queries.calls.calls_named
    """,
    "says beside a call that nobody hears its telephone system now: everybody whom it rings needs it": """
        queries.alarms.lasting_of
    """,
    "looks whether the very same is noted already; tells nobody": """
        queries.recordings.heard_since
    """,
}

HELPERS: Mapping[str, str] = {name: why for why, listed in _NONE.items() for name in listed.split()}
"""Why a read asks for nothing, by its name below `crm_core.storage`."""
