"""Chains of messages to clients: begun, sent on step by step, ended when the client answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_core.errors import ConcurrentChange, CoreError, InvalidInput, StorageUnavailable
from crm_core.model.alarm import AlarmKind
from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord, RunOutcome
from crm_core.model.call import Direction
from crm_core.model.case import Signal
from crm_core.model.definitions import Section
from crm_core.model.definitions.chains import ChainBody, ChainStep
from crm_core.model.expressions import ExpressionError, compiled
from crm_core.model.history import Change
from crm_core.model.records import ContactRecord, DeadlineKind, DeadlineRecord, DealRecord, EntryRecord
from crm_core.model.rights import Right
from crm_core.model.timeline import EntryKind
from crm_core.services.desk import Desk
from crm_core.services.letters.outgoing import HeldBack, deliver, held_back
from crm_core.services.scope import scope_of
from crm_core.services.watching.alarms import raise_alarm
from crm_core.services.wording import Phrase
from crm_core.wording import cut

log = logging.getLogger(__name__)

_ANSWERS = frozenset({EntryKind.MESSAGE, EntryKind.EMAIL, EntryKind.FORM})
# A client who is not written to for good ends the chain; who can't be reached now may be tomorrow.
_FOR_GOOD = frozenset({HeldBack.OPTED_OUT, HeldBack.LISTED, HeldBack.GONE})
_SLACK = timedelta(minutes=1)  # between a provider's clock and ours


def deadline_key(run_id: int) -> str:
    """The key of a chain's deadline."""
    return f"{DeadlineKind.CHAIN.value}:{run_id}"


def start(
    desk: Desk, name: str, contact: ContactRecord, card: DealRecord | None, entry: EntryRecord | None = None
) -> ChainRunRecord | None:
    """Begin a chain for a client; None where it runs for them. `entry` is what they wrote, whose account is written
    from. Raises InvalidInput for a chain that is not there."""
    body = desk.catalogue.body(Section.CHAIN, name, ChainBody)
    if body is None:
        raise InvalidInput("chain: there is no chain «{chain}»", chain=name)
    running = desk.work.running_chains([contact.id])[contact.id]
    if any(each.chain == name for each in running):
        return None
    run = ChainRunRecord(
        id=desk.work.next_id(),
        chain=name,
        contact_id=contact.id,
        deal_id=card.id if card is not None else None,
        state=ChainState.RUNNING,
        step=0,
        started_at=desk.now,
        next_at=due(body.steps[0], desk.now, ZoneInfo(desk.office.time_zone)),
        account=(entry.account or "") if entry is not None else "",
    )
    desk.work.put(run)
    _watch(desk, run)
    return run


def stop(desk: Desk, contact_id: int, name: str | None, why: str) -> list[ChainRunRecord]:
    """End a client's chain, all of them where none is named; those that were ended."""
    desk.demand(Right.KEEP_SALES)
    running = desk.work.running_chains([contact_id])[contact_id]
    return [_end(desk, each, ChainState.STOPPED, why) for each in running if name is None or each.chain == name]


def due(step: ChainStep, after: datetime, zone: ZoneInfo) -> datetime:
    """When a step is due, the one before it (or the beginning) having been at `after`."""
    at = after + step.after
    if step.at is None:
        return at
    there = at.astimezone(zone)
    found = datetime.combine(there.date(), time.fromisoformat(step.at), zone)
    if found < there:
        found = datetime.combine(there.date() + timedelta(days=1), time.fromisoformat(step.at), zone)
    return datetime.fromtimestamp(found.timestamp(), after.tzinfo)


def follow(desk: Desk, changes: Sequence[Change]) -> None:
    """End the chains of clients who answered, and of cards that are closed; a step of settling. One statement where
    there are chains at all."""
    if desk.quiet or not desk.catalogue.section(Section.CHAIN):
        return
    answered: dict[int, EntryRecord] = {}
    closed: dict[int, DealRecord] = {}
    for before, after in changes:
        if isinstance(after, EntryRecord) and _answers(before, after):
            answered[after.contact_id] = after
        elif isinstance(after, DealRecord) and after.contact_id is not None and _closes(before, after):
            closed[after.id] = after
    owners = {*answered, *(each.contact_id for each in closed.values() if each.contact_id is not None)}
    if not owners:
        return
    for contact_id, running in desk.work.running_chains(owners).items():
        entry = answered.get(contact_id)
        for run in running:
            body = desk.catalogue.body(Section.CHAIN, run.chain, ChainBody)
            if entry is not None and (body is None or body.until_answered) and _after(desk, run, entry):
                _end(desk, run, ChainState.STOPPED, desk.say(Phrase.CHAIN_ANSWERED))
            elif run.deal_id in closed and (body is None or body.until_closed):
                _end(desk, run, ChainState.STOPPED, desk.say(Phrase.CHAIN_CLOSED))


def chain_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A step of a chain is due: the client is written to, unless the chain has an end."""
    run, contact = desk.work.owned(ChainRunRecord, deadline.subject_id)
    body = desk.catalogue.body(Section.CHAIN, run.chain, ChainBody)
    if run.state is not ChainState.RUNNING or run.next_at is None:
        desk.work.remove(DeadlineRecord, deadline.key)
        return
    if run.next_at > desk.now:
        _watch(desk, run)
        return
    if contact is None or body is None or contact.deleted_at is not None or run.step >= len(body.steps):
        _end(desk, run, ChainState.STOPPED, desk.say(Phrase.CHAIN_GONE))
        return
    author, desk.work.author = desk.work.author, f"rule:{run.chain}"
    try:
        _go_on(desk, run, contact, body)
    finally:
        desk.work.author = author


def _go_on(desk: Desk, run: ChainRunRecord, contact: ContactRecord, body: ChainBody) -> None:
    card = _card(desk, run)
    step = body.steps[run.step]
    error, done = "", {}
    try:
        if body.stop_when and compiled(body.stop_when).holds(scope_of(desk, card or contact)):
            _end(desk, run, ChainState.STOPPED, desk.say(Phrase.CHAIN_CONDITION))
            return
        found = deliver(
            desk, contact.id, step.template, channels=step.channels, dedupe=f"chain:{run.id}:{run.step}", about=card
        )
        if isinstance(found, HeldBack):
            if found in _FOR_GOOD:
                _end(desk, run, ChainState.STOPPED, held_back(desk, found))
                return
            error = held_back(desk, found)
        else:
            done = {"do": "message", "template": step.template, "channel": found.channel, "entry_id": found.id}
    except (ConcurrentChange, StorageUnavailable):
        raise
    except (CoreError, ExpressionError) as err:
        error = str(err)
        log.warning("a step of a chain failed: %s for contact %s: %s", run.chain, contact.id, error)
        raise_alarm(desk, AlarmKind.RULE, run.chain, cut(error, 300))
    desk.work.put(
        RuleRunRecord(
            key=f"chain:{run.id}:{run.step}",
            rule=run.chain,
            kind="deal" if card is not None else "contact",
            subject_id=card.id if card is not None else contact.id,
            contact_id=contact.id,
            at=desk.now,
            outcome=RunOutcome.FAILED if error else RunOutcome.DONE,
            why=f"chain, step {run.step + 1}",
            actions=[done] if done else [],
            error=error,
        )
    )
    if run.step + 1 >= len(body.steps):
        _end(desk, run._replace(step=run.step + 1), ChainState.FINISHED, "")
        return
    following = body.steps[run.step + 1]
    next_at = due(following, desk.now, ZoneInfo(desk.office.time_zone))
    changed = run._replace(step=run.step + 1, next_at=next_at)
    desk.work.put(changed)
    _watch(desk, changed)


def _card(desk: Desk, run: ChainRunRecord) -> DealRecord | None:
    if run.deal_id is None:
        return None
    found = desk.work.related(DealRecord, "id", [run.deal_id])
    return found[0] if found and found[0].deleted_at is None else None


def _watch(desk: Desk, run: ChainRunRecord) -> None:
    if run.next_at is not None:
        desk.work.put(DeadlineRecord(deadline_key(run.id), DeadlineKind.CHAIN, run.id, run.next_at))


def _end(desk: Desk, run: ChainRunRecord, state: ChainState, why: str) -> ChainRunRecord:
    ended = run._replace(state=state, ended_at=desk.now, next_at=None, reason=why)
    desk.work.put(ended)
    desk.work.remove(DeadlineRecord, deadline_key(run.id))
    return ended


def _answers(before: EntryRecord | None, entry: EntryRecord) -> bool:
    """Whether this is the client's answer: something that they wrote themselves, or a conversation."""
    if entry.signal is Signal.TALK:
        return before is None or before.signal is not Signal.TALK
    written = entry.kind in _ANSWERS and entry.direction is Direction.IN and before is None
    return written and (entry.signal is not None or entry.lead_id is not None or entry.deal_id is not None)


def _closes(before: DealRecord | None, after: DealRecord) -> bool:
    gone = after.closed_at is not None or after.deleted_at is not None
    return gone and (before is None or (before.closed_at is None and before.deleted_at is None))


def _after(desk: Desk, run: ChainRunRecord, entry: EntryRecord) -> bool:
    """Whether it came after the chain began: what began it is no answer to it."""
    return run.started_at < desk.now and (entry.signal_at or entry.occurred_at) > run.started_at - _SLACK
