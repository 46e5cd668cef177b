"""What is kept in words is a sentence again when it is read, on both engines and by every way of reading."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from crm_core.model.alarm import AlarmKind
from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.model.records import AlarmRecord, OutboxKind, OutboxRecord, OutboxState
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import raise_alarm
from crm_core.storage import queues
from crm_core.storage.tables import alarm, rule_run
from crm_core.wording import Sentence
from hub.tongues import told_in
from tests.fakes.clock import START
from tests.integration.storage.world import World

_WHY = Sentence("the gateway answered {status}: {words}", status=502, words="«мимо» \x1e")
_RUSSIAN = "Шлюз ответил 502: «мимо» \x1e"


async def test_a_record_keeps_its_words(world: World) -> None:
    raised = await world.store.run(lambda desk: raise_alarm(desk, AlarmKind.LINK_DOWN, "gateway:one", _WHY))
    (row,) = await world.rows("alarm")
    assert told_in(row.detail, "ru") == _RUSSIAN
    # Read as records are locked, and as pages read them.
    again = await world.store.run(lambda desk: desk.work.related(AlarmRecord, "id", [raised.id]))
    assert told_in(again[0].detail, "ru") == _RUSSIAN
    shown = await world.store.read(lambda conn: conn.execute(select(alarm.c.detail)).scalar_one())
    assert told_in(shown, "ru") == _RUSSIAN
    assert shown == _WHY
    # Whoever was told by a messenger, was told in the office's language.
    (told, *_) = await world.rows("outbox", kind="notification")
    assert "люз ответил 502" in told.payload["text"]


async def test_rows_of_before_are_read_as_they_stand(world: World) -> None:
    await world.store.run(lambda desk: raise_alarm(desk, AlarmKind.LINK_DOWN, "gateway:one", _WHY))
    await world.store.database.write(lambda conn: conn.execute(text("UPDATE alarm SET detail = 'refused: {no} one'")))
    (row,) = await world.rows("alarm")
    assert row.detail == "refused: {no} one"
    assert told_in(row.detail, "ru") == "refused: {no} one"


async def test_a_run_of_a_rule_and_a_row_of_the_outbox_keep_theirs(world: World) -> None:
    queued = OutboxRecord(
        id=1, kind=OutboxKind.WEBHOOK, lane="one", dedupe="one", state=OutboxState.QUEUED,
        created_at=START, not_before=START, payload={},
    )  # fmt: skip

    def service(desk: Desk) -> None:
        run = RuleRunRecord("k", "r", "deal", 5, None, START, RunOutcome.FAILED, "created", [], _WHY)
        desk.work.put(run)
        desk.work.put(queued)

    await world.store.run(service)
    kept = await world.store.read(lambda conn: conn.execute(select(rule_run.c.error)).scalar_one())
    assert told_in(kept, "ru") == _RUSSIAN
    lease = timedelta(minutes=3)
    (claimed,) = await world.store.database.write(lambda conn: queues.claim_outbox(conn, START, "node", lease, 5))
    await world.store.database.write(lambda conn: queues.retry_outbox(conn, claimed, START, _WHY, known=True))
    (again,) = await world.store.database.write(lambda conn: queues.claim_outbox(conn, START, "node", lease, 5))
    assert told_in(again.error or "", "ru") == _RUSSIAN
    assert await world.store.database.write(
        lambda conn: queues.finish_outbox(conn, again, OutboxState.FAILED, START, _WHY)
    )
    (row,) = await world.rows("outbox")
    assert told_in(row.error, "ru") == _RUSSIAN
