"""Other programs that are told of events: subscriptions, the log of deliveries, sending again."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, create_model

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.definitions import Body, Section
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.exchange import DeliveryState, WebhookDeliveryRecord
from crm_core.services import defining, subscriptions
from crm_core.services.desk import Desk
from crm_core.storage.queries import webhooks as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.webhooks import DeliveryFilter
from hub.guarded import refused_host
from hub.http.api.office.definitions import SectionOperations
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, Moment, Named, NoBody, Paged, PageQuery, Query, QueryId, Taken
from hub.tongues import aloud

_TAG = "webhooks"
_SECRET_BYTES = 32
_SHORTEST_SECRET = 8
_AT_ONCE = 500


class ConfiguredWebhook(Given):
    """A webhook of hub.toml, where alone it is changed; its address without what may be secret in it."""

    address: str
    events: list[str]


class DeliveryQuery(PageQuery):
    """Which deliveries; `subscription` is the id of one, `since` and `until` say when the events happened."""

    subscription: Named | None = None
    event: Named | None = None
    state: DeliveryState | None = None
    subject_id: QueryId | None = None
    since: Moment | None = None
    until: Moment | None = None


class Delivery(Given):
    """The delivery of an event: `status` is what the receiver answered last, `error` why it was not taken. The receiver
    knows it by `delivery` (`X-Hub-Delivery`), whenever it is sent."""

    id: int
    subscription: str
    name: str
    event: str
    subject_id: int
    state: DeliveryState
    created_at: datetime
    delivery: str
    attempts: int
    status: int | None
    error: str
    done_at: datetime | None


class WholeDelivery(Delivery):
    """The same with what is posted."""

    payload: dict[str, Any]


class Deliveries(Paged[Delivery]):
    """A page of deliveries."""


class ReplayBody(Taken):
    """Which deliveries are sent again: those of a subscription, of a time, of an event; `failed` ones only unless
    `state` says otherwise."""

    subscription: Named | None = None
    event: Named | None = None
    state: DeliveryState = DeliveryState.FAILED
    since: Moment
    until: Moment | None = None
    after: Id | None = None


class Replayed(Given):
    """How many are sent again; where there are more, `next` is the `after` of the next call."""

    count: int
    next: int | None


class NewSecret(Given):
    """The secret with which events are signed from now on; it is shown this once."""

    secret: str


def _check(desk: Desk, _name: str, body: Body) -> None:
    if not isinstance(body, WebhookBody):
        raise InvalidInput("this is no subscription")
    if len(body.secret) < _SHORTEST_SECRET:
        raise InvalidInput(
            "secret: at least {least} characters; without one it is made for you", least=_SHORTEST_SECRET
        )
    if not desk.office.webhook_private and refused_host(urlsplit(body.url).hostname or ""):
        raise InvalidInput(
            "url: an address of the hub's own network; the administrator may name it in hub.toml as [[webhook]], "
            "or allow such addresses with webhook_private = true"
        )


SUBSCRIPTIONS = SectionOperations(
    Section.WEBHOOK,
    "/webhooks",
    WebhookBody,
    "Webhook",
    "a subscription to events",
    "subscriptions to events",
    check=_check,
    secrets=frozenset({"secret"}),
)
_LISTED, _ADDED, *_OTHERS = SUBSCRIPTIONS.operations()


def _model(operation: Operation) -> type[BaseModel]:
    if operation.response is None:
        raise TypeError(operation.path)
    return operation.response


_WebhookWithSecret = create_model(
    "WebhookWithSecret",
    __base__=_model(_ADDED),
    __doc__="A subscription with its secret, which is shown this once.",
    secret=(str, ...),
)
_WebhookPage = create_model(
    "Webhooks",
    __base__=_model(_LISTED),
    __doc__="All subscriptions; `configured` are those of hub.toml.",
    configured=(list[ConfiguredWebhook], ...),
)


def _list(conn: Reading, call: Call[Any, NoBody]) -> BaseModel:
    page = _LISTED.handler(conn, call)
    configured = [
        ConfiguredWebhook(address=shown_address(each.url), events=sorted(each.events))
        for each in call.hub.store.office.webhooks
    ]
    return _WebhookPage(items=page.items, next=page.next, configured=configured)


def _add(desk: Desk, call: Call[Any, Any]) -> BaseModel:
    secret = call.body.secret or secrets.token_urlsafe(_SECRET_BYTES)
    filled = dataclasses.replace(call, body=call.body.model_copy(update={"secret": secret}))
    shown = _ADDED.handler(desk, filled)
    return _WebhookWithSecret(**shown.model_dump(), secret=secret)


def _renew(desk: Desk, call: Call[Any, NoBody]) -> NewSecret:
    before = defining.one(desk, Section.WEBHOOK, call.number())
    if before.archived:
        raise Conflict("the subscription was put away")
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    body = WebhookBody.model_validate(before.body).model_copy(update={"secret": secret})
    defining.change(desk, Section.WEBHOOK, before.id, call.user.login, body=body)
    return NewSecret(secret=secret)


def _deliveries(conn: Reading, call: Call[DeliveryQuery, NoBody]) -> Deliveries:
    query = call.query
    wanted = DeliveryFilter(
        _key(call, query.subscription), query.event, query.state, query.subject_id, query.since, query.until
    )
    page = queries.list_deliveries(conn, call.access, wanted, query.where)
    names = queries.subscription_names(conn, call.access)
    return Deliveries(items=[Delivery(**_shown(each, names)) for each in page.items], next=page.next)


def _delivery(conn: Reading, call: Call[Query, NoBody]) -> WholeDelivery:
    record = queries.one_delivery(conn, call.access, call.number())
    return WholeDelivery(**_shown(record, queries.subscription_names(conn, call.access)), payload=record.payload)


def _again(desk: Desk, call: Call[Any, NoBody]) -> Delivery:
    (record,) = subscriptions.replay(desk, [call.number()])
    names = {each.key: each.name for each in subscriptions.subscribers(desk)}
    return Delivery(**_shown(record, names))


def _range(desk: Desk, call: Call[Any, ReplayBody]) -> Replayed:
    body = call.body
    if body.state is DeliveryState.WAITING:
        raise InvalidInput("state: what waits is sent anyway")
    found = desk.work.ended_deliveries(
        body.state,
        body.since,
        body.until or desk.now,
        subscription=_key(call, body.subscription),
        event=body.event,
        behind=body.after or 0,
        limit=_AT_ONCE,
    )
    again = subscriptions.replay(desk, found, strictly=False)
    return Replayed(count=len(again), next=found[-1] if len(found) == _AT_ONCE else None)


def _key(call: Call[Any, Any], given: str | None) -> str | None:
    """The key of a subscription: its id, or the address of one of hub.toml by the part that is shown of it."""
    if given is None or given.isdigit():
        return given
    for each in call.hub.store.office.webhooks:
        if given in {each.url, shown_address(each.url)}:
            return each.url
    raise NotFound("there is no subscription «{subscription}»", subscription=given)


def _shown(record: WebhookDeliveryRecord, names: dict[str, str]) -> dict[str, Any]:
    key = record.subscription
    shown = {name: aloud(getattr(record, name)) for name in set(Delivery.model_fields) - {"name", "subscription"}}
    address = shown_address(key) if "://" in key else key
    return {**shown, "subscription": address, "name": address if "://" in key else names.get(key, "")}


def shown_address(url: str) -> str:
    """An address without what may be secret in it: name, password, query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


OPERATIONS: tuple[Operation, ...] = (
    dataclasses.replace(_LISTED, handler=_list, response=_WebhookPage),
    dataclasses.replace(_ADDED, handler=_add, response=_WebhookWithSecret),
    *_OTHERS,
    act(
        "POST",
        "/webhooks/{id}/secret",
        _renew,
        tag=_TAG,
        summary="Give a subscription a new secret",
        right=Right.CONFIGURE,
        response=NewSecret,
    ),
    read(
        "/webhook-deliveries",
        _deliveries,
        tag=_TAG,
        summary="The log of deliveries, the newest first",
        right=Right.CONFIGURE,
        query=DeliveryQuery,
        response=Deliveries,
    ),
    read(
        "/webhook-deliveries/{id}",
        _delivery,
        tag=_TAG,
        summary="One delivery, with what is posted",
        right=Right.CONFIGURE,
        response=WholeDelivery,
    ),
    act(
        "POST",
        "/webhook-deliveries/{id}/replay",
        _again,
        tag=_TAG,
        summary="Send a delivery again, under the id that it had",
        right=Right.CONFIGURE,
        response=Delivery,
    ),
    act(
        "POST",
        "/webhook-deliveries/replay",
        _range,
        tag=_TAG,
        summary="Send the deliveries of a time again",
        right=Right.CONFIGURE,
        body=ReplayBody,
        response=Replayed,
    ),
)
