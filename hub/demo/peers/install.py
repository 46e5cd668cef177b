"""Unpack the peers into `.peers`: `python -m hub.demo.peers.install`; with `--tests` what only the tests want, too.

Quick, and without network, when they are there.

Exit codes: 0 they are there, 3 they can't be had from here, 1 anything else.
"""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hub.demo.peers.apt import PrivateApt
from hub.demo.peers.asterisk import ASTERISK
from hub.demo.peers.chromium import CHROMIUM, browser
from hub.demo.peers.dovecot import DOVECOT
from hub.demo.peers.errors import PeerUnavailableError
from hub.demo.peers.exim import EXIM
from hub.demo.peers.sipp import SIPP
from hub.demo.peers.tree import PeerTree, Recipe, peers_folder

UNAVAILABLE = 3
ALL = (ASTERISK, SIPP)
FOR_TESTS = (DOVECOT, EXIM)


def install(recipe: Recipe) -> PeerTree:
    """The recipe's tree, unpacked first if need be. Raises PeerUnavailableError."""
    with _alone(peers_folder()):
        return recipe.installed() or _unpack(recipe)


def _unpack(recipe: Recipe) -> PeerTree:
    print(f"setup: unpacking {recipe.name} from Debian's {recipe.suite}", flush=True)
    fresh = recipe.home.with_name(f"{recipe.name}.new")
    for leftover in (fresh, recipe.home):
        shutil.rmtree(leftover, ignore_errors=True)
    apt = PrivateApt(fresh / "apt", recipe.suite)
    apt.update()
    got = apt.download(apt.with_libraries(recipe.packages))
    tree = PeerTree(fresh / "tree")
    tree.root.mkdir()
    for archive in got:
        subprocess.run(["dpkg-deb", "--extract", archive, tree.root], check=True)  # noqa: S603, S607 - verified by apt
    version = recipe.prove(tree)
    (fresh / "packages.txt").write_text("\n".join(sorted(got.values())) + "\n", encoding="utf-8")
    shutil.rmtree(fresh / "apt")
    (fresh / "recipe.json").write_text(recipe.digest, encoding="utf-8")
    fresh.rename(recipe.home)
    print(f"setup: {version}", flush=True)
    return PeerTree(recipe.home / "tree")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One installer at a time; a second one waits, and then finds the work done."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_browser() -> None:
    """The browser's tree; where it can't be had, the machine's own browser does. Raises PeerUnavailableError."""
    try:
        install(CHROMIUM)
    except PeerUnavailableError as err:
        try:
            own = browser().program
        except PeerUnavailableError:
            raise err from None  # why it can't be had says more than that there is none
        print(f"setup: {err}; {own} serves instead", file=sys.stderr)


def main(arguments: Sequence[str] = ()) -> int:
    """Install every peer; the exit code."""
    try:
        for recipe in (*ALL, *(FOR_TESTS if "--tests" in arguments else ())):
            install(recipe)
        if "--tests" in arguments:
            install_browser()
    except PeerUnavailableError as err:
        print(f"setup: {err}", file=sys.stderr)
        return UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
