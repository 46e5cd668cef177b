"""How every account with a channel stands: those of hub.toml and those of the record, on this node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.messages import ChannelKey
from crm_core.model.access import Access
from crm_core.model.alarm import AlarmKind
from crm_core.model.definitions import Section
from crm_core.model.definitions.accounts import AccountBody
from crm_core.ports import ChannelHealth, ChannelState
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
    """An account. `id` is its definition's, None for one of hub.toml; `since` when it stands as it does; `again_at`:
    when it is started again, where it did not start; `heard`: when anything last came in, None where nothing did since
    the hub began; `waiting` messages stand in its queue; `overridden`: hub.toml has one of this name."""

    key: ChannelKey
    id: int | None
    health: ChannelHealth | None
    advice: str
    since: datetime | None
    waiting: int
    problems: tuple[str, ...] = ()
    again_at: datetime | None = None
    heard: datetime | None = None
    overridden: bool = False


def standings(hub: Hub, conn: Reading, access: Access, language: str) -> list[Standing]:
    """All accounts, by channel and name, to whoever connects them. Three statements. Raises Forbidden."""
    records = list_definitions(conn, access, Section.ACCOUNT)
    kept = {key_of(AccountBody.model_validate(each.body).channel, name_of(each)): each.id for each in records}
    configured = keys_of(hub.settings)
    running = {ChannelKey(key.channel, key.account): channel.health for key, channel in hub.channels.items()}
    alarms = list_alarms(conn, access, Slice(None, _MOST_ALARMS), lasting=True).items
    down = {each.subject: each.since for each in alarms if each.kind is AlarmKind.LINK_DOWN}
    waiting = waiting_for(conn, access, {*running, *kept})
    found = []
    for key in sorted({*running, *kept}, key=str):
        overridden = key in kept and key in configured
        health, known = running.get(key), hub.configured.accounts.get(key)
        problems = tuple(words_of(each) for each in known.problems) if known is not None else ()
        said = advice(key.channel, health, language) if health is not None else ""
        own = None if overridden else kept.get(key)
        stands = hub.starts.stands(key)
        well = health is not None and health.state is ChannelState.CONNECTED and not health.trouble
        since = stands.since if stands is not None else None
        if not well:  # an alarm remembers what was before this node began
            since = min((each for each in (since, down.get(str(key))) if each is not None), default=None)
        again_at = stands.again_at if stands is not None else None
        heard = hub.intake.heard.get(key)
        found.append(Standing(key, own, health, said, since, waiting.get(key, 0), problems, again_at, heard))
        if overridden:
            found.append(Standing(key, kept[key], None, "", None, 0, overridden=True))
    return found
