"""How every account with a channel stands: those of hub.toml and those of the record, on this node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.messages import ChannelKey
from crm_core.model.alarm import AlarmKind
from crm_core.model.definitions import Section
from crm_core.model.definitions.accounts import AccountBody
from crm_core.ports import ChannelHealth
from crm_core.storage.queries.alarms import list_alarms
from crm_core.storage.queries.definitions import list_definitions
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.queued import waiting_for
from hub.accounts.advice import advice
from hub.accounts.changing import name_of
from hub.accounts.keeping import words_of
from hub.accounts.kinds import key_of, keys_of
from hub.bootstrap import Hub

_MOST_ALARMS = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """An account. `id` is its definition's, None for one of hub.toml; `since` when it went down, where that lasts long
    enough for an alarm; `waiting` messages stand in its queue; `overridden`: hub.toml has one of this name."""

    key: ChannelKey
    id: int | None
    health: ChannelHealth | None
    advice: str
    since: datetime | None
    waiting: int
    problems: tuple[str, ...] = ()
    overridden: bool = False


def standings(hub: Hub, conn: Reading, language: str) -> list[Standing]:
    """All accounts, by channel and name. Three statements."""
    records = list_definitions(conn, Section.ACCOUNT)
    kept = {key_of(AccountBody.model_validate(each.body).channel, name_of(each)): each.id for each in records}
    configured = keys_of(hub.settings)
    running = {ChannelKey(key.channel, key.account): channel.health for key, channel in hub.channels.items()}
    alarms = list_alarms(conn, Slice(None, _MOST_ALARMS), lasting=True).items
    since = {each.subject: each.since for each in alarms if each.kind is AlarmKind.LINK_DOWN}
    waiting = waiting_for(conn, {*running, *kept})
    found = []
    for key in sorted({*running, *kept}, key=str):
        overridden = key in kept and key in configured
        health, known = running.get(key), hub.configured.accounts.get(key)
        problems = tuple(words_of(each) for each in known.problems) if known is not None else ()
        said = advice(key.channel, health, language) if health is not None else ""
        own = None if overridden else kept.get(key)
        found.append(Standing(key, own, health, said, since.get(str(key)), waiting.get(key, 0), problems))
        if overridden:
            found.append(Standing(key, kept[key], None, "", None, 0, overridden=True))
    return found
