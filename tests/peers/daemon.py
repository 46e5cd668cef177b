"""A server process for tests, driven without an event loop so that session fixtures can hold it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from hub.demo.peers.process import free_port

START_WITHIN_S = 120.0
STOP_WITHIN_S = 60.0


def as_root() -> bool:
    """Whether we are root, whom some servers refuse to serve."""
    return os.geteuid() == 0


def unprivileged(command: Sequence[str]) -> list[str]:
    """`command` as the user nobody when we are root, as ourselves otherwise."""
    if not as_root():
        return list(command)
    # A change of the user undoes the wish to die with the parent: it is made again, behind it.
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig=KILL", *command]


def give_to_nobody(path: Path) -> None:
    """Let the user nobody own `path`, when we are root."""
    if as_root():
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


class Daemon:
    """One server: `command` runs in the foreground until told to stop, and `ready` says whether it serves."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, ready: Callable[[], bool], stop_signal: signal.Signals
    ) -> None:
        self._name = name
        self._command = ["setpriv", "--pdeathsig=KILL", *command]
        self._log = log
        self._ready = ready
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id. Raises RuntimeError while it is down."""
        if self._process is None:
            raise RuntimeError(f"{self._name} is not running")
        return self._process.pid

    def start(self) -> None:
        """Start it, and return once it serves. Raises RuntimeError with the end of its log."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self._name} did not start: {self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None:
            self._process.send_signal(self._stop_signal)
            self._process.send_signal(signal.SIGCONT)
            try:
                self._process.wait(STOP_WITHIN_S)
            finally:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would; harmless when it is down."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Hold it still: its sockets stay open, nothing is answered by the process itself."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)


class Served:
    """A server of one daemon, its files in a folder of its own that goes with it."""

    _daemon: Daemon

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self._home = Path(tempfile.mkdtemp(prefix=f"hub-{name}-"))

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
