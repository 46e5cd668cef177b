"""Where peers come from, and what is said when they can't be had; no network and no apt are asked."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.demo.peers import apt, install
from hub.demo.peers.apt import PrivateApt
from hub.demo.peers.errors import PeerUnavailableError
from hub.demo.peers.tree import PeerTree, Recipe


def answering(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> list[list[str]]:
    """Let apt's programs answer from a table, by a word of their command line; the commands asked are recorded."""
    asked: list[list[str]] = []

    def run(command: Sequence[str], **_: object) -> str:
        asked.append(list(command))
        return next((answer for word, answer in answers.items() if word in command), "")

    monkeypatch.setattr(apt, "_run", run)
    return asked


def test_the_mirror_is_the_one_that_the_machine_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "http://mirror.test/debian-security/\nhttp://mirror.test/debian/\nhttp://other.test/debian/\n"
    answering(monkeypatch, {"indextargets": listed})
    assert apt.mirror() == "http://mirror.test/debian/"


def test_a_machine_of_another_kind_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"indextargets": "http://mirror.test/ubuntu/\n"})
    with pytest.raises(PeerUnavailableError, match="knows no Debian mirror"):
        apt.mirror()


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (FileNotFoundError("apt-get"), "no apt-get"),
        (subprocess.CalledProcessError(100, "apt-get", stderr="W: x\nE: sources are broken\n"), "sources are broken"),
    ],
)
def test_an_apt_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, failure: Exception, sentence: str) -> None:
    def run(*_: object, **__: object) -> str:
        raise failure

    monkeypatch.setattr(apt, "_run", run)
    with pytest.raises(PeerUnavailableError, match=sentence):
        apt.mirror()


def test_the_private_apt_keeps_to_its_folder_but_takes_the_machines_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answering(
        monkeypatch,
        {
            "indextargets": "http://mirror.test/debian/",
            "dump": 'Acquire::http::Proxy "http://proxy.test:3128";\nAcquire::AllowInsecureRepositories "1";\n',
        },
    )
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    PrivateApt(tmp_path / "apt", "sid", keyring).update()
    written = (tmp_path / "apt/apt.conf").read_text(encoding="utf-8")
    assert 'Acquire::http::Proxy "http://proxy.test:3128";' in written
    assert "Insecure" not in written
    assert f'Dir::State "{tmp_path}/apt";' in written
    assert (tmp_path / "apt/etc/sources.list").read_text(encoding="utf-8") == (
        f"deb [signed-by={keyring}] http://mirror.test/debian/ sid main\n"
    )


def test_without_keys_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = answering(monkeypatch, {})
    with pytest.raises(PeerUnavailableError, match="can't be verified"):
        PrivateApt(tmp_path, "sid", tmp_path / "none.gpg").update()
    assert asked == []


def test_libraries_come_along_and_other_dependencies_do_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = {
        "asterisk": "asterisk\n  Depends: adduser\n |Depends: mta\n  PreDepends: libc6\n  Depends: libxml2-16\n",
        "libxml2-16": "libxml2-16\n  Depends: libc6\n  Depends: zlib1g\n  Depends: <libvirtual>\n",
    }
    answering(monkeypatch, known)
    found = PrivateApt(tmp_path, "sid").with_libraries(["asterisk", "asterisk-modules"])
    assert found == ["asterisk", "asterisk-modules", "libc6", "libxml2-16", "zlib1g"]


def recipe(*packages: str) -> Recipe:
    """A recipe of the name `peer`."""
    return Recipe("peer", "sid", packages, "usr/bin/peer", ("-v",), "peer")


def test_a_peer_that_can_not_be_had_is_one_sentence_and_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("HUB_PEERS", str(tmp_path))
    answering(monkeypatch, {"indextargets": ""})
    assert install.main() == install.UNAVAILABLE
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "setup: this machine's apt knows no Debian mirror, and Asterisk comes as a Debian package"


def test_a_browser_that_can_not_be_had_says_why_and_not_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: Recipe) -> PeerTree:
        raise PeerUnavailableError("libpulse is not there")

    def nowhere() -> Path:
        raise PeerUnavailableError("there is no browser")

    monkeypatch.setattr(install, "install", refused)
    monkeypatch.setattr(install, "browser", nowhere)
    with pytest.raises(PeerUnavailableError, match="libpulse is not there"):
        install.install_browser()


def test_libraries_that_have_a_folder_of_their_own_are_found(tmp_path: Path) -> None:
    for folder in ("usr/lib/x86_64-linux-gnu/pulseaudio", "lib/x86_64-linux-gnu"):
        (tmp_path / folder).mkdir(parents=True)
    assert set(PeerTree(tmp_path).libraries.split(":")) == {
        str(tmp_path / "usr/lib/x86_64-linux-gnu"),
        str(tmp_path / "usr/lib/x86_64-linux-gnu/pulseaudio"),
        str(tmp_path / "lib/x86_64-linux-gnu"),
    }


def test_what_is_there_is_taken_as_it_is_until_the_recipe_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HUB_PEERS", str(tmp_path))
    asked = answering(monkeypatch, {})
    home = tmp_path / "peer"
    home.mkdir()
    (home / "recipe.json").write_text(recipe("a").digest, encoding="utf-8")
    assert install.install(recipe("a")) == PeerTree(home / "tree")
    assert asked == []
    with pytest.raises(PeerUnavailableError, match="make setup"):
        recipe("a", "b").locate()
