"""Invitations to meetings (RFC 5545) as a few lines to read, where a mail has no words of its own."""

from __future__ import annotations

import re
from datetime import datetime

_MAX = 50_000
_MAX_VALUE = 500
_FOLDED = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\n]{0,300})?):(.*)")
_ESCAPED = re.compile(r"\\([nN,;\\])")
_ZONE = re.compile(r"TZID=\"?([^\";:]{1,80})")
_TITLES = {"REPLY": "Ответ на приглашение", "CANCEL": "Встреча отменена"}


def described(calendar: str) -> str:
    """What the first event of a calendar is about, when and where; empty where there is none."""
    begun, found, event = _FOLDED.sub("", calendar[:_MAX]).partition("BEGIN:VEVENT")
    if not found:
        return ""
    fields = _fields(event.partition("END:VEVENT")[0])
    method = _fields(begun).get("METHOD", ("", ""))[1].upper()
    lines = [f"{_TITLES.get(method, 'Приглашение')}: {_text(fields, 'SUMMARY')}".rstrip(": ")]
    start, end = _time(fields, "DTSTART"), _time(fields, "DTEND")
    if start:
        lines.append(f"Когда: {start}{f' – {end}' if end else ''}")
    for name, label in (("LOCATION", "Где"), ("DESCRIPTION", "")):
        said = _text(fields, name)
        if said:
            lines.append(f"{label}: {said}" if label else said)
    return "\n".join(lines)


def _fields(block: str) -> dict[str, tuple[str, str]]:
    """Name to (parameters, value), the first of each name."""
    found: dict[str, tuple[str, str]] = {}
    for line in block.splitlines():
        match = _LINE.match(line)
        if match is not None:
            found.setdefault(match[1].upper(), (match[2], match[3].strip()))
    return found


def _text(fields: dict[str, tuple[str, str]], name: str) -> str:
    value = fields.get(name, ("", ""))[1]
    return _ESCAPED.sub(lambda mark: "\n" if mark[1] in "nN" else mark[1], value)[:_MAX_VALUE].strip()


def _time(fields: dict[str, tuple[str, str]], name: str) -> str:
    """As it stands there, with its zone."""
    parameters, value = fields.get(name, ("", ""))
    zone = _ZONE.search(parameters)
    for form, shown in (("%Y%m%dT%H%M%S", "%d.%m.%Y %H:%M"), ("%Y%m%d", "%d.%m.%Y")):
        try:
            at = datetime.strptime(value.rstrip("Z"), form)  # noqa: DTZ007 - shown as written, beside its zone
        except ValueError:
            continue
        named = " UTC" if value.endswith("Z") else f" ({zone[1]})" if zone is not None else ""
        return at.strftime(shown) + named
    return ""
