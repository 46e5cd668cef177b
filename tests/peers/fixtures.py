"""The fixtures that hand real peers to tests. A peer that can't be started fails the test that asked for it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree
from hub.demo.peers.asterisk import asterisk_tree as locate_asterisk
from hub.demo.peers.sipp import SippRunner, sipp_tree
from tests.peers.bots import OTHER, TOKEN
from tests.peers.lending import Lender
from tests.peers.mail import DovecotServer, EximServer
from tests.peers.object_storage import ObjectStorageServer
from tests.peers.postgres import PostgresServer
from tests.peers.redis import RedisServer

if TYPE_CHECKING:
    from hub.demo.peers.bot_api import BotApiServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of this process; it does not wait for the disk."""
    with PostgresServer(fsync=False) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, to be stopped, killed and started at will."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped afterwards."""
    url = postgres_server.fresh_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
async def bots() -> AsyncIterator["BotApiServer"]:
    """A strict Bot API server that knows two bots, by the tokens of `tests.peers.bots`."""
    from hub.demo.peers.bot_api import BotApiServer  # here, for few tests ask for it, and the vendor's types are heavy

    async with BotApiServer() as server:
        for token in (TOKEN, OTHER):
            server.bot(token)
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path}/hub.sqlite3"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each engine in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database of the current schema, to be copied, never used itself."""
    url = postgres_server.fresh_database()
    _in_a_loop_of_its_own(_migrate(url))
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file of the current schema, to be copied, never used itself."""
    path = tmp_path_factory.mktemp("migrated") / "hub.sqlite3"
    _in_a_loop_of_its_own(_migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def lender(postgres_server: PostgresServer, migrated_postgres: str) -> Iterator[Lender]:
    """Lends a PostgreSQL database of the current schema to one test after another, always without content."""
    with Lender(postgres_server, migrated_postgres) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the current schema and without content, of each engine in turn."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), url.removeprefix("sqlite+aiosqlite:///"))
        yield url
        return
    lender: Lender = request.getfixturevalue("lender")
    yield lender.lend()
    lender.take_back()


@pytest.fixture
def furnished_sqlite(sqlite_url: str, migrated_sqlite: Path) -> str:
    """The URL of an SQLite database of the current schema and without content."""
    shutil.copyfile(migrated_sqlite, sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    return sqlite_url


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.stop()


def _in_a_loop_of_its_own(work: Coroutine[None, None, None]) -> None:
    # In another thread, for the test that asks may have a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for all tests of this process; tests keep to keys of their own."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, to be stopped, killed and frozen at will."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def object_storage() -> Iterator[ObjectStorageServer]:
    """One object storage for all tests of this process; tests keep to prefixes of their own."""
    with ObjectStorageServer() as server:
        yield server


@pytest.fixture
def own_object_storage() -> Iterator[ObjectStorageServer]:
    """An object storage of the test's own, to be stopped, frozen and filled at will."""
    with ObjectStorageServer() as server:
        yield server


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder with a path short enough for sockets in the file system."""
    path = Path(tempfile.mkdtemp(prefix="hub-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def asterisk_tree() -> AsteriskTree:
    """The unpacked Asterisk."""
    return locate_asterisk()


@pytest.fixture
async def run_asterisk(
    asterisk_tree: AsteriskTree, short_dir: Path
) -> AsyncIterator[Callable[[Path], Awaitable[AsteriskRunner]]]:
    """Boots an Asterisk on a folder of configuration; all are stopped afterwards."""
    runners: list[AsteriskRunner] = []

    async def run(etc_dir: Path) -> AsteriskRunner:
        runner = AsteriskRunner(asterisk_tree, short_dir / f"asterisk{len(runners)}", etc_dir)
        runners.append(runner)
        await runner.start()
        return runner

    yield run
    for runner in reversed(runners):
        if runner.running:
            await runner.stop()


@pytest.fixture
async def sipp(short_dir: Path) -> AsyncIterator[SippRunner]:
    """Starts callers and telephones, whose traces lie in `short_dir/sipp`; all are ended afterwards."""
    runner = SippRunner(sipp_tree(), short_dir / "sipp")
    yield runner
    await runner.stop()


@pytest.fixture
def dovecot() -> Iterator[DovecotServer]:
    """An IMAP server of the test's own, with an empty mailbox; to be filled, stopped, killed and frozen at will."""
    with DovecotServer() as server:
        yield server


@pytest.fixture
def mail_relay() -> Iterator[EximServer]:
    """A mail server of the test's own."""
    with EximServer() as server:
        yield server
