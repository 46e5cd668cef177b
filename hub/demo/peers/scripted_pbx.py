"""A telephone exchange by script, for machines where no Asterisk can be had.

It speaks Asterisk's own protocols over real sockets: it asks the hub over FastAGI who takes a call, does what the
answer says, and tells over AMI what happened. Voices, codecs and dialplans it has none.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
_ANSWER_S = 30.0
_MOST_ATTEMPTS = 10
_UP, _RINGING, _DOWN = "6", "5", "0"
_NO_ANSWER, _NORMAL, _GAVE_UP = 19, 16, 127
_CAUSES = {_NO_ANSWER: "User alerting, no answer", _NORMAL: "Normal Clearing", _GAVE_UP: "Interworking, unspecified"}


@dataclass(frozen=True, slots=True)
class Channel:
    """One end of a call. `linkedid` is the call's id, that of its first channel."""

    name: str
    uniqueid: str
    linkedid: str
    context: str
    exten: str
    number: str
    caller: str = ""

    def fields(self, state: str, prefix: str = "") -> dict[str, str]:
        """The channel as AMI events describe it."""
        return {
            f"{prefix}Channel": self.name,
            f"{prefix}ChannelState": state,
            f"{prefix}CallerIDNum": self.number or "<unknown>",
            f"{prefix}CallerIDName": self.caller or "<unknown>",
            f"{prefix}Context": self.context,
            f"{prefix}Exten": self.exten,
            f"{prefix}Uniqueid": self.uniqueid,
            f"{prefix}Linkedid": self.linkedid,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """A client who calls: talks for `talk_s`, gives up after `patience_s` of waiting."""

    number: str
    line: str
    name: str = ""
    talk_s: float = 2.0
    patience_s: float = 60.0


class ScriptedPbx:
    """The exchange. `phones` says after how many seconds each extension is picked up (None: never). `placed` are the
    calls that the hub wanted placed, as it asked for them; nothing rings for them.

    The hub logs in with any user and `secret`; questions go to `agi`, the hub's FastAGI address. `now` is the
    exchange's clock (seconds since 1970), `passes` lets so many seconds go by.
    """

    def __init__(
        self,
        secret: str,
        agi: tuple[str, int],
        port: int = 0,
        name: str = "office",
        *,
        now: Callable[[], float] = time.time,
        passes: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._secret = secret
        self._now = now
        self._passes = passes
        self._agi = agi
        self._name = name
        self._port = port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()
        self._ids = itertools.count(1)
        self.phones: Mapping[str, float | None] = {}
        self.client_picks_up_s = 1.0
        self.placed: list[Mapping[str, str]] = []

    @property
    def port(self) -> int:
        """Where AMI listens."""
        return self._port

    async def start(self) -> None:
        """Listen for the hub."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close every link. Idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for link in tuple(self._links):
            link.close()
        await server.wait_closed()

    async def call(self, call: Call) -> None:
        """Play a client's call to its end."""
        client = self._channel("PJSIP/trunk", "hub-inbound", call.line, call.number, call.name)
        self._tell("Newchannel", client.fields("4"))
        began = self._now()
        for attempt in range(_MOST_ATTEMPTS):
            answer = await self._ask(client, call, attempt)
            if answer.get("HUB_ACTION") != "dial":
                self._hang_up(client, _NO_ANSWER)
                return
            left = call.patience_s - (self._now() - began)
            ring_s = float(answer.get("HUB_RING_S") or "20")
            leg = await self._ring(client, answer["HUB_DIAL"].split("&"), min(ring_s, left))
            if leg is not None:
                await self._talk(client, leg, call.talk_s)
                return
            if left <= ring_s:
                self._hang_up(client, _GAVE_UP)
                return

    async def call_client(self, extension: str, number: str, talk_s: float = 2.0) -> None:
        """Play a call that somebody of the office makes from their telephone."""
        phone = self._channel(f"PJSIP/{extension}", "hub-outbound", number, extension, extension)
        client = self._channel("PJSIP/trunk", "hub-outbound", number, number, linkedid=phone.linkedid)
        self._tell("Newchannel", phone.fields("4"))
        self._tell("Newchannel", client.fields(_DOWN))
        dial = {"DialString": f"{number}@trunk"}
        self._tell("DialBegin", {**phone.fields("4"), **client.fields(_DOWN, "Dest"), **dial})
        await self._passes(self.client_picks_up_s)
        self._tell("Newstate", client.fields(_UP))
        self._tell("DialEnd", {**phone.fields("4"), **client.fields(_UP, "Dest"), "DialStatus": "ANSWER"})
        await self._talk(phone, client, talk_s)

    # ------------------------------------------------------------ a call

    async def _ring(self, client: Channel, endpoints: list[str], ring_s: float) -> Channel | None:
        legs = [
            self._channel(endpoint, "hub-outbound", client.exten, endpoint.partition("/")[2], linkedid=client.linkedid)
            for endpoint in endpoints
        ]
        for leg in legs:
            self._tell("Newchannel", leg.fields(_DOWN))
            dialled = {"DialString": leg.name.partition("/")[2].rpartition("-")[0]}
            self._tell("DialBegin", {**client.fields("4"), **leg.fields(_RINGING, "Dest"), **dialled})
        quick, winner = min(((self._picked_up(leg), leg) for leg in legs), key=lambda each: each[0])
        await self._passes(max(min(quick, ring_s), 0))
        taken = winner if quick <= ring_s else None
        for leg in legs:
            if leg is not taken:
                status = "NOANSWER" if taken is None else "CANCEL"
                self._tell("DialEnd", {**client.fields("4"), **leg.fields(_DOWN, "Dest"), "DialStatus": status})
                self._hang_up(leg, _NO_ANSWER)
        if taken is not None:
            self._tell("Newstate", taken.fields(_UP))
            self._tell("DialEnd", {**client.fields("4"), **taken.fields(_UP, "Dest"), "DialStatus": "ANSWER"})
            self._tell("Newstate", client.fields(_UP))
        return taken

    async def _talk(self, first: Channel, second: Channel, talk_s: float) -> None:
        bridge = {"BridgeUniqueid": f"bridge-{next(self._ids)}"}
        for channel in (second, first):
            self._tell("BridgeEnter", {**bridge, **channel.fields(_UP)})
        await self._passes(talk_s)
        self._tell("HangupRequest", first.fields(_UP))
        for channel in (second, first):
            self._tell("BridgeLeave", {**bridge, **channel.fields(_UP)})
            self._hang_up(channel, _NORMAL)

    def _hang_up(self, channel: Channel, cause: int) -> None:
        self._tell("Hangup", {**channel.fields(_UP), "Cause": str(cause), "Cause-txt": _CAUSES[cause]})

    def _picked_up(self, leg: Channel) -> float:
        after = self.phones.get(leg.number)
        return float("inf") if after is None else after

    def _channel(
        self, endpoint: str, context: str, exten: str, number: str, caller: str = "", *, linkedid: str = ""
    ) -> Channel:
        count = next(self._ids)
        uniqueid = f"{self._name}-{int(self._now())}.{count}"
        return Channel(f"{endpoint}-{count:08x}", uniqueid, linkedid or uniqueid, context, exten, number, caller)

    # ------------------------------------------------------------ FastAGI

    async def _ask(self, client: Channel, call: Call, attempt: int) -> dict[str, str]:
        """The channel variables that the hub sets; none where it does not answer in time."""
        variables: dict[str, str] = {}
        try:
            async with asyncio.timeout(_ANSWER_S):
                reader, writer = await asyncio.open_connection(*self._agi)
                try:
                    writer.write(self._question(client, call, attempt))
                    while line := await reader.readline():
                        command = line.decode().strip().split(" ", 3)
                        if command[:2] == ["SET", "VARIABLE"]:
                            variables[command[2]] = command[3].strip('"')
                        writer.write(b"200 result=1\n")
                        await writer.drain()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return variables
        return variables

    def _question(self, client: Channel, call: Call, attempt: int) -> bytes:
        host, port = self._agi
        fields = {
            "network": "yes",
            "network_script": f"route/{self._name}",
            "request": f"agi://{host}:{port}/route/{self._name}",
            "channel": client.name,
            "uniqueid": client.uniqueid,
            "callerid": call.number,
            "calleridname": call.name,
            "dnid": call.line,
            "context": client.context,
            "extension": call.line,
            "priority": "7",
            "arg_1": str(attempt),
        }
        return "".join(f"agi_{name}: {value}\n" for name, value in fields.items()).encode() + b"\n"

    # ------------------------------------------------------------ AMI

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        try:
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
                fields = {key: value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
                self._act(fields, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # the hub went away; it comes back by itself
        finally:
            self._links.discard(writer)
            writer.close()

    def _act(self, action: Mapping[str, str], writer: asyncio.StreamWriter) -> None:
        def respond(response: str, message: str) -> None:
            writer.write(_block({"Response": response, "ActionID": action.get("ActionID", ""), "Message": message}))

        match action.get("Action", "").lower():
            case "login" if action.get("Secret") != self._secret:
                respond("Error", "Authentication failed")
            case "login":
                respond("Success", "Authentication accepted")
                writer.write(_block({"Event": "FullyBooted", "Status": "Fully Booted"}))
                self._links.add(writer)
            case "ping":
                respond("Success", "Pong")
            case "coreshowchannels":
                respond("Success", "Channels will follow")
                complete = {"EventList": "Complete", "ListItems": "0", "ActionID": action.get("ActionID", "")}
                writer.write(_block({"Event": "CoreShowChannelsComplete", **complete}))
            case "devicestatelist":
                respond("Success", "Device States will follow")
                for extension in self.phones:
                    state = {"Device": f"PJSIP/{extension}", "State": "NOT_INUSE"}
                    writer.write(_block({"Event": "DeviceStateChange", **state}))
            case "originate":
                self.placed.append(action)
                respond("Success", "Originate successfully queued")
            case other:
                respond("Error", f"Invalid/unknown command: {other}")

    def _tell(self, event: str, fields: Mapping[str, str]) -> None:
        block = _block({"Event": event, "Privilege": "call,all", "Timestamp": f"{self._now():.6f}", **fields})
        for link in self._links:
            link.write(block)


def _block(fields: Mapping[str, str]) -> bytes:
    return ("".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode()
