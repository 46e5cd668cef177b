"""The list of clients as it is read: a page of them and what can be chosen, by a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Section, SegmentBody, TagGroupBody
from crm_core.model.fields import Field
from crm_core.model.records import IdentityRecord
from crm_core.model.scores import ClientStatus
from crm_core.model.user import User
from crm_core.storage.filtering import Asking, Condition
from crm_core.storage.queries import segments
from crm_core.storage.queries.cases import waiting_since
from crm_core.storage.queries.contacts import ContactCard, ContactFilter, list_contacts
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.sorting import More
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.saved import SavedView, views_of
from hub.web.clients.asking import Wanted, asked_fields

PAGE = "contacts"
"""The name under which views of the list are kept."""

ROWS = 50


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in the filter. `segments` by their ids."""

    people: tuple[User, ...]
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    sources: tuple[str, ...]
    statuses: tuple[str, ...]
    segments: Mapping[str, str]
    lists: tuple[str, ...]
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, asker: Asker) -> Choices:
        """Those of an office as it is configured; no statement."""
        catalogue, office = asker.catalogue, asker.office
        people = sorted((each for each in asker.staff.by_login.values() if each.active), key=lambda each: each.name)
        bodies = catalogue.bodies(Section.TAG_GROUP, TagGroupBody)
        tags = dict.fromkeys(tag for _, body in bodies if not body.on or "contact" in body.on for tag in body.tags)
        return cls(
            people=tuple(people),
            groups=tuple(sorted({each.group for each in people if each.group})),
            tags=tuple(tags),
            sources=tuple(sorted({each.source for each in office.all_policies() if each.source})),
            statuses=tuple(ClientStatus),
            segments={str(each.id): each.name for each, _ in catalogue.bodies(Section.SEGMENT, SegmentBody)},
            lists=tuple(office.lists),
            fields=tuple(asked_fields(catalogue)),
        )


@dataclass(frozen=True, slots=True)
class ClientsView:
    """A page of the list. `waiting` says since when those of its clients wait whom nobody answered; `problem` why the
    filter asks for nothing sensible."""

    page: Page[ContactCard]
    wanted: Wanted
    choices: Choices
    views: tuple[SavedView, ...]
    waiting: Mapping[int, datetime]
    asker: Asker
    problem: str = ""

    def ways(self, card: ContactCard) -> list[IdentityRecord]:
        """How a client is reached, by telephone first."""
        return sorted(card.identities, key=lambda each: not each.key.startswith("tel:"))

    def name(self, login: str | None) -> str:
        """What a person is called; empty for nobody."""
        found = self.asker.staff.get(login)
        return found.name if found is not None else login or ""


def clients_view(conn: Reading, asker: Asker, wanted: Wanted, after: str | None, rows: int = ROWS) -> ClientsView:
    """A page of clients, so many `rows`, the newest first. At most seven statements; raises InvalidInput for a bad
    cursor."""
    page: Page[ContactCard] = Page((), None)
    problem = ""
    try:
        more = _more(wanted, asker)
    except InvalidInput as err:
        problem = str(err)
    else:
        typed = ContactFilter(text=wanted.q, region=asker.office.region)
        page = list_contacts(conn, asker.access, typed, Slice(after, rows), more)
    return ClientsView(
        page=page,
        wanted=wanted,
        choices=Choices.of(asker),
        views=views_of(conn, asker.access, PAGE),
        waiting=waiting_since(conn, [each.contact.id for each in page.items]),
        asker=asker,
        problem=problem,
    )


def _more(wanted: Wanted, asker: Asker) -> More:
    asking = Asking(asker.catalogue, asker.now, asker.zone, asker.office.region, asker.sight)
    within = _segment(wanted, asker, asking) if wanted.segment else None
    return More.of("contact", wanted.filter(asker.catalogue, asker.staff), asking, within)


def _segment(wanted: Wanted, asker: Asker, asking: Asking) -> Condition:
    for record, body in asker.catalogue.bodies(Section.SEGMENT, SegmentBody):
        if str(record.id) == wanted.segment:
            return segments.within(body.of, body.filter, asking)
    raise InvalidInput("there is no segment «{segment}»", segment=wanted.segment)
