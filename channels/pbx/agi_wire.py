"""The bytes of FastAGI: what Asterisk asks, how variables are set, what it replies. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

HEAD_END = b"\n\n"

Variables = tuple[tuple[str, str], ...]

_UNTRUSTED = str.maketrans({"\r": " ", "\n": " ", "\0": None})
_ANONYMOUS = frozenset({"", "unknown", "<unknown>"})
_KEYS = frozenset("0123456789*#-")


class AgiProtocolError(Exception):
    """The peer does not speak AGI."""


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """One question of the PBX. `script` is the path's first part; `number` and `line` are as the PBX has them.

    `key` is what was pressed in a voice menu, `-` where nothing was, empty where none was played.
    """

    script: str
    pbx: str
    uniqueid: str
    channel: str
    number: str
    line: str
    attempt: int
    key: str = ""


def parse_request(head: bytes) -> AgiRequest:
    """The question in the header block of a connection; raises AgiProtocolError where it is none.

    Bytes that are no UTF-8 are replaced: a caller's name must never cost the caller an answer.
    """
    fields: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.rstrip("\r").partition(":")
        if not line.strip():
            continue
        if not colon or not name.startswith("agi_"):
            raise AgiProtocolError("a header line is no `agi_name: value`")
        fields.setdefault(name, value.strip())
    if "agi_network_script" not in fields and "agi_request" not in fields:
        raise AgiProtocolError("the request names no script")
    script = unquote(fields.get("agi_network_script", "")).partition("?")[0].strip("/")
    path = script.split("/")
    return AgiRequest(
        script=path[0],
        pbx=path[1] if len(path) > 1 else "",
        uniqueid=fields.get("agi_uniqueid", ""),
        channel=fields.get("agi_channel", ""),
        number=_known(fields.get("agi_callerid", "")),
        line=_line(fields),
        attempt=_attempt(fields.get("agi_arg_1", "")),
        key=_key(fields.get("agi_arg_2", "")),
    )


def _known(value: str) -> str:
    return "" if value.lower() in _ANONYMOUS else value


def _line(fields: dict[str, str]) -> str:
    """The number that was dialled: the extension, or, in a special extension such as `s`, the one dialled at first."""
    extension = fields.get("agi_extension", "")
    if extension != "0" and any(sign.isdigit() for sign in extension):
        return extension
    return _known(fields.get("agi_dnid", ""))


def _attempt(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 3 else 0


def _key(value: str) -> str:
    return value if value in _KEYS else ""


def set_variable(name: str, value: str) -> bytes:
    """A `SET VARIABLE` command. A value can't leave its quotes: CR, LF become spaces, NUL goes, `"` is escaped."""
    quoted = value.translate(_UNTRUSTED).replace("\\", "\\\\").replace('"', '\\"')
    return f'SET VARIABLE {name} "{quoted}"\n'.encode()


@dataclass(slots=True)
class Replies:
    """Reads the PBX's replies to commands sent together. `failed` holds the refusals, `hung_up` says HANGUP came."""

    expected: int
    received: int = 0
    hung_up: bool = False
    failed: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _usage: bool = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; raises AgiProtocolError where a line has no place in the protocol."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode("utf-8", "replace").strip())

    @property
    def complete(self) -> bool:
        """Whether every command has its reply."""
        return self.received >= self.expected

    def _line(self, line: str) -> None:
        if self._usage:
            # a 520 goes on with the command's usage until its own closing line
            if line.startswith("520 "):
                self._usage = False
                self.received += 1
        elif line == "HANGUP":
            self.hung_up = True
        elif line.startswith("520-"):
            self._usage = True
            self.failed.append(line)
        elif line[:3].isdigit():
            self.received += 1
            if not line.startswith("200"):
                self.failed.append(line)
        elif line:
            raise AgiProtocolError("a reply line has no code")
