"""Rules: the common editor, and what a rule would have done before it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from crm_core.model.definitions import Body, RuleBody
from crm_core.services.automation.trying import Trial
from hub.office.rules_trial import Report, try_rules
from hub.web.office.drafts import Draft
from hub.web.office.editing import Editor
from hub.web.office.forms.filled import Sent
from hub.web.office.summaries import action_said, occasion_said
from hub.web.pages import Answer, access_here
from hub.web.tongues import _

_DAYS = (1, 7, 30)
_MOST_RECORDS = 20_000
_MOST_TRIALS = 200
_PATHS = {"contact": "/contacts", "deal": "/deals", "task": "/tasks"}


@dataclass(frozen=True, slots=True)
class Would:
    """A time that a rule would have acted; `path` leads to the record where it has a page."""

    at: datetime
    title: str
    path: str
    why: str
    actions: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would have done."""

    count: int
    failed: int
    records: int
    complete: bool
    runs: tuple[Would, ...]


class Rules(Editor):
    """The pages of rules."""

    async def other(self, request: web.Request, act: str, draft: Draft, body: Body) -> Answer:
        """Check a rule, or try it on what is over; nothing is written."""
        if act != "try" or not isinstance(body, RuleBody):
            return await Editor.other(self, request, act, draft, body)
        await self.checked(draft, body)
        asked = Sent((await request.post()).items()).one("try_days")
        days = int(asked) if asked in {str(each) for each in _DAYS} else _DAYS[1]
        hub = self.pages.hub
        name = self.keeping.named(body, draft.name)
        # One that rests is tried as if it were in use: that is what is asked.
        rule = body.model_copy(update={"enabled": True})
        since = hub.clock.now() - timedelta(days=days)
        report = await try_rules(
            hub.store,
            access_here(request),
            since,
            [(name, rule)],
            most_records=_MOST_RECORDS,
            most_trials=_MOST_TRIALS,
        )
        draft.more = {"trial": _shown(report), "days": days}
        return await self.drawn(request, draft)


def _shown(report: Report) -> Tried:
    return Tried(
        sum(report.counts.values()),
        sum(report.failed.values()),
        report.records,
        report.complete,
        tuple(_would(each) for each in report.trials),
    )


def _would(trial: Trial) -> Would:
    at = _PATHS.get(trial.kind)
    ident, path = trial.subject_id, f"{at}/{trial.subject_id}" if at is not None else ""
    if not path and trial.contact_id is not None:
        path = f"/contacts/{trial.contact_id}"
    title = trial.title or _("no. {number}").format(number=ident)
    return Would(
        trial.at, title, path, occasion_said(trial.why), tuple(action_said(each) for each in trial.actions), trial.error
    )
