"""What services may ask of the record within a transaction; see `crm_core.ports.UnitOfWork`.

Contacts are locked by whoever asks for them; the lock covers all that belongs to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from crm_core.errors import ConcurrentChange, NotFound
from crm_core.model.alarm import AlarmKind
from crm_core.model.callback import DialState
from crm_core.model.case import CaseState, Signal, SignalAt
from crm_core.model.definitions import Catalogue
from crm_core.model.history import ChangeRecord
from crm_core.model.records import (
    AlarmRecord,
    CallbackRecord,
    CallRecord,
    CaseRecord,
    ContactRecord,
    DialRecord,
    EntryRecord,
    IdentityRecord,
    LeadRecord,
    LeadStatus,
    ListedNumberRecord,
)
from crm_core.model.user import Staff
from crm_core.ports import Load
from crm_core.storage import bulk
from crm_core.storage.automating import Automating
from crm_core.storage.cards import Cards
from crm_core.storage.conversing import Conversing
from crm_core.storage.exchanging import Exchanging
from crm_core.storage.held import Record
from crm_core.storage.reaching import Reaching
from crm_core.storage.tables import TABLE_OF
from crm_core.storage.tasking import Tasking
from crm_core.storage.trading import Trading
from crm_core.storage.typed import Typed
from crm_core.storage.types import to_micros
from crm_core.storage.written import Written

_MOST_ALIKE = 300
_MOST_STRANGERS = 1000  # each takes a place in the server's table of locks, which has some thousands
_OPEN = frozenset({LeadStatus.NEW, LeadStatus.TAKEN})


class Reading(Automating, Conversing, Written, Trading, Typed, Cards, Exchanging, Reaching, Tasking):
    """The questions."""

    @property
    def staff(self) -> Staff:
        """Everybody of the office, as of this transaction."""
        if self._staff is None:
            self._staff, self._catalogue = self._caches.current(self.conn)
        return self._staff

    @property
    def catalogue(self) -> Catalogue:
        """Everything configured in the record, as of this transaction."""
        if self._catalogue is None:
            self._staff, self._catalogue = self._caches.current(self.conn)
        return self._catalogue

    def loads(self) -> dict[str, Load]:
        """How much new work each person has."""
        rows = self.conn.exec_driver_sql("SELECT login, open_leads, last_assigned FROM assignee_load")
        return {login: Load(open_leads, last_assigned) for login, open_leads, last_assigned in rows}

    def journal_seen(self, facts: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Which of the facts (channel, account, external_id) are in the journal already."""
        if not facts:
            return set()
        if self.sqlite:
            sql = (
                "SELECT j.channel, j.account, j.external_id FROM json_each(?) AS k CROSS JOIN journal AS j"
                " ON j.channel = k.value ->> 0 AND j.account = k.value ->> 1 AND j.external_id = k.value ->> 2"
            )
            parameters: tuple[Any, ...] = (orjson.dumps(list(facts)).decode(),)
        else:
            sql = (
                "SELECT j.channel, j.account, j.external_id"
                " FROM unnest($1::text[], $2::text[], $3::text[]) AS k (channel, account, external_id)"
                " JOIN journal AS j USING (channel, account, external_id)"
            )
            parameters = tuple(list(column) for column in zip(*facts, strict=True))
        return {(row[0], row[1], row[2]) for row in self.conn.exec_driver_sql(sql, parameters)}

    def contacts_by_identity(self, keys: Iterable[str], also: Iterable[int] = ()) -> dict[str, ContactRecord]:
        """The contacts that hold these identities, and those of these ids, locked until the end of the transaction."""
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            self.contacts(also)
            return {}
        holders = self._holders(wanted)
        if len(holders) < len(wanted) and self._stood_in_line([key for key in wanted if key not in holders]):
            holders = self._holders(wanted)
        for record in self._pending(IdentityRecord):
            if record.key in wanted:
                holders[record.key] = record.contact_id
        return self._survivors(holders, also)

    def _holders(self, keys: list[str]) -> dict[str, int]:
        sql = f"SELECT key, contact_id FROM identity WHERE key {bulk.among(self.conn, 1, 'text')}"
        return {row[0]: row[1] for row in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, keys),))}

    def _stood_in_line(self, strangers: list[str]) -> bool:
        """Wait for whoever makes contacts of these unknown identities at this moment; False where nobody can be.

        Without it two transactions would each make a contact, and the later one be thrown away whole at its end: under
        load again and again. Taken before any contact is locked, and in one order, so that nobody waits in a circle.
        """
        if self.sqlite or len(strangers) > _MOST_STRANGERS:
            return False
        sql = (
            "SELECT pg_advisory_xact_lock(place) FROM (SELECT DISTINCT hashtextextended(key, 0) AS place"
            " FROM unnest($1::text[]) AS k (key) ORDER BY place) AS line"
        )
        self.conn.exec_driver_sql(sql, (strangers,))
        return True

    def _survivors(self, holders: dict[str, int], also: Iterable[int] = ()) -> dict[str, ContactRecord]:
        """The contacts of identities, locked; of one merged while we waited for its lock, the contact it became."""
        contacts = self.contacts([*holders.values(), *also])
        moved = {each.id: each.merged_into for each in contacts.values() if each.merged_into is not None}
        if moved:
            return self._survivors({key: moved.get(owner, owner) for key, owner in holders.items()})
        return {key: contacts[contact_id] for key, contact_id in holders.items() if contact_id in contacts}

    def contacts(self, ids: Iterable[int]) -> dict[int, ContactRecord]:
        """Contacts by id, locked in the order of their ids; the lock covers everything that belongs to them."""
        ids = list(ids)
        wanted = sorted({each for each in ids if each not in self._current[ContactRecord]})
        self._load(ContactRecord, wanted, "t.id", tail=self._lock)
        return self._those(ContactRecord, ids)

    def contact(self, contact_id: int) -> ContactRecord:
        """One contact, locked; raises NotFound."""
        found = self._current[ContactRecord].get(contact_id) or self.contacts([contact_id]).get(contact_id)
        if found is None:
            raise NotFound("there is no contact {contact}", contact=contact_id)
        return found

    def identities(self, contact_ids: Iterable[int]) -> dict[int, list[IdentityRecord]]:
        """The identities of contacts, oldest first."""
        found = self._of_contacts(IdentityRecord, contact_ids)
        for listed in found.values():
            listed.sort(key=lambda each: (each.created_at, each.key))
        return found

    def namesakes(
        self, name_keys: Iterable[str]
    ) -> tuple[Sequence[ContactRecord], Mapping[int, Sequence[IdentityRecord]]]:
        """Contacts of these whole names, the newest first, with their identities; nothing is locked or kept."""
        columns = bulk.select_list(ContactRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM contact AS t WHERE t.name_key {bulk.among(self.conn, 1, 'text')}"
            f" AND t.name_key <> '' AND t.merged_into IS NULL ORDER BY t.id DESC LIMIT {_MOST_ALIKE}"
        )
        found = bulk.read(self.conn, ContactRecord, sql, (bulk.keys(self.conn, name_keys),))
        held: dict[int, list[IdentityRecord]] = {}
        if found:
            columns = bulk.select_list(IdentityRecord, "t", self.engine)
            sql = f"SELECT {columns} FROM identity AS t WHERE t.contact_id {bulk.among(self.conn, 1)}"
            owners = bulk.keys(self.conn, [each.id for each in found])
            for record in bulk.read(self.conn, IdentityRecord, sql, (owners,)):
                held.setdefault(record.contact_id, []).append(record)
        return found, held

    def by_handle(self, handles: Iterable[str]) -> Sequence[IdentityRecord]:
        """Identities with these handles, also those put in this transaction; nothing is locked."""
        wanted = set(handles)
        columns = bulk.select_list(IdentityRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM identity AS t WHERE t.handle {bulk.among(self.conn, 1, 'text')}"
            f" AND t.handle <> '' LIMIT {_MOST_ALIKE}"
        )
        stored = bulk.read(self.conn, IdentityRecord, sql, (bulk.keys(self.conn, wanted),))
        put = {each.key: each for each in self._pending(IdentityRecord) if each.handle in wanted}
        return [*put.values(), *(each for each in stored if each.key not in put)]

    def open_leads(self, contact_ids: Iterable[int]) -> dict[int, LeadRecord]:
        """The open lead of each contact that has one."""
        found = self._of_contacts(LeadRecord, contact_ids, "t.status IN ('new', 'taken')")
        return {owner: lead for owner, listed in found.items() for lead in listed if lead.status in _OPEN}

    def open_cases(self, contact_ids: Iterable[int]) -> dict[int, CaseRecord]:
        """The open case of each contact that has one."""
        found = self._of_contacts(CaseRecord, contact_ids, "t.state = 'open'")
        return {owner: case for owner, listed in found.items() for case in listed if case.state is CaseState.OPEN}

    def active_callbacks(self, contact_ids: Iterable[int]) -> dict[int, CallbackRecord]:
        """The callback of each contact that is waiting or being dialled."""
        found = self._of_contacts(CallbackRecord, contact_ids, "t.state IN ('waiting', 'dialling')")
        return {owner: each for owner, listed in found.items() for each in listed if each.state.active}

    def dials_going_on(self, contact_id: int, login: str | None = None) -> list[DialRecord]:
        """The placed calls that are not over, of a client, and of a person where one is named."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        columns = bulk.select_list(DialRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM dial AS t WHERE t.state <> 'ended' AND t.contact_id = {marks[0]}"
            f" UNION ALL SELECT {columns} FROM dial AS t WHERE t.state <> 'ended' AND t.login = {marks[1]}"
        )
        for record in bulk.read(self.conn, DialRecord, sql, (contact_id, login or "")):
            if record.id not in self._original[DialRecord]:
                self._remember(record)
        return [
            each
            for each in self._all(DialRecord)
            if each.state is not DialState.ENDED and (each.contact_id == contact_id or each.login == login)
        ]

    def talks_now(self, contact_id: int, since: datetime) -> bool:
        """Whether a call of this client that began after `since` goes on."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        sql = (
            f"SELECT 1 FROM call WHERE contact_id = {marks[0]} AND started_at > {marks[1]} AND finished_at IS NULL"
            " LIMIT 1"
        )
        at: Any = to_micros(since) if self.sqlite else since
        return self.conn.exec_driver_sql(sql, (contact_id, at)).first() is not None

    def last_call(self, contact_id: int) -> CallRecord | None:
        """The client's newest inbound call, for the line and the PBX by which they know the office."""
        columns = bulk.select_list(CallRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM call AS t WHERE t.contact_id = {bulk.placeholder(self.conn, 1)}"
            " AND t.direction = 'in' ORDER BY t.started_at DESC LIMIT 1"
        )
        found = bulk.read(self.conn, CallRecord, sql, (contact_id,))
        return found[0] if found else None

    def cases_of(self, contact_ids: Iterable[int]) -> dict[int, list[CaseRecord]]:
        """All cases of contacts, oldest first."""
        found = self._of_contacts(CaseRecord, contact_ids)
        for listed in found.values():
            listed.sort(key=lambda each: (each.opened_at, each.id))
        return found

    def signals(self, contact_ids: Iterable[int]) -> dict[int, list[SignalAt]]:
        """All signals on the timelines of contacts, in the order of their time."""
        found = self._of_contacts(EntryRecord, contact_ids, "t.signal IS NOT NULL")
        signals: dict[int, list[SignalAt]] = {}
        for owner, listed in found.items():
            signals[owner] = [
                SignalAt(
                    Signal(each.signal),
                    each.signal_at or each.occurred_at,
                    each.reason or "",
                    (each.channel or "", each.account or ""),
                )
                for each in listed
                if each.signal is not None
            ]
            signals[owner].sort(key=lambda each: each.at)
        return signals

    def calls_by_linkedid(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CallRecord]:
        """Calls by (pbx, linkedid)."""
        wanted = set(keys)
        # Internal calls have no contact whose lock would guard them.
        self._load(CallRecord, {linkedid for _, linkedid in wanted}, "t.linkedid", array="text", tail=self._lock)
        return {
            (each.pbx, each.linkedid): each for each in self._all(CallRecord) if (each.pbx, each.linkedid) in wanted
        }

    def call_numbers(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The client's number in calls by (pbx, linkedid), as it is now."""
        if not keys:
            return {}
        among = bulk.among(self.conn, 1, "text")
        sql = f"SELECT pbx, linkedid, number FROM call WHERE linkedid {among}"
        rows = self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, [linkedid for _, linkedid in keys]),))
        wanted = set(keys)
        return {(row[0], row[1]): row[2] for row in rows if (row[0], row[1]) in wanted}

    def listed_numbers(self, keys: Iterable[str]) -> dict[str, ListedNumberRecord]:
        """The special-list rows of identities."""
        self._load(ListedNumberRecord, keys, "t.key", array="text")
        return self._those(ListedNumberRecord, keys)

    def open_alarms(self, kind: AlarmKind) -> list[AlarmRecord]:
        """The alarms of a kind that last, oldest first; two nodes that end or tell one wait for each other."""
        self._load(AlarmRecord, [kind.value], "t.kind", "t.ended_at IS NULL", array="text", tail=self._lock)
        found = (each for each in self._all(AlarmRecord) if each.kind is kind and each.ended_at is None)
        return sorted(found, key=lambda each: (each.since, each.id))

    def peek(self, kind: type[Record], key: Any) -> Record | None:
        """The current version of a record that was read or put before, without asking the database."""
        found: Record | None = self._current[kind].get(key)
        return found

    def get(self, kind: type[Record], key: Any) -> Record:
        """One record by its key, of any type; raises NotFound."""
        array = "text" if isinstance(key, str) else "bigint"
        first = next(iter(TABLE_OF[kind].columns)).name
        self._load(kind, [key], f"t.{first}", array=array)
        found: Record | None = self._current[kind].get(key)
        if found is None:
            raise NotFound("there is no {kind} {ident}", kind=TABLE_OF[kind].name, ident=key)
        return found

    def owned(self, kind: type[Record], key: Any) -> tuple[Record, ContactRecord | None]:
        """A record and its contact, the contact locked before the record was read; raises NotFound."""
        mark = bulk.placeholder(self.conn, 1)
        sql = f'SELECT contact_id FROM "{TABLE_OF[kind].name}" WHERE id = {mark}'
        row = self.conn.exec_driver_sql(sql, (key,)).first()
        if row is None:
            raise NotFound("there is no {kind} {ident}", kind=TABLE_OF[kind].name, ident=key)
        contact = self.contact(row[0]) if row[0] is not None else None
        record: Any = self.get(kind, key)
        if contact is not None and record.contact_id != contact.id:
            raise ConcurrentChange(f"{TABLE_OF[kind].name} {key} changed hands")
        return record, contact

    def related(self, kind: type[Record], column: str, keys: Iterable[Any]) -> list[Record]:
        """The records whose `column` has one of these values, by id."""
        listed = list(dict.fromkeys(keys))
        if column == "contact_id":
            found = [each for records in self._of_contacts(kind, listed).values() for each in records]
            return sorted(found, key=itemgetter(0))
        known = self._loaded[kind, f"related:{column}"]
        missing = [each for each in listed if each not in known]
        array = "text" if listed and isinstance(listed[0], str) else "bigint"
        self._load(kind, missing, f"t.{column}", array=array)
        known.update(missing)
        index, wanted = list(TABLE_OF[kind].columns.keys()).index(column), set(listed)
        return sorted((each for each in self._all(kind) if each[index] in wanted), key=itemgetter(0))

    def history_of(self, kind: str, ids: Sequence[int]) -> dict[int, list[ChangeRecord]]:
        """All that is known of how records changed, oldest first."""
        mark = bulk.placeholder(self.conn, 1)
        columns = bulk.select_list(ChangeRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM change AS t WHERE t.kind = {mark}"
            f" AND t.subject_id {bulk.among(self.conn, 2)} ORDER BY t.id"
        )
        found: dict[int, list[ChangeRecord]] = {}
        for row in bulk.read(self.conn, ChangeRecord, sql, (kind, bulk.keys(self.conn, ids))):
            found.setdefault(row.subject_id, []).append(row)
        return found

    def everything(self, kind: type[Record]) -> list[Record]:
        """All records of a small table."""
        whole = self._loaded[kind, "everything"]
        if whole:
            return self._all(kind)
        whole.add(True)
        columns = bulk.select_list(kind, "t", self.engine)
        for record in bulk.read(self.conn, kind, f'SELECT {columns} FROM "{TABLE_OF[kind].name}" AS t'):
            self._remember(record)
        return self._all(kind)
