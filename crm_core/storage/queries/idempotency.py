"""Answers kept by the caller's key, in the transaction of the act they answer: a repeat finds both or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select

from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.tables import idempotency

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered, and the digest of the request that it answered."""

    request_digest: str
    status: int
    response: bytes


def find(desk: Desk, login: str, key: str) -> KeptAnswer | None:
    """The answer kept under a key of this person, unless it is too old."""
    conn = connection_of(desk)
    own = (idempotency.c.login == login, idempotency.c.key == key)
    row = conn.execute(select(idempotency).where(*own)).first()
    if row is None:
        return None
    if row.created_at <= desk.now - KEPT_FOR:
        conn.execute(delete(idempotency).where(*own))
        return None
    return KeptAnswer(row.request_digest, row.status, bytes(row.response))


def keep(desk: Desk, login: str, key: str, answer: KeptAnswer) -> None:
    """Keep an answer. Of two transactions with the same key one fails and is run again, and then finds it."""
    connection_of(desk).execute(
        insert(idempotency).values(
            login=login,
            key=key,
            request_digest=answer.request_digest,
            status=answer.status,
            response=answer.response,
            created_at=desk.now,
        )
    )
