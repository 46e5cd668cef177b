"""Callers who call themselves strange things, through a real Asterisk: every call is a call, and nothing is forged."""

from __future__ import annotations

import pytest

from crm_core.model.call import CallState
from tests.fakes.pbx import dial
from tests.integration.pbx.conftest import LINE, Exchange, kinds
from tests.patience import PATIENCE_S

LONG = "Ж" * 300


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("79161234567", "Event: VarSet"),
        ("79161234567", "Event: Hangup"),
        ("79161234567", '\\"Анна\\" \\\\ \\"'),
        ("79161234567", "🙂 Анна 🎉"),
        ("79161234567", "<script>alert(1)</script>"),
        ("79161234567", LONG),
        ("79161234567", "a%0d%0aAction: Hangup"),
        ("anonymous", "Anonymous"),
        ("%2B7(916)123-45-67", "Client"),
        ("101", "Manager 101"),
    ],
)
async def test_a_call_by_whatever_name(exchange: Exchange, number: str, name: str) -> None:
    await exchange.people.phone("101")
    channel = await exchange.hub(dial("101"))
    caller = await exchange.people.caller(number, LINE, name=name, hold_ms=200)
    finished = await exchange.call("finished")
    assert await caller.wait(PATIENCE_S) == 0
    assert kinds(exchange.sink) == ["started", "answered", "finished"]
    assert (finished.state, finished.answered_by) == (CallState.ANSWERED, "PJSIP/101")
    assert not set("\r\n\0") & set(finished.caller_name + finished.number)
    assert channel.stats.link.callback_errors == 0
    if name in {"Event: VarSet", "🙂 Анна 🎉", "<script>alert(1)</script>"}:
        assert finished.caller_name == name
    identities = {event.sender.identities for event in exchange.sink.events}
    assert len(identities) == 1
    (known,) = identities
    assert [str(each) for each in known] == ([] if number in {"anonymous", "101"} else ["tel:+79161234567"])
    assert "DBPut" not in await exchange.pbx.rx("database show")
