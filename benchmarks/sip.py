"""Clients and telephones of a whole office in one place: what a client sends and what a telephone hears has one clock.

The clients speak from the provider's address, every telephone is one port. A client calls, the telephone that rings is
picked up at once, the client hangs up after a moment. Enough SIP for that, over UDP on loopback, and no more.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

FALLBACK = "fallback"
CALL_WITHIN_S = 5.0
TALK_S = 0.1
_USER = re.compile(r"sips?:([^@>;]+)@")
_ADDRESS = re.compile(r"<([^>]+)>")


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or a response: its first line, and its headers as they came, in order."""

    first: str
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, data: bytes) -> SipMessage:
        """The message of a datagram; the body is passed over."""
        first, *lines = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(first, tuple((name.strip().lower(), value.strip()) for name, _, value in pairs))

    @property
    def status(self) -> int:
        """The status of a response, 0 of a request."""
        return int(self.first.split(" ", 2)[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method that it is or answers."""
        return self.get("cseq").rpartition(" ")[2]

    @property
    def called(self) -> str:
        """The user of the request's address."""
        return user_of(self.first)

    def get(self, name: str) -> str:
        """The first header of this name, empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def answer(self, status: str, tag: str, contact: str, body: str = "") -> bytes:
        """A response to this request. `tag` is put to the To header where it has none yet."""
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {value}" for name, value in self.headers if name == "via"]
        lines += [f"Record-Route: {value}" for name, value in self.headers if name == "record-route"]
        to = self.get("to")
        lines += [f"From: {self.get('from')}", f"To: {to if ';tag=' in to else f'{to};tag={tag}'}"]
        lines += [f"Call-ID: {self.get('call-id')}", f"CSeq: {self.get('cseq')}", f"Contact: <{contact}>"]
        return _datagram(lines, body)


def user_of(header: str) -> str:
    """The user in a header's address, empty where it has none."""
    found = _USER.search(header)
    return found.group(1) if found is not None else ""


def _datagram(lines: Iterable[str], body: str = "") -> bytes:
    kind = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body]).encode()


def _voice(host: str, port: int) -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a client calls: the exchange's address, and the number that is dialled there."""

    address: tuple[str, int]
    line: str

    @property
    def uri(self) -> str:
        """As SIP has it."""
        return f"sip:{self.line}@{self.address[0]}:{self.address[1]}"


@dataclass(slots=True)
class Heard:
    """What became of some calls: milliseconds from the client's INVITE to the telephone's; what went wrong, in words;
    and how many rang somebody other than the one who was expected.
    """

    delays_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    elsewhere: int = 0

    def add(self, other: Heard) -> None:
        """Take in another lot."""
        self.delays_ms += other.delays_ms
        self.failures += other.failures
        self.elsewhere += other.elsewhere


@dataclass(slots=True, eq=False)
class _Call:
    """One call as the client has it."""

    number: str
    expected: str
    entrance: Entrance
    branch: str
    began: float = 0.0
    rang: float | None = None
    extension: str = ""
    refused: str = ""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class _Port(asyncio.DatagramProtocol):
    """A UDP port whose datagrams go to one of the two below."""

    def __init__(self, side: _Clients | _Telephones) -> None:
        self._side = side

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._side.heard(data, addr, time.perf_counter())


class _Clients:
    """Those who call, behind the provider."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.transport: asyncio.DatagramTransport | None = None
        self.calls: dict[str, _Call] = {}
        self._numbers = itertools.count(1)

    def open(self, number: str, expected: str, entrance: Entrance) -> tuple[str, _Call]:
        """A new call, and its Call-ID."""
        name = f"{next(self._numbers)}-{self.port}"
        call = _Call(number, expected, entrance, f"z9hG4bK-{name}")
        self.calls[name] = call
        return name, call

    def invite(self, name: str, call: _Call) -> None:
        """Call; the clock of the call begins."""
        lines = self._head("INVITE", call.entrance.uri, name, call, 1, call.branch)
        data = _datagram([*lines, f"Contact: <sip:{call.number}@{self.host}:{self.port}>"], _voice(self.host, 20_000))
        call.began = time.perf_counter()
        self._send(data, call.entrance.address)

    def heard(self, data: bytes, addr: tuple[str, int], _: float) -> None:
        """A datagram of the exchange."""
        message = SipMessage.parse(data)
        if not message.status:
            if not message.first.startswith("ACK "):
                body = _voice(self.host, 20_000) if message.first.startswith("INVITE ") else ""
                self._send(message.answer("200 OK", "client", f"sip:{self.host}:{self.port}", body), addr)
            return
        name = message.get("call-id")
        call = self.calls.get(name)
        if call is None:
            return
        if message.method == "BYE":
            call.over.set()
        elif message.status >= 300:
            # the ACK of a refusal belongs to the INVITE's transaction
            self._acknowledge(name, call, message, addr, call.branch)
            call.refused = message.first
            call.answered.set()
        elif message.status >= 200:
            self._acknowledge(name, call, message, addr, f"{call.branch}-ack")
            if not call.answered.is_set():
                call.answered.set()
                remote, to = _target(message), message.get("to")
                lines = self._head("BYE", remote, name, call, 2, f"{call.branch}-bye", to)
                asyncio.get_running_loop().call_later(TALK_S, self._send, _datagram(lines), addr)

    def _acknowledge(self, name: str, call: _Call, message: SipMessage, addr: tuple[str, int], branch: str) -> None:
        remote = call.entrance.uri if message.status >= 300 else _target(message)
        self._send(_datagram(self._head("ACK", remote, name, call, 1, branch, message.get("to"))), addr)

    def _head(
        self, method: str, address: str, name: str, call: _Call, sequence: int, branch: str, to: str = ""
    ) -> list[str]:
        return [
            f"{method} {address} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch}",
            "Max-Forwards: 70",
            f"From: <sip:{call.number}@{self.host}:{self.port}>;tag=c{name}",
            f"To: {to or f'<{address}>'}",
            f"Call-ID: {name}",
            f"CSeq: {sequence} {method}",
        ]

    def _send(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.transport is not None:
            self.transport.sendto(data, addr)


class _Telephones:
    """Those who are called: every extension waits at this port, and picks up at once."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.transport: asyncio.DatagramTransport | None = None
        self.waited_for: dict[str, _Call] = {}

    def heard(self, data: bytes, addr: tuple[str, int], at: float) -> None:
        """A datagram of the exchange."""
        message = SipMessage.parse(data)
        if message.status or message.first.startswith("ACK "):
            return
        contact = f"sip:{message.called}@{self.host}:{self.port}"
        if message.first.startswith("INVITE "):
            call = self.waited_for.get(user_of(message.get("from")))
            if call is not None and call.rang is None:
                call.rang, call.extension = at, message.called
            self._send(message.answer("180 Ringing", "phone", contact), addr)
            self._send(message.answer("200 OK", "phone", contact, _voice(self.host, 20_002)), addr)
            return
        self._send(message.answer("200 OK", "phone", contact), addr)

    def _send(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.transport is not None:
            self.transport.sendto(data, addr)


def _target(message: SipMessage) -> str:
    found = _ADDRESS.search(message.get("contact"))
    return found.group(1) if found is not None else "sip:nobody@127.0.0.1"


class SipOffice:
    """Calls through an exchange, and what is heard of them."""

    def __init__(self, clients: _Clients, telephones: _Telephones) -> None:
        self._clients, self._telephones = clients, telephones

    async def call(self, entrance: Entrance, number: str, expected: str, heard: Heard) -> None:
        """One call from a client's number to its end; `expected` is the extension that should ring. Raises nothing:
        what goes wrong is heard.
        """
        name, call = self._clients.open(number, expected, entrance)
        self._telephones.waited_for[number] = call
        try:
            self._clients.invite(name, call)
            async with asyncio.timeout(CALL_WITHIN_S):
                await call.answered.wait()
                if not call.refused:
                    await call.over.wait()
        except TimeoutError:
            call.refused = "no answer in time"
        finally:
            self._telephones.waited_for.pop(number, None)
            self._clients.calls.pop(name, None)
        if call.refused or call.rang is None or call.extension == FALLBACK:
            heard.failures.append(f"{number}: {call.refused or f'rang {call.extension!r}'}")
            return
        heard.delays_ms.append((call.rang - call.began) * 1000)
        heard.elsewhere += call.extension != expected

    async def calls(self, entrance: Entrance, wanted: Iterable[tuple[str, str]], per_second: float) -> Heard:
        """Calls of (number, expected extension), so many begun each second; returns when all are over."""
        heard = Heard()
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for position, (number, expected) in enumerate(wanted):
                await asyncio.sleep(max(began + position / per_second - loop.time(), 0))
                group.create_task(self.call(entrance, number, expected, heard))
        return heard


@asynccontextmanager
async def sip_office(client: tuple[str, int], telephone: tuple[str, int]) -> AsyncIterator[SipOffice]:
    """The clients at one address, the telephones at another, both ours."""
    loop = asyncio.get_running_loop()
    clients, telephones = _Clients(*client), _Telephones(*telephone)
    clients.transport, _ = await loop.create_datagram_endpoint(lambda: _Port(clients), local_addr=client)
    telephones.transport, _ = await loop.create_datagram_endpoint(lambda: _Port(telephones), local_addr=telephone)
    try:
        yield SipOffice(clients, telephones)
    finally:
        clients.transport.close()
        telephones.transport.close()
