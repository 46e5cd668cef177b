"""Alarms: a trouble of the installation is raised once, told, told again while it lasts, and ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_core.model.alarm import AlarmKind
from crm_core.model.records import AlarmRecord
from crm_core.model.user import Role, User
from crm_core.services.desk import Desk
from crm_core.services.watching.telling import tell
from crm_core.services.wording import Phrase

AGAIN = timedelta(hours=24)
"""How long after it was told an alarm that still lasts is told once more."""

_WHO = (Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER)
"""Administrators; where there is none, those who stand next."""

_RAISED = {
    AlarmKind.SILENT_LINE: Phrase.ALARM_SILENT_LINE,
    AlarmKind.LINK_DOWN: Phrase.ALARM_LINK_DOWN,
    AlarmKind.CALLS_MISSING: Phrase.ALARM_CALLS_MISSING,
    AlarmKind.RULE: Phrase.ALARM_RULE,
    AlarmKind.RECORDINGS: Phrase.ALARM_RECORDINGS,
    AlarmKind.WEBHOOK: Phrase.ALARM_WEBHOOK,
}
_OVER = {
    AlarmKind.SILENT_LINE: Phrase.ALARM_SILENT_LINE_OVER,
    AlarmKind.LINK_DOWN: Phrase.ALARM_LINK_DOWN_OVER,
    AlarmKind.CALLS_MISSING: Phrase.ALARM_CALLS_MISSING_OVER,
    AlarmKind.RULE: Phrase.ALARM_RULE_OVER,
    AlarmKind.RECORDINGS: Phrase.ALARM_RECORDINGS_OVER,
    AlarmKind.WEBHOOK: Phrase.ALARM_WEBHOOK_OVER,
}


def raise_alarm(
    desk: Desk, kind: AlarmKind, subject: str, detail: str, *, since: datetime | None = None
) -> AlarmRecord:
    """Something is wrong with `subject` (a line's number, `pbx:office`); `detail` says what, in words.

    Raised again while it lasts it only says the newest detail. Administrators are told when it begins, and once more
    whenever `AGAIN` has passed. `since` is when the trouble began, now unless given.
    """
    known = _open(desk, kind, subject)
    alarm = known or AlarmRecord(desk.work.next_id(), kind, subject, detail, since or desk.now)
    alarm = alarm._replace(detail=detail)
    if alarm.told_at is None or desk.now - alarm.told_at >= AGAIN:
        # The number in the cause makes it one message although two nodes may see the same at once.
        number = (desk.now - alarm.since) // AGAIN
        text = desk.say(_RAISED[kind], subject=subject, time=desk.local(alarm.since), detail=detail)
        tell(desk, _people(desk), f"alarm:{alarm.id}:{number}", text.strip())
        alarm = alarm._replace(told_at=desk.now)
    if alarm != known:
        desk.work.put(alarm)
    return alarm


def end_alarm(desk: Desk, kind: AlarmKind, subject: str, *, quietly: bool = False) -> AlarmRecord | None:
    """The trouble is over, which is told too; None where there was no such alarm.

    `quietly`: nobody is told, because it did not pass but is looked for no more.
    """
    alarm = _open(desk, kind, subject)
    if alarm is None:
        return None
    ended = alarm._replace(ended_at=desk.now)
    desk.work.put(ended)
    if not quietly:
        text = desk.say(_OVER[kind], subject=subject, time=desk.local(alarm.since))
        tell(desk, _people(desk), f"alarm:{alarm.id}:over", text)
    return ended


def _open(desk: Desk, kind: AlarmKind, subject: str) -> AlarmRecord | None:
    return next((each for each in desk.work.open_alarms(kind) if each.subject == subject), None)


def _people(desk: Desk) -> tuple[User, ...]:
    return next((people for role in _WHO if (people := desk.work.staff.with_role(role))), ())
