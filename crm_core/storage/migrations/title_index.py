"""The indexes by which words of titles are found (`crm_core.storage.searching.titled` asks them), as of 0006.

They are of the titles as they stand, with no column beside them to be kept: PostgreSQL's of what `hub_words` makes of
them (no extension; punctuation parts words, else its parser would see hosts, paths, negative numbers), SQLite's FTS5.
"""

from __future__ import annotations

# What is looked in, of each table.
TITLED = {"deal": ("title",), "lead": ("title",), "task": ("title",), "document": ("title", "number")}

_PARTING = '!"#$%&()*+,-./:;<=>?@[]^_`{|}~\\«»„“”…–—№'
_LONGEST = 1000
_WORDS = (
    "CREATE FUNCTION hub_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$"
    " SELECT to_tsvector('simple'::regconfig,"
    f" translate(lower(left($1, {_LONGEST})), '{_PARTING}', repeat(' ', {len(_PARTING)}))) $$"
)


def create(engine: str) -> list[str]:
    """The statements that make the indexes of all `TITLED` tables and fill them."""
    if engine == "sqlite":
        return [each for table, columns in TITLED.items() for each in _sqlite(table, columns)]
    return [_WORDS, *(_postgresql(table, columns) for table, columns in TITLED.items())]


def drop(engine: str) -> list[str]:
    """The statements that take them away."""
    if engine == "sqlite":
        triggers = [f"DROP TRIGGER {table}_search_{each}" for table in TITLED for each in ("added", "changed", "gone")]
        return [*triggers, *(f"DROP TABLE {table}_search" for table in TITLED)]
    return [*(f"DROP INDEX ix_{table}_title_words" for table in TITLED), "DROP FUNCTION hub_words(text)"]


def _postgresql(table: str, columns: tuple[str, ...]) -> str:
    text = "title || ' ' || CAST(number AS TEXT)" if "number" in columns else "title"
    return f"CREATE INDEX ix_{table}_title_words ON {table} USING gin (hub_words({text}))"


def _sqlite(table: str, columns: tuple[str, ...]) -> list[str]:
    found, named = f"{table}_search", ", ".join(columns)
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("old", "new"))
    differs = " OR ".join(f"old.{column} <> new.{column}" for column in columns)
    take_out = f"INSERT INTO {found} ({found}, rowid, {named}) VALUES ('delete', old.id, {old});"
    put_in = f"INSERT INTO {found} (rowid, {named}) VALUES (new.id, {new});"
    of = f"content = '{table}', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0'"
    change = f"AFTER UPDATE OF {named} ON {table} WHEN {differs} BEGIN {take_out} {put_in} END"
    return [
        f"CREATE VIRTUAL TABLE {found} USING fts5 ({named}, {of}, detail = none, columnsize = 0)",
        f"CREATE TRIGGER {found}_added AFTER INSERT ON {table} BEGIN {put_in} END",
        f"CREATE TRIGGER {found}_gone AFTER DELETE ON {table} BEGIN {take_out} END",
        f"CREATE TRIGGER {found}_changed {change}",
        f"INSERT INTO {found} ({found}) VALUES ('rebuild')",
    ]
