"""What a client wrote now, apart from what they answer to. Line by line, so that the cost grows only with the length.

Libraries do this with patterns over the whole text; one of them needs more than a minute for 60 kB of somebody's
«On On On», and a pattern that runs stops the telephone routing too. Hence own rules, for the forms of Outlook, Gmail,
Yandex, Mail.ru, Thunderbird and Apple Mail in Russian and English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_LINE = 400
_MAX_LINES = 20_000

_RULED = re.compile(
    r"[-_=*\s]{2,}\s*(?:исходное сообщение|пересылаемое сообщение|пересланное сообщение|первоначальное сообщение"
    r"|перенаправленное сообщение|переадресованное сообщение|конец пересылаемого сообщения|исходная встреча"
    r"|original message|forwarded message|begin forwarded message|reply message|original appointment)"
    r"\s*[-_=*\s]{2,}$",
    re.IGNORECASE,
)
_BEGINNING = re.compile(
    r"(?:начало переадресованного сообщения|begin forwarded message|перенаправленное сообщение)\s*:$", re.IGNORECASE
)
# «… пишет:», «… написал(а):», "… wrote:" at the end of a line that also names a time or an address.
_WROTE = re.compile(
    r"(?:пишет|пишут|писал|писала|писал\(а\)|написал|написала|написал\(а\)|написали|сообщил|сообщила|сообщает|wrote|writes)"
    r"\s*:$",
    re.IGNORECASE,
)
_YOU_WROTE = re.compile(r"(?:вы писали|you wrote)\b", re.IGNORECASE)
# Yandex and Mail.ru end with the address alone: «22.11.2026, 10:15, "Иван" <i@example.ru>:».
_ADDRESS_END = re.compile(r"<?[^\s<>@]{1,64}@[^\s<>@]{1,190}>?\s*:$")
_EVIDENCE = re.compile(
    r"\d{1,2}[:.]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\b(?:19|20)\d{2}\b|@|\bon\b|\bвы\b", re.IGNORECASE
)
_FIELD = re.compile(
    r"[*\s]*(от|от кого|отправитель|кому|копия|тема|дата|дата отправки|отправлено|отправлен|from|sender|to|cc|subject"
    r"|sent|date)[*\s]*:",
    re.IGNORECASE,
)
_FROM = frozenset({"от", "от кого", "отправитель", "from", "sender"})
_TO = frozenset({"кому", "to"})
_OUTLOOK_RULE = re.compile(r"_{20,}$")
_YANDEX_RULE = re.compile(r"-{8,}$")
_FIELDS_AHEAD = 8
# What a telephone writes under a mail belongs to the quotation that follows, not to the client's words.
_DEVICE = re.compile(
    r"(?:отправлено (?:с|из|через)\s|отправлено с моего\b|sent from\s|sent via\s|get outlook for|скачать outlook"
    r"|получить outlook)",
    re.IGNORECASE,
)
_MAX_DEVICE = 120
_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}")
_FOLDED_LINES = 3


def split_quotation(text: str) -> tuple[str, str]:
    """`(own, quoted)`: the client's words, and the quotation with the line that introduces it.

    Where everything is quotation (a forward, or nothing but quoted lines) all of it is the client's own: nothing is
    hidden that has nothing before it. Answers between quoted lines stay where they are.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = _start(lines)
    before = _without_device(lines, at)
    own = "\n".join(lines[:before]).strip()
    if own:
        return own, "\n".join(lines[before:]).strip()
    below = _below(lines, at)
    if below:
        return "\n".join(lines[below:]).strip(), "\n".join(lines[:below]).strip()
    return "\n".join(lines).strip(), ""


def _without_device(lines: Sequence[str], at: int) -> int:
    """Where the quotation begins with what a telephone writes above it."""
    if at == len(lines):
        return at
    before = at
    while before and (not lines[before - 1].strip(" \t-–—") or _is_device(lines[before - 1])):
        before -= 1
    return before if any(_is_device(line) for line in lines[before:at]) else at


def _is_device(line: str) -> bool:
    bare = line.strip(" \t*_-–—")
    return len(bare) <= _MAX_DEVICE and _DEVICE.match(bare) is not None


def _below(lines: Sequence[str], at: int) -> int:
    """Where the client's words begin below the one block that they quote; 0 where there are none, or several blocks."""
    first = at
    while first < len(lines) and not lines[first].startswith(">"):
        if first - at > _FOLDED_LINES:
            return 0
        first += 1
    last = first
    while last < len(lines) and (lines[last].startswith(">") or not lines[last].strip()):
        last += 1
    rest = lines[last:]
    if last == first or not rest or any(line.startswith(">") for line in rest) or _start(rest) != len(rest):
        return 0
    return last


def _start(lines: Sequence[str]) -> int:
    """The line where the quotation begins; the number of lines where there is none."""
    for number, line in enumerate(lines[:_MAX_LINES]):
        if _introduces(lines, number, line.strip()):
            return number
    return _trailing(lines)


def _introduces(lines: Sequence[str], number: int, line: str) -> bool:
    if not line or len(line) > _MAX_LINE or line.startswith(">"):
        return False
    if _RULED.match(line) or _BEGINNING.match(line):
        return True
    if _OUTLOOK_RULE.match(line):
        return _letterhead(lines, number + 1)
    if _YANDEX_RULE.match(line):
        return _letterhead(lines, number + 1) or _addressed(lines, number + 1)
    if _FIELD.match(line):
        return _letterhead(lines, number)
    if line.endswith(":"):
        return _attribution(line)
    return _attribution_on_two_lines(lines, number, line)


def _attribution(line: str) -> bool:
    if _WROTE.search(line) or _YOU_WROTE.match(line):
        return _EVIDENCE.search(line) is not None
    return _ADDRESS_END.search(line) is not None and re.search(r"\d{1,2}:\d{2}", line) is not None


def _attribution_on_two_lines(lines: Sequence[str], number: int, line: str) -> bool:
    """Programs fold the introduction where the address makes it long, into two lines or three."""
    if not re.match(r"(?:on\b|\w{2,12},|\d{1,2}[ .])", line, re.IGNORECASE) or not _CLOCK.search(line):
        return False
    whole = line
    for following in lines[number + 1 : number + _FOLDED_LINES]:
        bare = following.strip()
        if not bare or bare.startswith(">") or len(whole) + len(bare) > _MAX_LINE:
            return False
        whole = f"{whole} {bare}"
        if bare.endswith(":"):
            return _attribution(whole)
    return False


def _addressed(lines: Sequence[str], number: int) -> bool:
    """Yandex's block: «Кому: …; Тема: …;» and then the introduction."""
    ahead = [line.strip() for line in lines[number : number + _FIELDS_AHEAD]]
    first = _FIELD.match(ahead[0][:_MAX_LINE]) if ahead else None
    if first is None or first[1].lower() not in _TO:
        return False
    return any(len(line) <= _MAX_LINE and line.endswith(":") and _attribution(line) for line in ahead)


def _letterhead(lines: Sequence[str], number: int) -> bool:
    """Outlook's block: «От: … Отправлено: … Кому: … Тема: …», at least three of them, the sender first."""
    found: list[str] = []
    for line in lines[number : number + _FIELDS_AHEAD]:
        match = _FIELD.match(line[:_MAX_LINE])
        if match:
            found.append(match[1].lower())
    return len(set(found)) >= 3 and found[0] in _FROM


def _trailing(lines: Sequence[str]) -> int:
    """Where nothing introduces it: the block of `>` lines at the end, if it is one."""
    end = len(lines)
    at = end
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith(">")):
        at -= 1
    has_quotes = any(line.strip() for line in lines[at:end])
    return at if has_quotes else end
