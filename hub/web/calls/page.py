"""Calls: the page that lists them, with who rang and why; and the button that calls a client."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import CoreError, NeedsConfirmation, StorageUnavailable
from crm_core.messages import RouteStage, Verdict
from crm_core.model.access import Access, Right
from crm_core.model.call import SOMEBODY, CallState, Direction
from crm_core.model.callback import DialPurpose
from crm_core.model.records import CaseRecord, LeadRecord
from crm_core.model.user import Staff, User
from crm_core.services.calls import dials
from crm_core.services.calls.recordings import may_hear
from crm_core.services.desk import Desk
from crm_core.storage.queries import idempotency
from crm_core.storage.queries.call_rows import CallRow, RowFilter, list_rows
from crm_core.storage.queries.idempotency import KeptAnswer
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.staff import load_staff
from hub.web import words
from hub.web.pages import Answer, Pages, access_here, field_of, local_path, user_here
from hub.web.shown import cause_in_words
from hub.web.tongues import _

_ROWS = 50
_NONCE = re.compile(r"[\w-]{16,64}\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}\Z", re.ASCII)
_MISSED = (CallState.MISSED, CallState.ABANDONED, CallState.BUSY, CallState.REJECTED)
_SUBJECTS: Mapping[str, type[CaseRecord | LeadRecord] | None] = {
    "contact_id": None,
    "lead_id": LeadRecord,
    "case_id": CaseRecord,
}
_KINDS: Mapping[str, RowFilter] = {
    "": RowFilter(),
    "missed": RowFilter(states=_MISSED, direction=Direction.IN, refused=False),
    "in": RowFilter(direction=Direction.IN),
    "out": RowFilter(direction=Direction.OUT),
    "answered": RowFilter(states=(CallState.ANSWERED,)),
    "now": RowFilter(going_on=True),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks of the page, as it stands in its address; what makes no sense counts for nothing."""

    kind: str = ""
    line: str = ""
    manager: str = ""
    day: str = ""

    def filter(self, zone: ZoneInfo) -> RowFilter:
        """The calls that are meant; days are the office's."""
        plain = _KINDS[self.kind]
        since = until = None
        if self.day:
            first = date.fromisoformat(self.day)
            since, until = (datetime.combine(day, time.min, zone) for day in (first, first + timedelta(days=1)))
        return RowFilter(
            states=plain.states,
            direction=plain.direction,
            since=since,
            until=until,
            line=self.line or None,
            login=self.manager or None,
            going_on=plain.going_on,
            refused=plain.refused,
        )

    def address(self, **more: str) -> str:
        """The address of the page with these wishes."""
        fields = {"kind": self.kind, "line": self.line, "manager": self.manager, "day": self.day, **more}
        said = urlencode({name: value for name, value in fields.items() if value})
        return f"/calls?{said}" if said else "/calls"


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """The wishes of an address."""
    day = query.get("day", "")[:10]
    try:
        date.fromisoformat(day)
    except ValueError:
        day = ""
    kind = query.get("kind", "")
    return Wanted(
        kind=kind if kind in _KINDS else "",
        line=query.get("line", "")[:64],
        manager=query.get("manager", "")[:64],
        day="" if day in {"", "0001-01-01", "9999-12-31"} else day,
    )


@dataclass(frozen=True, slots=True)
class CallsView:
    """Everything that the page reads from the record."""

    page: Page[CallRow]
    staff: Staff


def calls_view(conn: Reading, access: Access, wanted: RowFilter, after: str | None) -> CallsView:
    """A page of calls, the newest first; raises Forbidden."""
    return CallsView(list_rows(conn, access, wanted, Slice(after, _ROWS)), load_staff(conn))


class CallWords:
    """What a row of the page says beside its plain columns, to one person.

    `pushing` are the telephone systems whose causes are the words of their protocol, not of people.
    """

    def __init__(self, staff: Staff, access: Access, pushing: frozenset[str] = frozenset()) -> None:
        self._pushing = pushing
        self._staff = staff
        self._user, self._access = access.user, access

    def who(self, endpoint: str | None, login: str | None) -> str:
        """A person by name, else their telephone."""
        person = self._staff.get(login)
        if person is not None:
            return person.name
        return _("somebody") if endpoint in {None, "", SOMEBODY} else str(endpoint)

    def talked_with(self, row: CallRow) -> str:
        """Who of the office talked with the client."""
        person = self.who(row.call.endpoint, row.call.answered_by)
        said = _("conversation:") if row.call.direction is Direction.OUT else _("answered by")
        return f"{said} {person}"

    def cause(self, row: CallRow) -> str:
        """Why a call came to nothing, where that says more than its state does."""
        call = row.call
        if call.answered_at is not None or call.finished_at is None or call.state is CallState.ABANDONED:
            return ""
        if call.pbx in self._pushing:
            return words.pushed_cause(call.cause_text)
        return cause_in_words(call.cause_text)

    def hung_up(self, row: CallRow) -> str:
        """Who hung up; empty where that is not known."""
        return words.hung_up_word(row.call.hung_up_by)

    def recording(self, row: CallRow) -> str:
        """What there is of the recording, instead of something to play; empty where there is none."""
        return words.recording_says(row.recording.state) if row.recording is not None else ""

    def action(self, action: str) -> str:
        """What a decision came to."""
        return words.action_word(action)

    def hears(self, row: CallRow) -> bool:
        """Whether this person may play the recording."""
        return may_hear(self._access, row.call, row.client.contact.manager if row.client else None)

    def playable(self, row: CallRow) -> bool:
        """Whether there is something to play."""
        return row.recording is not None and row.recording.state in words.HEARD

    def not_you(self, row: CallRow) -> str:
        """Why this person's telephone did not ring, as far as decisions on the call tell; empty where it did."""
        if not row.decisions or any(leg.get("user") == self._user.login for leg in row.call.rung):
            return ""
        if self._user.extension is None:
            return ""
        steps = [step for each in row.decisions for step in each.trace if step.get("login") == self._user.login]
        if not steps:
            return _("your turn did not come")
        return "" if steps[-1]["verdict"] == "rings" else self.verdict(steps[-1])

    def verdict(self, step: Mapping[str, str]) -> str:
        """One consideration of a decision, in words."""
        said = words.verdict_word(step["verdict"])
        return f"{said}: {step['detail']}" if step.get("detail") else said

    def step(self, step: Mapping[str, str]) -> str:
        """The same with whom or what it is about."""
        stage = words.stage_word(step["stage"])
        person = f", {self.who(step['login'], step['login'])}" if step.get("login") else ""
        offered = step["stage"] == RouteStage.CALLBACK.value and step["verdict"] == Verdict.RINGS.value
        said = _("offered") if offered else self.verdict(step)
        return f"{stage}{person}: {said}"


class Calls:
    """The page of calls, and what is done on it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page, or with `?part=live` only what refreshes by itself."""
        if not access_here(request).may(Right.SEE_CALLS):
            raise web.HTTPForbidden
        hub, access = self._pages.hub, access_here(request)
        wanted, after = wanted_of(request.query), request.query.get("after")
        rows = wanted.filter(hub.settings.time_zone)
        view = await hub.store.read(lambda conn: calls_view(conn, access, rows, after))
        context: dict[str, Any] = {
            "view": view,
            "wanted": wanted,
            "words": CallWords(view.staff, access_here(request), hub.store.office.naming),
            "lines": [line.number for line in hub.store.office.lines],
            "paged": after is not None,
            "back": wanted.address(),
        }
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "calls/live.html", **context)
        return self._pages.render(request, "calls/page.html", **context)

    async def call(self, request: web.Request) -> Answer:
        """Call a client, once however often the button is pressed; where it needs to be confirmed, ask."""
        user = user_here(request)
        back = local_path(await field_of(request, "back"), "/")
        nonce = await field_of(request, "nonce", 100)
        fields = await _whom(request)
        if fields is None or not _NONCE.match(nonce):
            raise self._pages.redirect(request, back, _("The page was out of date. Please try again."))
        confirmed = await field_of(request, "confirm", 1) == "1"
        key = f"page:{nonce}"
        digest = hashlib.sha256(urlencode(fields).encode()).hexdigest()

        def once(desk: Desk) -> None:
            if idempotency.find(desk, user.login, key) is None:
                _place(desk, user, fields, confirmed=confirmed)
                idempotency.keep(desk, user.login, key, KeptAnswer(digest, 303, b""))

        try:
            await self._pages.act(request, once)
        except StorageUnavailable:
            raise
        except NeedsConfirmation as err:
            return self._pages.render(request, "calls/confirm.html", status=409, why=str(err), fields=fields, back=back)
        except CoreError as err:
            raise self._pages.redirect(request, back, str(err)) from err
        raise self._pages.redirect(request, back, _("Calling: your telephone rings first."))


async def _whom(request: web.Request) -> dict[str, str] | None:
    """Whom the form names: one client by one of their records, and one of their numbers where it matters which.

    None where it is no form of ours.
    """
    named = {name: await field_of(request, name, 20) for name in _SUBJECTS}
    named = {name: value for name, value in named.items() if value}
    number = (await field_of(request, "number", 64)).strip()
    if len(named) != 1 or not all(_NUMBER.match(value) for value in named.values()):
        return None
    return {**named, "number": number} if number else named


def _place(desk: Desk, user: User, fields: Mapping[str, str], *, confirmed: bool) -> None:
    """Queue the call; raises what `dials.place` does, and NotFound."""
    (name,) = fields.keys() & _SUBJECTS.keys()
    kind, subject = _SUBJECTS[name], int(fields[name])
    contact = desk.work.contact(subject) if kind is None else dials.client_of(desk, kind, subject)
    number = dials.number_of(desk, contact, fields["number"]) if "number" in fields else None
    dials.place(desk, contact, user, DialPurpose.CLICK, author=user.login, number=number, confirmed=confirmed)


def fresh_nonce() -> str:
    """What makes one press of a button one: the form holds it, and it is good for one call."""
    return secrets.token_urlsafe(18)
