"""The tasks that a stage gives when a card enters it, and takes back when it leaves."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.model.definitions.pipelines import StageTask
from crm_core.model.history import Change
from crm_core.model.ladder import Told
from crm_core.model.records import DealRecord
from crm_core.services.desk import Desk
from crm_core.services.tasking.tasks import NewTask, lapse, make_all
from crm_core.services.wording import Phrase

_ROLES = {"head": Told.HEAD, "controller": Told.CONTROLLER, "director": Told.DIRECTOR}


def give_stage_tasks(desk: Desk, changes: Sequence[Change]) -> None:
    """Cards that entered a stage have its tasks, once an entry; those of the stage that they left lapse, if they do."""
    if desk.quiet:
        return
    wanted: list[NewTask] = []
    left: dict[int, int] = {}
    for before, after in changes:
        if not isinstance(after, DealRecord) or (before is not None and before.stage_id == after.stage_id):
            continue
        if before is not None and any(each.lapses for each in _tasks_of(desk, before.stage_id)):
            left[after.id] = before.stage_id
        if after.deleted_at is None:
            wanted += _tasks(desk, after)
    if left:
        open_ones = desk.work.open_tasks("deal_id", left)
        gone = [
            each
            for each in open_ones
            if each.deal_id in left and _lapses(desk, each.origin, each.deal_id, left[each.deal_id])
        ]
        lapse(desk, gone, desk.say(Phrase.TASK_LEFT_STAGE))
    if wanted:
        make_all(desk, wanted)


def doer_of(desk: Desk, who: str, manager: str | None, owner: str | None = None) -> str | None:
    """Who is meant by `owner` (the manager where a stage has none), `manager`, `head`, `controller`, `director` or a
    login: somebody who works here, else their deputy, else nobody."""
    staff = desk.work.staff
    if who in _ROLES:
        people = desk.policies.ladder.recipients((_ROLES[who],), staff.get(manager), staff, desk.now)
        return people[0].login if people else None
    login = {"owner": owner or manager, "manager": manager}.get(who, who)
    user = staff.get(login)
    if user is not None and not user.active:
        user = staff.get(user.deputy)
    return user.login if user is not None and user.active else None


def _tasks(desk: Desk, deal: DealRecord) -> list[NewTask]:
    place = desk.catalogue.place(deal.stage_id)
    owner = place[1].settings.owner if place is not None else None
    return [
        NewTask(
            title=each.title,
            assignee=doer_of(desk, each.assignee, deal.manager, owner),
            due_at=(
                desk.office.calendar(each.hours).due(deal.stage_since, each.delay) if each.delay is not None else None
            ),
            contact_id=deal.contact_id,
            deal_id=deal.id,
            company_id=deal.company_id,
            text=each.text,
            kind=each.kind,
            origin=f"{_entry(deal.id, deal.stage_id)}{number}:{int(deal.stage_since.timestamp() * 1_000_000)}",
            checklist=each.checklist,
        )
        for number, each in enumerate(_tasks_of(desk, deal.stage_id))
    ]


def _tasks_of(desk: Desk, stage_id: int) -> Sequence[StageTask]:
    place = desk.catalogue.place(stage_id)
    return place[1].settings.tasks if place is not None else ()


def _lapses(desk: Desk, origin: str | None, deal_id: int, stage_id: int) -> bool:
    """Whether a task was given by this stage, and lapses with it."""
    entry = _entry(deal_id, stage_id)
    if origin is None or not origin.startswith(entry):
        return False
    number, known = origin.removeprefix(entry).partition(":")[0], _tasks_of(desk, stage_id)
    return number.isdecimal() and int(number) < len(known) and known[int(number)].lapses


def _entry(deal_id: int, stage_id: int) -> str:
    return f"stage:{deal_id}:{stage_id}:"
