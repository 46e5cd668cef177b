"""What a PBX account needs to know, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from channels.pbx.ami import AmiAddress, LinkTiming
from channels.pbx.call_facts import PbxProfile


@dataclass(frozen=True, slots=True)
class PbxConfig:
    """One Asterisk.

    `dial` says how an extension without a technology is rung and holds `{extension}`; `trunk` how a client is dialled
    and holds `{number}` (None: the hub dials nobody). `recordings` and `cdr` are paths of this machine, None where
    they can't be read from here; `record` whether talks are recorded where a line does not say, `record_lines` which
    lines (by number) do say, and what. `cdr_sql` is the
    address of a database in whose table `cdr_table` call records lie. `fallback` is the dial string of the printed
    dialplan for when the hub does not answer. `deadline_s` bounds a decision, `ring_s` is how long the fallback rings.
    `agi_second` (`host` or `host:port`) is another hub that Asterisk asks when the first does not answer; `hubs`, where
    not empty, are all the hubs as Asterisk reaches them (`host`, `host:port`, `hagi://name`), in place of both.
    """

    name: str
    ami: AmiAddress
    agi_host: str = "127.0.0.1"
    agi_port: int = 4573
    agi_second: str | None = None
    hubs: tuple[str, ...] = ()
    dial: str = "PJSIP/{extension}"
    trunk: str | None = "PJSIP/{number}@trunk"
    recordings: Path | None = None
    record: bool = True
    record_lines: tuple[tuple[str, bool], ...] = ()
    cdr: Path | None = None
    cdr_sql: str | None = field(default=None, repr=False)
    cdr_table: str = "cdr"
    fallback: str | None = None
    deadline_s: float = 0.3
    ring_s: int = 20
    timing: LinkTiming = field(default_factory=LinkTiming)

    def endpoint(self, extension: str) -> str:
        """How an extension is dialled: `101` becomes `PJSIP/101`, what names its technology stays."""
        return extension if "/" in extension else self.dial.replace("{extension}", extension)

    @property
    def profile(self) -> PbxProfile:
        """How calls of this PBX are read."""
        return PbxProfile(trunks=trunk_endpoints(self.trunk))


def trunk_endpoints(trunk: str | None) -> frozenset[str]:
    """The endpoints behind which clients are: `PJSIP/t` of `PJSIP/{number}@t` and of `PJSIP/t/sip:{number}@host`.

    A trunk that is dialled through the dialplan (`Local/{number}@from-internal`) names none: there the contexts decide.
    """
    if trunk is None:
        return frozenset()
    technology, _, rest = trunk.partition("/")
    if technology == "Local" or not rest:
        return frozenset()
    head = rest.partition("/")[0]
    name = head.partition("@")[2] if "@" in head else head
    return frozenset({f"{technology}/{name}"}) if name and "{" not in name else frozenset()
