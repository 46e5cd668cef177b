"""A real Asterisk 22, run from an unpacked tree on a folder of configuration, without root."""

import asyncio
import configparser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from hub.demo.peers.errors import PeerError
from hub.demo.peers.process import STOP_WITHIN_S, PeerProcess
from hub.demo.peers.tree import PeerTree, Recipe

ASTERISK = Recipe(
    name="asterisk",
    suite="sid",  # Debian's stable suites carry no Asterisk
    packages=(
        "asterisk",
        "asterisk-modules",
        "asterisk-core-sounds-en",
        "asterisk-core-sounds-en-gsm",
        # What single modules want, beyond the program itself.
        "libgsm1",
        "libsrtp2-1",
        "libspeexdsp1",
    ),
    program="usr/sbin/asterisk",
    proof=("-V",),
    proof_says="Asterisk 22",
)
BOOT_WITHIN_S = 120.0
ANSWER_WITHIN_S = 60.0
POLL_S = 0.05

_FOLDERS = (
    ("astvarlibdir", "lib"),
    ("astdbdir", "lib"),
    ("astkeydir", "lib"),
    ("astagidir", "agi-bin"),
    ("astspooldir", "spool"),
    ("astrundir", "run"),
    ("astlogdir", "log"),
    ("astcachedir", "cache"),
)


class AsteriskTree(PeerTree):
    """The unpacked tree, with the two folders that a configuration points at."""

    __slots__ = ()

    @property
    def modules(self) -> Path:
        """For `astmoddir`."""
        return next(self.root.glob("usr/lib/*/asterisk/modules"))

    @property
    def data(self) -> Path:
        """For `astdatadir`."""
        return self.root / "usr/share/asterisk"

    def asterisk(self, *arguments: str) -> list[str]:
        """The command line of the program."""
        return self.command(ASTERISK.program, *arguments)


def asterisk_tree() -> AsteriskTree:
    """The tree that `make setup` unpacked. Raises PeerUnavailableError."""
    return AsteriskTree(ASTERISK.locate().root)


class AsteriskRunner:
    """One Asterisk on the configuration in `etc_dir`, writing only below `run_dir`.

    Where `etc_dir` has no asterisk.conf of its own, one is written there. `run_dir` must have a short path: the control
    socket's name may not exceed 107 bytes.
    """

    def __init__(self, tree: AsteriskTree, run_dir: Path, etc_dir: Path) -> None:
        self.tree = tree
        self.run_dir = run_dir
        self.etc_dir = etc_dir
        self._process: PeerProcess | None = None

    @property
    def configuration(self) -> Path:
        """The asterisk.conf."""
        return self.etc_dir / "asterisk.conf"

    @property
    def process(self) -> PeerProcess:
        """The running process. Raises PeerError before the start."""
        if self._process is None:
            raise PeerError("Asterisk was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self, timeout_s: float = BOOT_WITHIN_S) -> None:
        """Boot, and return once every module is loaded. Raises PeerError, with what Asterisk printed."""
        if self.running:
            raise PeerError("Asterisk runs already")
        self._prepare()
        command = self.tree.asterisk("-C", str(self.configuration), "-f", "-n")
        self._process = await PeerProcess.start(command, output=self.run_dir / "console.log", cwd=self.run_dir)
        try:
            async with asyncio.timeout(timeout_s):
                await self._fully_booted()
        except TimeoutError as err:
            await self.kill()
            raise PeerError(f"Asterisk did not boot within {timeout_s:.0f} s: {self.process.printed()}") from err

    async def rx(self, command: str, timeout_s: float = ANSWER_WITHIN_S) -> str:
        """Run a console command: what it printed. Raises PeerError, or TimeoutError if Asterisk does not answer."""
        code, text = await self._console(command, timeout_s)
        if code != 0:
            raise PeerError(f"`{command}` failed: {text.strip()}")
        return text

    async def stop(self) -> None:
        """End it in good order, calls and all."""
        if self.running:
            self.process.thaw()
            with suppress(TimeoutError):  # one that does not even listen is ended by a signal
                await self._console("core stop now", STOP_WITHIN_S)
            await self.process.stop()

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self.process.kill()

    async def restart(self) -> None:
        """Boot again after `kill` or `stop`, or after stopping it now."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Hold it still: connections stay open, nothing is answered."""
        self.process.freeze()

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self.process.thaw()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _fully_booted(self) -> None:
        while True:
            if not self.running:
                raise self.process.gone("Asterisk")
            code, answer = await self._console("core waitfullybooted", BOOT_WITHIN_S)
            # One that gives up while it is asked hangs up without an answer, which the console takes for success.
            if code == 0 and "fully booted" in answer:
                return
            await asyncio.sleep(POLL_S)

    async def _console(self, command: str, timeout_s: float) -> tuple[int, str]:
        arguments: Sequence[str] = self.tree.asterisk("-C", str(self.configuration), "-rx", command)
        console = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(timeout_s):
                text, _ = await console.communicate()
        finally:
            if console.returncode is None:
                console.kill()
                await console.wait()
        return console.returncode or 0, text.decode(errors="replace")

    def _prepare(self) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        if not self.configuration.exists():
            folders = "".join(f"{name} => {self.run_dir}/{folder}\n" for name, folder in _FOLDERS)
            self.configuration.write_text(
                f"[directories]\nastetcdir => {self.etc_dir}\nastmoddir => {self.tree.modules}\n"
                f"astdatadir => {self.tree.data}\n{folders}\n[options]\nnocolor = yes\n",
                encoding="utf-8",
            )
        parser = configparser.ConfigParser(
            delimiters=("=>", "="), comment_prefixes=(";",), strict=False, interpolation=None
        )
        parser.read(self.configuration, encoding="utf-8")
        named = parser["directories"]
        for key, _ in _FOLDERS:
            if key in named:
                Path(named[key]).mkdir(parents=True, exist_ok=True)
        # A socket left behind by a kill would be taken for a running Asterisk.
        Path(named["astrundir"], "asterisk.ctl").unlink(missing_ok=True)
        Path(named["astlogdir"], "cdr-csv").mkdir(exist_ok=True)
        if "astdbdir" not in named:
            raise PeerError(f"{self.configuration} names no astdbdir, so Asterisk would write outside its run folder")
