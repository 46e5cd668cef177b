"""One kept connection as a browser has it: each answer with its first byte's moment and all of its bytes."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

_HEAD = b"\r\n\r\n"
_PATIENCE_S = 120.0
_LARGEST_HEAD = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`first_ms`: from the end of the request to the first byte; `whole_ms`: to the last; `sent`: bytes on the wire,
    head and body, as they were packed."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    sent: int
    first_ms: float
    whole_ms: float

    @property
    def text(self) -> str:
        """The body, unpacked."""
        plain = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return plain.decode()


class Visitor:
    """Somebody with cookies of their own, over one connection; not for several tasks at once."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self._headers = dict(headers or {})
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        """Ask for a page. Raises RuntimeError for anything but 200 and a way elsewhere."""
        answer = await self._ask("GET", path, b"")
        if answer.status not in {200, 302, 303}:
            raise RuntimeError(f"{path}: {answer.status} {answer.text[:400]}")
        return answer

    async def send(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        return await self._ask("POST", path, urlencode(fields).encode())

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """A request as it is written."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: text/html,*/*;q=0.8"]
        lines += ["Accept-Encoding: gzip, deflate, br", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self._headers.items()]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if body:
            lines.append("Content-Type: application/x-www-form-urlencoded")
        return ("\r\n".join(lines)).encode() + _HEAD + body

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=_LARGEST_HEAD)
        reader, writer = self._streams
        async with asyncio.timeout(_PATIENCE_S):
            writer.write(self.request(method, path, body))
            began = time.perf_counter()
            first = await reader.readexactly(1)
            first_ms = (time.perf_counter() - began) * 1000
            head = first + await reader.readuntil(_HEAD)
            status, headers, cookies = _parsed(head)
            content = await _body(reader, headers, status)
        self.cookies.update(cookies)
        if headers.get("connection") == "close":
            self.close()
        sent, whole_ms = len(head) + len(content), (time.perf_counter() - began) * 1000
        return Answer(status, headers, cookies, content, sent, first_ms, whole_ms)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def _parsed(head: bytes) -> tuple[int, dict[str, str], dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "set-cookie":
            cookie, _, content = value.strip().partition(";")[0].partition("=")
            cookies[cookie] = content
        elif name:
            headers[name.lower()] = value.strip()
    return int(first.split()[1]), headers, cookies


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], status: int) -> bytes:
    if status in {204, 304}:
        return b""
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    pieces: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return b"".join(pieces)
