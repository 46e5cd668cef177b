"""A real IMAP server (Dovecot) and a real mail server (Exim), each with its data below /tmp and its ports free."""

from __future__ import annotations

import mailbox
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from hub.demo.peers.dovecot import DovecotPlan, dovecot_tree
from hub.demo.peers.exim import EximPlan, exim_tree
from hub.demo.peers.process import free_port
from tests.peers.certificate import ADDRESSES, Certified, certify
from tests.peers.daemon import Daemon, as_root, give_to_nobody, unprivileged

LOGIN, PASSWORD = "sales@example.org", "пароль sécret"


def _user() -> str:
    return "nobody" if as_root() else pwd.getpwuid(os.getuid()).pw_name


def _home(prefix: str) -> Path:
    home = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))  # Dovecot's plugins take short paths alone
    home.chmod(0o755)
    give_to_nobody(home)
    return home


def _hand_over(folder: Path) -> None:
    """What we wrote belongs to whom the server runs as."""
    for path in folder.rglob("*"):
        if not path.is_symlink():
            give_to_nobody(path)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return bool(connection.recv(16))
    except OSError:
        return False


class DovecotServer:
    """One Dovecot with one mailbox, `LOGIN`."""

    def __init__(self, capability: str = "") -> None:
        self.home = _home("hubd-")
        self.certified: Certified = certify(self.home)
        self.plan = DovecotPlan(
            self.home, _user(), free_port(), free_port(), {LOGIN: PASSWORD}, self.certified.certificate,
            self.certified.key, ADDRESSES, capability,
        )  # fmt: skip
        tree = dovecot_tree()
        self.plan.prepare(tree)
        _hand_over(self.home)
        command = unprivileged(self.plan.command(tree))
        self._daemon = Daemon("Dovecot", command, self.home / "log", self._ready, signal.SIGTERM)

    @property
    def port(self) -> int:
        """Where it speaks in the clear, with STARTTLS."""
        return self.plan.port

    @property
    def tls_port(self) -> int:
        """Where it speaks TLS from the beginning."""
        return self.plan.tls_port

    def start(self) -> None:
        """Start it, and return once it serves."""
        self._daemon.start()

    def stop(self) -> None:
        """End it in good order."""
        self._daemon.stop()

    def kill(self) -> None:
        """End all of its processes as a power cut would."""
        self._signal(signal.SIGKILL)
        self._daemon.kill()
        (self.home / "run/master.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Hold all of its processes still: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def deliver(self, content: bytes, folder: str = "") -> str:
        """Put a mail into the mailbox, as a delivery agent does; its file's name."""
        place = self.plan.maildir(LOGIN)
        if folder:
            place /= f".{folder}"
        box = mailbox.Maildir(place, factory=None)
        key = box.add(content)
        for path in (place, *place.rglob("*")):
            give_to_nobody(path)
        return key

    def fill(self, contents: Iterator[bytes]) -> int:
        """Put many mails into the mailbox at once, before it is first opened; how many."""
        new = self.plan.maildir(LOGIN)
        for name in ("tmp", "new", "cur"):
            (new / name).mkdir(parents=True, exist_ok=True)
        count = 0
        for number, content in enumerate(contents):
            (new / "cur" / f"{1_700_000_000 + number}.{number}.test:2,S").write_bytes(content)
            count += 1
        subprocess.run(["chown", "-R", f"{_user()}:", str(new)], check=True)
        return count

    def rebuild(self) -> None:
        """Give all UIDs anew, under another UIDVALIDITY, as after a move to another server; while it is down."""
        place = self.plan.maildir(LOGIN)
        for path in [*place.glob("dovecot*"), *place.glob(".*/dovecot*")]:
            path.unlink()
        validity = place / "dovecot-uidlist"
        validity.write_text("3 V1234567890 N1 Gabcdefabcdefabcdefabcdefabcdefab\n", encoding="ascii")
        give_to_nobody(validity)

    def flags(self) -> list[str]:
        """The names of all files in the mailbox: those in `cur` show the flags of their mails."""
        place = self.plan.maildir(LOGIN)
        return sorted(path.name for name in ("new", "cur") for path in (place / name).iterdir())

    def spoil(self, key: str) -> None:
        """Let a mail be listed and never be read: its file is a folder's worth of nothing."""
        place = self.plan.maildir(LOGIN)
        for path in [*(place / "new").iterdir(), *(place / "cur").iterdir()]:
            if path.name.startswith(key):
                path.chmod(0)
                if as_root():
                    os.chown(path, 0, 0)

    def log(self) -> str:
        """What it said."""
        return (self.home / "log").read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _ready(self) -> bool:
        return _answers(self.plan.port)

    def _signal(self, number: signal.Signals) -> None:
        """To the master and everything that it started."""
        with suppress(RuntimeError):
            for pid in _family(self._daemon.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)


class EximServer:
    """One Exim; see `EximPlan`."""

    def __init__(self, *, hub_port: int = 0, lmtp: bool = False) -> None:
        self.home = _home("hubx-")
        self.certified = certify(self.home)
        self.plan = EximPlan(
            self.home, _user(), free_port(), self.certified.certificate, self.certified.key, hub_port=hub_port,
            lmtp=lmtp, hosts=ADDRESSES,
        )  # fmt: skip
        self.plan.prepare(exim_tree())
        _hand_over(self.home)
        self._daemon = Daemon("Exim", unprivileged(self.plan.command()), self.home / "log", self._ready, signal.SIGTERM)

    @property
    def port(self) -> int:
        """Where it takes mail."""
        return self.plan.port

    def inbox(self) -> list[EmailMessage]:
        """What it keeps for its own people, oldest first."""
        from email import message_from_bytes, policy

        new = self.plan.inbox / "new"
        files = sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns) if new.is_dir() else []
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]

    def log(self) -> str:
        """What it did."""
        return self.plan.log.read_text(errors="replace") if self.plan.log.exists() else ""

    def start(self) -> None:
        """Start it, and return once it serves."""
        self._daemon.start()

    def stop(self) -> None:
        """End it in good order."""
        self._daemon.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _ready(self) -> bool:
        return _answers(self.plan.port)


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
            found.extend(int(each) for each in text.split())
    return found
