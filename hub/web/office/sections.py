"""The sections of the configuration that have a page each, made of their forms: what they are called, who keeps them,
what is refused beyond the form."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from crm_core.errors import InvalidInput
from crm_core.model.definitions import (
    FORMS,
    Body,
    Catalogue,
    Defined,
    DefinitionRecord,
    GroupBody,
    LadderBody,
    LineBody,
    Section,
)
from crm_core.model.definitions import name_of as named_by
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.rights import Right
from crm_core.services import defining
from crm_core.services.configuration.naming import check_group, check_ladder, check_line, check_tags
from crm_core.services.desk import Desk
from hub.bootstrap import Hub
from hub.http.api.clients import scores
from hub.http.api.letters import segments, templates
from hub.http.api.office import configuration, rules, webhooks
from hub.http.api.office.definitions import SectionOperations
from hub.http.api.selling import documents
from hub.settings.errors import BadValueError
from hub.settings.kept import with_kept
from hub.settings.values import line_number
from hub.web.tongues import N_, gettext

Check = Callable[[Hub, Desk, str, Body], None]

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keeping:
    """A section on its page. `path` is below `/office/`; `about` says what it is for, `new` adds one. `switch` is the
    flag of a body that puts it in and out of use; `ordered`: their order means something."""

    section: Section
    path: str
    name: str
    about: str
    new: str
    check: Check | None = None
    switch: str | None = None
    ordered: bool = False

    @property
    def form(self) -> type[Body]:
        """The form of its bodies."""
        return FORMS[self.section]

    @property
    def right(self) -> Right:
        """What somebody needs to keep it."""
        return defining.keeps(self.section)

    @property
    def title(self) -> str:
        """Its name in the language of the request."""
        return gettext(self.name)

    @property
    def named_apart(self) -> bool:
        """Whether a definition has a name beside its body."""
        return self.section not in {Section.FIELD, Section.LADDER, Section.LINE}

    def named(self, body: Body, given: str) -> str:
        """The name of a definition; raises InvalidInput where it needs one."""
        name = named_by(body) or " ".join(given.split())
        if not name or len(name) > 200:
            raise InvalidInput(gettext(N_("name: give it a name of up to 200 characters")))
        return name

    def set_by_file(self, hub: Hub) -> tuple[str, ...]:
        """The names of those that hub.toml sets; they win over the record's."""
        settings = hub.settings
        match self.section:
            case Section.HOURS:
                return tuple(each.name for each in settings.hours)
            case Section.GROUP:
                return tuple(each.name for each in settings.groups)
            case Section.LIST:
                return tuple(each.name for each in settings.lists)
            case Section.LADDER:
                return tuple(each.on.value for each in settings.ladders)
            case Section.LINE:
                return tuple(each.number for each in settings.lines)
            case Section.WEBHOOK:
                return tuple(webhooks.shown_address(each.url) for each in settings.webhooks)
            case _:
                return ()


def _of(operations: SectionOperations) -> Check:
    check = operations.check

    def checking(_hub: Hub, desk: Desk, name: str, body: Body) -> None:
        if check is not None:
            check(desk, name, body)

    return checking


def _of_group(desk: Desk, body: Any) -> None:
    if isinstance(body, GroupBody):
        check_group(desk, body)


def _of_ladder(desk: Desk, body: Any) -> None:
    if isinstance(body, LadderBody):
        check_ladder(desk, body)


def _of_line(hub: Hub, desk: Desk, body: Any) -> None:
    if not isinstance(body, LineBody):
        return
    check_line(desk, body)
    try:
        number = line_number(hub.settings.region)(body.number)
    except BadValueError as err:
        raise InvalidInput("number: {why}. {mend}", why=err.faults[0].what, mend=err.faults[0].mend) from err
    if number != body.number:  # its name is the number: written in two ways it would be two lines
        raise InvalidInput("number: write it as {number}", number=number)


def _line(hub: Hub, desk: Desk, name: str, body: Body) -> None:
    _of_line(hub, desk, body)
    _as_in_file(Section.LINE)(hub, desk, name, body)


def _as_in_file(section: Section, more: Callable[[Desk, Any], None] | None = None) -> Check:
    """What hub.toml could say, too, is read as if it stood there: what would not work is refused."""

    def checking(hub: Hub, desk: Desk, name: str, body: Body) -> None:
        if more is not None:
            more(desk, body)
        record = DefinitionRecord(0, section, name, 0, defining.as_json(body), 1, False, desk.now, "")
        known = dict(desk.catalogue.section(Section.HOURS))
        tried = {Section.HOURS: known, section: {name: Defined(record, body)}}
        today = desk.now.astimezone(hub.settings.time_zone).date()
        _together, problems = with_kept(hub.settings, Catalogue(0, tried), today)
        own = next((each for each in problems if each.where.endswith(f"«{name}»")), None)
        if own is not None:
            if not own.key:
                raise InvalidInput("{why}. {mend}", why=own.what, mend=own.mend)
            key = own.key.partition('."')[0]  # a key that is a value itself has no input of its own
            raise InvalidInput("{key}: {why}. {mend}", key=key, why=own.what, mend=own.mend)

    return checking


def _tags(_hub: Hub, desk: Desk, _name: str, body: Any) -> None:
    check_tags(desk, body)


KEPT: Final[tuple[Keeping, ...]] = (
    Keeping(
        Section.RULE,
        "rules",
        N_("Rules"),
        N_("What the hub does by itself: when something happens and a condition holds, then this is done."),
        N_("Add a rule"),
        _of(rules.SECTIONS[0]),
        "enabled",
        ordered=True,
    ),
    Keeping(
        Section.CHAIN,
        "chains",
        N_("Chains of messages"),
        N_("Messages to a client one after another, until they answer."),
        N_("Add a chain"),
        _of(rules.SECTIONS[1]),
    ),
    Keeping(
        Section.TEMPLATE,
        "templates",
        N_("Templates of messages"),
        N_("Texts that people choose and rules send."),
        N_("Add a template"),
        _of(templates.TEMPLATES),
    ),
    Keeping(
        Section.DOCUMENT,
        "documents",
        N_("Templates of documents"),
        N_("Word files and pages that are filled in from a card: offers, contracts, invoices."),
        N_("Add a template"),
        _of(documents.TEMPLATES),
    ),
    Keeping(
        Section.SEGMENT,
        "segments",
        N_("Segments"),
        N_("Clients found by a filter, for mailings and schedules."),
        N_("Add a segment"),
        _of(segments.SEGMENTS),
    ),
    Keeping(
        Section.FIELD,
        "fields",
        N_("Fields"),
        N_("What is known of a card beside the usual."),
        N_("Add a field"),
        _of(configuration.SECTIONS[0]),
        ordered=True,
    ),
    Keeping(
        Section.RECORD_TYPE,
        "types",
        N_("Types of records"),
        N_("Records beside deals, with pipelines of their own."),
        N_("Add a type"),
        _of(configuration.SECTIONS[1]),
    ),
    Keeping(
        Section.TAG_GROUP,
        "tags",
        N_("Groups of tags"),
        N_("Which tags there are, and on what."),
        N_("Add a group"),
        _tags,
    ),
    Keeping(
        Section.SCORING,
        "scorings",
        N_("Scorings"),
        N_("How records get their grade, and what the sales of clients tell of them."),
        N_("Add a scoring"),
        _of(scores.SECTIONS[0]),
    ),
    Keeping(
        Section.LADDER,
        "ladders",
        N_("Ladders"),
        N_("Who is told, and when, as long as nobody has answered."),
        N_("Add a ladder"),
        _as_in_file(Section.LADDER, _of_ladder),
    ),
    Keeping(
        Section.HOURS,
        "hours",
        N_("Calendars"),
        N_("When the office, a group or a line works."),
        N_("Add a calendar"),
        _as_in_file(Section.HOURS),
    ),
    Keeping(
        Section.GROUP,
        "groups",
        N_("Groups"),
        N_("How the people of a group are rung, and when they work. Who is in one is said on the page of each person."),
        N_("Set up a group"),
        _as_in_file(Section.GROUP, _of_group),
    ),
    Keeping(
        Section.LINE,
        "lines",
        N_("Telephone lines"),
        N_("The numbers that clients dial: hours, menu, night, where their leads come from."),
        N_("Add a line"),
        _line,
    ),
    Keeping(
        Section.LIST,
        "lists",
        N_("Special lists"),
        N_("What becomes of the calls of those who stand on a list."),
        N_("Add a list"),
        _as_in_file(Section.LIST),
    ),
    Keeping(
        Section.WEBHOOK,
        "webhooks",
        N_("Webhooks"),
        N_("Other programs that are told of events."),
        N_("Add a subscription"),
        _of(webhooks.SUBSCRIPTIONS),
        "active",
    ),
)
"""Every section that is kept by the common editor."""

SECRET: Final = "secret"  # noqa: S105 - the name of a key of bodies
"""A key of bodies that is taken but never shown."""


def with_secret(body: Body, before: BaseModel | None) -> tuple[Body, str]:
    """A body with its secret, and that secret where it was made now: one that is not given stays, a new one is made."""
    if not isinstance(body, WebhookBody) or body.secret:
        return body, ""
    if isinstance(before, WebhookBody):
        return body.model_copy(update={SECRET: before.secret}), ""
    made = secrets.token_urlsafe(_SECRET_BYTES)
    return body.model_copy(update={SECRET: made}), made


def without_secret(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a body that may be shown."""
    return {key: value for key, value in values.items() if key != SECRET}


__all__ = ["KEPT", "Keeping", "with_secret", "without_secret"]
