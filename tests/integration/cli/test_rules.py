"""`hub rules try`: what rules would have done, writing nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.services.intake.receive import receive
from hub.cli.working import open_store
from hub.settings import load_settings
from tests.integration.cli.conftest import Run

RULES = """
[[rule]]
name = "Excel"
on = "lead"
when = { event = "written" }
only = { words = "excel" }
then = { do = "tag", tags = "excel" }

[[rule]]
name = "Ошибка"
on = "lead"
when = { event = "created" }
condition = "lead.title > 5"
then = { do = "notify", text = "!" }
"""


def _asked() -> None:
    """A client asks, five minutes ago."""
    sender = Sender((Identity(IdentityKind.TG, "1001"),), "Анна")
    payload = MessageReceived(EntryKind.MESSAGE, "Курс Excel?", "1")
    at = datetime.now(UTC) - timedelta(minutes=5)
    event = InboundEvent(ChannelKey("telegram", "shop"), "1", "1001", at, sender, payload, b"{}")

    async def acting() -> None:
        async with open_store(load_settings()) as store:
            await store.run(lambda desk: receive(desk.work, [event], desk.office, desk.policies))

    asyncio.run(acting())


def test_rules_of_a_file_are_tried(hub: Run, folder: Path) -> None:
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    _asked()
    told = hub("rules", "try", "--since", "30d", "--file", "rules.toml")
    assert told.code == 0
    assert "Excel (written) → tag ['excel']" in told.out
    assert "Ничего не записано." in told.out
    found = hub("rules", "try", "--file", "rules.toml", "--json").json
    assert [(each["rule"], each["runs"], each["failed"]) for each in found["rules"]] == [
        ("Excel", 1, 0),
        ("Ошибка", 1, 1),
    ]
    assert [each["title"] for each in found["runs"]] == ["Курс Excel?"] * 2
    only = hub("rules", "try", "--file", "rules.toml", "--rule", "Excel", "--json").json
    assert [each["rule"] for each in only["runs"]] == ["Excel"]


def test_the_rules_in_use_and_what_makes_no_sense(hub: Run, folder: Path) -> None:
    assert "Правил нет." in hub("rules", "try").out
    (folder / "rules.toml").write_text(RULES.replace("written", "wrote"), encoding="utf-8")
    told = hub("rules", "try", "--file", "rules.toml")
    assert told.code == 1
    assert "rules.toml: rule «Excel»: when.0.event: " in told.err
    told = hub("rules", "try", "--file", "none.toml")
    assert (told.code, "none.toml" in told.err) == (1, True)
    assert hub("rules", "try", "--since", "вчера").code == 2
