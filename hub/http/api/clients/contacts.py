"""Contacts: found, read, made, corrected, merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from crm_core.errors import InvalidIdentity
from crm_core.model.identity import Identity, parse_identity
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.services.clients import contacts as services
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.desk import Desk
from crm_core.services.duplicates import merging
from crm_core.services.letters import opting_out
from crm_core.storage.queries import contacts as queries
from crm_core.storage.queries import opt_outs
from crm_core.storage.queries.contacts import ContactCard, ContactFilter
from crm_core.storage.queries.pages import Reading
from hub.http.api.selling.trading import ExternalIds, external_of, held_external, keep_external
from hub.http.filtering import FilterQuery
from hub.http.operations import Call, Operation, act, read
from hub.http.problems import invalid
from hub.http.rights import Right
from hub.http.types import Fields, Given, Id, Login, NoBody, Paged, Query, QueryId, Short, Tags, Taken
from hub.http.versions import as_it_is, or_as_it_is

_TAG = "contacts"
_KIND = "contact"


class ContactQuery(FilterQuery):
    """`q`: words of a name, digits of a number, part of an address. `identity`: exactly `tel: mailto: tg: vk: web:`."""

    q: Short = ""
    identity: Short | None = None
    manager: Login | None = None
    company_id: QueryId | None = None


class ContactBody(Taken):
    """A contact to be made or corrected. `identities` are all it shall have; of `fields` those that are null are taken
    away, the others added; `list` is a special list; `external` are its ids in other programs, by program."""

    name: Short = ""
    identities: Annotated[list[Short], Field(max_length=100)] = Field(default_factory=list)
    manager: Login | None = None
    company: Short | None = None
    company_id: Id | None = None
    city: Short | None = None
    status: Short | None = None
    list_name: Short | None = Field(default=None, validation_alias="list")
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)
    external: ExternalIds = Field(default_factory=dict)


class ContactPatch(ContactBody):
    """What is not named stays; `version`, where given, is the one that was seen: 409 where it changed meanwhile."""

    version: Id | None = None


class MergeBody(Taken):
    """`contact_id` is taken over by the contact of the path; `evidence` says why they are one."""

    contact_id: Id
    evidence: Short = ""


class HeldIdentity(Given):
    """An identity of a client: `kind:value`, on what evidence it is theirs, what else its provider calls them by (empty
    where it does not), and since when it is known."""

    key: str
    evidence: str
    handle: str
    created_at: datetime


class Contact(Given):
    """A client. `identities` are the keys of `identity_details`; `external` its ids in other programs; `opted_out`: of
    what the hub sends by itself."""

    id: int
    name: str
    identities: list[str]
    identity_details: list[HeldIdentity]
    manager: str | None
    company: str | None
    company_id: int | None
    city: str | None
    status: str | None
    list_name: str | None = Field(serialization_alias="list")
    tags: list[str]
    fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    version: int
    deleted_at: datetime | None
    external: dict[str, str]
    opted_out: bool


class Contacts(Paged[Contact]):
    """A page of contacts."""


def contact_json(
    record: ContactRecord, identities: Iterable[IdentityRecord], known: dict[str, str], *, opted_out: bool
) -> Contact:
    """A contact on the wire; by what ids other programs know it."""
    held = list(identities)
    return Contact(
        id=record.id,
        name=record.name,
        identities=[each.key for each in held],
        identity_details=[
            HeldIdentity(key=each.key, evidence=each.evidence, handle=each.handle, created_at=each.created_at)
            for each in held
        ],
        manager=record.manager,
        company=record.company,
        company_id=record.company_id,
        city=record.city,
        status=record.status,
        list_name=record.list_name,
        tags=record.tags,
        fields=record.fields,
        created_at=record.created_at,
        updated_at=record.updated_at,
        version=record.version,
        deleted_at=record.deleted_at,
        external=known,
        opted_out=opted_out,
    )


def _shown(conn: Reading, cards: Sequence[ContactCard]) -> list[Contact]:
    ids = [card.contact.id for card in cards]
    known, out = external_of(conn, _KIND, ids), opt_outs.among(conn, ids)
    return [
        contact_json(card.contact, card.identities, known.get(each, {}), opted_out=each in out)
        for each, card in zip(ids, cards, strict=True)
    ]


def _listed(conn: Reading, call: Call[ContactQuery, NoBody]) -> Contacts:
    wanted = ContactFilter(
        text=call.query.q,
        identity=call.query.identity,
        manager=call.query.manager,
        company_id=call.query.company_id,
        region=call.hub.settings.region,
    )
    page = queries.list_contacts(
        conn, call.access, wanted, call.query.where, call.query.more(conn, call.hub.store, "contact", call.access.sight)
    )
    return Contacts(items=_shown(conn, page.items), next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Contact:
    return _shown(conn, [queries.contact_card(conn, call.access, call.number())])[0]


def _made(desk: Desk, call: Call[Any, ContactBody]) -> Contact:
    contact, _ = services.create(desk, _change(desk, call.body))
    keep_external(desk, _KIND, contact.id, call.body)
    return contact_now(desk, contact.id)


def _corrected(desk: Desk, call: Call[Any, ContactPatch]) -> Contact:
    def change() -> Contact:
        contact, _ = services.change(desk, call.number(), _change(desk, call.body), call.body.version)
        keep_external(desk, _KIND, contact.id, call.body)
        return contact_now(desk, contact.id)

    return or_as_it_is(change, ContactRecord, lambda contact: contact_now(desk, contact.id))


def _merged(desk: Desk, call: Call[Any, MergeBody]) -> Contact:
    # Both locked at once, in the order of their ids, so that two merges can't wait for each other.
    desk.work.contacts([call.number(), call.body.contact_id])
    survivor = desk.work.contact(call.number())
    absorbed = desk.work.contact(call.body.contact_id)
    joined = merging.merge(desk, survivor, absorbed, call.body.evidence or services.BY_HAND, call.user.login)
    return contact_now(desk, joined.id)


def _unmerged(desk: Desk, call: Call[Any, NoBody]) -> Contact:
    return contact_now(desk, merging.unmerge(desk, call.number(), call.user.login).id)


def contact_now(desk: Desk, contact_id: int) -> Contact:
    """A contact after all that follows from what was done."""
    record = as_it_is(desk, desk.work.contact(contact_id))
    held = desk.work.identities([contact_id]).get(contact_id, [])
    out = contact_id in opting_out.opted_out(desk, [contact_id])
    return contact_json(record, held, held_external(desk, _KIND, contact_id), opted_out=out)


def _change(desk: Desk, body: ContactBody) -> ContactChange:
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - {"external", "version"}}
    if "identities" in given:
        given["identities"] = identities_in(body.identities, desk.office.region)
    return ContactChange(**given)


def identities_in(texts: Sequence[str], region: str) -> list[Identity]:
    """The identities of a body; a Problem that points at the one that is none."""
    found: list[Identity] = []
    for index, text in enumerate(texts):
        try:
            found.append(parse_identity(text, region))
        except InvalidIdentity as err:
            raise invalid(f"/identities/{index}", str(err)) from err
    return found


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/contacts",
        _listed,
        tag=_TAG,
        summary="Contacts, the newest first, found by what is typed or by an identity",
        right=Right.SEE_CLIENTS,
        query=ContactQuery,
        response=Contacts,
    ),
    act(
        "POST",
        "/contacts",
        _made,
        tag=_TAG,
        summary="Make a contact; 409 where another holds one of the identities",
        right=Right.KEEP_CLIENTS,
        body=ContactBody,
        response=Contact,
        status=201,
        decides_calls=True,
    ),
    read(
        "/contacts/{id}",
        _one,
        tag=_TAG,
        summary="One contact; of one that was merged into another, that other (its id tells)",
        right=Right.SEE_CLIENTS,
        response=Contact,
    ),
    act(
        "PATCH",
        "/contacts/{id}",
        _corrected,
        tag=_TAG,
        summary="Correct a contact: what is not named stays; the next call is decided by it",
        right=Right.KEEP_CLIENTS,
        body=ContactPatch,
        response=Contact,
        decides_calls=True,
    ),
    act(
        "POST",
        "/contacts/{id}/merge",
        _merged,
        tag=_TAG,
        summary="Take another contact over, with everything that belongs to it",
        right=Right.KEEP_CLIENTS,
        body=MergeBody,
        response=Contact,
        decides_calls=True,
    ),
    act(
        "POST",
        "/contacts/{id}/unmerge",
        _unmerged,
        tag=_TAG,
        summary="Undo the contact's last merge; answers the contact that was given back",
        right=Right.KEEP_CLIENTS,
        response=Contact,
        decides_calls=True,
    ),
)
