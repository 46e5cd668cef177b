"""What other programs were told: the log of it, one delivery as it is posted, telling one or all that failed again."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson
from aiohttp import web

from crm_core.errors import CoreError, Forbidden, StorageUnavailable
from crm_core.model.exchange import DeliveryState, WebhookDeliveryRecord
from crm_core.model.rights import Right
from crm_core.model.subscribers import all_subscribers
from crm_core.services import subscriptions
from crm_core.services.desk import Desk
from crm_core.storage.queries import webhooks as queries
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.webhooks import DeliveryFilter
from hub.http.api.office.webhooks import shown_address
from hub.web.pages import Answer, Pages, access_here, field_of, number_in
from hub.web.routes import Route, does, shows
from hub.web.tongues import NP_, _, ngettext, pgettext

_HOME = "/office/deliveries"
_PAGE = 50
_AT_ONCE = 500
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
STATES = {
    DeliveryState.WAITING: NP_("event", "waiting"),
    DeliveryState.DONE: NP_("event", "taken"),
    DeliveryState.FAILED: NP_("event", "given up"),
}


class Deliveries:
    """The log of deliveries."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """The routes of the log."""
        return (
            shows(_HOME, self.show, Right.CONFIGURE),
            shows(rf"{_HOME}/{{id:\d+}}", self.one, Right.CONFIGURE),
            does(f"{_HOME}/again", self.again_all, Right.CONFIGURE),
            does(rf"{_HOME}/{{id:\d+}}/again", self.again, Right.CONFIGURE),
        )

    async def show(self, request: web.Request) -> Answer:
        """The newest deliveries, of one state and of one subscription where they are chosen."""
        text, after = request.query.get("state", ""), request.query.get("after") or None
        state = DeliveryState(text) if text in list(DeliveryState) else None
        asked = request.query.get("to", "")[:2000]
        keys, access = await self._keys(), access_here(request)
        wanted = DeliveryFilter(state=state, subscription=keys.get(asked, asked) if asked else None)
        page, names = await self.pages.hub.store.read(
            lambda conn: (
                queries.list_deliveries(conn, access, wanted, Slice(after, _PAGE)),
                queries.subscription_names(conn, access),
            )
        )
        rows = [
            {
                "record": each,
                "name": _name(each, names),
                "state": pgettext("event", STATES[each.state]),
                "over": each.state is not DeliveryState.WAITING,
            }
            for each in page.items
        ]
        chosen = {name: value for name, value in (("state", state.value if state else ""), ("to", asked)) if value}
        return self.pages.render(
            request,
            "office/deliveries.html",
            rows=rows,
            more=urlencode({**chosen, "after": page.next}) if page.next else "",
            chosen=chosen.get("state", ""),
            to=asked,
            states=[(each.value, pgettext("event", word)) for each, word in STATES.items()],
            receivers=sorted({(each, names.get(each, each)) for each in {*keys, *([asked] if asked else [])}}),
            failed=any(each.state is DeliveryState.FAILED for each in page.items),
        )

    async def one(self, request: web.Request) -> Answer:
        """One delivery with what is posted."""
        access, ident = access_here(request), number_in(request)
        record, names = await self.pages.hub.store.read(
            lambda conn: (queries.one_delivery(conn, access, ident), queries.subscription_names(conn, access))
        )
        return self.pages.render(
            request,
            "office/delivery.html",
            record=record,
            name=_name(record, names),
            state=pgettext("event", STATES[record.state]),
            over=record.state is not DeliveryState.WAITING,
            payload=orjson.dumps(record.payload, option=orjson.OPT_INDENT_2).decode(),
        )

    async def again(self, request: web.Request) -> Answer:
        """Send a delivery again, under the id that it had."""
        ident = number_in(request)
        back = f"{_HOME}/{ident}" if await field_of(request, "from") == "one" else _HOME
        try:
            await self.pages.act(request, lambda desk: subscriptions.replay(desk, [ident]))
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            raise self.pages.redirect(request, back, str(err)) from err
        raise self.pages.redirect(request, back, _("It will be sent again in a moment."))

    async def again_all(self, request: web.Request) -> Answer:
        """Send what was given up again, some hundred at a time: of one subscription, or of all that are in use."""
        asked = await field_of(request, "to", 2000)
        key = (await self._keys()).get(asked, asked)

        def service(desk: Desk) -> tuple[int, bool]:
            left, full = _AT_ONCE, False
            for each in subscriptions.subscribers(desk):
                if (asked and each.key != key) or full:
                    continue
                found = desk.work.ended_deliveries(
                    DeliveryState.FAILED, _FIRST, _LAST, subscription=each.key, event=None, behind=0, limit=left + 1
                )
                full = len(found) > left
                left -= len(subscriptions.replay(desk, found[:left], strictly=False))
            return _AT_ONCE - left, full

        count, more = await self.pages.act(request, service)
        said = ngettext("{count} event is sent again.", "{count} events are sent again.", count).format(count=count)
        if not count:
            said = _("There is nothing to send again: what failed was for subscriptions that are not in use any more.")
        if more:
            said += " " + _("There are more: repeat.")
        where = urlencode({"state": DeliveryState.FAILED.value, **({"to": asked} if asked else {})})
        raise self.pages.redirect(request, f"{_HOME}?{where}", said)

    async def _keys(self) -> dict[str, str]:
        """The subscriptions in use as an address names them, without what may be secret, with their keys."""
        hub = self.pages.hub
        known = await hub.store.look(lambda desk: all_subscribers(desk.office, desk.catalogue))
        return {shown_address(each.key) if "://" in each.key else each.key: each.key for each in known}


def _name(record: WebhookDeliveryRecord, names: dict[str, str]) -> str:
    key = record.subscription
    return shown_address(key) if "://" in key else names.get(key, key)
