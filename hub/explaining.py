"""Why a case stands where it stands: each rung of its ladder, whom it tells, when, and what became of the telling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.errors import NotFound
from crm_core.model.case import CaseState
from crm_core.model.records import CaseRecord, DeadlineKind, DeadlineRecord, OutboxRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.ladders import key, ladder_of


@dataclass(frozen=True, slots=True)
class Telling:
    """One person on a rung; `by` and `state` say how they were told (`queued`, `done`, `failed`), empty before."""

    login: str
    by: str = ""
    state: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class RungExplained:
    """A rung, from 0; `due_at` follows from the ladder, a told one may have come earlier (a jump, a broken promise)."""

    rung: int
    tells: tuple[str, ...]
    due_at: datetime | None
    told: bool
    people: tuple[Telling, ...]


@dataclass(frozen=True, slots=True)
class CaseExplained:
    """A case and its ladder; `next_at` is when the clock strikes next, None where nothing is awaited."""

    id: int
    contact_id: int
    client: str
    kind: str
    state: str
    count: int
    opened_at: datetime
    manager: str | None
    promised_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    next_at: datetime | None
    rungs: tuple[RungExplained, ...]


def explain_case(desk: Desk, case_id: int) -> CaseExplained:
    """Explain a case, changing nothing; raises NotFound."""
    case, contact = desk.work.owned(CaseRecord, case_id)
    if contact is None:
        raise NotFound("the client of case {case} is gone", case=case_id)
    ladder = ladder_of(desk, case)
    told = -1 if case.rung is None else case.rung
    rungs = tuple(
        RungExplained(
            rung=number,
            tells=tuple(each.value for each in step.tell),
            due_at=ladder.due(number, case.opened_at),
            told=number <= told,
            people=_people_told(desk, case, number)
            if number <= told
            else tuple(
                Telling(user.login)
                for user in desk.policies.ladder.recipients(
                    step.tell, desk.work.staff.get(case.manager), desk.work.staff, desk.now
                )
            ),
        )
        for number, step in enumerate(ladder.steps)
    )
    return CaseExplained(
        id=case.id,
        contact_id=contact.id,
        client=desk.client(contact),
        kind=case.kind.value,
        state=case.state.value,
        count=case.facts,
        opened_at=case.opened_at,
        manager=case.manager,
        promised_at=case.promised_at,
        closed_at=case.closed_at,
        reason=case.reason,
        next_at=_next(desk, case),
        rungs=rungs,
    )


def _next(desk: Desk, case: CaseRecord) -> datetime | None:
    if case.state is not CaseState.OPEN:
        return None
    keys = [key(kind, case.id) for kind in (DeadlineKind.CASE_RUNG, DeadlineKind.CASE_PROMISE)]
    return min((each.due_at for each in desk.work.related(DeadlineRecord, "key", keys)), default=None)


def _people_told(desk: Desk, case: CaseRecord, rung: int) -> tuple[Telling, ...]:
    """Who was told on a rung, by the notifications that were queued for it."""
    cause = f"tell:case:{case.id}:{rung}:"
    logins = list(desk.work.staff.by_login)
    channels = {each.channel for each in (desk.office.staff_channel, desk.office.mail_channel) if each is not None}
    keys = [f"{cause}{login}:{channel}" for login in logins for channel in sorted(channels)]
    rows = desk.work.related(OutboxRecord, "dedupe", keys) if keys else []
    return tuple(
        Telling(row.payload["login"], row.payload["channel"], row.state.value, row.error or "") for row in rows
    )
