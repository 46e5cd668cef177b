"""Values that must never be printed: tokens, passwords, and addresses that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import quote

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that shows itself only to whoever asks with `reveal()`; comparing and hashing work."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __bool__(self) -> bool:
        return bool(self._text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something listens: a host name or address, and a port (0: any free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """A server and how to log in there. `user`, `password` and `path` are decoded; `path` has no leading slash."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: Secret = Secret("")
    path: str = ""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted from its first byte (`imaps`, `smtps`, `rediss`)."""
        return self.scheme.endswith("s")

    def reveal(self) -> str:
        """The whole address with its credentials, percent-encoded."""
        return self._write(quote(self.password.reveal(), safe=""))

    def __str__(self) -> str:
        return self._write(HIDDEN)

    def __repr__(self) -> str:
        return f"ServerUrl({self})"

    def _write(self, password: str) -> str:
        login = quote(self.user, safe="")
        if self.password:
            login = f"{login}:{password}"
        place = str(Endpoint(self.host, self.port))
        whole = f"{self.scheme}://{login}@{place}" if login else f"{self.scheme}://{place}"
        return f"{whole}/{quote(self.path)}" if self.path else whole


class DatabaseEngine(Enum):
    """The two databases the hub runs on, and one more from which it reads call records."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database as SQLAlchemy names it. `path` is the absolute file of SQLite, None in memory and for PostgreSQL."""

    engine: DatabaseEngine
    _url: str = field(repr=False)
    safe: str
    path: Path | None = None

    def reveal(self) -> str:
        """The whole address with its credentials, as given; a SQLite file's path is absolute."""
        return self._url

    def __str__(self) -> str:
        return self.safe
