"""No test sees what another left in the database that they are lent one after the other."""

from __future__ import annotations

import pytest

from tests.peers.lending import Lender
from tests.peers.postgres import PostgresServer

ROWS = """
INSERT INTO contact (id, name, created_at, updated_at, search, fields, tags, marks)
  VALUES (nextval('hub_id'), 'x', now(), now(), 'x', '{}', '[]', '[]');
UPDATE feed_position SET position = 7; DELETE FROM revision;
"""
STATE = """
SELECT (SELECT count(*) FROM contact), (SELECT position FROM feed_position), (SELECT count(*) FROM revision),
  (SELECT last_value FROM hub_id), (SELECT version_num FROM alembic_version)
"""


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_rows_are_gone_and_the_next_begins_as_the_first(postgres_server: PostgresServer, lender: Lender) -> None:
    url = lender.lend()
    clean = postgres_server.sql(STATE, name_of(url))
    postgres_server.sql(ROWS, name_of(url))
    assert postgres_server.sql(STATE, name_of(url)) != clean
    lender.take_back()
    again = lender.lend()
    assert postgres_server.sql(STATE, name_of(again)) == clean
    lender.take_back()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE left_over (id int)",
        "ALTER TABLE contact ALTER COLUMN name DROP NOT NULL",
        "DROP INDEX ix_identity_contact_id",
        "ANALYZE",
        "ALTER DATABASE \"{name}\" SET statement_timeout = '1s'",
    ],
)
def test_what_is_more_than_rows_has_the_next_lent_another(
    postgres_server: PostgresServer, lender: Lender, statement: str
) -> None:
    url = lender.lend()
    postgres_server.sql(statement.format(name=name_of(url)), name_of(url))
    lender.take_back()
    assert lender.lend() != url
    lender.take_back()
