"""SIPp: callers and telephones played from scenario files, each a process of its own on a loopback address."""

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.demo.peers.errors import PeerError
from hub.demo.peers.process import PeerProcess, free_port
from hub.demo.peers.tree import PeerTree, Recipe

SIPP = Recipe(
    name="sipp",
    suite="bookworm",  # whose 3.6.1 the scenarios were written for
    packages=("sip-tester", "ncurses-base"),
    program="usr/bin/sipp",
    proof=("-v",),
    proof_says="SIPp v",
)
SCENARIOS = Path(__file__).with_name("sipp")
LISTENS_WITHIN_S = 60.0
POLL_S = 0.01
_SOCKETS = Path("/proc/net/udp")


def sipp_tree() -> PeerTree:
    """The tree that `make setup` unpacked. Raises PeerUnavailableError."""
    return SIPP.locate()


@dataclass(frozen=True, slots=True)
class SippRun:
    """How one SIPp is to run.

    `scenario` is a file, or the bare name of one of ours (`caller`). `remote` is `host:port`, None for a telephone that
    waits. `calls` is how many calls are made or taken before it ends by itself, None for no end; `rate` calls begin
    each second. `talk_ms` is the scenario's default pause. `keys` fill `[name]` in the scenario.
    """

    scenario: Path | str
    remote: str | None = None
    local_ip: str = "127.0.0.1"
    local_port: int | None = None
    calls: int | None = 1
    rate: float | None = None
    talk_ms: int | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()

    @property
    def file(self) -> Path:
        """The scenario's file."""
        return self.scenario if isinstance(self.scenario, Path) else SCENARIOS / f"{self.scenario}.xml"


class SippRunner:
    """Starts SIPps; each writes its output, errors and SIP messages below `run_dir`."""

    def __init__(self, tree: PeerTree, run_dir: Path) -> None:
        self.tree = tree
        self.run_dir = run_dir
        self._started: list[PeerProcess] = []

    async def start(self, run: SippRun) -> PeerProcess:
        """Start one, and return once it listens. Raises PeerError if it does not come to that.

        Its exit code: 0 if every call went as the scenario says, 1 if one did not, above: trouble.
        """
        name = f"{run.file.stem}-{len(self._started) + 1}"
        self.run_dir.mkdir(parents=True, exist_ok=True)
        port = run.local_port or free_port(run.local_ip, socket.SOCK_DGRAM)
        command = self.tree.command(SIPP.program, *self._arguments(run, name, port))
        # SIPp draws its screen even for nobody; curses must find a terminal it knows.
        env = {"TERM": "vt100", "TERMINFO_DIRS": f"{self.tree.root}/lib/terminfo:{self.tree.root}/usr/share/terminfo"}
        process = await PeerProcess.start(command, output=self.run_dir / f"{name}.out", cwd=self.run_dir, env=env)
        self._started.append(process)
        try:
            async with asyncio.timeout(LISTENS_WITHIN_S):
                while process.returncode is None and not _listens(run.local_ip, port):  # noqa: ASYNC110 — it tells nobody
                    await asyncio.sleep(POLL_S)
        except TimeoutError as err:
            raise PeerError(f"SIPp does not listen after {LISTENS_WITHIN_S:.0f} s: {process.printed()}") from err
        return process

    async def stop(self) -> None:
        """End every SIPp that this runner started and that still runs."""
        for process in self._started:
            await process.kill()

    async def run(self, run: SippRun, timeout_s: float = 60.0) -> int:
        """Start one and wait for its end: the exit code. Raises TimeoutError, having ended it."""
        process = await self.start(run)
        try:
            return await process.wait(timeout_s)
        finally:
            await process.kill()

    def _arguments(self, run: SippRun, name: str, port: int) -> list[str]:
        given: dict[str, object] = {
            "-sf": run.file,
            "-i": run.local_ip,
            "-p": port,
            "-mi": run.local_ip,
            "-mp": _even(free_port(run.local_ip, socket.SOCK_DGRAM)),
            "-ci": "127.0.0.1",  # the control port, which would listen everywhere
            "-m": run.calls,
            "-r": run.rate,
            "-d": run.talk_ms,
            "-error_file": f"{name}.errors",
            "-message_file": f"{name}.messages",
        }
        options = [text for flag, value in given.items() if value is not None for text in (flag, str(value))]
        keys = [text for key, value in run.keys.items() for text in ("-key", key, value)]
        remote = [run.remote] if run.remote is not None else []
        return [*options, "-nostdin", "-trace_err", "-trace_msg", *keys, *run.arguments, *remote]


def _listens(host: str, port: int) -> bool:
    """Whether somebody has a UDP port. Asked of the kernel's list: who tried to take the port would take it away."""
    (address,) = struct.unpack("=I", socket.inet_aton(host))
    return f" {address:08X}:{port:04X} " in _SOCKETS.read_text(encoding="ascii")


def _even(port: int) -> int:
    # RTP takes an even port and the odd one after it.
    return port - port % 2
