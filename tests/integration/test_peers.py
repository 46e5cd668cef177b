"""The real peers that other tests lean on: each can be had, does what it is there for, and ends when told to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from crm_core.storage.database import Database
from hub.demo.peers.asterisk import AsteriskRunner
from hub.demo.peers.errors import PeerError
from hub.demo.peers.process import free_port
from hub.demo.peers.sipp import SippRun, SippRunner
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer
from tests.peers.redis import RedisServer

LEAST = {
    "modules.conf": "[modules]\nautoload = no\nload = pbx_config.so\n",
    "extensions.conf": "[default]\n",
    "logger.conf": "[general]\n[logfiles]\nmessages = notice,warning,error\n",
}

ASKS = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="asks">
  <send retrans="200"><![CDATA[
      OPTIONS sip:x@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
      From: <sip:x@[local_ip]>;tag=[call_number]
      To: <sip:x@[remote_ip]>
      Call-ID: [call_id]
      CSeq: 1 OPTIONS
      Subject: [word]
      Content-Length: 0

  ]]></send>
  <recv response="200"/>
</scenario>
"""

ANSWERS = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answers">
  <recv request="OPTIONS"/>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
</scenario>
"""


@pytest.fixture
def etc(short_dir: Path) -> Path:
    """The least that an Asterisk boots on."""
    folder = short_dir / "etc"
    folder.mkdir()
    for name, content in LEAST.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


async def test_asterisk_boots_freezes_dies_and_boots_again(
    run_asterisk: Callable[[Path], Awaitable[AsteriskRunner]], etc: Path
) -> None:
    asterisk = await run_asterisk(etc)
    assert "Asterisk 22" in await asterisk.rx("core show version")

    asterisk.freeze()
    with pytest.raises(TimeoutError):
        await asterisk.rx("core show uptime", timeout_s=0.5)
    asterisk.thaw()
    assert "uptime" in await asterisk.rx("core show uptime")

    await asterisk.kill()
    assert not asterisk.running
    with pytest.raises(PeerError):
        await asterisk.rx("core show version")
    await asterisk.start()
    await asterisk.stop()
    assert asterisk.process.returncode == 0


async def test_an_asterisk_that_can_not_boot_says_why(
    run_asterisk: Callable[[Path], Awaitable[AsteriskRunner]], etc: Path
) -> None:
    (etc / "modules.conf").write_text("[modules]\nautoload = no\nrequire = no_such.so\n", encoding="utf-8")
    with pytest.raises(PeerError, match=r"no_such\.so"):
        await run_asterisk(etc)


async def test_a_sipp_asks_another(sipp: SippRunner, tmp_path: Path) -> None:
    for name, scenario in (("answers", ANSWERS), ("asks", ASKS)):
        (tmp_path / f"{name}.xml").write_text(scenario, encoding="utf-8")
    port = free_port(kind=socket.SOCK_DGRAM)
    phone = await sipp.start(SippRun(tmp_path / "answers.xml", local_port=port))
    asks = SippRun(tmp_path / "asks.xml", remote=f"127.0.0.1:{port}", keys={"word": "привет"})
    assert await sipp.run(asks) == 0
    assert await phone.wait(PATIENCE_S) == 0


async def test_postgresql_serves_survives_a_kill_and_gives_each_test_its_own(own_postgres: PostgresServer) -> None:
    first, second = own_postgres.fresh_database(), own_postgres.fresh_database()
    assert first != second
    own_postgres.sql("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('Ёлка')", first.rpartition("/")[2])
    own_postgres.kill()
    own_postgres.start()
    engine = create_async_engine(first)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT lower(word) FROM kept"))).scalar_one() == "ёлка"
    await engine.dispose()
    own_postgres.drop_database(first)


async def test_each_engine_is_handed_to_a_test_that_asks_for_a_database(database_url: str) -> None:
    database = Database(database_url)
    assert await database.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar_one()) == 1
    await database.stop()


async def test_each_engine_is_handed_over_with_its_tables(migrated_url: str) -> None:
    database = Database(migrated_url)
    count = "SELECT count(*) FROM alembic_version"
    assert await database.read(lambda conn: conn.exec_driver_sql(count).scalar_one()) == 1
    await database.stop()


async def test_redis_answers_and_can_be_frozen(own_redis: RedisServer) -> None:
    async with Redis.from_url(own_redis.url, socket_timeout=5) as client:
        await client.set("key", "Ёлка")
        own_redis.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.get("key")
        own_redis.thaw()
    async with Redis.from_url(own_redis.url) as client:
        assert await client.get("key") == "Ёлка".encode()
