"""The unit of work that storage implements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol, TypeVar

from crm_core.model.alarm import AlarmKind
from crm_core.model.automation import ChainRunRecord
from crm_core.model.case import SignalAt
from crm_core.model.conversation import ThreadRecord
from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.values import FieldValueRecord
from crm_core.model.exchange import DeliveryState, ExternalRefRecord, ImportRecord, WebhookDeliveryRecord
from crm_core.model.figures import Figures
from crm_core.model.filters import Filter
from crm_core.model.history import Change, ChangeRecord
from crm_core.model.outreach import BroadcastRecord, RecipientRecord
from crm_core.model.records import (
    AlarmRecord,
    AttachmentRecord,
    CallbackRecord,
    CallRecord,
    CaseRecord,
    ContactRecord,
    DealRecord,
    DialRecord,
    EntryRecord,
    IdentityRecord,
    LeadRecord,
    ListedNumberRecord,
)
from crm_core.model.selling import CompanyRecord, LinkRecord, PaymentRecord, ProductRecord
from crm_core.model.task import TaskRecord
from crm_core.model.user import Staff
from crm_core.ports.policies import Load

Record = TypeVar("Record", bound=tuple[Any, ...])


class UnitOfWork(Protocol):
    """One transaction: what it reads is locked where it matters, what it puts is written together at its end."""

    now: datetime
    # Who acts: a login, `rule:name`, or nobody where a fact does; kept with every record that is put.
    author: str

    @property
    def staff(self) -> Staff:
        """Everybody of the office."""

    @property
    def catalogue(self) -> Catalogue:
        """Everything configured in the record: pipelines, fields, rules …"""

    def take_changes(self, kinds: Iterable[type]) -> list[Change]:
        """What was put or removed of these kinds since the last look."""

    def all_changes(self, kinds: Iterable[type]) -> list[tuple[Change, str]]:
        """What this transaction changes of these kinds altogether, each with who put it last."""

    def changes_by_author(self) -> list[tuple[Change, str]]:
        """What this transaction changes of tracked records, of each who acted apart; whoever made a new one leaves it
        as it was made."""

    def next_id(self) -> int:
        """A fresh id, unique over all tables."""

    def put(self, record: tuple[Any, ...]) -> None:
        """Add a record, or replace one that was read."""

    def remove(self, kind: type, key: Any) -> None:
        """Delete a record by its key; nothing happens where there is none."""

    def changed(self, topic: str, subject_id: int, contact_id: int | None = None) -> None:
        """Tell the feed of a change that is in none of the records."""

    def loads(self) -> dict[str, Load]:
        """How much new work each person has, by login."""

    def journal_seen(self, facts: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Which facts (channel, account, external_id) are in the journal already."""

    def contacts_by_identity(self, keys: Iterable[str], also: Iterable[int] = ()) -> dict[str, ContactRecord]:
        """The contacts holding these identities, locked together with those of the ids in `also`."""

    def contacts(self, ids: Iterable[int]) -> dict[int, ContactRecord]:
        """Contacts by id, locked; the lock covers what belongs to them."""

    def contact(self, contact_id: int) -> ContactRecord:
        """One contact, locked; raises NotFound."""

    def identities(self, contact_ids: Iterable[int]) -> dict[int, list[IdentityRecord]]:
        """The identities of contacts, oldest first."""

    def namesakes(
        self, name_keys: Iterable[str]
    ) -> tuple[Sequence[ContactRecord], Mapping[int, Sequence[IdentityRecord]]]:
        """Some contacts of these whole names with their identities, as stored; nothing is locked."""

    def by_handle(self, handles: Iterable[str]) -> Sequence[IdentityRecord]:
        """Some identities with these handles, as stored; nothing is locked."""

    def open_leads(self, contact_ids: Iterable[int]) -> dict[int, LeadRecord]:
        """The open lead of each contact that has one."""

    def open_cases(self, contact_ids: Iterable[int]) -> dict[int, CaseRecord]:
        """The open case of each contact that has one."""

    def active_callbacks(self, contact_ids: Iterable[int]) -> dict[int, CallbackRecord]:
        """The callback of each contact that is waiting or being dialled."""

    def dials_going_on(self, contact_id: int, login: str | None = None) -> list[DialRecord]:
        """The placed calls that are not over, of a client, and of a person where one is named."""

    def talks_now(self, contact_id: int, since: datetime) -> bool:
        """Whether a call of this client that began after `since` goes on."""

    def last_call(self, contact_id: int) -> CallRecord | None:
        """The client's newest inbound call, for the line and the PBX by which they know the office."""

    def cases_of(self, contact_ids: Iterable[int]) -> dict[int, list[CaseRecord]]:
        """All cases of contacts, oldest first."""

    def signals(self, contact_ids: Iterable[int]) -> dict[int, list[SignalAt]]:
        """All signals on the timelines of contacts, also those put in this transaction, in the order of their time."""

    def entries_by_ref(self, refs: Iterable[str]) -> dict[str, EntryRecord]:
        """Messages by their provider reference."""

    def calls_by_linkedid(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CallRecord]:
        """Calls by (pbx, linkedid)."""

    def call_numbers(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The client's number in calls by (pbx, linkedid), as it is now; nothing is locked."""

    def listed_numbers(self, keys: Iterable[str]) -> dict[str, ListedNumberRecord]:
        """The special-list rows of identities."""

    def open_alarms(self, kind: AlarmKind) -> list[AlarmRecord]:
        """The alarms of a kind that last, oldest first."""

    def last_entry(self, contact_id: int, channel: str, account: str | None) -> EntryRecord | None:
        """The client's newest inbound entry in a channel, with a conversation to answer into."""

    def message_owners(self, refs: Iterable[str], numbers: Iterable[int]) -> set[int]:
        """The contacts on whose timelines messages stand, by reference and by number; nothing is locked."""

    def entries_by_number(self, numbers: Iterable[int]) -> list[EntryRecord]:
        """Outgoing messages by our number of them, of all accounts."""

    def unread(self, contact_ids: Iterable[int]) -> list[EntryRecord]:
        """The messages to contacts that they are not known to have read."""

    def thread_owners(self, keys: Iterable[str], ids: Iterable[int]) -> set[int]:
        """The clients with whom the threads began that mails are of, by the mails' keys, and threads by id; nothing is
        locked."""

    def threads(self, keys: Sequence[str], ids: Sequence[int]) -> tuple[dict[str, int], list[ThreadRecord]]:
        """The threads that mails are of, by the mails' keys; and those, threads by id, and all their relatives,
        locked."""

    def last_of_threads(self, thread_ids: Iterable[int], limit: int) -> list[EntryRecord]:
        """The newest mails of threads, oldest first."""

    def attended(self, contact_ids: Iterable[int]) -> dict[int, set[tuple[str, str, str]]]:
        """The conversations (channel, account, id) in which people of the office have written to contacts."""

    def last_written(self, contact_id: int) -> EntryRecord | None:
        """The client's newest message or mail, in whatever channel: there an answer reaches them."""

    def written_places(self, contact_ids: Iterable[int]) -> dict[int, list[EntryRecord]]:
        """The newest message or mail of each contact in each of their conversations, the newest first."""

    def broadcast(self, broadcast_id: int) -> BroadcastRecord:
        """A broadcast, locked; raises NotFound."""

    def recipients_waiting(self, broadcast_id: int, limit: int) -> list[RecipientRecord]:
        """The next recipients to whom nothing was queued yet, by contact; the broadcast is to be locked first."""

    def recipients_failed(self, broadcast_id: int, contact_ids: Sequence[int] | None) -> list[RecipientRecord]:
        """The recipients, or those of them who are named, whose message did not get through, by contact; the broadcast
        is to be locked first."""

    def audience(
        self, kind: str, wanted: Filter, catalogue: Catalogue, *, above: int, limit: int, zone: str, region: str
    ) -> list[int]:
        """The next clients, by id, who themselves or whose records of a kind pass a filter; nothing is locked."""

    def next_number(self, series: str) -> int:
        """The next number of a series, from 1, without gaps: the next transaction that asks waits for this one."""

    def withdraw(self, dedupe: str) -> bool:
        """Take back what was queued in an earlier transaction and nobody has begun with; False where it is too late.
        From here on no worker begins with it."""

    def figures(self, since: datetime, login: str | None) -> Figures:
        """The figures since a moment, of a person or of the whole office."""

    def card(self, deal_id: int) -> tuple[DealRecord, ContactRecord | None]:
        """A card and its contact, both locked, the contact first; raises NotFound, also for a deleted one."""

    def cards(self, ids: Iterable[int]) -> list[DealRecord]:
        """Cards that are not deleted, locked with their contacts."""

    def hold_stages(self, ids: Iterable[int]) -> set[int]:
        """Which of these stages take cards; nobody takes them out of use until the end of this transaction."""

    def close_stage(self, stage_id: int) -> None:
        """Wait until nobody is letting a card into a stage; nobody does from here on."""

    def stands_on(self, stage_id: int, limit: int) -> list[int]:
        """Some of the cards on a stage that are not deleted, by id."""

    def line_of(self, deal_id: int, since: datetime, most: int) -> int:
        """How many cards made since a moment stand in the line of copies that ends with this card, `most` at most."""

    def links_of(self, kinds: Iterable[str], record_id: int) -> list[LinkRecord]:
        """The links from and to a record, which goes by several kinds."""

    def next_cards(
        self,
        pipeline_id: int,
        stage_ids: Iterable[int],
        login: str,
        limit: int,
        passed: Iterable[int],
        *,
        wait: bool = False,
    ) -> list[DealRecord] | None:
        """The next cards of a dial list that nobody else has, locked with their contacts, somebody's own first, then
        those due longest; without those `passed`, and without clients who are being dialled or are to be rung by a
        robot. Clients with whom somebody works at this moment are left out, unless we `wait` for them. None where there
        are none; an empty list where others were faster."""

    def files_of_deal(self, contact_id: int, deal_id: int) -> list[AttachmentRecord]:
        """The files on a client's timeline that belong to a card and are here, oldest first."""

    def peek(self, kind: type[Record], key: Any) -> Record | None:
        """A record that was read or put before, without asking the database."""

    def get(self, kind: type[Record], key: Any) -> Record:
        """A record by its key; raises NotFound."""

    def locked(self, kind: type[Record], ident: int) -> Record:
        """A record that is no contact's, by its id, locked; raises NotFound."""

    def owned(self, kind: type[Record], key: Any) -> tuple[Record, ContactRecord | None]:
        """A record and its contact, the contact locked before the record was read; raises NotFound."""

    def related(self, kind: type[Record], column: str, keys: Iterable[Any]) -> list[Record]:
        """The records whose `column` has one of these values."""

    def everything(self, kind: type[Record]) -> list[Record]:
        """All records of a small table (pipelines, stages)."""

    # ------------------------------------------------------------ money and exchange

    def deals(self, ids: Iterable[int]) -> dict[int, DealRecord]:
        """Deals by id, locked, after their clients; whoever changes a deal's money holds it so."""

    def open_payments_behind(self, deal_id: int, limit: int) -> list[int]:
        """The deals, behind one in the order of their ids, that have instalments or promises still to be paid."""

    def unpaid_deals(self, contact_ids: Iterable[int]) -> dict[int, list[int]]:
        """The ids of the open deals of contacts on which money is still to come, by contact; nothing is locked."""

    def payments(self, ids: Iterable[int]) -> dict[int, PaymentRecord]:
        """Payments by id, as stored or put; their deals are to be locked first."""

    def products_by_sku(self, skus: Iterable[str]) -> dict[str, ProductRecord]:
        """The products, not deleted, with these article numbers."""

    def companies_by_tax_id(self, tax_ids: Iterable[str]) -> dict[str, CompanyRecord]:
        """The companies, not deleted, with these tax ids."""

    def first_contacts(self, company_ids: Iterable[int]) -> dict[int, int]:
        """The oldest contact of each company, as stored; nothing is locked."""

    def external_refs(self, keys: Iterable[str]) -> dict[str, ExternalRefRecord]:
        """What other programs' ids (`kind:system:id`) stand for."""

    def external_ids_of(self, kind: str, ids: Iterable[int]) -> dict[int, list[ExternalRefRecord]]:
        """By what ids other programs know records of a kind."""

    def ended_deliveries(
        self,
        state: DeliveryState,
        since: datetime,
        until: datetime,
        *,
        subscription: str | None,
        event: str | None,
        behind: int,
        limit: int,
    ) -> list[int]:
        """The ids, behind one in their order, of deliveries whose events happened in [since, until)."""

    def webhook_deliveries(self, ids: Iterable[int]) -> dict[int, WebhookDeliveryRecord]:
        """Deliveries of events by id."""

    def unique_holders(self, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """With which records these values `(field id, unique key)` stand, as this transaction leaves them."""

    def stretch(self, kind: type[Record], above: int, limit: int, type_name: str | None = None) -> list[Record]:
        """The next records of a kind behind an id, by id, locked; cards of one `type_name`."""

    def field_values(self, field_id: int, above: str, limit: int) -> list[FieldValueRecord]:
        """The next index rows of a field behind a key, by key."""

    def import_run(self, import_id: int) -> ImportRecord:
        """An import, locked; raises NotFound."""

    def of_person(self, kind: type, login: str, limit: int) -> list[int]:
        """Some of the records that somebody looks after and that go on, by id; nothing is locked."""

    def owners_of(self, kind: type, ids: Iterable[int]) -> list[int]:
        """The contacts of records, by id; nothing is locked."""

    # ------------------------------------------------------------ tasks

    def task(self, task_id: int) -> tuple[TaskRecord, ContactRecord | None]:
        """A task and its client, both locked, the client first; raises NotFound, also for a deleted one."""

    def tasks(self, ids: Iterable[int]) -> list[TaskRecord]:
        """Tasks that are not deleted, locked with their clients; by id."""

    def open_tasks(self, column: str, keys: Iterable[Any]) -> list[TaskRecord]:
        """The open tasks of deals, leads, contacts or people, by `deal_id`, `lead_id`, `contact_id`, `assignee`; locked
        with their clients; by id."""

    # ------------------------------------------------------------ rules and chains

    def open_cards(self, contact_ids: Iterable[int], stages: Sequence[int]) -> list[DealRecord]:
        """The cards of clients that stand on one of these stages, with what this transaction made; by id."""

    def runs_since(
        self, subjects: Iterable[tuple[str, int]], since: datetime
    ) -> dict[tuple[str, int], dict[tuple[str, str], int]]:
        """How often each rule ran on records since a moment, by its name and the outcome."""

    def running_chains(self, contact_ids: Iterable[int]) -> dict[int, list[ChainRunRecord]]:
        """The chains of messages that run for clients."""

    def subjects_after(
        self,
        kind: str,
        above: int,
        limit: int,
        *,
        stages: Iterable[int] = (),
        wanted: Filter | None = None,
        catalogue: Catalogue = ...,
        zone: tzinfo = UTC,
        region: str = "RU",
    ) -> list[int]:
        """The ids of records of a kind that are not deleted, beyond an id, in their order: cards on one of `stages`, or
        those that a filter lets through (read in the office's zone and region). Nothing is locked."""

    def history_of(self, kind: str, ids: Sequence[int]) -> dict[int, list[ChangeRecord]]:
        """All that is known of how records changed before this transaction, oldest first."""

    def status_changes(self, above: int, limit: int) -> dict[int, str]:
        """The next clients behind an id whose worked-out status is not the one they have, and that status."""
