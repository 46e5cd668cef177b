"""Reports as people see them: the figures, the definition beside them, the way to a spreadsheet."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from crm_core.model.identity import parse_identity
from crm_core.model.user import Role
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.storage.reports import REPORTS
from tests.integration.http.world import later
from tests.integration.storage.world import answered, ended, missed, moved, ringing
from tests.integration.web.conftest import Workspace

ANNA, BORIS = "+79161110001", "+79161110002"


async def story(workspace: Workspace) -> None:
    given = ContactChange(name="Анна <b>", identities=(parse_identity(f"tel:{ANNA}"),), manager="ivan")
    await workspace.hub.store.run(lambda desk: create(desk, given))
    call = replace(answered(ringing("b1", BORIS, later(0)), 5), recording="b1.wav")
    await workspace.hub.intake.receive(missed("a1", ANNA, later(0)))
    await workspace.hub.intake.receive(moved(ended(call, 60)))


async def test_every_report_is_listed_drawn_and_defined(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER)
    await story(workspace)
    listed = await root.get("/reports")
    for report in REPORTS.values():
        assert f'href="/reports/{report.name}"' in listed
        every = ",".join(by.value for by in report.groups)
        for query in ("", *(f"?by={by.value}" for by in report.groups), f"?by={every}"):
            page = await root.get(f"/reports/{report.name}{query}")
            assert report.definition.ru in html.unescape(page)


async def test_figures_periods_and_recordings(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER)
    await story(workspace)
    page = await root.get("/reports/missed")
    assert "Анна &lt;b&gt;" in page
    assert "Ivan" in page
    assert "За этот период ничего нет." in await root.get("/reports/missed?from=2026-02-01&to=2026-02-02")
    unknown = await root.get("/reports/numbers_unknown")
    call = await workspace.scalar("SELECT id FROM call WHERE linkedid = 'b1'")
    assert f'<audio controls preload="none" src="/api/v1/calls/{call}/recording"' in unknown
    broken = await root.get("/reports/missed?from=never", status=400)
    assert "не день (2026-03-02)" in broken
    await root.get("/reports/none", status=404)


async def test_numbers_are_grouped_and_a_client_without_a_name_is_said_to_have_none(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.hub.intake.receive(missed("c1", BORIS, later(0)))
    page = await root.get("/reports/missed")
    assert "+7 916 111-00-02" in page
    assert "без имени" in page


async def test_the_link_to_the_spreadsheet_works_in_the_browser(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER)
    await story(workspace)
    page = await root.get("/reports/missed")
    found = re.search(r'href="(/api/v1/reports/missed\?[^"]+format=csv[^"]*)"', page)
    assert found is not None
    response = await root.client.get(html.unescape(found[1]), headers={"Accept": "text/html"})
    assert response.status == 200
    assert (await response.read()).startswith(b"\xef\xbb\xbfcontact_id;")


async def test_a_manager_sees_their_own_and_a_marketer_nothing(workspace: Workspace) -> None:
    ivan, petr = await workspace.visitor("ivan", Role.MANAGER), await workspace.visitor("petr", Role.MANAGER)
    marketer = await workspace.visitor("maria", Role.MARKETER)
    await story(workspace)
    assert "Анна" in await ivan.get("/reports/missed")
    assert "Анна" not in await petr.get("/reports/missed?manager=ivan")
    assert 'name="manager"' not in await petr.get("/reports/missed")
    await marketer.get("/reports", status=403)
    await marketer.get("/reports/missed", status=403)
    assert "/reports" not in await marketer.get("/")
