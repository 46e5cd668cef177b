"""Special lists in one act: identities and client are listed, and nothing is owed to them any more.

From a call, a case or a client's card, all in one transaction: the rows of the identities, the client's list, the entry
on the timeline with author and reason, the case closed, the untaken lead rejected, the callback cancelled. From a CSV
file: see `crm_core.services.acts.list_import`.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.case import Signal, SignalAt
from crm_core.model.identity import caller
from crm_core.model.records import CallRecord, CaseRecord, ContactRecord, LeadRecord, LeadStatus, ListedNumberRecord
from crm_core.model.rights import Right
from crm_core.services.cards.leads import reject
from crm_core.services.clients.contacts import known_list
from crm_core.services.desk import Desk
from crm_core.services.recognising.recognition import ANONYMOUS
from crm_core.services.watching.callbacks import cancel_for
from crm_core.services.watching.cases import signalled
from crm_core.services.wording import Phrase
from crm_core.wording import plain

_NUMBER = "tel:"
# By what a client comes back: not by a visit to the site, nor by what a forged mail claims.
_LASTING = (_NUMBER, "mailto:", "tg:", "vk:", "gw:")


@dataclass(frozen=True, slots=True)
class Listed:
    """A client on a special list: their listed identities, and what the act put an end to."""

    contact: ContactRecord
    list_name: str | None
    identities: tuple[str, ...]
    case_id: int | None = None
    lead_id: int | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers alone."""
        return tuple(each.removeprefix(_NUMBER) for each in self.identities if each.startswith(_NUMBER))


def list_call(desk: Desk, call_id: int, list_name: str, reason: str, login: str) -> Listed:
    """Put whoever called (or was called) on a special list.

    Raises NotFound, InvalidInput for an unknown list, a missing reason, and a hidden or internal number.
    """
    desk.demand(Right.KEEP_LISTS)
    contact, key = _client_of_call(desk, call_id)
    return _put(desk, contact, list_name, reason, login, extra=key)


def list_case(desk: Desk, case_id: int, list_name: str, reason: str, login: str) -> Listed:
    """Put a client who waits on a special list; raises as `list_call`."""
    desk.demand(Right.KEEP_LISTS)
    return _put(desk, _client_of_case(desk, case_id), list_name, reason, login)


def list_contact(desk: Desk, contact_id: int, list_name: str, reason: str, login: str) -> Listed:
    """Put a client on a special list with all their identities; raises as `list_call`."""
    desk.demand(Right.KEEP_LISTS)
    return _put(desk, desk.work.contact(contact_id), list_name, reason, login)


def unlist_call(desk: Desk, call_id: int, login: str) -> Listed:
    """Take whoever called off the list they stand on; raises NotFound, Conflict where they stand on none."""
    desk.demand(Right.KEEP_LISTS)
    contact, key = _client_of_call(desk, call_id)
    return _take(desk, contact, login, extra=key)


def unlist_case(desk: Desk, case_id: int, login: str) -> Listed:
    """Take the client of a case off their list; raises as `unlist_call`."""
    desk.demand(Right.KEEP_LISTS)
    return _take(desk, _client_of_case(desk, case_id), login)


def unlist_contact(desk: Desk, contact_id: int, login: str) -> Listed:
    """Take a client off their list; raises as `unlist_call`."""
    desk.demand(Right.KEEP_LISTS)
    return _take(desk, desk.work.contact(contact_id), login)


def _put(
    desk: Desk, contact: ContactRecord, list_name: str, reason: str, login: str, *, extra: str | None = None
) -> Listed:
    name, why = known_list(desk.office, list_name), " ".join(reason.split())
    if not why:
        raise InvalidInput("somebody is put on a list with a reason: give «reason»")
    keys = _keys(desk, contact, extra)
    known = desk.work.listed_numbers(keys)
    rows = [ListedNumberRecord(key, name, why, login, desk.now) for key in keys]
    said = contact.list_name == name and all(_same(known.get(row.key), row) for row in rows)
    if said and contact.id not in desk.work.open_cases([contact.id]) and _new_lead(desk, contact) is None:
        return Listed(contact, name, keys)  # a repeat adds nothing
    for row in rows:
        desk.work.put(row)
    text = desk.say(Phrase.LISTED_BY, name=desk.name_of(login), list=name, reason=why)
    ended = desk.say(Phrase.LISTED_REASON, list=name, reason=why)
    case_id = _close_case(desk, contact, login, text, ended)
    lead_id = _reject_lead(desk, contact, login, ended)
    contact = desk.work.contact(contact.id)
    cancel_for(desk, contact, ended)
    contact = contact._replace(list_name=name, updated_at=desk.now)
    desk.work.put(contact)
    return Listed(contact, name, keys, case_id, lead_id)


def _take(desk: Desk, contact: ContactRecord, login: str, *, extra: str | None = None) -> Listed:
    rows = desk.work.listed_numbers(_keys(desk, contact, extra))
    name = contact.list_name or next((row.list_name for row in rows.values()), None)
    if name is None:
        raise Conflict("this client stands on no list")
    gone = tuple(key for key, row in rows.items() if row.list_name == name)
    for key in gone:
        desk.work.remove(ListedNumberRecord, key)
    text = desk.say(Phrase.UNLISTED_BY, name=desk.name_of(login), list=name)
    desk.note(contact.id, text, author=login, by_person=True)
    marks = {key: value for key, value in contact.marks.items() if key != "list"}
    contact = contact._replace(list_name=None, marks=marks, updated_at=desk.now)
    desk.work.put(contact)
    return Listed(contact, None, gone)


def _client_of_call(desk: Desk, call_id: int) -> tuple[ContactRecord, str]:
    """The client of a call, and the identity of the number they called from."""
    call, contact = desk.work.owned(CallRecord, call_id)
    identity = caller(call.number, desk.office.region)
    if contact is None or identity is None:
        raise InvalidInput(desk.say(Phrase.NOT_LISTABLE))
    return contact, str(identity)


def _client_of_case(desk: Desk, case_id: int) -> ContactRecord:
    case, contact = desk.work.owned(CaseRecord, case_id)
    if contact is None:
        raise Conflict("case {case} has no client", case=case.id)
    return contact


def _keys(desk: Desk, contact: ContactRecord, extra: str | None) -> tuple[str, ...]:
    """The identities by which the client calls and writes; whoever hides their number is nobody in particular."""
    if contact.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}: list that one", merged_into=contact.merged_into)
    held = [each.key for each in desk.work.identities([contact.id]).get(contact.id, [])]
    if ANONYMOUS in held:
        raise InvalidInput(desk.say(Phrase.NOT_LISTABLE))
    keys = [key for key in held if key.startswith(_LASTING)]
    return tuple(dict.fromkeys([*keys, extra] if extra is not None else keys))


def _same(known: ListedNumberRecord | None, row: ListedNumberRecord) -> bool:
    return known is not None and (known.list_name, known.reason) == (row.list_name, row.reason)


def _close_case(desk: Desk, contact: ContactRecord, login: str, text: str, reason: str) -> int | None:
    """Note the act; where the client waits, the note is also what closes their case."""
    case = desk.work.open_cases([contact.id]).get(contact.id)
    if case is None:
        desk.note(contact.id, text, author=login, by_person=True)
        return None
    at = max(desk.now, contact.last_signal_at or desk.now)
    desk.note(contact.id, text, author=login, by_person=True, signal=Signal.CLOSE, signal_at=at, reason=plain(reason))
    signalled(desk, contact, SignalAt(Signal.CLOSE, at, reason), ChannelKey(case.channel, case.account))
    return case.id


def _reject_lead(desk: Desk, contact: ContactRecord, login: str, reason: str) -> int | None:
    """A lead that nobody has taken yet was none."""
    lead = _new_lead(desk, contact)
    if lead is None:
        return None
    reject(desk, lead.id, login, reason)
    return lead.id


def _new_lead(desk: Desk, contact: ContactRecord) -> LeadRecord | None:
    lead = desk.work.open_leads([contact.id]).get(contact.id)
    return lead if lead is not None and lead.status is LeadStatus.NEW else None
