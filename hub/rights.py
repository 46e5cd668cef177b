"""Who may do what: the one table of rights."""

from __future__ import annotations

from enum import StrEnum

from crm_core.model.user import Role, User


class Right(StrEnum):
    """Something that a role is allowed or not."""

    SEE_CLIENTS = "see clients"
    KEEP_CLIENTS = "keep clients"
    SEE_SALES = "see sales"
    KEEP_SALES = "keep sales"
    KEEP_PIPELINES = "keep pipelines"
    CONFIGURE = "configure the office"
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
    SEE_ACCESS = "see who heard calls"
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


_EVERYBODY = frozenset(Role)
_ADMINISTRATORS = frozenset({Role.ADMIN})
_CONFIGURING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD})
_WATCHING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER})

RIGHTS: dict[Right, frozenset[Role]] = {
    Right.SEE_CLIENTS: _EVERYBODY,
    Right.KEEP_CLIENTS: _EVERYBODY,
    Right.SEE_SALES: _EVERYBODY,
    Right.KEEP_SALES: _EVERYBODY,
    Right.KEEP_PIPELINES: _CONFIGURING,
    Right.CONFIGURE: _CONFIGURING,
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
}


def may(user: User, right: Right) -> bool:
    """Whether a person has a right."""
    return user.active and user.role in RIGHTS[right]
