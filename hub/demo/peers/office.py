"""An office to try the hub on: an Asterisk's configuration with a provider and three telephones, and their players.

The provider speaks from 127.0.0.2, the telephones wait on ports of 127.0.0.1, every port is a free one. The hub's own
part of the configuration is not kept here: it is what `hub asterisk snippet` prints.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.demo.peers.asterisk import AsteriskTree
from hub.demo.peers.process import PeerProcess, free_port
from hub.demo.peers.sipp import SCENARIOS, SippRun, SippRunner

TEMPLATES = Path(__file__).with_name("asterisk_conf")
PROVIDER = "127.0.0.2"
EXTENSIONS = ("101", "102", "103")
_UDP = socket.SOCK_DGRAM


@dataclass(frozen=True, slots=True)
class Office:
    """Where everything of one office lies and listens. `qualify_s` is how often Asterisk asks its telephones for a sign
    of life (0: never; they count as reachable).
    """

    folder: Path
    ami_port: int
    sip_port: int
    provider_port: int
    phones: Mapping[str, int]
    name: str = "office"
    qualify_s: int = 0

    @classmethod
    def plan(cls, folder: Path, name: str = "office", qualify_s: int = 0) -> "Office":
        """An office in `folder` (a short path), on ports that are free now."""
        phones = {extension: free_port("127.0.0.1", _UDP) for extension in EXTENSIONS}
        return cls(
            folder, free_port(), free_port("127.0.0.1", _UDP), free_port(PROVIDER, _UDP), phones, name, qualify_s
        )

    @property
    def etc(self) -> Path:
        """The folder of the configuration, for AsteriskRunner."""
        return self.folder / "etc"

    @property
    def run(self) -> Path:
        """The folder that Asterisk writes to, for AsteriskRunner."""
        return self.folder / "run"

    @property
    def cdr(self) -> Path:
        """The call records."""
        return self.run / "log" / "cdr-csv" / "Master.csv"

    @property
    def recordings(self) -> Path:
        """The folder of recordings."""
        return self.run / "spool" / "monitor"

    def write(self, tree: AsteriskTree, dialplan: str, manager: str, cdr: str) -> None:
        """Write the whole configuration, with the hub's three parts in their places."""
        self.etc.mkdir(parents=True, exist_ok=True)
        self.recordings.mkdir(parents=True, exist_ok=True)
        values = {
            "RUN": self.run,
            "ETC": self.etc,
            "MODULES": tree.modules,
            "DATA": tree.data,
            "NAME": self.name,
            "AMI_PORT": self.ami_port,
            "SIP_PORT": self.sip_port,
            "PROVIDER_PORT": self.provider_port,
            "QUALIFY_S": self.qualify_s,
            **{f"PHONE_{extension}": port for extension, port in self.phones.items()},
        }
        for template in sorted(TEMPLATES.glob("*.conf")):
            text = filled(template.read_text(encoding="utf-8"), values)
            (self.etc / template.name).write_text(text, encoding="utf-8")
        for name, text in (("hub_dialplan", dialplan), ("hub_manager", manager), ("hub_cdr", cdr)):
            (self.etc / f"{name}.conf").write_text(text, encoding="utf-8")


class People:
    """Callers and telephones of an office, played by SIPp."""

    def __init__(self, office: Office, sipp: SippRunner) -> None:
        self._office = office
        self._sipp = sipp
        self._written = 0

    async def phone(
        self, extension: str, *, answer_ms: int = 300, hold_ms: int = 30_000, calls: int | None = None
    ) -> PeerProcess:
        """A telephone that is picked up `answer_ms` after it begins to ring; its owner hangs up after `hold_ms`."""
        return await self._telephone("phone", extension, calls, ANSWER_MS=answer_ms, HOLD_MS=hold_ms)

    async def accepting_phone(self, extension: str, *, key: str = "1", after_ms: int = 500) -> PeerProcess:
        """A telephone that is picked up and presses a key `after_ms` later; its owner talks on."""
        values = {"ANSWER_MS": 200, "PRESS_MS": after_ms, "KEY": key, "HOLD_MS": 30_000}
        return await self._telephone("phone_presses", extension, None, **values)

    async def silent_phone(self, extension: str) -> PeerProcess:
        """A telephone that rings and is not picked up."""
        return await self._telephone("phone", extension, None, ANSWER_MS=600_000, HOLD_MS=1000)

    async def busy_phone(self, extension: str) -> PeerProcess:
        """A telephone that says it is busy."""
        return await self._telephone("phone_busy", extension, None)

    async def unavailable_phone(self, extension: str) -> PeerProcess:
        """A telephone that can't be reached."""
        return await self._telephone("phone_unavailable", extension, None)

    async def client_phone(self, *, answer_ms: int = 300, hold_ms: int = 30_000) -> PeerProcess:
        """A client's telephone, rung through the provider."""
        return await self._far_end("phone", ANSWER_MS=answer_ms, HOLD_MS=hold_ms)

    async def client_busy(self) -> PeerProcess:
        """A client's telephone that says it is busy."""
        return await self._far_end("phone_busy")

    async def client_away(self) -> PeerProcess:
        """A client's telephone that can't be reached."""
        return await self._far_end("phone_unavailable")

    async def caller(self, number: str, line: str, *, name: str = "Client", hold_ms: int = 1000) -> PeerProcess:
        """A client who calls `line`, waits for an answer, talks for `hold_ms` and hangs up."""
        return await self._call("caller", number, line, name, HOLD_MS=hold_ms)

    async def impatient_caller(self, number: str, line: str, *, patience_ms: int = 1000) -> PeerProcess:
        """A client who gives up after `patience_ms`."""
        return await self._call("caller_abandons", number, line, PATIENCE_MS=patience_ms)

    async def patient_caller(self, number: str, line: str, *, first_ms: int, then_ms: int) -> PeerProcess:
        """A client who waits `first_ms` while one telephone rings, and `then_ms` more when others begin to ring."""
        return await self._call("caller_gives_up", number, line, FIRST_MS=first_ms, THEN_MS=then_ms)

    async def key_presser(self, number: str, line: str, *, after_ms: int = 1000, key: str = "1") -> PeerProcess:
        """A client who presses a key some time after something answers, and waits for the other side to hang up."""
        return await self._call("caller_presses", number, line, PRESS_MS=after_ms, KEY=key)

    async def _call(self, scenario: str, number: str, line: str, name: str = "Client", **values: object) -> PeerProcess:
        run = SippRun(
            self._scenario(scenario, **values),
            remote=f"127.0.0.1:{self._office.sip_port}",
            local_ip=PROVIDER,
            keys={"caller": number, "line": line, "name": name},
        )
        return await self._sipp.start(run)

    async def _telephone(self, scenario: str, extension: str, calls: int | None, **values: object) -> PeerProcess:
        arguments = ("-oocsf", str(SCENARIOS / "options.xml")) if self._office.qualify_s else ()
        run = SippRun(
            self._scenario(scenario, **values),
            local_port=self._office.phones[extension],
            calls=calls,
            arguments=arguments,
        )
        return await self._sipp.start(run)

    async def _far_end(self, scenario: str, **values: object) -> PeerProcess:
        run = SippRun(
            self._scenario(scenario, **values), local_ip=PROVIDER, local_port=self._office.provider_port, calls=None
        )
        return await self._sipp.start(run)

    def _scenario(self, name: str, **values: object) -> Path:
        self._written += 1
        self._sipp.run_dir.mkdir(parents=True, exist_ok=True)
        path = self._sipp.run_dir / f"{name}-{self._written}.xml"
        text = (SCENARIOS / f"{name}.xml").read_text(encoding="utf-8")
        path.write_text(filled(text, values), encoding="utf-8")
        return path


def filled(template: str, values: Mapping[str, object]) -> str:
    """The template with every `@NAME@` filled; what Asterisk and SIPp write as `${…}` and `[…]` is theirs."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    return template
