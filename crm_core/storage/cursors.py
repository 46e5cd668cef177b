"""Where channels are in their providers' streams."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from crm_core.messages import ChannelKey
from crm_core.storage.tables import channel_cursor


def load(conn: Connection, key: ChannelKey, name: str) -> str | None:
    """The place last saved."""
    found = conn.execute(
        select(channel_cursor.c.value).where(
            channel_cursor.c.channel == key.channel,
            channel_cursor.c.account == key.account,
            channel_cursor.c.name == name,
        )
    ).scalar()
    return str(found) if found is not None else None


def save(conn: Connection, key: ChannelKey, name: str, value: str) -> None:
    """Keep the place."""
    insert = sqlite_insert if conn.dialect.name == "sqlite" else pg_insert
    values = {"channel": key.channel, "account": key.account, "name": name, "value": value}
    statement = insert(channel_cursor).values(values)
    conn.execute(statement.on_conflict_do_update(index_elements=["channel", "account", "name"], set_={"value": value}))
