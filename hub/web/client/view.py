"""Everything that a client's card reads from the record, in a fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from crm_core.messages import ChannelKey
from crm_core.model.conversation import SuggestionState
from crm_core.model.definitions import DocumentBody, Pipeline, Section
from crm_core.model.exchange import DocumentRecord
from crm_core.model.records import LeadRecord, LeadStatus, MergeRecord
from crm_core.model.selling import PaymentRecord
from crm_core.model.task import TaskState
from crm_core.services.cards.pipelines import DEAL
from crm_core.storage.queries import opt_outs
from crm_core.storage.queries.cases import CaseCard
from crm_core.storage.queries.contacts import ContactCard, contact_card
from crm_core.storage.queries.documents import list_documents
from crm_core.storage.queries.leads import LeadFilter, list_leads
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.selling import PaymentFilter, list_payments
from crm_core.storage.queries.suggestions import SuggestionCard, SuggestionFilter, last_merge, list_suggestions
from crm_core.storage.queries.tasks import TaskCard, TaskFilter, list_tasks
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.climbing import told_of
from crm_core.storage.queries.workspace.entries import Stretch, stretch
from crm_core.storage.queries.workspace.newest import conversations_of
from crm_core.storage.queries.workspace.popup import KnownClient, known_client
from hub.web.client.reaching import last_used, targets_of
from hub.web.client.timeline import SHOWS, Around, depends_on_sight
from hub.web.inbox.waiting import Waiting, rungs_of

_ENTRIES = 50
_FRESH = 30
_LEADS = 10
_SUGGESTIONS = 10
_TASKS = 20
_DOCUMENTS = 10
_PAYMENTS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the timeline: before the cursor `older`, behind `newer`, around an entry, or around the beginning
    of a day of the office; narrowed by `show`, and by `words` that were said."""

    show: str = ""
    older: str | None = None
    newer: str | None = None
    entry: int | None = None
    day: date | None = None
    words: str = ""

    @property
    def narrowed(self) -> dict[str, str]:
        """What it is narrowed by, as an address says it."""
        return {name: value for name, value in (("show", self.show), ("q", self.words)) if value}

    @property
    def newest(self) -> bool:
        """Whether it is the end of the timeline."""
        return self.older is None and self.newer is None and self.entry is None and self.day is None


@dataclass(frozen=True, slots=True)
class Blank:
    """A template of documents that can be filled in now: for the client, or for one of their open deals."""

    name: str
    deal_id: int | None
    deal: str


@dataclass(frozen=True, slots=True)
class Business:
    """What is going on with a client: the right side of the card. `pipelines` are those in which whoever looks may open
    a deal; `unsubscribed`: they want no mailings."""

    card: ContactCard
    unsubscribed: bool
    known: KnownClient
    waiting: Waiting | None
    leads: tuple[LeadRecord, ...]
    tasks: tuple[TaskCard, ...]
    documents: tuple[DocumentRecord, ...]
    payments: tuple[PaymentRecord, ...]
    blanks: tuple[Blank, ...]
    pipelines: tuple[Pipeline, ...]

    @property
    def open_leads(self) -> tuple[LeadRecord, ...]:
        """Those that wait for somebody's decision."""
        return tuple(each for each in self.leads if each.status in {LeadStatus.NEW, LeadStatus.TAKEN})

    @property
    def closed_leads(self) -> tuple[LeadRecord, ...]:
        """The others."""
        return tuple(each for each in self.leads if each not in self.open_leads)


@dataclass(frozen=True, slots=True)
class ClientView:
    """Everything on a client's card. `targets` are the accounts that can write to them, `chosen` the one used last."""

    card: ContactCard
    asker: Asker
    around: Around
    business: Business
    entries: Stretch
    targets: tuple[ChannelKey, ...]
    chosen: ChannelKey | None
    suggestions: tuple[SuggestionCard, ...]
    merged: tuple[MergeRecord, ContactCard] | None


def client_view(
    conn: Reading, asker: Asker, contact_id: int, wanted: Wanted, accounts: tuple[ChannelKey, ...]
) -> ClientView:
    """A client's card with a stretch of the timeline; raises NotFound, InvalidInput for a bad cursor."""
    business = business_of(conn, asker, contact_id)
    card = business.card
    known_id = card.contact.id
    entries = stretch_of(conn, asker, known_id, wanted)
    spoken = [ChannelKey(channel, account) for channel, account in conversations_of(conn, asker.access, known_id)]
    targets = targets_of(card, spoken, accounts)
    suggested = SuggestionFilter(SuggestionState.OPEN, known_id)
    found = list_suggestions(conn, asker.access, suggested, Slice(limit=_SUGGESTIONS)).items
    return ClientView(
        card=card,
        asker=asker,
        around=Around(card, asker.staff, asker.now, asker.access),
        business=business,
        entries=entries,
        targets=targets,
        chosen=last_used(targets, [each.entry for each in entries.entries]),
        suggestions=tuple(sorted(found, key=lambda each: -each.suggestion.confidence)),
        merged=last_merge(conn, asker.access, known_id),
    )


@dataclass(frozen=True, slots=True)
class EntriesView:
    """Some entries alone, with what they are shown with."""

    around: Around
    entries: Stretch


def entries_view(
    conn: Reading, asker: Asker, contact_id: int, wanted: Wanted, *, fresh: bool, missed: bool
) -> EntriesView:
    """A stretch of a timeline; where it is to be `fresh` the newest entries that are wanted: those that not everybody
    sees, which no finished piece brings, and all where pieces were missed. Raises NotFound, InvalidInput."""
    card = contact_card(conn, asker.access, contact_id)
    if fresh:
        newest = stretch(conn, asker, card.contact.id, kinds=SHOWS[wanted.show][1], limit=_FRESH).entries
        found = Stretch(tuple(each for each in newest if missed or depends_on_sight(each.entry)), None, None)
    else:
        found = stretch_of(conn, asker, card.contact.id, wanted)
    return EntriesView(Around(card, asker.staff, asker.now, asker.access), found)


def stretch_of(conn: Reading, asker: Asker, contact_id: int, wanted: Wanted) -> Stretch:
    """A stretch of the timeline; raises NotFound, InvalidInput."""
    return stretch(
        conn,
        asker,
        contact_id,
        older=wanted.older,
        newer=wanted.newer,
        around=wanted.entry,
        since=datetime.combine(wanted.day, time.min, asker.zone) if wanted.day is not None else None,
        kinds=SHOWS[wanted.show][1],
        words=wanted.words,
        limit=_ENTRIES,
    )


def business_of(conn: Reading, asker: Asker, contact_id: int) -> Business:
    """What is going on with a client; raises NotFound."""
    card, access = contact_card(conn, asker.access, contact_id), asker.access
    ident = card.contact.id
    known = known_client(conn, asker, ident, entries=0)
    due = PaymentFilter(contact_id=ident, open_only=True)
    return Business(
        card=card,
        unsubscribed=ident in opt_outs.among(conn, [ident]),
        known=known,
        waiting=_waiting(conn, asker, card, known.case),
        leads=tuple(list_leads(conn, access, LeadFilter(contact_id=ident), Slice(limit=_LEADS)).items),
        tasks=tuple(list_tasks(conn, access, TaskFilter(TaskState.OPEN, contact_id=ident), Slice(limit=_TASKS)).items),
        documents=tuple(list_documents(conn, access, Slice(limit=_DOCUMENTS), contact_id=ident).items),
        payments=tuple(
            sorted(
                list_payments(conn, access, due, Slice(limit=_PAYMENTS)).items,
                key=lambda each: (each.due_on or "9", each.id),
            )
        ),
        blanks=_blanks(asker, known),
        pipelines=tuple(
            each
            for each in asker.catalogue.pipelines
            if each.record.type == DEAL and not each.record.archived and each.admits(asker.user) and each.first
        ),
    )


def _waiting(conn: Reading, asker: Asker, client: ContactCard, found: CaseCard | None) -> Waiting | None:
    if found is None:
        return None
    case = found.case
    told = told_of(conn, [case], asker).get(case.id, ())
    return Waiting(case, client, found.due_at, rungs_of(case, found.due_at, told, asker))


def _blanks(asker: Asker, known: KnownClient) -> tuple[Blank, ...]:
    found: list[Blank] = []
    for defined, body in asker.catalogue.bodies(Section.DOCUMENT, DocumentBody):
        if body.of == "contact":
            found.append(Blank(defined.name, None, ""))
        found += [
            Blank(defined.name, each.deal.id, each.deal.title) for each in known.deals if each.deal.type == body.of
        ]
    return tuple(found)
