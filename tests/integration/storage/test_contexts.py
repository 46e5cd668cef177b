"""What the caller's context holds, holds where their work is done, in whatever thread that is."""

from __future__ import annotations

from contextvars import ContextVar

from tests.integration.storage.world import World

LANGUAGE: ContextVar[str] = ContextVar("the language of a test", default="ru")


async def test_work_and_questions_know_the_callers_context(world: World) -> None:
    LANGUAGE.set("en")
    assert await world.store.run(lambda _desk: LANGUAGE.get()) == "en"
    assert await world.store.read(lambda _conn: LANGUAGE.get()) == "en"
