"""A busier office: queues, a ring group, transfers, pickup and parking, and telephones that do what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crm_core.model.call import CallSnapshot, CallTalk
from hub.demo.peers.office import PROVIDER, Office
from tests.fakes.telephone import Dialog, Telephone
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from channels.pbx.connector import PbxChannel
    from tests.integration.pbx.conftest import Exchange

CLIENT = "79161234567"
QUEUE, WIRED_QUEUE, GROUP, ONE, WIRE, PARKED = "3000", "3001", "3002", "3003", "3004", "701"

DIALPLAN = f"""
[hub-inbound](+)
exten => {QUEUE},1,Queue(sales,tT,,,300)
 same => n,Hangup()
exten => {WIRED_QUEUE},1,Queue(wired,tT,,,300)
 same => n,Hangup()
exten => {GROUP},1,Dial(PJSIP/101&PJSIP/102,300,tTkK)
 same => n,Hangup()
exten => {ONE},1,Dial(PJSIP/101,300,tTkK)
 same => n,Hangup()
exten => {WIRE},1,Dial(Local/101@office,300,tTkK)
 same => n,Hangup()

[office]
include => parkedcalls
exten => _10X,1,Dial(PJSIP/${{EXTEN}},300,tTkK)
 same => n,Hangup()
exten => _8X.,1,Dial(PJSIP/${{EXTEN}}@trunk,300)
 same => n,Hangup()
exten => *1,1,PickupChan(PJSIP/101)
 same => n,Hangup()
"""
# How long a queue rings each member.
MEMBER_S = 4
_QUEUES = """[general]
[sales]
strategy = linear
timeout = {member_s}
retry = 1
member => PJSIP/101
member => PJSIP/102
[wired]
strategy = linear
timeout = {member_s}
retry = 1
member => Local/101@office/n,0,Anna,PJSIP/101
member => Local/102@office/n,0,Boris,PJSIP/102
"""
_FEATURES = "[general]\npickupexten = *8\n"
_PARKING = "[general]\n[default]\nparkext = 700\nparkpos = 701-720\ncontext = parkedcalls\nparkingtime = 300\n"
_MODULES = ("res_parking", "app_directed_pickup", "res_pjsip_diversion")


def furnish(office: Office) -> None:
    """Write what the office has beyond the plain one, before its Asterisk starts."""
    (office.etc / "queues.conf").write_text(_QUEUES.format(member_s=MEMBER_S), encoding="utf-8")
    (office.etc / "features.conf").write_text(_FEATURES, encoding="utf-8")
    (office.etc / "res_parking.conf").write_text(_PARKING, encoding="utf-8")
    with (office.etc / "modules.conf").open("a", encoding="utf-8") as modules:
        modules.writelines(f"load = {name}.so\n" for name in _MODULES)
    pjsip = office.etc / "pjsip.conf"
    plain = pjsip.read_text(encoding="utf-8")
    more = "context = office\ncall_group = 1\npickup_group = 1\ndtmf_mode = info"
    pjsip.write_text(plain.replace("context = hub-outbound", more), encoding="utf-8")


@dataclass
class Switchboard:
    """The office, its telephones by extension, and the provider, who speaks for clients and mobiles alike."""

    exchange: Exchange
    hub: PbxChannel
    phones: dict[str, Telephone] = field(init=False)
    provider: Telephone = field(init=False)

    def __post_init__(self) -> None:
        office = self.exchange.office
        server = ("127.0.0.1", office.sip_port)
        self.phones = {extension: Telephone(extension, port, server) for extension, port in office.phones.items()}
        self.provider = Telephone(CLIENT, office.provider_port, server, PROVIDER)

    def calls(self, line: str) -> Dialog:
        """The client dials a line."""
        return self.provider.call(line)

    async def talking(self, line: str = ONE) -> tuple[Dialog, Dialog]:
        """The client and 101, once they talk: their ends of the conversation."""
        client, manager = await self.through(line)
        await self.exchange.call("answered")
        return client, manager

    async def through(self, line: str = ONE) -> tuple[Dialog, Dialog]:
        """The same, as the PBX sees it: who is not in a bridge with somebody yet can't be transferred."""
        client = self.calls(line)
        manager = await self.phones["101"].picked_up()
        await client.until_answered()
        await self.in_company("PJSIP/101")
        return client, manager

    async def ringing(self, endpoint: str) -> None:
        """Wait until the PBX knows that a telephone rings: it can't be picked up before."""

        def rings(listed: str) -> bool:
            return any(row[0].startswith(f"{endpoint}-") and row[4] == "Ringing" for row in _rows(listed))

        await self._shows("core show channels concise", rings)

    async def in_company(self, endpoint: str) -> None:
        """Wait until a channel of it is in a bridge with some other."""

        def met(listed: str) -> bool:
            rooms = [(row[0], row[-2]) for row in _rows(listed) if row[-2]]
            mine = {room for name, room in rooms if name.startswith(f"{endpoint}-")}
            return any(sum(room == each for _, room in rooms) > 1 for each in mine)

        await self._shows("core show channels concise", met)

    async def together(self, *endpoints: str) -> None:
        """Wait until one bridge holds a channel of each."""

        def met(listed: str) -> bool:
            rows = _rows(listed)
            rooms = [{row[-2] for row in rows if row[0].startswith(f"{each}-") and row[-2]} for each in endpoints]
            return bool(set.intersection(*rooms))

        await self._shows("core show channels concise", met)

    async def gone(self, endpoint: str) -> None:
        """Wait until an endpoint has no channel any more."""
        await self._shows("core show channels concise", lambda shown: f"{endpoint}-" not in shown)

    async def parked(self, count: int) -> None:
        """Wait until so many calls are parked."""
        await self._shows("parking show default", lambda shown: shown.count("PJSIP/trunk-") >= count)

    async def _shows(self, command: str, true: Callable[[str], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true(await self.exchange.pbx.rx(command)):
                pass

    async def over(self) -> CallSnapshot:
        """The call, when it is over."""
        return await self.exchange.call("finished")


def _rows(listed: str) -> list[list[str]]:
    """The channels of the console's list: name first, state fifth, bridge last but one."""
    return [line.split("!") for line in listed.splitlines() if line.count("!") > 10]


def told(talks: tuple[CallTalk, ...]) -> list[tuple[str, str]]:
    """Who talked, and how that came about."""
    return [(talk.endpoint, talk.began.value) for talk in talks]
