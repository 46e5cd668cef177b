"""Whole configurations: applied, compared, given out, on both engines; what of them decides about calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core import presets
from crm_core.errors import Conflict, InvalidInput
from crm_core.model.definitions import Section
from crm_core.model.records import PipelineRecord
from crm_core.services.configuration import Difference, Verb, applied, compared, given_out, problems, read
from crm_core.services.desk import Desk
from hub.nodes.live import Live
from hub.office.configured import Configured, configure
from hub.office.presets import parsed, written
from hub.settings import parse_settings
from tests.integration.storage.world import World, world_on
from tests.unit.crm_core.test_configuration import WHOLE


async def apply(world: World, text: str, login: str = "root") -> list[Difference]:
    wanted = parsed(text, "preset")
    return await world.store.run(lambda desk: applied(desk, wanted, login))


async def out(world: World) -> str:
    return await world.store.run(lambda desk: written(given_out(desk)))


async def test_twice_changes_nothing(world: World) -> None:
    first = await apply(world, WHOLE)
    assert {each.verb for each in first} == {Verb.ADD}
    before = await out(world)
    assert await apply(world, WHOLE) == []
    assert await out(world) == before


async def test_what_is_given_out_makes_an_office_that_is_alike(world: World, tmp_path: Path) -> None:
    await apply(world, WHOLE)
    text = await out(world)
    async with world_on(f"sqlite+aiosqlite:///{tmp_path / 'other.sqlite3'}") as other:
        await apply(other, text)
        assert await out(other) == text
    assert await apply(world, text) == []


async def test_what_cannot_be_read_is_named_in_place_of_an_office_given_out_without_it(world: World) -> None:
    await apply(world, WHOLE)

    def spoil(desk: Desk) -> str:
        record = desk.work.everything(PipelineRecord)[0]
        desk.work.put(record._replace(settings={**record.settings, "reach": 7}))
        return record.name

    name = await world.store.run(spoil)
    with pytest.raises(InvalidInput) as refused:
        await out(world)
    assert str(refused.value).startswith(f"the pipeline «{name}» can't be read as it stands in the record")
    assert "reach" in str(refused.value)


async def test_a_difference_names_the_key_with_both_values(world: World) -> None:
    await apply(world, WHOLE)
    changed = WHOLE.replace('deadline = "3d"', 'deadline = "5d"').replace('title = "Адрес"', 'title = "Адрес замера"')
    wanted = parsed(changed, "preset")
    found = await world.store.run(lambda desk: compared(desk, wanted))
    assert found == [
        Difference(Verb.CHANGE, "field", "deal.address", (("title", "Адрес", "Адрес замера"),)),
        Difference(Verb.CHANGE, "stage", "Продажи / Сбор данных", (("deadline", "3d", "5d"),)),
    ]
    assert "3d" in await out(world), "a comparison writes nothing"


async def test_what_a_configuration_does_not_name_stays(world: World) -> None:
    await apply(world, WHOLE)
    own = "[[pipeline]]\nname = 'Продажи'\nloss_reasons = ['Дорого']\n[[pipeline.stage]]\nname = 'Своя'\n"
    await apply(world, own)
    text = await out(world)
    names = [each.name for each in parsed(text, "out").pipelines[0].stages]
    assert names == ["Своя", "Сбор данных", "Успешная продажа"]
    assert "Спам" in text


async def test_what_was_put_away_comes_back(world: World) -> None:
    await apply(world, WHOLE)

    def archive(desk: Desk) -> None:
        pipeline = desk.work.get(PipelineRecord, desk.catalogue.pipelines[0].id)
        desk.work.put(pipeline._replace(archived=True))

    await world.store.run(archive)
    assert [each.verb for each in await apply(world, WHOLE)] == [Verb.RETURN]


async def test_a_pipeline_does_not_change_its_kind(world: World) -> None:
    await apply(world, WHOLE)
    wanted = read({"pipeline": [{"name": "Продажи", "type": "claim", "stage": [{"name": "Новая"}]}]})
    with pytest.raises(Conflict, match="stays so"):
        await world.store.run(lambda desk: applied(desk, wanted, "root"))


async def test_every_preset_is_applied_whole(world: World) -> None:
    for name in presets.names():
        text = presets.text(name)
        assert await apply(world, text), name
        assert await apply(world, text) == [], name


@pytest.mark.parametrize("name", presets.names())
async def test_whatever_a_preset_names_is_there(name: str, tmp_path: Path) -> None:
    async with world_on(f"sqlite+aiosqlite:///{tmp_path / 'hub.sqlite3'}") as world:
        await apply(world, presets.text(name))
        assert await world.store.run(problems) == ()


async def test_what_names_something_that_is_not_there_is_told(world: World) -> None:
    await apply(
        world,
        WHOLE
        + """
[[segment]]
name = "Давно не покупали"
filter = { field = "last_sale_at", op = "<", value = "-90d" }

[[rule]]
name = "Вернуть"
on = "contact"
when = [{ event = "schedule", every = "month", at = "09:00", segment = "Давно не покупали" }]
then = [{ do = "create", pipeline = "Продажи", stage = "Сбор даных" }]
""",
    )
    segment, rule = await world.store.run(problems)
    assert segment == "segment «Давно не покупали»: filter: last_sale_at: «contact» has no such field to filter by"
    assert rule.startswith("rule «Вернуть»: when.0: segment: filter: last_sale_at")


async def test_ladders_and_lists_of_the_record_are_in_force(world: World, tmp_path: Path) -> None:
    text = (
        '[[list]]\nname = "Спам"\naction = "no_lead"\n[[hours]]\nname = "смена"\ndays = { mon-sun = "00:00-24:00" }\n'
    )
    settings = parse_settings(text, folder=tmp_path)
    live = Live(world.store, poll_s=0.05)
    configured = Configured(settings, world.store, live, world.clock)
    heard: list[int] = []

    async def listen() -> None:
        heard.append(1)

    configured.listen(listen)
    await live.start()
    try:
        await configured.start()
        await apply(
            world, WHOLE + '[[group]]\nname = "sales"\nhours = "смена"\n[[list]]\nname = "Кадры"\naction = "reject"\n'
        )
        assert await live.reached((await world.store.run_at(lambda desk: desk.work.changed("x", 1)))[1])
        office = world.store.office
        assert office.lists["Спам"].action.value == "no_lead", "hub.toml wins"
        assert office.lists["Кадры"].action.value == "reject"
        assert office.groups["sales"].hours == "смена"
        assert [str(step.after) for step in next(iter(office.ladders.by_event.values())).steps]
        assert heard
    finally:
        await live.stop()
    assert await configure(world.store, settings, world.clock) == ()


async def test_a_definition_that_cannot_be_used_is_told_and_the_rest_is_in_force(world: World, tmp_path: Path) -> None:
    broken = '[[hours]]\nname = "x"\ndays = { someday = "09:00-18:00" }\n[[list]]\nname = "Кадры"\naction = "reject"\n'
    await apply(world, broken)
    (problem,) = await configure(world.store, parse_settings("", folder=tmp_path), world.clock)
    assert "hours «x»" in problem
    assert "someday" in problem
    assert "Кадры" in world.store.office.lists
    assert await world.store.run(lambda desk: Section.HOURS in desk.catalogue.sections)
