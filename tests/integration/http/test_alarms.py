"""Alarms as administrators see them."""

from __future__ import annotations

from crm_core.model.alarm import AlarmKind
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from tests.integration.http.world import World


async def test_alarms_are_listed_while_they_last_and_afterwards_on_request(world: World) -> None:
    def service(desk: Desk) -> None:
        for name in ("office", "branch"):
            raise_alarm(desk, AlarmKind.LINK_DOWN, f"pbx:{name}", "refused")
        end_alarm(desk, AlarmKind.LINK_DOWN, "pbx:office")

    await world.hub.store.run(service)
    (alarm,) = (await world.get("/alarms", login="root"))["items"]
    assert alarm == {
        "id": alarm["id"],
        "kind": "link_down",
        "subject": "pbx:branch",
        "detail": "refused",
        "since": "2026-03-02T09:00:00Z",
        "told_at": "2026-03-02T09:00:00Z",
        "ended_at": None,
    }
    page = await world.get("/alarms", params={"state": "all", "limit": 1}, login="root")
    assert page["items"] == [alarm]
    rest = await world.get("/alarms", params={"state": "all", "after": page["next"]}, login="root")
    assert [(each["subject"], each["ended_at"] is not None) for each in rest["items"]] == [("pbx:office", True)]
    assert rest["next"] is None


async def test_managers_are_not_bothered_with_them(world: World) -> None:
    assert (await world.call("GET", "/alarms", login="ivan")).status == 403
    assert (await world.call("GET", "/alarms", login="olga")).status == 200
