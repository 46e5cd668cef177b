"""Rules and chains over the API: refused in words, run, traced, tried."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.world import World

RULE = {"name": "Новая", "when": {"event": "created"}, "then": {"do": "tag", "tags": ["новая"]}}


async def test_a_rule_is_kept_acts_and_leaves_a_trace(world: World) -> None:
    kept = await world.post("/rules", RULE, login="root", status=201)
    assert kept["when"] == [{**kept["when"][0], "event": "created"}]
    await world.ask("POST", "/rules", RULE, login="ivan", status=403)
    deal = await world.post("/deals", {"title": "Окна"}, status=201)
    assert deal["tags"] == ["новая"]  # what a rule made of it is shown at once
    runs = await world.get(f"/deals/{deal['id']}/runs")
    assert [(run["rule"], run["outcome"], run["actions"], run["why"]) for run in runs["items"]] == [
        ("Новая", "done", [{"do": "tag", "tags": ["новая"]}], "created")
    ]
    changed = await world.patch(f"/rules/{kept['id']}", {"enabled": False, "version": kept["version"]}, login="root")
    assert changed["enabled"] is False
    await world.ask("PATCH", f"/rules/{kept['id']}", {"version": 1, "help": "x"}, login="root", status=409)
    assert (await world.post("/deals", {"title": "Двери"}, status=201))["tags"] == []
    assert len((await world.get("/rule-runs?outcome=done&kind=deal"))["items"]) == 1
    assert (await world.get(f"/rule-runs?subject_id={deal['id']}&kind=deal&rule=Другое"))["items"] == []
    for kind in ("leads", "contacts", "tasks"):
        assert (await world.get(f"/{kind}/{deal['id']}/runs"))["items"] == []


async def test_pages_of_runs(world: World) -> None:
    await world.post("/rules", {**RULE, "when": {"event": "changed", "field": "title"}}, login="root", status=201)
    deal = await world.post("/deals", {"title": "Окна 0"}, status=201)
    for number in range(1, 7):
        await world.patch(f"/deals/{deal['id']}", {"title": f"Окна {number}"})
    seen: list[Any] = []
    after = ""
    while True:
        page = await world.get(f"/deals/{deal['id']}/runs?limit=2{after}")
        seen.extend(page["items"])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == 7
    assert [run["at"] for run in seen] == sorted((run["at"] for run in seen), reverse=True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"condition": "deal.fields.summ > "}, "the expression can't be read at character 19"),
        ({"condition": "dael.amount > 5"}, "there is no «dael», did you mean «deal»?"),
        ({"condition": "deal.amuont > 5"}, "«deal» has no «amuont», did you mean «amount»?"),
        ({"when": {"event": "stage_entered", "stages": "Новвая"}}, "when.0: stage: "),
        ({"when": {"event": "stage_entered", "pipelines": "Нет"}}, "there is no pipeline «Нет»"),
        ({"when": {"event": "changed", "field": "amuont"}}, "did you mean «amount»?"),
        ({"when": {"event": "schedule", "every": "day", "at": "09:00", "segment": "все"}}, "there is no segment «все»"),
        (
            {"when": {"event": "schedule", "every": "day", "at": "09:00", "filter": {"field": "нет", "value": 1}}},
            "when.0: ",
        ),
        ({"only": {"hours": "оффис"}}, "there is no calendar «оффис»"),
        ({"only": {"pattern": "("}}, "can't be read: missing )"),
        ({"then": {"do": "message", "template": "Привет"}}, "then.0: template: there is no template «Привет»"),
        ({"then": {"do": "move", "stage": "Нет такой"}}, "then.0: stage: "),
        ({"then": {"do": "assign", "login": "ivann"}}, "there is nobody «ivann», did you mean «ivan»?"),
        ({"then": {"do": "notify", "text": "!", "to": "никто"}}, "to: there is nobody «никто»"),
        ({"then": {"do": "notify", "text": "{% for %}"}}, "then.0: "),
        ({"then": {"do": "start_chain", "chain": "Прогрев"}}, "there is no chain «Прогрев»"),
        ({"then": {"do": "set", "field": "currency", "value": "рубли"}}, "«рубли» is no currency"),
        ({"on": "claims"}, "there is no kind of records «claims»"),
        ({"on": "task", "when": {"event": "written"}}, "has no timeline"),
    ],
)
async def test_what_names_nothing_is_refused_with_what_was_meant(
    world: World, more: dict[str, Any], words: str
) -> None:
    await world.post("/deals", {"title": "Окна"}, status=201)  # makes the usual pipeline
    problem = await world.ask("POST", "/rules", {**RULE, **more}, login="root", status=422)
    assert words in str(problem)


async def test_what_a_rule_gives_as_a_currency_is_one(world: World) -> None:
    def rule(name: str, tag: str, value: str) -> dict[str, Any]:
        when = {"event": "tag_added", "tags": [tag]}
        return {"name": name, "when": when, "then": {"do": "set", "field": "currency", "value": value}}

    await world.post("/rules", rule("Доллары", "сша", "usd"), login="root", status=201)
    await world.post("/rules", rule("Что угодно", "любая", "{{ deal.title }}"), login="root", status=201)
    assert (await world.post("/deals", {"title": "Окна", "tags": ["сша"]}, status=201))["amount"]["currency"] == "USD"
    deal = await world.post("/deals", {"title": "рубли", "tags": ["любая"]}, status=201)
    assert deal["amount"]["currency"] == "RUB"
    (run,) = (await world.get(f"/deals/{deal['id']}/runs"))["items"]
    assert (run["outcome"], "«рубли» is no currency" in run["error"]) == ("failed", True)


async def test_chains_are_kept_and_stopped(world: World) -> None:
    chain = {"name": "Прогрев", "steps": [{"template": "Первое"}, {"template": "Второе", "after": "2d"}]}
    problem = await world.ask("POST", "/chains", chain, login="root", status=422)
    assert "steps.0: template: there is no template «Первое»" in str(problem)
    for name in ("Первое", "Второе"):
        await world.post("/templates", {"name": name, "text": "Здравствуйте"}, login="root", status=201)
    await world.post("/chains", chain, login="root", status=201)
    await world.post(
        "/rules",
        {"name": "Греть", "when": {"event": "created"}, "then": {"do": "start_chain", "chain": "Прогрев"}},
        login="root",
        status=201,
    )
    contact = await world.contact(name="Анна", identities=["tel:+79161234567"])
    await world.post("/deals", {"title": "Окна", "contact_id": contact["id"]}, status=201)
    (run,) = (await world.get(f"/chain-runs?contact_id={contact['id']}&running=true"))["items"]
    stopped = await world.post(f"/chain-runs/{run['id']}/stop")
    assert (stopped["state"], stopped["reason"]) == ("stopped", "user:ivan")
    assert (await world.get("/chain-runs?running=true"))["items"] == []


async def test_rules_are_tried_on_what_is_over(world: World) -> None:
    deal = await world.post("/deals", {"title": "Окна"}, status=201)
    since = "2020-01-01T00:00:00Z"
    report = await world.post("/rules/try", {"since": since, "rules": [RULE]}, login="root")
    assert [(each["rule"], each["runs"], each["failed"]) for each in report["rules"]] == [("Новая", 1, 0)]
    assert [(run["subject_id"], run["title"], run["actions"]) for run in report["runs"]] == [
        (deal["id"], "Окна", [{"do": "tag", "tags": ["новая"]}])
    ]
    assert (await world.get(f"/deals/{deal['id']}"))["tags"] == []
    assert (await world.post("/rules/try", {"since": since}, login="root"))["rules"] == []
    await world.ask("POST", "/rules/try", {"since": since}, login="ivan", status=403)
    problem = await world.ask("POST", "/rules/try", {"since": "завтра"}, login="root", status=422)
    assert "since" in str(problem)
    broken = {**RULE, "then": {"do": "assign", "login": "ivann"}}
    problem = await world.ask("POST", "/rules/try", {"since": since, "rules": [broken]}, login="root", status=422)
    assert "did you mean «ivan»" in str(problem)
