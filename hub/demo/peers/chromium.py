"""A real browser without a screen, unpacked like the other peers; where it can't be had, the machine's own.

The program starts copies of itself and looks for its data beside itself, so that it can't be run through a loader of
its own like the others: the loader's path is written into its head instead.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.demo.peers.errors import PeerUnavailableError
from hub.demo.peers.tree import PeerTree, Recipe

INSTALLED = "/usr/bin/chromium"
_INTERPRETER = 3  # PT_INTERP
_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{tree}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{tree}/var/cache/fontconfig</cachedir>
  <alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Browser:
    """How to start it: the program, what it needs of the environment and of its command line."""

    program: Path
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = (
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--disable-sync",
        "--no-first-run",
    )


class ChromiumRecipe(Recipe):
    """The recipe of a browser: proved by what it says of itself when it is run as it will be."""

    __slots__ = ()

    def prove(self, tree: PeerTree) -> str:
        """Give it the tree's loader and fonts, then run it once: the line with its version."""
        program = tree.root / self.program
        # The tree is unpacked beside its later place: the path must be the one where it will be run.
        home = self.home / "tree"
        write_loader(program, home / tree.loader.relative_to(tree.root))
        fonts = tree.root / "fonts.conf"
        fonts.write_text(_FONTS.format(tree=home), encoding="utf-8")
        through_loader = tree.command(self.program, *self.proof)
        done = subprocess.run(through_loader, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
        for line in (done.stdout + done.stderr).splitlines():
            if self.proof_says in line:
                return line.strip()
        raise PeerUnavailableError(f"{self.name} was unpacked but does not run: {done.stderr.strip()[-300:]}")


CHROMIUM = ChromiumRecipe(
    name="chromium",
    suite="bookworm",
    packages=(
        "chromium-headless-shell",
        "chromium-common",  # what both shapes of the browser read
        "fonts-dejavu-core",
        "fonts-noto-color-emoji",
    ),
    program="usr/lib/chromium/chromium-headless-shell",
    proof=("--version",),
    proof_says="Chromium",
)


def browser() -> Browser:
    """The browser that `make setup` unpacked, else the machine's own. Raises PeerUnavailableError."""
    tree = CHROMIUM.installed()
    if tree is None:
        found = shutil.which("chromium") or (INSTALLED if Path(INSTALLED).exists() else None)
        if found is None:
            raise PeerUnavailableError("there is no browser: `make setup` unpacks one")
        return Browser(Path(found), dict(os.environ))
    more = {"LD_LIBRARY_PATH": tree.libraries, "FONTCONFIG_FILE": str(tree.root / "fonts.conf")}
    return Browser(tree.root / CHROMIUM.program, os.environ | more)


def write_loader(program: Path, loader: Path) -> None:
    """Have the kernel start a program (64-bit ELF) by another loader: its path is put at the end of the file."""
    with program.open("r+b") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":
            raise PeerUnavailableError(f"{program} is no program for 64 bits")
        order = "<" if head[5] == 1 else ">"
        table = struct.unpack_from(f"{order}Q", head, 32)[0]
        size, count = struct.unpack_from(f"{order}HH", head, 54)
        for number in range(count):
            file.seek(table + number * size)
            (kind,) = struct.unpack(f"{order}I", file.read(4))
            if kind != _INTERPRETER:
                continue
            path = os.fsencode(loader) + b"\0"
            place = file.seek(0, os.SEEK_END)
            file.write(path)
            file.seek(table + number * size + 8)
            file.write(struct.pack(f"{order}Q", place))
            file.seek(table + number * size + 32)
            file.write(struct.pack(f"{order}Q", len(path)))
            return
    raise PeerUnavailableError(f"{program} names no loader")
