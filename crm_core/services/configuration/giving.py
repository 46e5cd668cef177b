"""The record's configuration as plain data, in the very shape in which it is read."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from crm_core.errors import InvalidInput
from crm_core.model.definitions import FORMS, PipelineSettings, Section, StageSettings, name_of
from crm_core.model.faults import first_of
from crm_core.model.records import PipelineRecord, StageKind, StageRecord
from crm_core.model.rights import Right
from crm_core.services.defining import as_json, of_section
from crm_core.services.desk import Desk
from crm_core.wording import Sentence

# What is no configuration of how an office works, or must not leave it.
_Form = TypeVar("_Form", bound=BaseModel)
_KEPT_BACK = frozenset({Section.MAPPING, Section.WEBHOOK, Section.ACCOUNT})


def given_out(desk: Desk, title: str = "") -> dict[str, Any]:
    """Everything in use; applied elsewhere it makes an office that works alike. Secrets are not in it. Raises Forbidden
    for whoever does not configure."""
    desk.demand(Right.CONFIGURE)
    found: dict[str, Any] = {"title": title} if title else {}
    pipelines = [each for each in desk.work.everything(PipelineRecord) if not each.archived]
    if pipelines:
        ordered = sorted(pipelines, key=lambda each: (each.position, each.id))
        found["pipeline"] = [_pipeline(desk, each) for each in ordered]
    for section, form in FORMS.items():
        if section in _KEPT_BACK:
            continue
        tables = []
        for record in of_section(desk, section):
            if not record.archived:
                # Through the form, which puts the keys in order: the database may not.
                body = _read(
                    form, record.body, Sentence("«{name}» ({section})", name=record.name, section=section.value)
                )
                tables.append({**({"name": record.name} if name_of(body) is None else {}), **as_json(body)})
        if tables:
            found[section.value] = tables
    return found


def _pipeline(desk: Desk, record: PipelineRecord) -> dict[str, Any]:
    about = {"name": record.name} | ({"type": record.type} if record.type != "deal" else {})
    stages = [each for each in desk.work.related(StageRecord, "pipeline_id", [record.id]) if not each.archived]
    return {
        **about,
        **as_json(_read(PipelineSettings, record.settings, Sentence("the pipeline «{name}»", name=record.name))),
        "stage": [_stage(record, each) for each in sorted(stages, key=lambda each: (each.position, each.id))],
    }


def _stage(pipeline: PipelineRecord, record: StageRecord) -> dict[str, Any]:
    kind = {"kind": record.kind.value} if record.kind is not StageKind.OPEN else {}
    what = Sentence("the stage «{name}» of the pipeline «{pipeline}»", name=record.name, pipeline=pipeline.name)
    return {"name": record.name, **kind, **as_json(_read(StageSettings, record.settings, what))}


def _read(form: type[_Form], kept: Any, what: Sentence) -> _Form:
    try:
        return form.model_validate(kept)
    except ValidationError as err:
        where, why = first_of(err)
        if where:
            why = Sentence("{where}: {why}", where=where, why=why)
        raise InvalidInput(
            "{what} can't be read as it stands in the record, mend it first: {why}", what=what, why=why
        ) from err
