"""A PostgreSQL database of the current schema that is lent to one test after another.

To copy a database for each test, and to drop it, takes longer than most tests, and so does the first look of new
connections at the catalogue of a new database. So what a test put there is deleted, and the next one is lent the same.
Where a test did more than to put and change rows, where it put many, and once in a while, it is dropped and copied
anew.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Self

from tests.peers.postgres import PostgresServer

_MOST_TESTS = 100  # what was deleted leaves a little behind, in tables and indexes
_MOST_BYTES = 8 * 1024 * 1024
_END_WITHIN_MS = 20_000

_CATALOGUES = (
    "pg_attrdef", "pg_attribute", "pg_cast", "pg_collation", "pg_constraint", "pg_event_trigger", "pg_extension",
    "pg_index", "pg_inherits", "pg_largeobject_metadata", "pg_namespace", "pg_operator", "pg_policy", "pg_proc",
    "pg_publication", "pg_rewrite", "pg_sequence", "pg_statistic", "pg_statistic_ext", "pg_trigger", "pg_type",
)  # fmt: skip
_ROWS = " UNION ALL ".join(
    f"SELECT '{each}' AS name, count(*)::text || ':' || max(xmin::text::bigint) AS value FROM {each}"
    for each in _CATALOGUES
)
_LOOK = f"""
SELECT pg_terminate_backend(pid, {_END_WITHIN_MS}) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
WITH relations AS (
  SELECT c.*, n.nspname AS room FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.oid >= 16384
)
SELECT json_build_object(
  'shape', (SELECT md5(string_agg(value, ' ' ORDER BY name)) FROM (
      {_ROWS}
      UNION ALL SELECT 'relations', count(*) || ':' || sum(hashtextextended(concat_ws(
          ' ', oid, relname, relnamespace, relkind, relpersistence, relowner, relacl, reloptions, relpages,
          relhastriggers, relhasrules, relrowsecurity, relreplident), 0)) FROM relations
      UNION ALL SELECT 'settings', string_agg(s::text, ' ' ORDER BY s::text)
          FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
          WHERE d.datname = current_database()
      UNION ALL SELECT 'connections', datconnlimit || ':' || datallowconn FROM pg_database
          WHERE datname = current_database()
    ) AS parts),
  'bytes', (SELECT sum(pg_relation_size(oid)) FROM relations WHERE relkind IN ('r', 't', 'i')),
  'filled', (SELECT coalesce(json_agg(format('%I.%I', room, relname) ORDER BY oid), '[]') FROM relations
      WHERE relkind = 'r' AND pg_relation_size(oid) > 0),
  'sequences', (SELECT coalesce(json_agg(format('%I.%I', room, relname)), '[]') FROM relations WHERE relkind = 'S')
);
"""
_KEPT = """
SELECT format(
  'INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %L);',
  (SELECT json_agg(t) FROM {table} AS t)
);
"""
_COUNTED = "SELECT format('SELECT setval(''{name}'', %s, %L);', last_value, is_called) FROM {name};"


@dataclass(frozen=True, slots=True)
class _Found:
    """`shape` stands for everything but rows; `filled` names the tables that hold some, or did."""

    shape: str
    bytes: int
    filled: tuple[str, ...]
    sequences: tuple[str, ...]


class _Talk:
    """A connection that stays open, by a program of PostgreSQL's own."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self._process = subprocess.Popen(
            server.client(database), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def ask(self, statements: str) -> str:
        """What the statements say. Raises RuntimeError where one fails."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{statements}\n\\echo ----\n")
        process.stdin.flush()
        said: list[str] = []
        while (line := process.stdout.readline()) != "----\n":
            said.append(line)
            if not line:
                raise RuntimeError(f"PostgreSQL refused: {''.join(said)}")
        return "".join(said)

    def end(self) -> None:
        """Hang up."""
        self._process.communicate()


class Lender:
    """The one database, copied from `template` when it is first asked for."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server, self._template = server, template
        self._url: str | None = None
        self._talk: _Talk | None = None
        self._tests = 0
        self._shape = ""
        self._kept: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_up()

    def lend(self) -> str:
        """Its URL; the schema is the current one, and there is nothing else in it."""
        if self._url is None:
            self._url = self._server.fresh_database(template=self._template)
            self._talk = _Talk(self._server, self._url.rpartition("/")[2])
            found = self._look(self._talk)
            self._shape, self._tests = found.shape, 0
            self._kept = [
                *(self._talk.ask(_KEPT.format(table=each)) for each in found.filled),
                *(self._talk.ask(_COUNTED.format(name=each)) for each in found.sequences),
            ]
        self._tests += 1
        return self._url

    def take_back(self) -> None:
        """Disconnect whoever is still there, and take away what they left."""
        assert self._talk is not None
        found = self._look(self._talk)
        if found.shape != self._shape or found.bytes > _MOST_BYTES or self._tests >= _MOST_TESTS:
            self._give_up()
            return
        self._talk.ask(
            "BEGIN; SET LOCAL session_replication_role = replica;\n"  # in any order
            + "".join(f"DELETE FROM {each};\n" for each in found.filled)
            + "".join(self._kept)
            + "COMMIT;"
        )

    def _look(self, talk: _Talk) -> _Found:
        found = json.loads(talk.ask(_LOOK).splitlines()[-1])
        return _Found(found["shape"], int(found["bytes"]), tuple(found["filled"]), tuple(found["sequences"]))

    def _give_up(self) -> None:
        if self._talk is not None:
            self._talk.end()
        if self._url is not None:
            self._server.drop_database(self._url)
        self._talk = self._url = None
