"""Programs of another Debian than this machine's, unpacked into a folder and run there through their own loader."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub.demo.peers.errors import PeerUnavailableError

# Libraries with a folder of their own name it by its path on the machine, which is another than in the tree.
_LIBRARIES = ("usr/lib/*-linux-gnu", "lib/*-linux-gnu", "usr/lib/*-linux-gnu/pulseaudio")


def peers_folder() -> Path:
    """Where the peers lie: `.peers` in the checkout, or what HUB_PEERS says."""
    named = os.environ.get("HUB_PEERS")
    return Path(named).absolute() if named else Path(__file__).resolve().parents[3] / ".peers"


@dataclass(frozen=True, slots=True)
class PeerTree:
    """An unpacked tree of programs with all their libraries."""

    root: Path

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs `program` (its path within the tree) on the tree's own libraries."""
        return [str(self.loader), "--library-path", str(self.libraries), str(self.root / program), *arguments]

    @property
    def loader(self) -> Path:
        """The tree's own dynamic loader."""
        return self._one(
            "usr/lib*/ld-linux-*.so.*", "usr/lib/*-linux-gnu/ld-linux-*.so.*", "lib/*-linux-gnu/ld-linux-*.so.*"
        )

    @property
    def libraries(self) -> str:
        """The tree's library folders, as the loader wants them."""
        return ":".join(str(path) for pattern in _LIBRARIES for path in self.root.glob(pattern))

    def _one(self, *patterns: str) -> Path:
        for pattern in patterns:
            for path in sorted(self.root.glob(pattern)):
                # Debian's loader links are absolute in places; within the tree they must not lead out of it.
                if path.exists() and path.resolve().is_relative_to(self.root.resolve()):
                    return path
        raise PeerUnavailableError(f"{self.root} holds no loader; remove the folder and run `make setup`")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to unpack: packages of a Debian suite, the libraries they need, and how `program` proves that it runs."""

    name: str
    suite: str
    packages: tuple[str, ...]
    program: str
    proof: tuple[str, ...]
    proof_says: str

    @property
    def home(self) -> Path:
        """The peer's folder."""
        return peers_folder() / self.name

    @property
    def digest(self) -> str:
        """Identifies this recipe; kept beside what was unpacked by it."""
        return json.dumps([self.suite, self.packages])

    def installed(self) -> PeerTree | None:
        """The tree, if it is there and of this recipe."""
        stamp = self.home / "recipe.json"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == self.digest:
            return PeerTree(self.home / "tree")
        return None

    def locate(self) -> PeerTree:
        """The tree; raises PeerUnavailableError with what to do if it is not there."""
        tree = self.installed()
        if tree is None:
            raise PeerUnavailableError(f"{self.name} is not unpacked here; `make setup` does that")
        return tree

    def prove(self, tree: PeerTree) -> str:
        """Run the program once: the line with its version. Raises PeerUnavailableError."""
        done = subprocess.run(  # noqa: S603 - a program that we unpacked ourselves, asked for its version
            tree.command(self.program, *self.proof), capture_output=True, text=True, check=False, timeout=60
        )
        for line in (done.stdout + done.stderr).splitlines():
            if self.proof_says in line:
                return line.strip()
        raise PeerUnavailableError(
            f"{self.name} was unpacked but does not run: {(done.stderr or done.stdout).strip()[-300:]}"
        )
