"""Dovecot: a real IMAP server, run from its tree without root, each of its processes through the tree's own loader."""

import grp
import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from hub.demo.peers.errors import PeerUnavailableError
from hub.demo.peers.tree import PeerTree, Recipe

_PROGRAMS = "usr/lib/dovecot"


class DovecotRecipe(Recipe):
    """Dovecot keeps its libraries in a folder of its own."""

    @override
    def prove(self, tree: PeerTree) -> str:
        """Ask it for its version. Raises PeerUnavailableError."""
        command = tree.command(self.program, *self.proof)
        command[2] = f"{tree.libraries}:{tree.root / _PROGRAMS}"
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
        if done.returncode == 0:
            return f"Dovecot {done.stdout.strip()}"
        raise PeerUnavailableError(f"Dovecot was unpacked but does not run: {done.stderr.strip()[-300:]}")


DOVECOT = DovecotRecipe(
    name="dovecot",
    suite="trixie",  # whose 2.4 the configuration below is written for
    packages=("dovecot-core", "dovecot-imapd"),
    program="usr/sbin/dovecot",
    proof=("--version",),
    proof_says="",
)
# Where its libraries look for plugins, TLS among them, is built in, and can be set for nothing but programs of others.
_BUILT_IN = b"\0/usr/lib/dovecot/modules\0"
_LIBRARY = "libdovecot.so.0"
_SERVICES = ("anvil", "auth", "config", "imap", "imap-login", "log", "stats")


def dovecot_tree() -> PeerTree:
    """The tree that `make setup` unpacked. Raises PeerUnavailableError."""
    return DOVECOT.locate()


@dataclass(frozen=True, slots=True)
class DovecotPlan:
    """One Dovecot: `home` is a folder with a short path that belongs to `user`, whom it runs as; `users` maps logins to
    passwords, each with a Maildir in `home/mail/LOGIN`. It listens on `hosts` at `port` (STARTTLS) and `tls_port`.
    """

    home: Path
    user: str
    port: int
    tls_port: int
    users: Mapping[str, str]
    certificate: Path
    key: Path
    hosts: tuple[str, ...] = ("127.0.0.1",)
    capability: str = field(default="")

    @property
    def configuration(self) -> Path:
        """Its configuration file."""
        return self.home / "dovecot.conf"

    def maildir(self, login: str) -> Path:
        """Where the mails of a login lie."""
        return self.home / "mail" / login

    def prepare(self, tree: PeerTree) -> None:
        """Write everything that it needs to start."""
        plugins = self.home / "m"
        if not plugins.is_symlink():
            plugins.symlink_to((tree.root / _PROGRAMS / "modules").resolve())
        told = b"\0" + os.fsencode(plugins)
        if len(told) >= len(_BUILT_IN):
            raise ValueError(f"{self.home} is too long a path for Dovecot's plugins")
        for name in ("lib", "run", "state", "mail"):
            (self.home / name).mkdir(exist_ok=True)
        library = (tree.root / _PROGRAMS / _LIBRARY).read_bytes()
        (self.home / "lib" / _LIBRARY).write_bytes(library.replace(_BUILT_IN, told.ljust(len(_BUILT_IN), b"\0")))
        logins = [f"{login}:{{PLAIN}}{password}" for login, password in self.users.items()]
        (self.home / "users").write_text("\n".join([*logins, ""]), encoding="utf-8")
        self.configuration.write_text(self._written(tree), encoding="utf-8")

    def command(self, tree: PeerTree) -> list[str]:
        """The command line that runs it in the foreground."""
        configured = ["-F", "-c", str(self.configuration)]
        # Dovecot would ask /usr/bin/doveconf what its configuration says; asked first, that hands the answer on.
        ask = self._run(tree, "usr/bin/doveconf", *configured, "--")
        return [*ask, *self._run(tree, DOVECOT.program, *configured)]

    def _run(self, tree: PeerTree, program: str, *arguments: str) -> list[str]:
        libraries = f"{self.home}/lib:{tree.libraries}:{tree.root / _PROGRAMS}"
        return [str(tree.loader), "--library-path", libraries, str(tree.root / program), *arguments]

    def _written(self, tree: PeerTree) -> str:
        programs = tree.root / _PROGRAMS
        group = pwd.getpwnam(self.user).pw_gid
        ports = "".join(
            f"  inet_listener {name} {{\n    port = {port}\n  }}\n"
            for name, port in (("imap", self.port), ("imaps", self.tls_port))
        )
        services = "".join(
            f"service {name} {{\n  chroot =\n  executable = {' '.join(self._run(tree, f'{_PROGRAMS}/{name}'))}\n"
            f"{ports if name == 'imap-login' else ''}}}\n"
            for name in _SERVICES
        )
        capability = f"imap_capability = {self.capability}\n" if self.capability else ""
        return f"""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {self.home}/run
state_dir = {self.home}/state
libexec_dir = {programs}
mail_plugin_dir = {programs}/modules
login_plugin_dir = {programs}/modules/login
default_internal_user = {self.user}
default_login_user = {self.user}
default_internal_group = {_group_name(group)}
first_valid_uid = 1
first_valid_gid = 0
protocols = imap
listen = {", ".join(self.hosts)}
log_path = /dev/stderr
mail_driver = maildir
mail_path = {self.home}/mail/%{{user}}
mail_fsync = never
mailbox_idle_check_interval = 1 secs
mail_max_userip_connections = 100
ssl = yes
ssl_server_cert_file = {self.certificate}
ssl_server_key_file = {self.key}
auth_mechanisms = plain login
auth_allow_cleartext = yes
auth_failure_delay = 0
{capability}{services}passdb passwd-file {{
  passwd_file_path = {self.home}/users
}}
userdb static {{
  fields {{
    uid = {self.user}
    gid = {group}
    home = {self.home}/mail/%{{user}}
  }}
}}
"""


def _group_name(group: int) -> str:
    return grp.getgrgid(group).gr_name
