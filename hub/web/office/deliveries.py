"""What other programs were told, and telling them again."""

from __future__ import annotations

from aiohttp import web

from crm_core.errors import CoreError, Forbidden, StorageUnavailable
from crm_core.model.exchange import DeliveryState
from crm_core.model.rights import Right
from crm_core.services import subscriptions
from crm_core.storage.queries import webhooks as queries
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.webhooks import DeliveryFilter
from hub.http.api.webhooks import shown_address
from hub.web.pages import Answer, Pages, number_in
from hub.web.routes import Route, does, shows
from hub.web.tongues import NP_, _, pgettext

_HOME = "/office/deliveries"
_PAGE = 50
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
            does(rf"{_HOME}/{{id:\d+}}/again", self.again, Right.CONFIGURE),
        )

    async def show(self, request: web.Request) -> Answer:
        """The newest deliveries, of one state where one is chosen."""
        text, after = request.query.get("state", ""), request.query.get("after") or None
        state = DeliveryState(text) if text in list(DeliveryState) else None
        store = self.pages.hub.store
        page, names = await store.read(
            lambda conn: (
                queries.list_deliveries(conn, DeliveryFilter(state=state), Slice(after, _PAGE)),
                queries.subscription_names(conn),
            )
        )
        rows = [
            {
                "record": each,
                "name": shown_address(each.subscription)
                if "://" in each.subscription
                else names.get(each.subscription, each.subscription),
                "state": pgettext("event", STATES[each.state]),
                "over": each.state is not DeliveryState.WAITING,
            }
            for each in page.items
        ]
        states = [(each.value, pgettext("event", word)) for each, word in STATES.items()]
        return self.pages.render(
            request, "office/deliveries.html", rows=rows, next=page.next, chosen=text, states=states
        )

    async def again(self, request: web.Request) -> Answer:
        """Send a delivery again, under the id that it had."""
        ident = number_in(request)
        try:
            await self.pages.act(request, lambda desk: subscriptions.replay(desk, [ident]))
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            raise self.pages.redirect(request, _HOME, str(err)) from err
        raise self.pages.redirect(request, _HOME, _("It will be sent again in a moment."))
