"""A SIP telephone on a loopback port whose owner is the test: it answers, holds, transfers, picks up and is picked up.

It speaks no media. What it sends is sent once: on a loopback nothing gets lost.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from tests.patience import PATIENCE_S

_SDP = (
    "v=0\r\no=- {port} {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na={mode}\r\n"
)


@dataclass(frozen=True, slots=True)
class _Message:
    """A SIP message: the first line's words, headers by their lower-case name, each a list."""

    first: tuple[str, str, str]
    headers: dict[str, list[str]]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The message of a packet."""
        head = data.decode("utf-8", "replace").partition("\r\n\r\n")[0].split("\r\n")
        one, two, three = (*head[0].split(" ", 2), "", "")[:3]
        headers: dict[str, list[str]] = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        return cls((one, two, three), headers)

    def get(self, name: str) -> str:
        """A header's first value."""
        return self.headers.get(name, [""])[0]

    @property
    def status(self) -> int:
        """The status of an answer, 0 for a request."""
        return int(self.first[1]) if self.first[0] == "SIP/2.0" else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request that is answered."""
        return self.get("cseq").partition(" ")[2]

    @property
    def sequence(self) -> int:
        """The number in CSeq."""
        return int(self.get("cseq").partition(" ")[0])


def _tag(value: str) -> str:
    return value.partition(";tag=")[2].partition(";")[0]


@dataclass(slots=True)
class Dialog:
    """One conversation of a telephone. `ended` and `answered` can be waited on."""

    phone: Telephone
    call_id: str
    local: str
    remote: str
    target: str
    invite: _Message | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    sequence: int = 100
    version: int = 1
    waiting: dict[int, asyncio.Future[_Message]] = field(default_factory=dict)

    def answer(self) -> None:
        """Pick up."""
        self._reply(200, "OK", sdp="sendrecv")
        self.answered.set()

    def refuse(self, status: int = 486, reason: str = "Busy Here") -> None:
        """Decline, or say busy."""
        self._reply(status, reason)

    def forward(self, number: str) -> None:
        """Send the caller elsewhere (302)."""
        uri = f"sip:{number}@127.0.0.1:{self.phone.server[1]}"
        self._reply(
            302, "Moved Temporarily", f"Contact: <{uri}>\r\nDiversion: <sip:{self.phone.extension}@127.0.0.1>\r\n"
        )

    async def hold(self, *, on: bool = True) -> None:
        """Put the other side on hold, or take them back."""
        answer = await self._ask("INVITE", sdp="sendonly" if on else "sendrecv")
        assert answer.status == 200, answer.first

    async def refer(self, number: str, replaces: Dialog | None = None) -> None:
        """Transfer the other side to a number; with `replaces`, to whoever this telephone talks with there."""
        to = f"sip:{number}@127.0.0.1:{self.phone.server[1]}"
        if replaces is not None:
            tags = f"{replaces.call_id};to-tag={_tag(replaces.remote)};from-tag={_tag(replaces.local)}"
            to += f"?Replaces={quote(tags, safe='')}"
        answer = await self._ask(
            "REFER", f"Refer-To: <{to}>\r\nReferred-By: <sip:{self.phone.extension}@127.0.0.1>\r\n"
        )
        assert answer.status == 202, answer.first

    async def press(self, keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            answer = await self._ask(
                "INFO", "Content-Type: application/dtmf-relay\r\n", body=f"Signal={key}\r\nDuration=100\r\n"
            )
            assert answer.status == 200, answer.first

    async def hang_up(self) -> None:
        """End the conversation; one that this telephone began can be ended when it has begun."""
        if self.invite is None:
            await self.until_answered()
        if not self.ended.is_set():
            self.ended.set()
            await self._ask("BYE")

    async def until_ended(self) -> None:
        """Wait until the other side has hung up."""
        async with asyncio.timeout(PATIENCE_S):
            await self.ended.wait()

    async def until_answered(self) -> None:
        """Wait until the other side has picked up."""
        async with asyncio.timeout(PATIENCE_S):
            await self.answered.wait()

    def _reply(self, status: int, reason: str, more: str = "", sdp: str | None = None) -> None:
        assert self.invite is not None
        self.phone.reply(self.invite, status, reason, more, sdp=sdp, to=self.local, version=self.version)

    async def _ask(self, method: str, more: str = "", *, sdp: str | None = None, body: str = "") -> _Message:
        self.sequence += 1
        self.version += 1
        sequence = self.sequence
        future = self.waiting[sequence] = asyncio.get_running_loop().create_future()
        self.send(method, sequence, more, sdp=sdp, body=body)
        async with asyncio.timeout(PATIENCE_S):
            answer: _Message = await future
        if method == "INVITE":
            self.send("ACK", sequence)
        return answer

    def send(self, method: str, sequence: int, more: str = "", *, sdp: str | None = None, body: str = "") -> None:
        """Send a request in this dialog."""
        self.phone.request(
            method, self.target, self.local, self.remote, self.call_id, sequence, more, sdp=sdp, body=body,
            version=self.version,
        )  # fmt: skip


class Telephone(asyncio.DatagramProtocol):
    """`extension` at `port` of 127.0.0.1, of the PBX at `server`. As a context manager it is there while inside."""

    def __init__(self, extension: str, port: int, server: tuple[str, int], host: str = "127.0.0.1") -> None:
        self.extension, self.port, self.server, self.host = extension, port, server, host
        self.dialogs: dict[str, Dialog] = {}
        self._rung: asyncio.Queue[Dialog] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None
        self._branches = itertools.count(1)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        local = (self.host, self.port)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=local)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()
        await asyncio.sleep(0)

    async def rung(self) -> Dialog:
        """Wait until it rings."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._rung.get()

    async def picked_up(self) -> Dialog:
        """Wait until it rings, and pick up."""
        dialog = await self.rung()
        dialog.answer()
        return dialog

    def call(self, number: str) -> Dialog:
        """Dial."""
        call_id, tag = secrets.token_hex(8), secrets.token_hex(4)
        target = f"sip:{number}@{self.server[0]}:{self.server[1]}"
        dialog = Dialog(self, call_id, f"<sip:{self.extension}@{self.host}>;tag={tag}", f"<{target}>", target)
        self.dialogs[call_id] = dialog
        dialog.send("INVITE", dialog.sequence, sdp="sendrecv")
        return dialog

    # ------------------------------------------------------------ the wire

    def datagram_received(self, data: bytes, _: object) -> None:
        """A packet came."""
        message = _Message.parse(data)
        dialog = self.dialogs.get(message.get("call-id"))
        if message.status:
            if dialog is not None:
                self._answered(dialog, message)
        elif message.method == "INVITE" and dialog is None:
            self._invited(message)
        elif message.method != "ACK":
            self._asked(dialog, message)

    def _invited(self, message: _Message) -> None:
        call_id, tag = message.get("call-id"), secrets.token_hex(4)
        target = message.get("contact").partition("<")[2].partition(">")[0]
        dialog = Dialog(self, call_id, f"{message.get('to')};tag={tag}", message.get("from"), target, message)
        self.dialogs[call_id] = dialog
        self.reply(message, 180, "Ringing", to=dialog.local)
        self._rung.put_nowait(dialog)

    def _asked(self, dialog: Dialog | None, message: _Message) -> None:
        method = message.method
        sdp = "sendrecv" if method in {"INVITE", "UPDATE"} else None
        known = dialog is not None or method == "OPTIONS"
        self.reply(message, 200 if known else 481, "OK" if known else "No", sdp=sdp,
                   to=dialog.local if dialog is not None else "")  # fmt: skip
        if dialog is None:
            return
        if method == "CANCEL":
            dialog.refuse(487, "Request Terminated")
        if method in {"CANCEL", "BYE"}:
            dialog.ended.set()

    def _answered(self, dialog: Dialog, message: _Message) -> None:
        if message.status < 200:
            return
        waiting = dialog.waiting.pop(message.sequence, None)
        if waiting is not None:
            waiting.set_result(message)
            return
        if message.method != "INVITE":
            return
        dialog.status, dialog.remote = message.status, message.get("to")
        dialog.send("ACK", message.sequence)
        (dialog.answered if message.status < 300 else dialog.ended).set()

    def reply(
        self, to_message: _Message, status: int, reason: str, more: str = "", *, sdp: str | None = None, to: str = "",
        version: int = 1,
    ) -> None:  # fmt: skip
        """Answer a request."""
        vias = "".join(f"Via: {via}\r\n" for via in to_message.headers.get("via", ()))
        lines = (
            f"SIP/2.0 {status} {reason}\r\n{vias}From: {to_message.get('from')}\r\nTo: {to or to_message.get('to')}\r\n"
            f"Call-ID: {to_message.get('call-id')}\r\nCSeq: {to_message.get('cseq')}\r\n"
        )
        contact = "" if "Contact:" in more else f"Contact: <sip:{self.extension}@{self.host}:{self.port}>\r\n"
        self._send(lines + contact + more, sdp, version=version)

    def request(
        self, method: str, target: str, local: str, remote: str, call_id: str, sequence: int, more: str = "", *,
        sdp: str | None = None, body: str = "", version: int = 1,
    ) -> None:  # fmt: skip
        """Send a request."""
        branch = f"z9hG4bK{self.extension}{secrets.token_hex(3)}{next(self._branches)}"
        lines = (
            f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{self.port};branch={branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: {local}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {sequence} {method}\r\nContact: <sip:{self.extension}@{self.host}:{self.port}>\r\n"
        )
        self._send(lines + more, sdp, body, version)

    def _send(self, head: str, sdp: str | None, body: str = "", version: int = 1) -> None:
        if sdp is not None:
            head += "Content-Type: application/sdp\r\n"
            body = _SDP.format(port=self.port + 20_000 if self.port < 40_000 else self.port - 20_000, mode=sdp,
                               version=version)  # fmt: skip
        packet = f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()
        assert self._transport is not None
        self._transport.sendto(packet, self.server)
