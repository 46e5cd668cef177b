"""Special lists: bare numbers, clients listed in one act, imports; and the tags in use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import Field

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.records import ListedNumberRecord
from crm_core.services.acts import listing
from crm_core.services.acts.list_import import LARGEST
from crm_core.services.clients import contacts as services
from crm_core.services.clients.contacts import known_list
from crm_core.services.desk import Desk
from crm_core.storage.queries import lists as queries
from crm_core.storage.queries.pages import Reading
from hub.exchange.special_lists import import_list
from hub.http.acting import kept_answer, run_act
from hub.http.bodies import read_body
from hub.http.operations import Call, Operation, act, own, read
from hub.http.rights import Right
from hub.http.types import Given, Named, NoBody, Paged, PageQuery, Query, Short, Taken
from hub.log import get_logger

log = get_logger(__name__)

_TAG = "lists"
_NUMBER = "tel:"
_BAD_SHOWN = 1000


class NumberBody(Taken):
    """A `number`, or an `identity` of any channel (`tel: mailto: tg: vk: gw:`, `mailto:@spam.example` for a whole
    domain), and why it is on the list."""

    number: Named | None = None
    identity: Named | None = None
    reason: Short = ""


class NumberQuery(Query):
    """The number or identity to be taken off, where the body does not name it."""

    number: Short | None = None
    identity: Short | None = None


class RemovalBody(Taken):
    """The number or identity to be taken off."""

    number: Short | None = None
    identity: Short | None = None
    reason: Short = ""


class ListedNumber(Given):
    """What stands on a special list: why, since when, and who put it there. `number` is null of what is no number."""

    number: str | None
    identity: str
    list: str
    reason: str
    author: str
    created_at: datetime


class ListedNumbers(Paged[ListedNumber]):
    """A page of numbers."""


class UsedTag(Given):
    """A tag, and how many contacts, leads and deals carry it."""

    name: str
    count: int


class UsedTags(Paged[UsedTag]):
    """Every tag in use, the most used first."""


class ListBody(Taken):
    """Which list, and why."""

    list: Named
    reason: Named


class ListedClient(Given):
    """A client on a list (null: taken off), their numbers and all identities that were listed, the case closed and the
    lead rejected."""

    contact_id: int
    list_name: str | None = Field(serialization_alias="list")
    numbers: list[str]
    identities: list[str]
    closed_case_id: int | None
    rejected_lead_id: int | None


class SpecialListName(Given):
    """A configured list, what becomes of calls from it, and how many bare numbers stand on it."""

    name: str
    action: str
    to: str | None
    numbers: int


class SpecialLists(Paged[SpecialListName]):
    """Every configured list."""


class ImportQuery(Query):
    """`dry_run` only tells what would happen; `reason` is that of lines without one."""

    dry_run: bool = False
    reason: Short = ""


class BadImportLine(Given):
    """A line that was left out, and how to mend it."""

    line: int
    text: str
    problem: str


class ListImport(Given):
    """How an import went (or would): numbers added, moved from another list, given another reason, unchanged, repeated
    in the file; `bad` the lines left out (the first thousand), `bad_lines` how many they are."""

    list_name: str = Field(serialization_alias="list")
    dry_run: bool
    added: int
    moved: int
    changed: int
    same: int
    repeated: int
    bad_lines: int
    bad: list[BadImportLine]


def _json(record: ListedNumberRecord) -> ListedNumber:
    return ListedNumber(
        number=record.key.removeprefix(_NUMBER) if record.key.startswith(_NUMBER) else None,
        identity=record.key,
        list=record.list_name,
        reason=record.reason,
        author=record.author,
        created_at=record.created_at,
    )


def _listed(conn: Reading, call: Call[PageQuery, NoBody]) -> ListedNumbers:
    name = _configured(call)
    page = queries.list_numbers(conn, call.access, name, call.query.where)
    return ListedNumbers(items=[_json(record) for record in page.items], next=page.next)


def _added(desk: Desk, call: Call[Any, NumberBody]) -> ListedNumber:
    body, name = call.body, _configured(call)
    if (body.number is None) is (body.identity is None):
        raise InvalidInput("number: give either «number» or «identity»")
    return _json(services.put_on_list(desk, name, body.number or body.identity or "", body.reason, call.user.login))


def _removed(desk: Desk, call: Call[NumberQuery, RemovalBody]) -> None:
    name, body, query = _configured(call), call.body, call.query
    number = body.number or body.identity or query.number or query.identity
    if not number:
        raise InvalidInput("number: say which number or identity, in the body or as ?number= or ?identity=")
    if number.startswith(" "):
        number = f"+{number.strip()}"
    if not services.take_off_list(desk, name, number):
        raise NotFound("«{number}» is not on the list «{name}»", number=number, name=name)


def _client(listed: listing.Listed) -> ListedClient:
    return ListedClient(
        contact_id=listed.contact.id,
        list_name=listed.list_name,
        numbers=list(listed.numbers),
        identities=list(listed.identities),
        closed_case_id=listed.case_id,
        rejected_lead_id=listed.lead_id,
    )


def _call_listed(desk: Desk, call: Call[Any, ListBody]) -> ListedClient:
    body = call.body
    return _client(listing.list_call(desk, call.number(), body.list, body.reason, call.user.login))


def _case_listed(desk: Desk, call: Call[Any, ListBody]) -> ListedClient:
    body = call.body
    return _client(listing.list_case(desk, call.number(), body.list, body.reason, call.user.login))


def _contact_listed(desk: Desk, call: Call[Any, ListBody]) -> ListedClient:
    body = call.body
    return _client(listing.list_contact(desk, call.number(), body.list, body.reason, call.user.login))


def _call_unlisted(desk: Desk, call: Call[Any, NoBody]) -> ListedClient:
    return _client(listing.unlist_call(desk, call.number(), call.user.login))


def _case_unlisted(desk: Desk, call: Call[Any, NoBody]) -> ListedClient:
    return _client(listing.unlist_case(desk, call.number(), call.user.login))


def _contact_unlisted(desk: Desk, call: Call[Any, NoBody]) -> ListedClient:
    return _client(listing.unlist_contact(desk, call.number(), call.user.login))


def _lists(conn: Reading, call: Call[Query, NoBody]) -> SpecialLists:
    counts = queries.count_numbers(conn, call.access)
    items = [
        SpecialListName(name=each.name, action=each.action, to=each.to, numbers=counts.get(each.name, 0))
        for each in call.hub.store.office.lists.values()
    ]
    return SpecialLists(items=items, next=None)


async def _imported(request: web.Request, call: Call[ImportQuery, NoBody]) -> web.StreamResponse:
    hub, name, query = call.hub, _configured(call), call.query
    content = await read_body(request, LARGEST)
    kept = await kept_answer(hub, request, call.user, content)
    if kept is not None:
        return kept
    reason = query.reason or ("импорт" if hub.store.office.language == "ru" else "import")
    done = await import_list(
        hub.store, name, content, call.user.login, reason=reason, dry_run=query.dry_run, access=call.access
    )
    if done.position is not None and not await hub.directory.caught_up(done.position):
        log.warning("calls are not yet decided by an imported list", list=name)
    written, bad = done.written, done.file.bad
    answer = ListImport(
        list_name=name,
        dry_run=query.dry_run,
        added=written.added,
        moved=written.moved,
        changed=written.changed,
        same=written.same,
        repeated=done.file.repeated,
        bad_lines=len(bad),
        bad=[BadImportLine(line=each.line, text=each.text, problem=each.problem) for each in bad[:_BAD_SHOWN]],
    )
    return await run_act(hub, request, call.user, content, lambda _desk: answer, status=200)


def _configured(call: Call[Any, Any]) -> str:
    try:
        return known_list(call.hub.store.office, call.path["name"])
    except InvalidInput as err:
        raise NotFound(str(err)) from err


def _tags(conn: Reading, call: Call[Query, NoBody]) -> UsedTags:
    used = queries.used_tags(conn, call.access)
    return UsedTags(items=[UsedTag(name=each.name, count=each.count) for each in used], next=None)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/lists/{name}/numbers",
        _listed,
        tag=_TAG,
        summary="The bare numbers, identities and mail domains on a special list",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        response=ListedNumbers,
    ),
    act(
        "POST",
        "/lists/{name}/numbers",
        _added,
        tag=_TAG,
        summary="Put a bare number, an identity of any channel or a mail domain on a special list",
        right=Right.KEEP_LISTS,
        body=NumberBody,
        response=ListedNumber,
        status=201,
        decides_calls=True,
    ),
    act(
        "DELETE",
        "/lists/{name}/numbers",
        _removed,
        tag=_TAG,
        summary="Take a number, an identity or a mail domain off",
        right=Right.KEEP_LISTS,
        query=NumberQuery,
        body=RemovalBody,
        response=None,
        decides_calls=True,
    ),
    read(
        "/lists",
        _lists,
        tag=_TAG,
        summary="The configured special lists",
        right=Right.SEE_CLIENTS,
        response=SpecialLists,
    ),
    own(
        "POST",
        "/lists/{name}/import",
        _imported,
        tag=_TAG,
        summary="Put the numbers of a CSV file (number, reason) on a special list",
        right=Right.KEEP_LISTS,
        query=ImportQuery,
        response=ListImport,
        takes_media="text/csv",
    ),
    *(
        operation
        for what, words, put, taken in (
            ("calls", "whoever called", _call_listed, _call_unlisted),
            ("cases", "a client who waits", _case_listed, _case_unlisted),
            ("contacts", "a client", _contact_listed, _contact_unlisted),
        )
        for operation in (
            act(
                "POST",
                f"/{what}/{{id}}/list",
                put,
                tag=_TAG,
                summary=f"Put {words} on a special list: numbers, card, case and lead in one act",
                right=Right.KEEP_LISTS,
                body=ListBody,
                response=ListedClient,
                decides_calls=True,
            ),
            act(
                "DELETE",
                f"/{what}/{{id}}/list",
                taken,
                tag=_TAG,
                summary=f"Take {words} off their special list",
                right=Right.KEEP_LISTS,
                response=ListedClient,
                decides_calls=True,
            ),
        )
    ),
    read("/tags", _tags, tag="tags", summary="Tags in use", right=Right.SEE_CLIENTS, response=UsedTags),
)
