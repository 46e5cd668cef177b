"""Topics: what of the record a part of a page shows, and which of them a change touches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crm_core.storage.feed import FAILED_FACTS
from crm_core.wording import Sentence

MOST_TOPICS = 64
"""That one browser, with all its tabs, may follow."""

EVERYTHING = "*"
"""Said in place of topics where nobody knows any more what was missed."""

_CLIENT = "client:"
_TOPIC = re.compile(r"(client:[0-9]{1,18}|[a-z_]{1,32})\Z")

# By the table that changed. What belongs to a client makes `client:ID` stale beside it.
_OF_TABLE: Mapping[str, str] = {
    "contact_case": "cases",
    "call": "calls",
    "dial": "calls",
    "callback": "calls",
    "recording": "calls",
    "lead": "leads",
    "deal": "deals",
    "task": "tasks",
    "payment": "deals",
    "stage": "deals",
    "pipeline": "deals",
    "timeline": "happening",
    "contact": "clients",
    "company": "companies",
    "product": "products",
    "app_user": "people",
    "alarm": "alarms",
    "broadcast": "broadcasts",
    "import_run": "imports",
    "document": "documents",
    "definition": "office",
    "reconciliation": "reconciliations",
    "listed_number": "lists",
    "chain_run": "chains",
    "rule_run": "runs",
    "journal": "journal",
    FAILED_FACTS: "failures",
}

WRITING = "writing"
"""Which clients are writing at this moment; never stale."""

OWN: Mapping[str, str] = {
    "contact_case": "own_cases",
    "lead": "own_leads",
    "task": "own_tasks",
    "deal": "own_deals",
}
"""By table: the topic of somebody's own work in it, which is stale for those alone whom a change concerns."""

TOPICS = frozenset(_OF_TABLE.values()) | frozenset(OWN.values()) | {"phones", "channels", "me", WRITING}
"""All that are not a client's."""


def parse_topics(text: str) -> frozenset[str]:
    """The topics of `a,b,c`; raises ValueError naming the first that can be none, or where there are too many.

    Those that this node knows nothing of are left out: a page of another version would follow nothing at all.
    """
    found = frozenset(each for each in text.split(",") if each)
    if len(found) > MOST_TOPICS:
        raise ValueError(Sentence("topics: at most {most}", most=MOST_TOPICS))
    for each in sorted(found):
        if not _TOPIC.match(each):
            raise ValueError(Sentence("there is no topic «{topic}»", topic=each[:40]))
    return frozenset(each for each in found if each in TOPICS or each.startswith(_CLIENT))


def of_client(contact_id: int) -> str:
    """The topic of a client."""
    return f"{_CLIENT}{contact_id}"


def client_of(topic: str) -> int | None:
    """Whose topic it is; None where it is no client's."""
    return int(topic.removeprefix(_CLIENT)) if topic.startswith(_CLIENT) else None


def touched(changes: Iterable[tuple[str, Any, int | None]]) -> frozenset[str]:
    """The topics that changes `(table, id, contact_id)` make stale."""
    found: set[str] = set()
    for table, _, contact_id in changes:
        if contact_id is not None:
            found.add(of_client(contact_id))
        found.update(topics[table] for topics in (_OF_TABLE, OWN) if table in topics)
    return frozenset(found)
