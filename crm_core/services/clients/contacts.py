"""Contacts as people keep them: made by hand, corrected, given a manager, put on a special list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final

from crm_core.errors import Conflict, Duplicate, InvalidIdentity, InvalidInput, Outdated
from crm_core.model.identity import Identity
from crm_core.model.likeness import full_name
from crm_core.model.listed import held_as, listed_by, listed_key
from crm_core.model.office import Office
from crm_core.model.records import ContactRecord, IdentityRecord, ListedNumberRecord
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord
from crm_core.services.clients.tagging import one_of_each_group
from crm_core.services.custom.fields import given as typed_fields
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.recognition import searchable
from crm_core.wording import Sentence

BY_HAND = "by hand"
_MOST_IDENTITIES = 100


class Unset(Enum):
    """Says of a field that it stays as it is."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class ContactChange:
    """What is to be changed; None clears a field that may be empty.

    `identities` are all that the contact shall have. `fields` are merged into those known; one whose value is None is
    taken away.
    """

    name: str | Unset = UNSET
    identities: Sequence[Identity] | Unset = UNSET
    manager: str | Unset | None = UNSET
    company: str | Unset | None = UNSET
    company_id: int | Unset | None = UNSET
    city: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    list_name: str | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


def create(desk: Desk, given: ContactChange) -> tuple[ContactRecord, list[IdentityRecord]]:
    """Make a contact.

    Raises Duplicate where somebody holds one of the identities, InvalidInput for a manager or a list that is not
    there, or where there is neither name nor identity.
    """
    desk.demand(Right.KEEP_CLIENTS)
    name = clean_name(given.name) if not isinstance(given.name, Unset) else ""
    wanted = given.identities if not isinstance(given.identities, Unset) else ()
    if not name and not wanted:
        raise InvalidInput("a contact has a name or an identity: give «name» or «identities»")
    # Without marks: what a person gave, no fact overrides.
    contact = ContactRecord(desk.work.next_id(), name, desk.now, desk.now, search="", name_key=full_name(name))
    contact = _changed(desk, contact, given)
    desk.work.put(contact)
    identities = _held(desk, contact, wanted)
    contact = _findable(contact, identities)
    desk.work.put(contact)
    desk.emit("contact.created", contact.id, {"id": contact.id, "name": contact.name})
    return contact, identities


def change(
    desk: Desk, contact_id: int, given: ContactChange, version: int | None = None
) -> tuple[ContactRecord, list[IdentityRecord]]:
    """Correct a contact; raises NotFound, Conflict where it was merged away, Outdated where it is no longer the
    `version` that was seen, and what `create` raises."""
    desk.demand(Right.KEEP_CLIENTS)
    before = desk.work.contact(contact_id)
    if before.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}: change that one", merged_into=before.merged_into)
    if version is not None and version != before.version:
        raise Outdated(
            "the contact was changed meanwhile: it is at version {now}, not {version}",
            before,
            now=before.version,
            version=version,
        )
    contact = _changed(desk, before, given)
    if not isinstance(given.identities, Unset):
        identities = _held(desk, contact, given.identities)
    else:
        identities = desk.work.identities([contact_id]).get(contact_id, [])
    contact = _findable(contact, identities)
    if contact != before:
        desk.work.put(contact._replace(updated_at=desk.now))
    return desk.work.contact(contact_id), identities


def put_on_list(desk: Desk, list_name: str, identity: str, reason: str, login: str) -> ListedNumberRecord:
    """Put a bare number, any other identity or a whole mail domain (`@spam.example`) on a special list.

    It may have stood on another. Whoever holds it stands there from their next fact on. Raises InvalidInput.
    """
    desk.demand(Right.KEEP_LISTS)
    known_list(desk.office, list_name)
    key = _key(desk, identity)
    desk.work.listed_numbers([key])
    record = ListedNumberRecord(key, list_name, reason, login, desk.now)
    desk.work.put(record)
    return record


def take_off_list(desk: Desk, list_name: str, identity: str) -> bool:
    """Take an identity off a list, and its client who stood there for it alone; False where it does not stand there."""
    desk.demand(Right.KEEP_LISTS)
    key = _key(desk, identity)
    held = held_as(key)
    # The client is locked before anything of theirs is read.
    holder = desk.work.contacts_by_identity([key]).get(key) if held is not None else None
    record = desk.work.listed_numbers([key]).get(key)
    if record is None or record.list_name != list_name:
        return False
    desk.work.remove(ListedNumberRecord, key)
    desk.work.changed("listed_number", 0)
    if holder is not None and holder.list_name == list_name == holder.marks.get("list"):
        others = {each.key for each in desk.work.identities([holder.id]).get(holder.id, [])} - {key}
        wanted = {each for other in others for each in listed_by(other)} - {key}
        still = desk.work.listed_numbers(wanted)
        if not any(each.list_name == list_name for each in still.values()):
            marks = {name: value for name, value in holder.marks.items() if name != "list"}
            desk.work.put(holder._replace(list_name=None, marks=marks, updated_at=desk.now))
    return True


def active_login(desk: Desk, login: str | None) -> str | None:
    """The login of somebody who can be given work; raises InvalidInput where there is no such person."""
    if login is None:
        return None
    user = desk.work.staff.get(login)
    if user is None or not user.active:
        raise InvalidInput("manager: there is no active user «{user}»", user=login)
    return login


def merged_fields(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Custom fields with changes: what is None is taken away."""
    return {name: value for name, value in {**known, **given}.items() if value is not None}


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags without blanks around and without repeats, in their order."""
    return list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))


def _changed(desk: Desk, contact: ContactRecord, given: ContactChange) -> ContactRecord:
    changes: dict[str, Any] = {
        name: value
        for name in ("name", "company", "city", "status")
        if not isinstance(value := getattr(given, name), Unset)
    }
    for each in ("name", "company", "city", "status"):
        if isinstance(changes.get(each), str):
            changes[each] = clean_name(changes[each])
    if not isinstance(given.company_id, Unset):
        changes |= _company(desk, given.company_id, given.company)
    elif "company" in changes and changes["company"] != contact.company:
        changes["company_id"] = None  # another name is another company, until somebody says which
    if "name" in changes:
        changes["name_key"] = full_name(changes["name"])
    if not isinstance(given.manager, Unset):
        changes["manager"] = active_login(desk, given.manager)
    if not isinstance(given.list_name, Unset):
        if given.list_name != contact.list_name:
            desk.demand(Right.KEEP_LISTS)
        changes["list_name"] = known_list(desk.office, given.list_name) if given.list_name is not None else None
    if not isinstance(given.tags, Unset):
        changes["tags"] = one_of_each_group(desk, "contact", contact.tags, clean_tags(given.tags))
    if not isinstance(given.fields, Unset):
        changes["fields"] = typed_fields(desk, "contact", contact.fields, given.fields)
    return contact._replace(**changes)


def _company(desk: Desk, company_id: int | None, name: str | Unset | None) -> dict[str, Any]:
    """A company of the record and its name, which is shown; None takes both away unless a name is given."""
    if company_id is None:
        return {"company_id": None} if isinstance(name, str) else {"company_id": None, "company": None}
    found: list[CompanyRecord] = desk.work.related(CompanyRecord, "id", [company_id])
    if not found or found[0].deleted_at is not None:
        raise InvalidInput("company_id: there is no company {company}", company=company_id)
    return {"company_id": company_id, "company": found[0].name}


def _held(desk: Desk, contact: ContactRecord, wanted: Sequence[Identity]) -> list[IdentityRecord]:
    """Give the contact exactly these identities."""
    keys = list(dict.fromkeys(str(each) for each in wanted))
    if len(keys) > _MOST_IDENTITIES:
        raise InvalidInput("identities: at most {most} a contact", most=_MOST_IDENTITIES)
    holders = desk.work.contacts_by_identity(keys)
    for key, holder in holders.items():
        if holder.id != contact.id:
            raise Duplicate(
                "«{key}» belongs to contact {holder}: merge the two, or take it from there first",
                key=key,
                holder=holder.id,
            )
    known = {record.key: record for record in desk.work.identities([contact.id]).get(contact.id, [])}
    for key in known.keys() - set(keys):
        desk.work.remove(IdentityRecord, key)
        # the number itself is told: whoever keeps numbers elsewhere can't find it here any more
        desk.work.changed("identity.removed", _number_of(key), contact.id)
    for key in keys:
        if key not in known:
            known[key] = IdentityRecord(key, contact.id, BY_HAND, desk.now)
            desk.work.put(known[key])
    return sorted((known[key] for key in keys), key=lambda record: (record.created_at, record.key))


def _number_of(key: str) -> int:
    """The digits of `tel:+7…`, 0 for other identities."""
    digits = key.removeprefix("tel:+")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _findable(contact: ContactRecord, identities: Sequence[IdentityRecord]) -> ContactRecord:
    values = (record.key.partition(":")[2] for record in identities)
    return contact._replace(search=searchable(contact.name, contact.company or "", *values))


def known_list(office: Office, name: str) -> str:
    """The name of a configured list; raises InvalidInput with the nearest one for any other."""
    if name not in office.lists:
        known = ", ".join(f"«{each}»" for each in office.lists) or Sentence("none is configured")
        nearest = get_close_matches(name.lower(), office.lists, n=1)
        guess = Sentence("; did you mean «{name}»?", name=nearest[0]) if nearest else ""
        raise InvalidInput("list: there is no list «{list}» ({known}){guess}", list=name, known=known, guess=guess)
    return name


def _key(desk: Desk, identity: str) -> str:
    try:
        return listed_key(identity, desk.office.region)
    except InvalidIdentity as err:
        raise InvalidInput("number: {why}", why=err) from err
