"""Templates of messages, how one would look to a client; and who wants nothing from us."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import model_validator

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Body, Section
from crm_core.model.definitions.templates import TemplateBody
from crm_core.model.records import DealRecord
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.services.letters import opting_out
from crm_core.services.letters.letter_scope import check_template
from crm_core.services.letters.outgoing import held_back
from crm_core.services.letters.previewing import previewed
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import files, opt_outs
from crm_core.storage.queries.pages import Reading
from crm_core.wording import Sentence
from hub.http.api.office.definitions import SectionOperations
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, NoBody, Query, Short, Taken

_TAG = "templates"
_OPT_OUT = "/contacts/{id}/opt-out"


class PreviewBody(Taken):
    """For whom: a contact, or a deal and its contact."""

    contact_id: Id | None = None
    deal_id: Id | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.contact_id is None and self.deal_id is None:
            raise ValueError(Sentence("give «contact_id» or «deal_id»"))
        return self


class Preview(Given):
    """What a client would get and where; `held_back` says in words why nothing would be sent, `why` the same as a code
    (`gone listed opted_out nowhere empty`). `not_before` is when it would go out, null at once."""

    channel: str
    account: str
    conversation: str
    subject: str
    text: str
    not_before: datetime | None
    held_back: str | None
    why: str | None


class OptOut(Given):
    """An identity that nothing is sent to by ourselves. `how`: `by hand`, `link`, `words`, `blocked`."""

    identity: str
    at: datetime
    how: str
    author: str


class OptOuts(Given):
    """Whether a client opted out of what the hub sends by itself; a person may still write."""

    opted_out: bool
    items: list[OptOut]


class OptOutBody(Taken):
    """`note` says where the wish was heard; it is kept with the author."""

    note: Short = ""


def _with_files(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, TemplateBody):
        check_template(desk, body)
        missing = files.unknown_uploads(desk, [each.sha256 for each in body.attachments])
        if missing:
            raise InvalidInput(
                "attachments: no file {missing} was uploaded: send it to /api/v1/files first", missing=missing[0]
            )


TEMPLATES = SectionOperations(
    Section.TEMPLATE,
    "/templates",
    TemplateBody,
    "Template",
    "a template of messages",
    "templates of messages",
    keep=Right.BROADCAST,
    check=_with_files,
)


def _previewed(desk: Desk, call: Call[Any, PreviewBody]) -> Preview:
    record = defining.one(desk, Section.TEMPLATE, call.number())
    body = TemplateBody.model_validate(record.body)
    deal = desk.work.get(DealRecord, call.body.deal_id) if call.body.deal_id is not None else None
    contact_id = call.body.contact_id or (deal.contact_id if deal is not None else None)
    if contact_id is None:
        raise InvalidInput("deal_id: the deal has no contact")
    found = previewed(desk, body, desk.work.contact(contact_id), deal)
    return Preview(
        channel=found.channel,
        account=found.account,
        conversation=found.conversation,
        subject=found.subject,
        text=found.text,
        not_before=found.not_before,
        held_back=held_back(desk, found.refused) if found.refused is not None else None,
        why=found.refused.value if found.refused is not None else None,
    )


def _opt_outs(conn: Reading, call: Call[Query, NoBody]) -> OptOuts:
    contact = contact_queries.current(conn, call.access, call.number())
    return _shown(opt_outs.of_contact(conn, call.access, contact.id))


def _left(desk: Desk, call: Call[Any, OptOutBody]) -> OptOuts:
    found = opting_out.opt_out(desk, call.number(), opting_out.BY_HAND, call.user.login, call.body.note)
    return _shown(found)


def _returned(desk: Desk, call: Call[Any, NoBody]) -> None:
    opting_out.opt_in(desk, call.number(), call.user.login)


def _shown(records: list[Any]) -> OptOuts:
    items = [OptOut(identity=each.key, at=each.at, how=each.how, author=each.author) for each in records]
    return OptOuts(opted_out=bool(items), items=items)


OPERATIONS: tuple[Operation, ...] = (
    *TEMPLATES.operations(),
    act(
        "POST",
        "/templates/{id}/preview",
        _previewed,
        tag=_TAG,
        summary="What a client would get by a template, and where; nothing is sent",
        right=Right.SEE_SALES,
        body=PreviewBody,
        response=Preview,
    ),
    read(
        _OPT_OUT,
        _opt_outs,
        tag=_TAG,
        summary="Whether a client wants nothing from us",
        right=Right.SEE_CLIENTS,
        response=OptOuts,
    ),
    act(
        "POST",
        _OPT_OUT,
        _left,
        tag=_TAG,
        summary="Send a client nothing by ourselves any more",
        right=Right.KEEP_CLIENTS,
        body=OptOutBody,
        response=OptOuts,
    ),
    act(
        "DELETE",
        _OPT_OUT,
        _returned,
        tag=_TAG,
        summary="The client wants to hear from us again",
        right=Right.KEEP_CLIENTS,
        response=None,
    ),
)
