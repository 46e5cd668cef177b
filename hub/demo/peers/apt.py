"""A private apt beside the system's: the same mirror and keys, a state of its own, and no need of root.

The machine's own configuration says which mirror to ask and through which proxy; signatures are always checked.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.demo.peers.errors import PeerUnavailableError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TIMEOUT_S = 300.0

# Settings of the machine without which its mirror can't be reached; the rest of its configuration stays out.
_REACHING = re.compile(r"^Acquire::(http|https|ftp|Retries|ForceIPv|Queue)", re.IGNORECASE)
_LIBRARY = re.compile(r"^(lib|zlib|gcc-\d+-base$)")


def mirror() -> str:
    """The Debian mirror that this machine's own apt asks. Raises PeerUnavailableError where there is none."""
    try:
        # Without release info it also names sources whose lists were never fetched, as on a new machine.
        listed = _run(
            ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)", "Created-By: Packages"]
        )
    except FileNotFoundError as err:
        raise PeerUnavailableError("this machine has no apt-get, and Asterisk comes as a Debian package") from err
    except subprocess.CalledProcessError as err:
        raise PeerUnavailableError(f"apt-get can't list its sources: {_reason(err)}") from err
    for uri in listed.split():
        if re.match(r"^(https?|ftp|file|copy):/.*/debian/?$", uri):
            return uri
    raise PeerUnavailableError("this machine's apt knows no Debian mirror, and Asterisk comes as a Debian package")


@dataclass(frozen=True, slots=True)
class PrivateApt:
    """An apt of our own in `folder`, for one `suite` (`sid`, `bookworm`) of the machine's Debian mirror."""

    folder: Path
    suite: str
    keyring: Path = field(default=KEYRING)

    def update(self) -> None:
        """Fetch and verify the suite's package list. Raises PeerUnavailableError."""
        if not self.keyring.is_file():
            raise PeerUnavailableError(f"there is no {self.keyring}, without which packages can't be verified")
        for name in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        source = f"deb [signed-by={self.keyring}] {mirror()} {self.suite} main\n"
        (self.folder / "etc/sources.list").write_text(source, encoding="utf-8")
        (self.folder / "apt.conf").write_text(self._configuration(), encoding="utf-8")
        self._apt("apt-get", "update", "-qq", "--error-on=any")

    def with_libraries(self, packages: Sequence[str]) -> list[str]:
        """`packages` and every library that the first of them, or a library named among them, needs to run.

        Programs and data that a package merely depends on to be installed properly are left out.
        """
        wanted = dict.fromkeys(packages)
        pending = [packages[0], *filter(_LIBRARY.match, packages)]
        while pending:
            needed = self._depends(pending)
            pending = [name for name in needed if _LIBRARY.match(name) and name not in wanted]
            wanted.update(dict.fromkeys(pending))
        return list(wanted)

    def download(self, packages: Sequence[str]) -> dict[Path, str]:
        """Fetch and verify packages: their files, and of each the line `name version sha256` that says what was got."""
        archives = self.folder / "cache/archives"
        self._apt("apt-get", "download", "-qq", *packages, cwd=archives)
        got: dict[Path, str] = {}
        for stanza in self._apt("apt-cache", "show", "--no-all-versions", *packages).split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version|Architecture|SHA256): (.+)$", stanza, re.MULTILINE))
            if fields:
                version = fields["Version"].replace(":", "%3a")
                file = archives / f"{fields['Package']}_{version}_{fields['Architecture']}.deb"
                got[file] = f"{fields['Package']} {fields['Version']} {fields['SHA256']}"
        return got

    def _depends(self, packages: Iterable[str]) -> list[str]:
        text = self._apt("apt-cache", "depends", "--important", *packages)
        return re.findall(r"^[ |]*(?:Pre)?Depends: ([^<\s]+)$", text, re.MULTILINE)

    def _configuration(self) -> str:
        machine = [line for line in _run(["apt-config", "dump"]).splitlines() if _REACHING.match(line)]
        own = {
            "Dir::Etc": f"{self.folder}/etc",
            "Dir::Etc::sourcelist": f"{self.folder}/etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::State": str(self.folder),
            "Dir::State::lists": f"{self.folder}/lists",
            "Dir::State::status": f"{self.folder}/status",
            "Dir::Cache": f"{self.folder}/cache",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            # A mirror kept as it was on some day says so by a Release past its date; the signature still counts.
            "Acquire::Check-Valid-Until": "false",
        }
        return "\n".join([*machine, *(f'{key} "{value}";' for key, value in own.items()), ""])

    def _apt(self, *command: str, cwd: Path | None = None) -> str:
        try:
            return _run(command, cwd=cwd, configuration=self.folder / "apt.conf")
        except subprocess.CalledProcessError as err:
            sentence = f"Debian's {self.suite} can't be fetched ({' '.join(command[:2])}): {_reason(err)}"
            raise PeerUnavailableError(sentence) from err
        except subprocess.TimeoutExpired as err:
            raise PeerUnavailableError(f"Debian's {self.suite} did not come within {TIMEOUT_S:.0f} s") from err


def _run(command: Sequence[str], *, cwd: Path | None = None, configuration: Path | None = None) -> str:
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    if configuration is not None:
        environment["APT_CONFIG"] = str(configuration)
    done = subprocess.run(  # noqa: S603 - the programs are apt's own and every argument is ours
        command, cwd=cwd, env=environment, check=True, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    return done.stdout


def _reason(err: subprocess.CalledProcessError) -> str:
    lines = [line.strip() for line in str(err.stderr or "").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    # apt's first error names the cause, its last one only that there was one.
    return next(iter(errors or lines), f"exit code {err.returncode}")
