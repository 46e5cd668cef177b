"""Alembic's entry: migrate over the connection that `crm_core.storage.migrate` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from crm_core.storage.migrations import search_index
from crm_core.storage.tables import metadata
from crm_core.storage.types import EnumText, JsonText, UtcDateTime


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """How the project's own column types stand in a migration."""
    if kind == "type" and isinstance(item, EnumText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, JsonText | UtcDateTime):
        autogen.imports.add(f"from crm_core.storage.types import {type(item).__name__}")
        return f"{type(item).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_render,
    include_name=search_index.is_known,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
