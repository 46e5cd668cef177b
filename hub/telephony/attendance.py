"""Who can be rung at this moment, and why the others can't: people, their working time, their telephones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.messages import DeviceState, Verdict
from crm_core.model.office import Office
from crm_core.model.user import Staff, User
from routing.people import standing
from routing.presence import Presence, Telephone


@dataclass(frozen=True, slots=True)
class PhoneNow:
    """A person's telephone on one PBX; `rests_until` is when their rest after a call ends, None where they don't."""

    pbx: str
    endpoint: str
    known: Telephone
    verdict: Verdict | None
    rests_until: datetime | None


@dataclass(frozen=True, slots=True)
class PersonNow:
    """A person at this moment. `verdict` says why new calls pass them over, None where they don't.

    `state` is that of the telephone that tells most.
    """

    user: User
    verdict: Verdict | None
    state: DeviceState
    phones: tuple[PhoneNow, ...]

    @property
    def available(self) -> bool:
        """Whether a call may ring them."""
        return self.verdict is None


def attendance(office: Office, staff: Staff, presence: Presence, at: datetime) -> tuple[PersonNow, ...]:
    """Everybody active, by login."""
    people = sorted((user for user in staff.by_login.values() if user.active), key=lambda user: user.login)
    return tuple(person_now(user, office, presence, at) for user in people)


def person_now(user: User, office: Office, presence: Presence, at: datetime) -> PersonNow:
    """One person at this moment."""
    phones = tuple(_phones(user, office, presence, at))
    keeps = standing(user, office.works(user, at), at)
    if keeps is None and not phones:
        keeps = Verdict.NO_EXTENSION
    if keeps is None and all(phone.verdict is not None for phone in phones):
        keeps = phones[0].verdict
    states = [phone.known.state for phone in phones]
    state = next((each for each in states if each is not DeviceState.UNKNOWN), DeviceState.UNKNOWN)
    return PersonNow(user, keeps, state, phones)


def _phones(user: User, office: Office, presence: Presence, at: datetime) -> list[PhoneNow]:
    found: list[PhoneNow] = []
    for pbx in office.dial:
        endpoint = office.endpoint(user, pbx)
        if endpoint is None:
            continue
        verdict = presence.verdict(pbx, endpoint, at)
        until = presence.rests_until(pbx, endpoint) if verdict is Verdict.WRAP_UP else None
        found.append(PhoneNow(pbx, endpoint, presence.phone(pbx, endpoint), verdict, until))
    # a telephone that nobody knows anything of says less than one that is known
    found.sort(key=lambda phone: phone.known.state is DeviceState.UNKNOWN)
    return found
