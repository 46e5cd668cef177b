"""What the tables share: one metadata, ids, the reference to a client."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Sequence,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# PostgreSQL's source of ids, a block at a time; SQLite's is the table `id_block`.
Sequence("hub_id", start=2000, increment=1000, metadata=metadata)

# BIGINT would not be the rowid on SQLite.
Id = BigInteger().with_variant(Integer(), "sqlite")


def own_id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


def contact_column(*, nullable: bool = False) -> Column[int]:
    return Column("contact_id", Id, ForeignKey("contact.id"), nullable=nullable)


def only(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both engines."""
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}
