"""A peer's process: started so that it never outlives us, stopped by its own id, its output kept in a file."""

import asyncio
import errno
import os
import random
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from hub.demo.peers.errors import PeerError

STOP_WITHIN_S = 30.0
LISTENING = range(10_240, 32_768)

# Drawn by lot, and not in order, because other processes draw too.
_LOT = random.SystemRandom()
_given: set[int] = set()
_ours = LISTENING


class PeerProcess:
    """One running program."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path) -> None:
        self._process = process
        self._frozen = False
        self.output = output
        """Everything the program printed."""

    @classmethod
    async def start(
        cls, command: Sequence[str], *, output: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Self:
        """Start `command` in a session of its own, away from the terminal's Ctrl-C.

        The kernel kills it when the thread that started it ends, however that comes about: start peers from the main
        thread, or from one that lives as long as they should.
        """
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                "setpriv",
                "--pdeathsig=KILL",
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=asyncio.subprocess.STDOUT,
                cwd=cwd,
                env=os.environ | dict(env or {}),
                start_new_session=True,
            )
        return cls(process, output)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._process.returncode is None:
            # Not by the process' own `send_signal`: that looks first whether it has ended, takes the exit code away
            # from the loop that waits for it, and the loop then makes one up (255).
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def freeze(self) -> None:
        """Stop it in its tracks: it keeps its sockets and answers nothing."""
        self.signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self.signal(signal.SIGCONT)
        self._frozen = False

    async def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, once it ended. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            return await self._process.wait()

    async def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self, timeout_s: float = STOP_WITHIN_S) -> int:
        """Ask it to end, make it end if it does not in time: its exit code."""
        self.signal(signal.SIGTERM)
        if self._frozen:
            self.thaw()
        try:
            return await self.wait(timeout_s)
        except TimeoutError:
            await self.kill()
            return await self._process.wait()

    def printed(self, last: int = 2000) -> str:
        """The end of what it printed, for messages about failures."""
        return self.output.read_text(encoding="utf-8", errors="replace")[-last:] if self.output.exists() else ""

    def gone(self, name: str) -> PeerError:
        """The error that says it ended before its time."""
        return PeerError(f"{name} ended with {self.returncode}: {self.printed()}")


def free_port(host: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of `host` that nobody listens on now (TCP, or UDP with SOCK_DGRAM), and that is given out once.

    It lies below those that the kernel lends to outgoing connections, so that a server can be stopped and find its port
    free when it starts again.
    """
    while True:
        port = _LOT.choice(_ours)
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError as err:
                if err.errno != errno.EADDRINUSE:
                    raise
                continue
        if len(_given) > len(_ours) // 2:
            _given.clear()  # whoever was given the first ones has ended long ago
        _given.add(port)
        return port


def share_ports(part: int, parts: int) -> None:
    """Draw from one of `parts` (counted from 0) alone: processes that do so never draw the same port between a look at
    it and its use.
    """
    global _ours  # noqa: PLW0603 — a property of this process, like the ports that were given
    _ours = LISTENING[part::parts]
