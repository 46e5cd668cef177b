"""Lines of contacts: matched by the file's ids, by numbers and addresses; the rest are new clients."""

from __future__ import annotations

from typing import Any

from crm_core.model.importing import Became
from crm_core.model.records import ContactRecord
from crm_core.services.importing.batch import Batch, Given, name_of
from crm_core.services.importing.clients import CONTACT, Clients
from crm_core.services.importing.companies import Companies, tax_of
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.names import name_key
from crm_core.services.recognising.recognition import renamed

_COMPANIES = frozenset({"компания", "company"})


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of contacts in."""
    people = [each for each in lines if each.text("record_type").casefold() not in _COMPANIES]
    for given in lines:
        _identified(given)
        if given.text("record_type").casefold() in _COMPANIES:
            batch.became(given, Became.UNCHANGED, 0)  # stands in the file of companies
    clients = Clients(batch, target="external_id")
    batch.look_up([_line_key(each) for each in people])
    clients.read(people)
    companies = Companies(batch)
    companies.read([given.text("company") for given in people], [tax_of(given) for given in people])
    for given in people:
        _take_one(batch, clients, companies, given)
    clients.settle()


def _identified(given: Given) -> None:
    """An identifier that names no channel is the id that the clients have in their program."""
    plain = [each for each in given.all("identifier") if ":" not in each]
    if plain and not given.text("external_id"):
        texts: Any = given.texts
        texts["external_id"] = plain[:1]


def _take_one(batch: Batch, clients: Clients, companies: Companies, given: Given) -> None:
    found, name = clients.find(given), name_of(given)
    key = found.key or (_line_key(given) if not found.identities else None)
    before = found.contact
    if before is None and key is not None and (number := batch.refs.get(key)) is not None:
        before = batch.desk.work.contacts([number]).get(number)
    if before is not None and before.deleted_at is not None:
        batch.refuse(given, Fault.ERASED)
        return
    if before is None and not name and not found.identities:
        batch.refuse(given, Fault.NOBODY)
        return
    seen = batch.seen([*(str(each) for each in found.identities), *([key] if key else [])])
    contact = before if before is not None else clients.make(given, found, name)
    if before is not None:
        contact = clients.link(given, contact, found) if batch.how.policy != "skip" else contact
    contact = _filled(batch, companies, given, contact, name, fresh=before is None)
    contact = clients.findable(contact)
    batch.remember(key, CONTACT, contact.id)
    if before is None:
        batch.desk.work.put(contact)
        batch.became(given, Became.UPDATED if seen else Became.CREATED, contact.id)
    elif contact != before or (found.free and batch.how.policy != "skip"):
        batch.desk.work.put(contact._replace(updated_at=batch.desk.now))
        batch.became(given, Became.UPDATED, contact.id)
    else:
        batch.became(given, Became.UNCHANGED, contact.id)


def _filled(
    batch: Batch, companies: Companies, given: Given, contact: ContactRecord, name: str, *, fresh: bool
) -> ContactRecord:
    if name and name != contact.name and batch.wins(contact.name):
        contact = renamed(contact, name)
        contact = contact._replace(marks={key: value for key, value in contact.marks.items() if key != "name"})
    changes: dict[str, Any] = {
        "city": clean_name(given.text("city")),
        "status": clean_name(given.text("status")),
        "manager": batch.manager(given),
    }
    contact = _employed(batch, companies, given, contact)
    listed = given.text("list")
    if listed and listed in batch.desk.office.lists:
        changes["list_name"] = listed
    elif listed:
        batch.note(given, Fault.LIST, value=listed[:80])
    contact = batch.merged(contact, changes)
    contact = batch.with_tags(contact, batch.tags(given))
    fields = batch.fields(given, contact.fields)
    if fields != contact.fields:
        contact = contact._replace(fields=fields)
    created = batch.moment(given, "created_at") if fresh else None
    return contact._replace(created_at=created) if created is not None and created < batch.desk.now else contact


def _employed(batch: Batch, companies: Companies, given: Given, contact: ContactRecord) -> ContactRecord:
    """The company that a line names: the one of its tax id, else the one of its name, made where there is none. Where
    several are called so, none is meant, and the name is kept as a text."""
    name, tax = clean_name(given.text("company")), tax_of(given)
    if not (name or tax):
        return contact
    # What stands there as a mere text may become a link.
    told = contact.company_id is None and name_key(contact.company or "") == name_key(name) != ""
    if not batch.wins(None if told else contact.company):
        return contact
    number = companies.of(name, tax)
    if number is None and not name:
        return contact
    named = companies.by_id[number].name if number is not None else name
    if contact.company_id == number and contact.company is not None and name_key(contact.company) == name_key(named):
        return contact
    return contact._replace(company=named, company_id=number)


def _line_key(given: Given) -> str:
    """What makes a line that names nobody by number or id the same one when it comes again."""
    return f"{CONTACT}:line:{given.digest}"
