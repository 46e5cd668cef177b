"""The telephones of the demonstration: a real Asterisk with SIPp's callers where it is to be had, else a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from channels.pbx.snippet import Part, snippet
from hub.demo.office import LINE, RING_S, Ports
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree, asterisk_tree
from hub.demo.peers.errors import PeerUnavailableError
from hub.demo.peers.office import Office, People, filled
from hub.demo.peers.process import PeerProcess
from hub.demo.peers.scripted_pbx import Call, ScriptedPbx
from hub.demo.peers.sipp import SCENARIOS, SippRun, SippRunner, sipp_tree
from hub.demo.peers.tree import PeerTree
from hub.settings import Settings

CALL_ENDS_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A client who rings: talks for `talk_s`; gives up after `patience_s` without an answer, if that is set."""

    number: str
    name: str
    talk_s: float = 1.5
    patience_s: float | None = None


class Telephones(Protocol):
    """What the story does with telephones."""

    @property
    def what(self) -> str:
        """What is behind it, for people."""

    async def start(self) -> None:
        """Switch the exchange on."""

    async def stop(self) -> None:
        """Switch everything off. Idempotent."""

    async def pick_up(self, after_s: Mapping[str, float | None]) -> None:
        """From now on the owners of these extensions pick up after so many seconds (None: let it ring)."""

    async def call(self, caller: Caller) -> None:
        """A client calls; returns when the call is over."""

    async def call_client(self, extension: str, number: str, talk_s: float) -> None:
        """Somebody of the office calls a client, who picks up; returns when the call is over."""


class AsteriskTelephones:
    """A real Asterisk; the callers and the telephones are SIPp's, everything speaks SIP on loopback."""

    def __init__(self, folder: Path, trees: tuple[AsteriskTree, PeerTree]) -> None:
        self.office = Office.plan(folder)
        self._tree, sipp = trees
        self._sipp = SippRunner(sipp, folder / "sipp")
        self._people = People(self.office, self._sipp)
        self._asterisk = AsteriskRunner(self._tree, self.office.run, self.office.etc)
        self._phones: dict[str, PeerProcess] = {}
        self.what = "Asterisk 22"

    def configure(self, settings: Settings) -> None:
        """Write Asterisk's configuration with what `hub asterisk snippet` prints."""
        from hub.connectors import pbx_config  # knows every connector, which takes a while to read

        config = pbx_config(settings.pbx[0], settings)
        dialplan, manager, cdr = (snippet(config, part) for part in (Part.DIALPLAN, Part.MANAGER, Part.CDR))
        self.office.write(self._tree, dialplan, manager, cdr)

    async def start(self) -> None:
        """Boot; raises PeerError."""
        await self._asterisk.start()
        self.what = (
            (await self._asterisk.rx("core show version")).partition(" built")[0].partition("+")[0].partition("~")[0]
        )

    async def stop(self) -> None:
        """Stop the callers, the telephones and Asterisk."""
        await self._sipp.stop()
        await self._asterisk.stop()

    async def pick_up(self, after_s: Mapping[str, float | None]) -> None:
        """See `Telephones`."""
        for extension, after in after_s.items():
            if (phone := self._phones.pop(extension, None)) is not None:
                await phone.kill()
            if after is None:
                self._phones[extension] = await self._people.silent_phone(extension)
            else:
                self._phones[extension] = await self._people.phone(extension, answer_ms=int(after * 1000))

    async def call(self, caller: Caller) -> None:
        """See `Telephones`."""
        if caller.patience_s is None:
            talk_ms = int(caller.talk_s * 1000)
            process = await self._people.caller(caller.number, LINE, name=caller.name, hold_ms=talk_ms)
        else:
            patience_ms = int(caller.patience_s * 1000)
            then_ms = max(patience_ms - RING_S * 1000, 1000)
            process = await self._people.patient_caller(caller.number, LINE, first_ms=patience_ms, then_ms=then_ms)
        await process.wait(CALL_ENDS_WITHIN_S)

    async def call_client(self, extension: str, number: str, talk_s: float) -> None:
        """See `Telephones`."""
        client = await self._people.client_phone(answer_ms=800)
        scenario = self._sipp.run_dir / "calls-back.xml"
        text = (SCENARIOS / "caller.xml").read_text(encoding="utf-8")
        scenario.write_text(filled(text, {"HOLD_MS": int(talk_s * 1000)}), encoding="utf-8")
        run = SippRun(
            scenario,
            remote=f"127.0.0.1:{self.office.sip_port}",
            keys={"caller": extension, "line": number, "name": extension},
        )
        try:
            await (await self._sipp.start(run)).wait(CALL_ENDS_WITHIN_S)
        finally:
            await client.kill()


class ScriptedTelephones:
    """No Asterisk, but the same protocols: questions over FastAGI, events over AMI."""

    def __init__(self, ports: Ports, secret: str) -> None:
        self._pbx = ScriptedPbx(secret, ("127.0.0.1", ports.agi), ports.ami)
        self.what = "сценарий вместо Asterisk"

    async def start(self) -> None:
        """Listen for the hub."""
        await self._pbx.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._pbx.stop()

    async def pick_up(self, after_s: Mapping[str, float | None]) -> None:
        """See `Telephones`."""
        self._pbx.phones = {**self._pbx.phones, **after_s}

    async def call(self, caller: Caller) -> None:
        """See `Telephones`."""
        patience = caller.patience_s if caller.patience_s is not None else CALL_ENDS_WITHIN_S
        call = Call(caller.number, LINE, caller.name, caller.talk_s, patience)
        async with asyncio.timeout(CALL_ENDS_WITHIN_S):
            await self._pbx.call(call)

    async def call_client(self, extension: str, number: str, talk_s: float) -> None:
        """See `Telephones`."""
        await self._pbx.call_client(extension, number, talk_s)


def real_trees() -> tuple[AsteriskTree, PeerTree] | str:
    """The unpacked Asterisk and SIPp, or in words why they are not to be had."""
    try:
        return asterisk_tree(), sipp_tree()
    except PeerUnavailableError as err:
        return str(err)
