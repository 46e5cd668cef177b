"""Tags: one is added to a group. Those in use are listed by `lists`, the groups kept by `configuration`."""

from __future__ import annotations

from typing import Any

from crm_core.model.definitions import TagGroupBody
from crm_core.services.clients import tagging
from crm_core.services.desk import Desk
from hub.http.operations import Call, Operation, act
from hub.http.rights import Right
from hub.http.types import Given, Named, Tag, Taken


class TagBody(Taken):
    """A tag, and the group it stands in, which is made where it is new."""

    name: Tag
    group: Named


class GroupedTags(Given):
    """A group of tags."""

    id: int
    name: str
    tags: list[str]
    exclusive: bool


def _added(desk: Desk, call: Call[Any, TagBody]) -> GroupedTags:
    record = tagging.add_tag(desk, call.body.group, call.body.name, call.user.login)
    body = TagGroupBody.model_validate(record.body)
    return GroupedTags(id=record.id, name=record.name, tags=list(body.tags), exclusive=body.exclusive)


OPERATIONS: tuple[Operation, ...] = (
    act(
        "POST",
        "/tags",
        _added,
        tag="tags",
        summary="Add a tag to a group; 409 where it stands in one",
        right=Right.CONFIGURE,
        body=TagBody,
        response=GroupedTags,
        status=201,
    ),
)
