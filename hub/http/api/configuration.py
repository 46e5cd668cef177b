"""What the office configures in the record: custom fields, types of records, groups of tags."""

from __future__ import annotations

from crm_core.model.definitions import Body, FieldBody, RecordTypeBody, Section, TagGroupBody
from hub.http.api.definitions import SectionOperations
from hub.http.operations import Operation


def _field_name(body: Body) -> str:
    return f"{body.of}.{body.key}" if isinstance(body, FieldBody) else ""


SECTIONS: tuple[SectionOperations, ...] = (
    SectionOperations(
        Section.FIELD, "/fields", FieldBody, "CustomField", "a custom field", "custom fields", name_of=_field_name
    ),
    SectionOperations(
        Section.RECORD_TYPE, "/record-types", RecordTypeBody, "RecordType", "a type of records", "types of records"
    ),
    SectionOperations(Section.TAG_GROUP, "/tag-groups", TagGroupBody, "TagGroup", "a group of tags", "groups of tags"),
)

OPERATIONS: tuple[Operation, ...] = tuple(operation for each in SECTIONS for operation in each.operations())
