"""Whether everything that is configured names things that are there: what is applied as a whole is checked as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions import (
    DocumentBody,
    FieldBody,
    GroupBody,
    LadderBody,
    LineBody,
    Pipeline,
    RuleBody,
    ScoringBody,
    Section,
    SegmentBody,
    TagGroupBody,
    TemplateBody,
)
from crm_core.model.definitions.chains import ChainBody
from crm_core.services.automation.checks import check_chain, check_rule, check_segment
from crm_core.services.configuration.naming import (
    check_field,
    check_group,
    check_ladder,
    check_line,
    check_pipeline,
    check_role,
    check_scoring,
    check_stage,
    check_tags,
)
from crm_core.services.configuration.reading import Configuration
from crm_core.services.desk import Desk
from crm_core.services.letters.document_names import check_document
from crm_core.services.letters.letter_scope import check_template
from crm_core.wording import Sentence

_CHECKS: tuple[tuple[Section, type[Any], Callable[[Desk, Any], None]], ...] = (
    (Section.FIELD, FieldBody, check_field),
    (Section.TAG_GROUP, TagGroupBody, check_tags),
    (Section.LADDER, LadderBody, check_ladder),
    (Section.GROUP, GroupBody, check_group),
    (Section.LINE, LineBody, check_line),
    (Section.SCORING, ScoringBody, check_scoring),
    (Section.SEGMENT, SegmentBody, check_segment),
    (Section.RULE, RuleBody, check_rule),
    (Section.CHAIN, ChainBody, check_chain),
    (Section.TEMPLATE, TemplateBody, check_template),
    (Section.DOCUMENT, DocumentBody, check_document),
)


def problems(desk: Desk) -> tuple[str, ...]:
    """What of the office's definitions can't be read, and the first thing that each pipeline, stage and definition
    names and that is not there, in words; empty where all is well. Asked in a transaction after the one that changed
    them."""
    found = list(desk.catalogue.problems)
    for section, form, check in _CHECKS:
        for each, body in desk.catalogue.bodies(section, form):
            try:
                check(desk, body)
            except InvalidInput as err:
                found.append(Sentence("{section} «{name}»: {why}", section=section.value, name=each.name, why=err))
    for name in desk.catalogue.section(Section.ROLE):
        try:
            check_role(name)
        except InvalidInput as err:
            found.append(Sentence("{section} «{name}»: {why}", section="role", name=name, why=err))
    for pipeline in desk.catalogue.pipelines:
        if not pipeline.record.archived:
            found.extend(_of_pipeline(desk, pipeline))
    return tuple(found)


def clashes(wanted: Configuration, before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """Of the problems before and after a configuration was applied those that it makes for what the office has besides:
    two configurations that mean different things by one name don't go together."""
    known = set(before)
    own = [f"{section.value} «{name}»" for section, bodies in wanted.definitions.items() for name in bodies]
    for pipeline in wanted.pipelines:
        own += [f"pipeline «{pipeline.name}»", *(f"stage «{pipeline.name} / {each.name}»" for each in pipeline.stages)]
    return tuple(each for each in after if each not in known and not each.startswith(tuple(own)))


def _of_pipeline(desk: Desk, pipeline: Pipeline) -> Iterator[str]:
    of_type = pipeline.record.type
    try:
        check_pipeline(desk, of_type, pipeline.settings)
    except InvalidInput as err:
        yield Sentence("{section} «{name}»: {why}", section="pipeline", name=pipeline.name, why=err)
    for stage in pipeline.in_use:
        try:
            check_stage(desk, stage.settings, of_type)
        except InvalidInput as err:
            name = f"{pipeline.name} / {stage.name}"
            yield Sentence("{section} «{name}»: {why}", section="stage", name=name, why=err)
