"""Who is told of events: the webhooks of hub.toml, and the subscriptions that people made in the office."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.model.definitions.base import Section
from crm_core.model.definitions.catalogue import Catalogue
from crm_core.model.definitions.webhooks import WebhookBody
from crm_core.model.office import Office


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody who is told: `key` is the subscription's id, or the address where hub.toml names it."""

    key: str
    name: str
    events: frozenset[str]


def all_subscribers(office: Office, catalogue: Catalogue) -> tuple[Subscriber, ...]:
    """Everybody who is told of anything: those of hub.toml, then those of the record that are not put to rest."""
    of_record = catalogue.made("subscribers", _of_record)
    if not office.webhooks:
        return of_record
    return (*(Subscriber(each.url, each.url, each.events) for each in office.webhooks), *of_record)


def _of_record(catalogue: Catalogue) -> tuple[Subscriber, ...]:
    found = catalogue.bodies(Section.WEBHOOK, WebhookBody)
    return tuple(Subscriber(str(each.id), each.name, frozenset(body.events)) for each, body in found if body.active)
