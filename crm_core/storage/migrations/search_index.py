"""The indexes by which parts of names and numbers are found (`crm_core.storage.searching` asks them), as of 0004."""

from __future__ import annotations

from crm_core.storage.migrations.title_index import TITLED

# Tables whose column `search` stands in such an index.
SEARCHED = ("contact", "company", "product")


def create(engine: str) -> list[str]:
    """The statements that make the indexes of all `SEARCHED` tables."""
    if engine == "sqlite":
        return [each for table in SEARCHED for each in _sqlite(table)]
    function = (
        "CREATE FUNCTION hub_trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$"
        " SELECT array(SELECT substr(' ' || $1, i, 3) FROM generate_series(1, length($1) - 1) AS i) $$"
    )
    indexes = (f"CREATE INDEX ix_{table}_grams ON {table} USING gin (hub_trigrams(search))" for table in SEARCHED)
    return [function, *indexes, *(_TAGS.format(table=table) for table in ("contact", "deal", "lead"))]


_TAGS = "CREATE INDEX ix_{table}_tags ON {table} USING gin (tags jsonb_path_ops) WHERE tags <> '[]'::jsonb"


def is_known(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether the tables of `crm_core.storage.tables` speak of it: not of what is made here (for comparing schemas)."""
    if kind == "table":
        return name is None or not any(name.startswith(f"{table}_search") for table in (*SEARCHED, *TITLED))
    return not (kind == "index" and name is not None and name.endswith(("_grams", "_tags", "_title_words")))


def drop(engine: str) -> list[str]:
    """The statements that take them away."""
    if engine == "sqlite":
        triggers = [
            f"DROP TRIGGER {table}_search_{each}" for table in SEARCHED for each in ("added", "changed", "gone")
        ]
        return [*triggers, *(f"DROP TABLE {table}_search" for table in SEARCHED)]
    indexes = [f"DROP INDEX ix_{table}_grams" for table in SEARCHED]
    tags = [f"DROP INDEX ix_{table}_tags" for table in ("contact", "deal", "lead")]
    return [*tags, *indexes, "DROP FUNCTION hub_trigrams(text)"]


def _sqlite(table: str) -> list[str]:
    found = f"{table}_search"
    take_out = f"INSERT INTO {found} ({found}, rowid, search) VALUES ('delete', old.id, old.search);"
    put_in = f"INSERT INTO {found} (rowid, search) VALUES (new.id, new.search);"
    columns = f"search, content = '{table}', content_rowid = 'id', tokenize = 'trigram'"
    differs = f"AFTER UPDATE OF search ON {table} WHEN old.search <> new.search"
    return [
        f"CREATE VIRTUAL TABLE {found} USING fts5 ({columns})",
        f"CREATE TRIGGER {found}_added AFTER INSERT ON {table} BEGIN {put_in} END",
        f"CREATE TRIGGER {found}_gone AFTER DELETE ON {table} BEGIN {take_out} END",
        f"CREATE TRIGGER {found}_changed {differs} BEGIN {take_out} {put_in} END",
        f"INSERT INTO {found} ({found}) VALUES ('rebuild')",
    ]
