"""A program that has loaded the hub, and goes on as `hub run` each time it is asked to.

To load it takes most of a start, and tests of the whole program start it hundreds of times; what it compiles at its
first use takes most of the rest, so that one hub is used and ended before the first is split off. Each hub is a
process of its own all the same, with an environment and a log of its own; that the real command does as much is tried
by the tests of the command line and of the demonstration.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from typing_extensions import override

_ROOT = Path(__file__).parents[2]
_LOADED = ("hub.cli.app", "hub.cli.running", "hub.app", "hub.bootstrap", "channels.telegram")


class Forked(asyncio.Protocol):
    """One hub that was started so; as much of a process of asyncio's as tests ask for."""

    def __init__(self) -> None:
        self._transport: asyncio.BaseTransport | None = None
        self._said = b""
        self._pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._pid.result()

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs; of one that a signal ended the signal's number, negative."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Its exit code, once it ended."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._said += data
        *lines, self._said = self._said.split(b"\n")
        for line in lines:
            if not self._pid.done():
                self._pid.set_result(int(line))
                continue
            assert self._transport is not None
            self._transport.close()  # before whoever waits goes on: the loop may end with them
            self._ended.set_result(int(line))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        for each in (self._pid, self._ended):
            if not each.done():
                each.set_exception(RuntimeError("the program that hubs come from has ended"))
                each.exception()  # whoever waits is told


async def hub_run(environment: Mapping[str, str], log: Path) -> Forked:
    """Start `hub run` with this environment and no other; what it prints is put at the end of `log`."""
    transport, hub = await asyncio.get_running_loop().create_unix_connection(Forked, _loaded())
    transport.write(json.dumps({"environment": dict(environment), "log": str(log)}).encode() + b"\n")
    await asyncio.shield(hub._pid)
    return hub


@cache
def _loaded() -> str:
    """The address of the program; it is started at the first call and ends with this process."""
    address = f"\0hub-tests-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", sys.executable, "-m", __name__, str(listener.fileno())],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
    atexit.register(_end, process)
    return address


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _serve(listener: socket.socket) -> None:
    """Split for everybody who asks; returns in the processes that become a hub."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those end that wait for the hubs
    while True:
        asking, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _wait_for_a_hub(asking)
        asking.close()


def _wait_for_a_hub(asking: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with asking.makefile() as lines:
        asked = json.loads(lines.readline())
    pid = os.fork()
    if pid == 0:
        asking.close()
        os.environ.clear()
        os.environ.update(asked["environment"])
        log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for number in (1, 2):
            os.dup2(log, number)
        os.close(log)
        return
    asking.sendall(f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    asking.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _main() -> int:
    gc.disable()
    from hub.cli import main

    for name in _LOADED:
        import_module(name)
    asyncio.run(import_module("tests.e2e.warming").warm())
    gc.collect()
    gc.freeze()
    gc.enable()
    assert threading.active_count() == 1, "a process that has threads can't be split"
    _serve(socket.socket(fileno=int(sys.argv[1])))
    return main(["run"])


if __name__ == "__main__":
    sys.exit(_main())
