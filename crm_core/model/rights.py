"""Who may do what, and of whose records: the one table right × role → reach."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from crm_core.model.user import Role


class Reach(StrEnum):
    """Of whose records somebody may do something: of nobody's, their own, those of their group's people, all."""

    NONE = "none"
    OWN = "own"
    GROUP = "group"
    ALL = "all"

    def covers(self, other: Reach) -> bool:
        """Whether this reaches at least as far."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = (Reach.NONE, Reach.OWN, Reach.GROUP, Reach.ALL)


class Right(StrEnum):
    """Something that a role is allowed or not."""

    SEE_CLIENTS = "see clients"
    KEEP_CLIENTS = "keep clients"
    SEE_SALES = "see sales"
    KEEP_SALES = "keep sales"
    KEEP_PIPELINES = "keep pipelines"
    CONFIGURE = "configure the office"
    CONFIGURE_CHANNELS = "connect channels"
    BROADCAST = "write to segments"
    SEE_CALLS = "see calls"
    SEE_CASES = "see cases"
    SETTLE_CASES = "settle cases"
    SEE_STAFF = "see staff"
    KEEP_STAFF = "keep staff"
    KEEP_LISTS = "keep lists"
    KEEP_SOUNDS = "keep the office's sounds"
    PLACE_CALLS = "place calls"
    RING_OTHERS = "ring the telephones of others"
    SEE_ALARMS = "see alarms"
    SEE_REPORTS = "see reports"
    HEAR_CALLS = "hear calls"
    SEE_ACCESS = "see who did what"
    EXPLAIN = "explain decisions"
    KEEP_JOURNAL = "keep the journal"
    RUN_SCORES = "work out the scores of all clients"
    DELETE = "delete records"
    EXCHANGE = "bring in data of other programs"
    IMPORT = "bring in tables"
    EXPORT = "take the base away"
    EXPORT_AUDIENCE = "take hashed audiences away"
    HAND_OVER = "hand over what is somebody's"
    ERASE = "erase what is known of a person"
    KEEP_TOKENS = "keep API tokens of their own"

    @property
    def slug(self) -> str:
        """How a role's definition names it: `hear_calls`."""
        return self.name.lower()


_EVERYBODY = frozenset(Role)
_ADMINISTRATORS = frozenset({Role.ADMIN})
_CONFIGURING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD})
_WATCHING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER})

_ALLOWED: Mapping[Right, frozenset[Role]] = {
    Right.SEE_CLIENTS: _EVERYBODY,
    Right.KEEP_CLIENTS: _EVERYBODY,
    Right.SEE_SALES: _EVERYBODY,
    Right.KEEP_SALES: _EVERYBODY,
    Right.KEEP_PIPELINES: _CONFIGURING,
    Right.CONFIGURE: _CONFIGURING,
    # Their settings name files and servers, and what comes through them is believed.
    Right.CONFIGURE_CHANNELS: _ADMINISTRATORS,
    Right.IMPORT: _CONFIGURING,
    Right.EXPORT: _CONFIGURING,
    Right.EXPORT_AUDIENCE: _CONFIGURING | {Role.MARKETER},
    Right.HAND_OVER: _CONFIGURING,
    Right.ERASE: frozenset({Role.ADMIN, Role.DIRECTOR}),
    Right.BROADCAST: _CONFIGURING | {Role.MARKETER},
    Right.SEE_CALLS: _EVERYBODY,
    Right.SEE_CASES: _EVERYBODY,
    Right.SETTLE_CASES: _EVERYBODY,
    Right.SEE_STAFF: _EVERYBODY,
    Right.KEEP_STAFF: _ADMINISTRATORS,
    Right.KEEP_LISTS: _EVERYBODY,
    Right.KEEP_SOUNDS: _ADMINISTRATORS,
    Right.PLACE_CALLS: _EVERYBODY - {Role.MARKETER},
    Right.RING_OTHERS: _WATCHING,
    Right.SEE_ALARMS: _WATCHING,
    Right.SEE_REPORTS: _WATCHING | {Role.MANAGER},
    Right.HEAR_CALLS: _EVERYBODY - {Role.MARKETER},
    Right.SEE_ACCESS: frozenset({Role.ADMIN, Role.DIRECTOR}),
    Right.EXPLAIN: _EVERYBODY,
    Right.KEEP_JOURNAL: _ADMINISTRATORS,
    Right.RUN_SCORES: _ADMINISTRATORS,
    # The base belongs to the firm: whoever works with clients deletes none.
    Right.DELETE: _CONFIGURING,
    Right.EXCHANGE: _CONFIGURING,
    Right.KEEP_TOKENS: _EVERYBODY,
}

_NARROWER: Mapping[tuple[Right, Role], Reach] = {
    (Right.HEAR_CALLS, Role.MANAGER): Reach.OWN,
    (Right.SEE_REPORTS, Role.MANAGER): Reach.OWN,
}

TABLE: Mapping[Right, Mapping[Role, Reach]] = {
    right: {role: _NARROWER.get((right, role), Reach.ALL) if role in _ALLOWED[right] else Reach.NONE for role in Role}
    for right in Right
}
"""What every role may do where nothing else is configured."""

REACHING = frozenset({Right.HEAR_CALLS, Right.SEE_REPORTS, Right.EXPORT, Right.DELETE, Right.HAND_OVER})
"""Rights over somebody's records: of them alone «own» and «group» mean something."""

CONFIGURABLE = REACHING | {
    Right.KEEP_PIPELINES,
    Right.CONFIGURE,
    Right.BROADCAST,
    Right.KEEP_LISTS,
    Right.PLACE_CALLS,
    Right.RING_OTHERS,
    Right.SEE_ALARMS,
    Right.SEE_ACCESS,
    Right.EXCHANGE,
    Right.IMPORT,
    Right.EXPORT_AUDIENCE,
    Right.ERASE,
    Right.KEEP_TOKENS,
}
"""Rights that an administrator may give to a role or take from it. Whoever keeps the staff could give themselves any
other, so that stays with administrators."""
