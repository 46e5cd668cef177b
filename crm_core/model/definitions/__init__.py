"""What the office configures in the record: the forms of all sections, and the catalogue made of them."""

from __future__ import annotations

from crm_core.model.definitions.base import Body, DefinitionRecord, Section
from crm_core.model.definitions.catalogue import Catalogue, Defined
from crm_core.model.definitions.fields import FieldBody, RecordTypeBody, TagGroupBody
from crm_core.model.definitions.pipelines import Pipeline, PipelineSettings, Stage, StageSettings

# The form of each section.
FORMS: dict[Section, type[Body]] = {
    Section.RECORD_TYPE: RecordTypeBody,
    Section.FIELD: FieldBody,
    Section.TAG_GROUP: TagGroupBody,
}

__all__ = [
    "FORMS",
    "Body",
    "Catalogue",
    "Defined",
    "DefinitionRecord",
    "FieldBody",
    "Pipeline",
    "PipelineSettings",
    "RecordTypeBody",
    "Section",
    "Stage",
    "StageSettings",
    "TagGroupBody",
]
