"""Companies as people keep them: made, corrected, found again by tax id or name, put away and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_core.errors import Duplicate, InvalidInput, NotFound, Outdated
from crm_core.model.records import ContactRecord
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord
from crm_core.services.clients.contacts import UNSET, Unset, active_login, clean_tags
from crm_core.services.clients.tagging import one_of_each_group
from crm_core.services.custom import fields
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.names import name_key
from crm_core.services.recognising.recognition import searchable

_LONGEST_TAX_ID = 30


@dataclass(frozen=True, slots=True)
class CompanyChange:
    """What a company is to have; None clears a field that may be empty."""

    name: str | Unset = UNSET
    tax_id: str | Unset | None = UNSET
    manager: str | Unset | None = UNSET
    city: str | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


def create(desk: Desk, given: CompanyChange) -> CompanyRecord:
    """Add a company; raises InvalidInput, Duplicate where another has this tax id."""
    desk.demand(Right.KEEP_CLIENTS)
    empty = CompanyRecord(desk.work.next_id(), "", desk.now, desk.now)
    company = _changed(desk, empty, given)
    if not company.name:
        raise InvalidInput("a company has a name: give «name»")
    desk.work.put(company)
    return company


def change(desk: Desk, company_id: int, given: CompanyChange, version: int | None = None) -> CompanyRecord:
    """Correct a company; its name goes along to its contacts. Raises NotFound, Duplicate, Outdated."""
    desk.demand(Right.KEEP_CLIENTS)
    before = _alive(desk.work.locked(CompanyRecord, company_id))
    if version is not None and version != before.version:
        raise Outdated(
            "the company was changed meanwhile: it is at version {now}, not {version}",
            before,
            now=before.version,
            version=version,
        )
    company = _changed(desk, before, given)
    if not company.name:
        raise InvalidInput("name: a company has one")
    if company == before:
        return before
    desk.work.put(company._replace(updated_at=desk.now))
    if company.name != before.name:
        for contact in desk.work.related(ContactRecord, "company_id", [company_id]):
            if contact.company == before.name:
                desk.work.put(contact._replace(company=company.name))
    return company


def living(desk: Desk, company_id: int) -> CompanyRecord:
    """A company that is not deleted; raises NotFound."""
    return _alive(desk.work.get(CompanyRecord, company_id))


def match(desk: Desk, name: str, tax_id: str | None = None) -> CompanyRecord | None:
    """The company that is meant: of this tax id, else the only one of this name (and no other tax id)."""
    wanted = _tax_id(tax_id)
    if wanted is not None:
        known = desk.work.companies_by_tax_id([wanted])
        if wanted in known:
            return known[wanted]
    key = name_key(name)
    if not key:
        return None
    alike = [
        each
        for each in desk.work.related(CompanyRecord, "name_key", [key])
        if each.deleted_at is None and (wanted is None or each.tax_id in {None, wanted})
    ]
    return alike[0] if len(alike) == 1 else None


def _alive(found: CompanyRecord) -> CompanyRecord:
    if found.deleted_at is not None:
        raise NotFound("there is no company {company}", company=found.id)
    return found


def _changed(desk: Desk, company: CompanyRecord, given: CompanyChange) -> CompanyRecord:
    changes: dict[str, Any] = {}
    if not isinstance(given.name, Unset):
        changes["name"] = clean_name(given.name)
        changes["name_key"] = name_key(changes["name"])
    if not isinstance(given.city, Unset):
        changes["city"] = clean_name(given.city) or None if given.city is not None else None
    if not isinstance(given.tax_id, Unset):
        changes["tax_id"] = _free_tax_id(desk, company.id, given.tax_id)
    if not isinstance(given.manager, Unset):
        changes["manager"] = active_login(desk, given.manager)
    if not isinstance(given.tags, Unset):
        changes["tags"] = one_of_each_group(desk, "company", company.tags, clean_tags(given.tags))
    if not isinstance(given.fields, Unset):
        changes["fields"] = fields.given(desk, "company", company.fields, given.fields)
    company = company._replace(**changes)
    return company._replace(search=searchable(company.name, company.tax_id or ""))


def _tax_id(given: str | None) -> str | None:
    return "".join(char for char in given if char.isalnum()).upper() or None if given is not None else None


def _free_tax_id(desk: Desk, company_id: int, given: str | None) -> str | None:
    wanted = _tax_id(given)
    if wanted is None:
        if given:
            raise InvalidInput("tax_id: «{given}» is none", given=given[:60])
        return None
    if len(wanted) > _LONGEST_TAX_ID:
        raise InvalidInput("tax_id: longer than {most} characters", most=_LONGEST_TAX_ID)
    holder = desk.work.companies_by_tax_id([wanted]).get(wanted)
    if holder is not None and holder.id != company_id:
        raise Duplicate(
            "tax_id: «{wanted}» is that of company {holder}, «{holder_name}»",
            wanted=wanted,
            holder=holder.id,
            holder_name=holder.name,
        )
    return wanted
