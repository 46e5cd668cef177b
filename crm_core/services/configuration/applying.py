"""Applying a configuration: what it names is as it says afterwards, what it does not name stays."""

from __future__ import annotations

from crm_core.errors import Conflict
from crm_core.model.definitions import Section
from crm_core.model.definitions.pipelines import readable
from crm_core.model.records import PipelineRecord, StageRecord
from crm_core.model.rights import Right
from crm_core.services import defining
from crm_core.services.configuration.comparing import Difference, compared
from crm_core.services.configuration.reading import Configuration, WantedPipeline
from crm_core.services.desk import Desk


def applied(desk: Desk, wanted: Configuration, login: str) -> list[Difference]:
    """Make it so, in this transaction; what was changed. Twice the same changes nothing the second time.

    Raises Conflict where a pipeline would become one of another type; Forbidden for whoever may not keep what it names.
    """
    if wanted.pipelines:
        desk.demand(Right.KEEP_PIPELINES)
    differences = compared(desk, wanted)
    changed = {(each.section, each.name) for each in differences}
    for section, bodies in wanted.definitions.items():
        known = {each.name: each for each in defining.of_section(desk, section)}
        for position, (name, body) in enumerate(bodies.items()):
            if (section.value, name) not in changed:
                continue
            record = known.get(name)
            place = position if record is None or section in {Section.RULE, Section.FIELD} else record.position
            if record is None or record.archived:
                defining.add(desk, section, name, body, login, place)
            else:
                defining.change(desk, section, record.id, login, body=body, position=place)
    for position, pipeline in enumerate(wanted.pipelines):
        _apply_pipeline(desk, pipeline, position)
    return differences


def _apply_pipeline(desk: Desk, wanted: WantedPipeline, position: int) -> None:
    before = next((each for each in desk.work.everything(PipelineRecord) if each.name == wanted.name), None)
    if before is not None and before.type != wanted.type:
        raise Conflict(
            "pipeline «{wanted}» is one of «{type}» and stays so: choose another name",
            wanted=wanted.name,
            type=before.type,
        )
    said, wrong = readable(before.settings if before is not None else {})
    if wrong is not None or wanted.settings.reach != said.reach:
        desk.demand(Right.KEEP_STAFF)
    pipeline = PipelineRecord(
        id=before.id if before is not None else desk.work.next_id(),
        name=wanted.name,
        position=position,
        archived=False,
        type=wanted.type,
        settings=defining.as_json(wanted.settings),
    )
    if pipeline != before:
        desk.work.put(pipeline)
    known = {each.name: each for each in desk.work.related(StageRecord, "pipeline_id", [pipeline.id])}
    for at, each in enumerate(wanted.stages):
        old = known.pop(each.name, None)
        stage = StageRecord(
            id=old.id if old is not None else desk.work.next_id(),
            pipeline_id=pipeline.id,
            name=each.name,
            position=at,
            kind=each.kind,
            settings=defining.as_json(each.settings),
            archived=False,
        )
        if stage != old:
            desk.work.put(stage)
    # Stages of the office's own stay, behind those of the configuration.
    for at, old in enumerate(sorted(known.values(), key=lambda one: (one.position, one.id)), start=len(wanted.stages)):
        if old.position != at:
            desk.work.put(old._replace(position=at))
