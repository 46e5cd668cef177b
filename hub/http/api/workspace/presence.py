"""Who can be rung at this moment, and why the others can't."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from hub.http.acting import json_response, to_json
from hub.http.operations import Call, Operation, own
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, Query
from hub.telephony.attendance import PersonNow, attendance
from routing.reasons import state_words, verdict_words


class TelephoneNow(Given):
    """A telephone on one PBX: `state` is `unknown idle ringing busy unreachable`, `paused_in` the PBX's queues."""

    pbx: str
    endpoint: str
    state: str
    since: datetime | None
    paused_in: list[str]
    rests_until: datetime | None


class Attendance(Given):
    """A person at this moment; `verdict` says why new calls pass them over, null where they are available, and `words`
    says it in the office's language. `working`: it is their working time."""

    login: str
    name: str
    extension: str | None
    state: str
    available: bool
    verdict: str | None
    words: str
    working: bool
    telephones: list[TelephoneNow]


class AttendancePage(Paged[Attendance]):
    """Everybody active, by login."""


async def _now(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    hub, at = call.hub, call.hub.clock.now()
    office = hub.store.office
    people = attendance(office, hub.directory.staff, hub.presence, at)
    items = [_json(each, office.works(each.user, at), office.language) for each in people]
    return json_response(to_json(AttendancePage(items=items, next=None)), 200)


def _json(person: PersonNow, working: bool, language: str) -> Attendance:
    words = (
        verdict_words(person.verdict, language) if person.verdict is not None else state_words(person.state, language)
    )
    return Attendance(
        login=person.user.login,
        name=person.user.name,
        extension=person.user.extension,
        state=person.state.value,
        available=person.available,
        verdict=person.verdict.value if person.verdict is not None else None,
        words=words,
        working=working,
        telephones=[
            TelephoneNow(
                pbx=phone.pbx,
                endpoint=phone.endpoint,
                state=phone.known.state.value,
                since=phone.known.since,
                paused_in=sorted(phone.known.queues),
                rests_until=phone.rests_until,
            )
            for phone in person.phones
        ],
    )


OPERATIONS: tuple[Operation, ...] = (
    own(
        "GET",
        "/presence",
        _now,
        tag="users",
        summary="Who can be rung now, and why the others can't",
        right=Right.SEE_STAFF,
        response=AttendancePage,
    ),
)
