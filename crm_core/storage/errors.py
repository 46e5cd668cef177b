"""Database errors in the record's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from crm_core.errors import ConcurrentChange, StorageUnavailable

# serialization_failure, deadlock_detected, idle_in_transaction_session_timeout, transaction_timeout: another
# transaction was in the way or this process stood still, not the work was wrong
_RETRIED_STATES = frozenset({"40001", "40P01", "25P03", "25P04"})
# what the driver says where it has sent nothing: the end of the connection is read, or about to be
_NEVER_SENT = ("cannot switch to state", "connection is closed")
# SQLSTATE classes: connection, shutdown, no resources, login refused, no such database
_AWAY_CLASSES = ("08", "57P", "53", "28", "3D")
_SQLITE_AWAY = ("locked", "busy", "unable to open", "disk i/o", "readonly", "disk is full", "not a database")


@contextmanager
def translated() -> Iterator[None]:
    """Raise StorageUnavailable or ConcurrentChange for what the drivers raise; leave the rest as it is."""
    try:
        yield
    except IntegrityError as err:
        raise ConcurrentChange(f"{err.orig}") from err
    except DBAPIError as err:
        state = str(getattr(err.orig, "sqlstate", "") or getattr(err.orig, "pgcode", "") or "")
        if state in _RETRIED_STATES or _taken_back(err):
            raise ConcurrentChange(f"{err.orig}") from err
        if _away(err, state):
            raise StorageUnavailable(f"the database can't be reached: {err.orig}") from err
        raise
    except (ConnectionError, TimeoutError, OSError) as err:
        raise StorageUnavailable(f"the database can't be reached: {err}") from err


def _taken_back(err: DBAPIError) -> bool:
    """Whether PostgreSQL has ended the transaction before it was asked for what failed here; then nothing is written.

    It says so once. The driver reads that when this process moves again, often as the end of an answer that it had been
    waiting for: what is asked next is never sent, or meets a closed connection, and the reason is somewhere behind.
    """
    link: BaseException | None = err.orig
    while link is not None:
        if getattr(link, "sqlstate", None) in _RETRIED_STATES:
            return True
        if isinstance(link, asyncpg.InternalClientError | asyncpg.InterfaceError) and any(
            words in str(link) for words in _NEVER_SENT
        ):
            return True
        link = link.__cause__
    return False


def _away(err: DBAPIError, state: str) -> bool:
    if err.connection_invalidated or state.startswith(_AWAY_CLASSES):
        return True
    if isinstance(err, InterfaceError):
        return not state
    text = str(err.orig).lower()
    return isinstance(err, OperationalError) and (not state or any(word in text for word in _SQLITE_AWAY))
