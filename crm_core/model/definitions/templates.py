"""The forms of templates of messages and of segments of clients."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from crm_core.model.definitions.base import Body, Line, Name, Slug, Text
from crm_core.model.templates import TemplateError, checked
from crm_core.wording import Sentence


class TemplateFile(Body):
    """A file that goes with a message, by the hash of its content as `/api/v1/files` gave it; `size` in bytes."""

    name: Name
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    content_type: Name = "application/octet-stream"
    size: Annotated[int, Field(ge=0, le=50 * 1024 * 1024)]


class TemplateBody(Body):
    """A template of a message, in Liquid: `{{ contact.name }}`, `{{ deal.amount | money }}`.

    `text` is for every channel that has no text of its own in `texts` (by kind: `telegram`, `email`, `vk` …);
    `subject` is a mail's: without one a mail answers the client's last. `channels` are the kinds through which it may
    go, all where it is empty. `language` says which language it is in. `any_hour` lets it go out at night.
    """

    text: Text = ""
    texts: Annotated[dict[Slug, Text], Field(max_length=20)] = {}
    subject: Line = ""
    language: Annotated[str, StringConstraints(pattern=r"^([a-z]{2})?$")] = ""
    channels: Annotated[list[Slug], Field(max_length=20)] = []
    attachments: Annotated[list[TemplateFile], Field(max_length=20)] = []
    any_hour: bool = False

    @field_validator("text", "subject")
    @classmethod
    def _readable(cls, value: str) -> str:
        _check(value)
        return value

    @field_validator("texts")
    @classmethod
    def _all_readable(cls, value: dict[str, str]) -> dict[str, str]:
        for kind, text in value.items():
            try:
                _check(text)
            except ValueError as err:
                raise ValueError(Sentence("{kind}: {why}", kind=kind, why=err)) from err
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip() and not any(each.strip() for each in self.texts.values()) and not self.attachments:
            raise ValueError(Sentence("text: the template says nothing: give «text», «texts» or «attachments»"))
        return self

    def text_for(self, channel: str) -> str:
        """The text for a kind of channel."""
        return self.texts.get(channel, self.text)


def _check(text: str) -> None:
    try:
        checked(text)
    except TemplateError as err:
        raise ValueError(str(err)) from err
