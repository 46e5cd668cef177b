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
    r"|конец пересылаемого сообщения|original message|forwarded message|begin forwarded message|reply message)"
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
    r"[*\s]*(от|отправитель|кому|копия|тема|дата|отправлено|отправлен|from|to|cc|subject|sent|date)[*\s]*:",
    re.IGNORECASE,
)
_FROM = frozenset({"от", "отправитель", "from"})
_OUTLOOK_RULE = re.compile(r"_{20,}$")
_FIELDS_AHEAD = 8


def split_quotation(text: str) -> tuple[str, str]:
    """`(own, quoted)`: the client's words, and the quotation with the line that introduces it.

    Where everything is quotation (a forward, or nothing but quoted lines) all of it is the client's own: nothing is
    hidden that has nothing before it. Answers between quoted lines stay where they are.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = _start(lines)
    own = "\n".join(lines[:at]).strip()
    quoted = "\n".join(lines[at:]).strip()
    if not own:
        return "\n".join(lines).strip(), ""
    return own, quoted


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
    """Gmail folds the introduction where the address makes it long."""
    if number + 1 >= len(lines) or not re.match(r"(?:on\b|\w{2,12},|\d{1,2}[ .])", line, re.IGNORECASE):
        return False
    following = lines[number + 1].strip()
    if not following.endswith(":") or len(following) > _MAX_LINE or re.search(r"\d{1,2}[:.]\d{2}", line) is None:
        return False
    return _attribution(f"{line} {following}")


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
