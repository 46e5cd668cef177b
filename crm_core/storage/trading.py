"""Questions about money, products and what other programs call records; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crm_core.errors import ConcurrentChange
from crm_core.model.exchange import DeliveryState, ExternalRefRecord, WebhookDeliveryRecord
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.model.selling import CompanyRecord, PaymentRecord, ProductRecord
from crm_core.storage import bulk
from crm_core.storage.held import Held
from crm_core.storage.types import to_micros

_ALIVE = "t.deleted_at IS NULL"


class Trading(Held):
    """The questions of money and exchange."""

    def deals(self, ids: Iterable[int]) -> dict[int, DealRecord]:
        """Deals by id, locked, after their clients; whoever changes a deal's money holds it so. Three statements."""
        wanted = list(dict.fromkeys(ids))
        held = self._current[DealRecord]
        missing = [each for each in wanted if each not in held]
        if missing:
            sql = f"SELECT contact_id FROM deal WHERE id {bulk.among(self.conn, 1)} AND contact_id IS NOT NULL"
            owners = {row[0] for row in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, missing),))}
            clients = self._current[ContactRecord]
            self._load(ContactRecord, sorted(owners - set(clients)), "t.id", tail=self._lock)
            self._load(DealRecord, missing, "t.id", tail=self._lock)
            if any(each.contact_id not in owners for each in map(held.get, missing) if each and each.contact_id):
                raise ConcurrentChange("a deal changed hands")
        return self._those(DealRecord, wanted)

    def open_payments_behind(self, deal_id: int, limit: int) -> list[int]:
        """The deals, behind one in the order of their ids, that have instalments or promises still to be paid."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        sql = (
            "SELECT DISTINCT deal_id FROM payment WHERE settled_at IS NULL AND deleted_at IS NULL"
            f" AND kind <> 'received' AND deal_id > {marks[0]} ORDER BY deal_id LIMIT {marks[1]}"
        )
        return [row[0] for row in self.conn.exec_driver_sql(sql, (deal_id, limit))]

    def unpaid_deals(self, contact_ids: Iterable[int]) -> dict[int, list[int]]:
        """The ids of the open deals of contacts on which money is still to come, by contact; nothing is locked."""
        sql = (
            "SELECT t.contact_id, t.id FROM deal AS t"
            f" WHERE t.contact_id {bulk.among(self.conn, 1)} AND t.deleted_at IS NULL AND t.amount > t.paid"
            " AND t.type = 'deal' AND t.closed_at IS NULL ORDER BY t.id"
        )
        found: dict[int, list[int]] = {}
        for owner, deal_id in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, contact_ids),)):
            found.setdefault(owner, []).append(deal_id)
        return found

    def payments(self, ids: Iterable[int]) -> dict[int, PaymentRecord]:
        """Payments by id, as stored or put; their deals are to be locked first."""
        wanted = list(ids)
        self._load(PaymentRecord, [each for each in wanted if each not in self._current[PaymentRecord]], "t.id")
        return self._those(PaymentRecord, wanted)

    def products_by_sku(self, skus: Iterable[str]) -> dict[str, ProductRecord]:
        """The products, not deleted, with these article numbers."""
        wanted = set(skus)
        self._load(ProductRecord, wanted, "t.sku", f"t.sku IS NOT NULL AND {_ALIVE}", array="text")
        return {
            each.sku: each
            for each in self._all(ProductRecord)
            if each.sku is not None and each.sku in wanted and each.deleted_at is None
        }

    def companies_by_tax_id(self, tax_ids: Iterable[str]) -> dict[str, CompanyRecord]:
        """The companies, not deleted, with these tax ids."""
        wanted = set(tax_ids)
        self._load(CompanyRecord, wanted, "t.tax_id", f"t.tax_id IS NOT NULL AND {_ALIVE}", array="text")
        return {
            each.tax_id: each
            for each in self._all(CompanyRecord)
            if each.tax_id is not None and each.tax_id in wanted and each.deleted_at is None
        }

    def first_contacts(self, company_ids: Iterable[int]) -> dict[int, int]:
        """The oldest contact of each company, as stored; nothing is locked."""
        sql = (
            "SELECT t.company_id, min(t.id) FROM contact AS t"
            f" WHERE t.company_id {bulk.among(self.conn, 1)} AND t.company_id IS NOT NULL"
            f" AND t.merged_into IS NULL AND {_ALIVE} GROUP BY t.company_id"
        )
        rows = self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, company_ids),))
        return {row[0]: row[1] for row in rows}

    def external_refs(self, keys: Iterable[str]) -> dict[str, ExternalRefRecord]:
        """What other programs' ids (`kind:system:id`) stand for."""
        wanted = list(keys)
        self._load(ExternalRefRecord, wanted, "t.key", array="text")
        return self._those(ExternalRefRecord, wanted)

    def external_ids_of(self, kind: str, ids: Iterable[int]) -> dict[int, list[ExternalRefRecord]]:
        """By what ids other programs know records of a kind."""
        wanted = set(ids)
        quoted = "".join(char for char in kind if char.isalnum() or char == "_")
        self._load(ExternalRefRecord, wanted, "t.subject_id", f"t.kind = '{quoted}'")
        found: dict[int, list[ExternalRefRecord]] = {}
        for each in self._all(ExternalRefRecord):
            if each.kind == kind and each.subject_id in wanted:
                found.setdefault(each.subject_id, []).append(each)
        return found

    def webhook_deliveries(self, ids: Iterable[int]) -> dict[int, WebhookDeliveryRecord]:
        """Deliveries of events by id."""
        wanted = list(ids)
        self._load(WebhookDeliveryRecord, wanted, "t.id")
        return self._those(WebhookDeliveryRecord, wanted)

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
        given: list[Any] = [state.value, self._moment(since), self._moment(until), behind]
        conditions = ["t.state = {}", "t.created_at >= {}", "t.created_at < {}", "t.id > {}"]
        for column, value in (("subscription", subscription), ("event", event)):
            if value is not None:
                given.append(value)
                conditions.append(f"t.{column} = {{}}")
        given.append(limit)
        marks = [bulk.placeholder(self.conn, position) for position in range(1, len(given) + 1)]
        sql = f"SELECT t.id FROM webhook_delivery AS t WHERE {' AND '.join(conditions)} ORDER BY t.id LIMIT {{}}"
        return [row[0] for row in self.conn.exec_driver_sql(sql.format(*marks), tuple(given))]

    def _moment(self, at: datetime) -> Any:
        return to_micros(at) if self.sqlite else at
