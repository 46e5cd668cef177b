"""Lines of companies, and companies that other lines name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from crm_core.model.importing import Became, Policy
from crm_core.model.selling import CompanyRecord
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.names import name_key
from crm_core.services.recognising.recognition import searchable

COMPANY = "company"


@dataclass(slots=True)
class Companies:
    """Companies by what names them; of several of one name none is meant."""

    batch: Batch
    by_id: dict[int, CompanyRecord] = field(default_factory=dict)
    by_name: dict[str, set[int]] = field(default_factory=dict)
    by_tax: dict[str, int] = field(default_factory=dict)

    def read(self, names: Iterable[str], tax_ids: Iterable[str] = (), ids: Iterable[int] = ()) -> None:
        """Find the companies of these names, tax ids, own ids; a statement each."""
        work = self.batch.desk.work
        keys = [key for key in {name_key(clean_name(each)) for each in names if each} if key]
        found: list[CompanyRecord] = []
        if keys:
            found += work.related(CompanyRecord, "name_key", keys)
        if taxes := [each for each in set(tax_ids) if each]:
            found += work.related(CompanyRecord, "tax_id", taxes)
        if wanted := list(set(ids)):
            found += work.related(CompanyRecord, "id", wanted)
        for company in found:
            self.know(company)

    def know(self, company: CompanyRecord) -> None:
        """Find it from now on."""
        self.by_id[company.id] = company
        if company.deleted_at is None:
            self.by_name.setdefault(company.name_key, set()).add(company.id)
            if company.tax_id:
                self.by_tax[company.tax_id] = company.id

    def id_of(self, name: str, *, make: bool = False) -> int | None:
        """The one company of this name."""
        if not name:
            return None
        key = name_key(name)
        found = self.by_name.get(key, set())
        if not found and make and key:
            return self.make(name).id
        return next(iter(found)) if len(found) == 1 else None

    def of(self, name: str, tax: str) -> int | None:
        """The company of this tax id, else the one of this name that has no other; made where there is none."""
        if tax and tax in self.by_tax:
            return self.by_tax[tax]
        alike = [self.by_id[each] for each in self.by_name.get(name_key(name), ())] if name else []
        alike = [each for each in alike if not tax or not each.tax_id or each.tax_id == tax]
        if len(alike) == 1 and tax and not alike[0].tax_id:
            known = alike[0]._replace(tax_id=tax, search=searchable(alike[0].name, tax), updated_at=self.batch.desk.now)
            self.batch.desk.work.put(known)
            self.know(known)
        if alike:
            return alike[0].id if len(alike) == 1 else None
        return self.make(name, tax).id if name and name_key(name) else None

    def make(self, name: str, tax: str = "") -> CompanyRecord:
        """A company of this name."""
        desk = self.batch.desk
        company = CompanyRecord(
            id=desk.work.next_id(),
            name=name,
            created_at=desk.now,
            updated_at=desk.now,
            tax_id=tax or None,
            search=searchable(name, tax),
            name_key=name_key(name),
        )
        desk.work.put(company)
        self.know(company)
        return company


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of companies in."""
    keys = {each.line.number: batch.key_of(each) for each in lines}
    batch.look_up(keys.values())
    companies = Companies(batch)
    own = [number for each in lines if (number := batch.hub_id(each)) is not None]
    known = [batch.refs[key] for key in keys.values() if key is not None and key in batch.refs]
    companies.read([each.text("name") for each in lines], [tax_of(each) for each in lines], [*own, *known])
    for given in lines:
        _take_one(batch, companies, given, keys[given.line.number])


def tax_of(given: Given) -> str:
    """The tax id of a line, in the form in which it is kept."""
    return "".join(char for char in given.text("tax_id") if char.isalnum()).upper()[:30]


def _take_one(batch: Batch, companies: Companies, given: Given, key: str | None) -> None:
    name, tax = clean_name(given.text("name")), tax_of(given)
    number = batch.refs.get(key) if key is not None else None
    number = number or batch.hub_id(given) or companies.by_tax.get(tax)
    before = batch.verified(given, companies.by_id.get(number) if number is not None else None)
    if before is None and name:
        same = [companies.by_id[each] for each in companies.by_name.get(name_key(name), ())]
        same = [each for each in same if not tax or not each.tax_id or each.tax_id == tax]
        if len(same) > 1:
            batch.refuse(given, Fault.SEVERAL, what="company", value=name[:80], count=len(same))
            return
        before = same[0] if same else None
    if before is None and not name:
        batch.refuse(given, Fault.NO_NAME)
        return
    if before is not None and before.deleted_at is not None:
        batch.refuse(given, Fault.ERASED)
        return
    seen = batch.seen([f"{COMPANY}:{name_key(name)}", *([key] if key else []), *([f"tax:{tax}"] if tax else [])])
    company = before if before is not None else companies.make(name)
    after = _filled(batch, companies, given, company, name, tax)
    batch.remember(key, COMPANY, company.id)
    if after != company or before is None:
        created = batch.moment(given, "created_at") if before is None else None
        after = after._replace(updated_at=batch.desk.now, created_at=created or after.created_at)
        batch.desk.work.put(after)
        companies.know(after)
    if before is None:
        batch.became(given, Became.UPDATED if seen else Became.CREATED, company.id)
    else:
        batch.became(given, Became.UPDATED if after != before else Became.UNCHANGED, company.id)


def _filled(
    batch: Batch, companies: Companies, given: Given, company: CompanyRecord, name: str, tax: str
) -> CompanyRecord:
    changes: dict[str, Any] = {"city": clean_name(given.text("city")), "manager": batch.manager(given)}
    if companies.by_tax.get(tax, company.id) == company.id:
        changes["tax_id"] = tax
    if name and batch.how.policy is Policy.OVERWRITE:
        changes["name"] = name
    after: CompanyRecord = batch.with_tags(batch.merged(company, changes), batch.tags(given))
    fields = batch.fields(given, after.fields)
    if fields != after.fields:
        after = after._replace(fields=fields)
    if after != company:
        after = after._replace(name_key=name_key(after.name), search=searchable(after.name, after.tax_id or ""))
    return after
