"""Exim: a real mail server that takes mail, keeps, bounces and hands it on and tells of its delivery; without root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from hub.demo.peers.errors import PeerUnavailableError
from hub.demo.peers.tree import PeerTree, Recipe

_NAMES = "usr/lib/*-linux-gnu/libnss_wrapper.so"
# The user that Debian's Exim wants to exist; whoever runs it here is told to be that one.
_OWNER = "Debian-exim"


class EximRecipe(Recipe):
    """Exim says its version only where its user exists, or seems to."""

    @override
    def prove(self, tree: PeerTree) -> str:
        """Run it once: the line with its version. Raises PeerUnavailableError."""
        folder = tree.root.parent
        # It refuses to belong to root; for saying its version anybody will do.
        EximPlan.name_owner(folder, "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
        done = subprocess.run(  # noqa: S603 - a program that we unpacked ourselves, asked for its version
            ["/bin/sh", "-c", EximPlan.script(tree, folder, Path("/dev/null")), "exim", *self.proof],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            if self.proof_says in line:
                return line.strip()
        raise PeerUnavailableError(f"Exim was unpacked but does not run: {(done.stderr or done.stdout).strip()[-300:]}")


EXIM = EximRecipe(
    name="exim",
    suite="bookworm",
    packages=("exim4-daemon-light", "libnss-wrapper"),
    program="usr/sbin/exim4",
    proof=("-bV",),
    proof_says="Exim version",
)


def exim_tree() -> PeerTree:
    """The tree that `make setup` unpacked. Raises PeerUnavailableError."""
    return EXIM.locate()


@dataclass(frozen=True, slots=True)
class EximPlan:
    """One Exim in `home`, a folder of `user`, whom it runs as. It listens on `hosts` at `port`; whoever logs in as
    `login` may send to everybody. Mail for `here` lands in the Maildir `home/inbox` (for `gone@…` it bounces); mail
    for `hub_domain` is handed on to 127.0.0.1:`hub_port`, by LMTP where `lmtp` says so, by SMTP else, with TLS where
    it is offered.
    """

    home: Path
    user: str
    port: int
    certificate: Path
    key: Path
    login: tuple[str, str] = ("sales", "secret")
    here: str = "client.example"
    hub_domain: str = "example.org"
    hub_port: int = 0
    lmtp: bool = False
    hosts: tuple[str, ...] = ("127.0.0.1",)

    @property
    def inbox(self) -> Path:
        """The Maildir of everybody `here`."""
        return self.home / "inbox"

    @property
    def log(self) -> Path:
        """What it did."""
        return self.home / "mainlog"

    def prepare(self, tree: PeerTree) -> None:
        """Write everything that it needs to start."""
        for folder in (self.home / "spool", self.inbox):
            folder.mkdir(exist_ok=True)
        self.name_owner(self.home, self.user)
        self._program.write_text(f"#!/bin/sh\n{self.script(tree, self.home, self._configuration)}\n", encoding="utf-8")
        self._program.chmod(0o755)
        self._configuration.write_text(self._written(), encoding="utf-8")
        self._configuration.chmod(0o644)

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs it in the foreground, looking after its queue every second; or with arguments."""
        return [str(self._program), *(arguments or ("-bdf", "-q1s"))]

    @staticmethod
    def name_owner(folder: Path, user: str) -> None:
        """Write the lists of users and groups that Exim is shown."""
        known = pwd.getpwnam(user)
        users = {user: known.pw_uid, _OWNER: known.pw_uid}
        lines = [f"{name}:x:{uid}:{known.pw_gid}::/:/bin/false" for name, uid in users.items()]
        (folder / "passwd").write_text("\n".join([*lines, ""]), encoding="utf-8")
        (folder / "group").write_text(f"{_OWNER}:x:{known.pw_gid}:\n", encoding="utf-8")

    @staticmethod
    def script(tree: PeerTree, folder: Path, configuration: Path) -> str:
        """What a shell has to do to run Exim; it starts itself anew for every delivery."""
        (names,) = tree.root.glob(_NAMES)
        run = tree.command(EXIM.program, "-C", str(configuration))
        run[1:1] = ["--preload", str(names)]
        shown = f"NSS_WRAPPER_PASSWD={folder}/passwd NSS_WRAPPER_GROUP={folder}/group"
        return f'export {shown}\nexec {" ".join(run)} "$@"'

    @property
    def _program(self) -> Path:
        return self.home / "exim"

    @property
    def _configuration(self) -> Path:
        return self.home / "exim.conf"

    def _written(self) -> str:
        user, password = self.login
        return f"""primary_hostname = relay.example
exim_path = {self._program}
spool_directory = {self.home}/spool
log_file_path = {self.home}/%slog
pid_file_path = {self.home}/exim.pid
keep_environment = NSS_WRAPPER_PASSWD:NSS_WRAPPER_GROUP
add_environment =
never_users =
local_interfaces = {" : ".join(self.hosts)}
daemon_smtp_ports = {self.port}
deliver_drop_privilege = true
tls_advertise_hosts = *
tls_certificate = {self.certificate}
tls_privatekey = {self.key}
dsn_advertise_hosts = *
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
message_size_limit = 60M
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  accept domains = {self.here} : {self.hub_domain}
  accept authenticated = *
  deny message = relay not permitted
begin routers
gone:
  driver = redirect
  domains = {self.here}
  local_parts = gone
  allow_fail
  data = :fail: no such mailbox
here:
  driver = accept
  domains = {self.here}
  transport = keep
hub:
  driver = manualroute
  domains = {self.hub_domain}
  route_list = * 127.0.0.1
  self = send
  transport = hub
begin transports
keep:
  driver = appendfile
  directory = {self.inbox}
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = {self.user}
hub:
  driver = smtp
  port = {self.hub_port or 25}
  protocol = {"lmtp" if self.lmtp else "smtp"}
  allow_localhost
  hosts_try_dane =
  tls_verify_certificates =
  tls_try_verify_hosts =
begin retry
*  *  F,1h,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""
