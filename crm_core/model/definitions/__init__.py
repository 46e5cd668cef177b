"""What the office configures in the record: the forms of all sections, and the catalogue made of them."""

from __future__ import annotations

from crm_core.model.definitions.accounts import AccountBody, AccountKind
from crm_core.model.definitions.base import Body, DefinitionRecord, Section
from crm_core.model.definitions.catalogue import Catalogue, Defined
from crm_core.model.definitions.chains import ChainBody
from crm_core.model.definitions.documents import DocumentBody
from crm_core.model.definitions.fields import FieldBody, RecordTypeBody, TagGroupBody
from crm_core.model.definitions.mappings import MappingBody
from crm_core.model.definitions.office import GroupBody, HoursBody, LadderBody, LineBody, ListBody
from crm_core.model.definitions.pipelines import Pipeline, PipelineSettings, Stage, StageSettings
from crm_core.model.definitions.roles import RoleBody
from crm_core.model.definitions.rules import RuleBody
from crm_core.model.definitions.scoring import ScoringBody
from crm_core.model.definitions.segments import SegmentBody
from crm_core.model.definitions.templates import TemplateBody
from crm_core.model.definitions.webhooks import WebhookBody

# The form of each section.
FORMS: dict[Section, type[Body]] = {
    Section.RULE: RuleBody,
    Section.CHAIN: ChainBody,
    Section.RECORD_TYPE: RecordTypeBody,
    Section.FIELD: FieldBody,
    Section.TAG_GROUP: TagGroupBody,
    Section.MAPPING: MappingBody,
    Section.LADDER: LadderBody,
    Section.LIST: ListBody,
    Section.HOURS: HoursBody,
    Section.GROUP: GroupBody,
    Section.LINE: LineBody,
    Section.TEMPLATE: TemplateBody,
    Section.SEGMENT: SegmentBody,
    Section.DOCUMENT: DocumentBody,
    Section.SCORING: ScoringBody,
    Section.WEBHOOK: WebhookBody,
    Section.ACCOUNT: AccountBody,
    Section.ROLE: RoleBody,
}


def name_of(body: Body) -> str | None:
    """The name of a definition whose body names it; None where it is named apart."""
    match body:
        case FieldBody(of=of, key=key):
            return f"{of}.{key}"
        case LadderBody(on=on):
            return on.value
        case LineBody(number=number):
            return number
        case _:
            return None


__all__ = [
    "FORMS",
    "AccountBody",
    "AccountKind",
    "Body",
    "Catalogue",
    "ChainBody",
    "Defined",
    "DefinitionRecord",
    "DocumentBody",
    "FieldBody",
    "GroupBody",
    "HoursBody",
    "LadderBody",
    "LineBody",
    "ListBody",
    "MappingBody",
    "Pipeline",
    "PipelineSettings",
    "RecordTypeBody",
    "RoleBody",
    "RuleBody",
    "ScoringBody",
    "Section",
    "SegmentBody",
    "Stage",
    "StageSettings",
    "TagGroupBody",
    "TemplateBody",
    "name_of",
]
