"""Whether a mail is from whom it says: what a server that the office trusts wrote into `Authentication-Results`.

Such a line is easily forged by the sender, so that only those above the border count: among the trusted servers' own
`Received` lines, down to the one that took the mail from outside. (RFC 8601, RFC 7489.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from channels.email.config import EmailConfig
from channels.email.mime import Mail
from crm_core.messages import Authenticity, Trust

_MAX_LINES = 200
_MAX_LINE = 8_000
_MAX_DETAIL = 500
_COMMENT = re.compile(r"\([^()]*\)")
_BY = re.compile(r"\bby\s+\[?([A-Za-z0-9_.:-]{1,255})", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\s+\[?([A-Za-z0-9_.:-]{1,255})", re.IGNORECASE)
_RESULT = re.compile(r"\s*(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b((?:smtp|header|policy)\.[a-z-]{1,30})\s*=\s*\"?([^\s\";]{1,255})", re.IGNORECASE)
_NO_PROOF = frozenset({"fail", "none", "permerror", "policy", "hardfail"})
_HERE = frozenset({"localhost", "localhost.localdomain", "127.0.0.1", "::1"})
# Where everybody can have a domain, the last two words of a name do not tell whose it is.
_PUBLIC_SECOND = frozenset({"com", "co", "org", "net", "msk", "spb", "edu", "gov", "ac", "pp", "in"})


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    value: str
    properties: dict[str, str]


def authenticity(config: EmailConfig, mail: Mail) -> Authenticity | None:
    """What the trusted servers found out; None where the settings trust none, or none has said anything."""
    if not config.authserv:
        return None
    results = _results(config, mail)
    if not results:
        return Authenticity(Trust.UNKNOWN)
    detail = " ".join(f"{each.method}={each.value}" for each in results)[:_MAX_DETAIL]
    return Authenticity(_trust(results, _author(mail)), detail)


def _author(mail: Mail) -> str:
    """The domain that the mail claims to be from; empty where it claims none, or several."""
    if len(mail.headers.get_all("from", [])) != 1:
        return ""
    domains = {address.rpartition("@")[2].strip(" .>").lower() for _, address in mail.addresses("from")}
    return domains.pop() if len(domains) == 1 else ""


def _trust(results: list[_Result], author: str) -> Trust:
    found: dict[str, set[str]] = {"spf": set(), "dkim": set(), "dmarc": set()}
    for each in results:
        found[each.method].add(each.value)
    if "pass" in found["dmarc"]:
        named = {each.properties.get("header.from", author) for each in results if each.method == "dmarc"}
        return Trust.PROVEN if author and all(_aligned(name, author) for name in named) else Trust.UNKNOWN
    if found["dmarc"] & {"fail", "hardfail"}:
        return Trust.FORGED
    if author and any(each.value == "pass" and _aligned(_domain(each), author) for each in results):
        return Trust.PROVEN
    refused = bool(found["spf"] & {"fail", "hardfail"})
    return Trust.FORGED if refused and found["dkim"] <= _NO_PROOF else Trust.UNKNOWN


def _domain(result: _Result) -> str:
    """The domain that a result speaks of."""
    names = ("smtp.mailfrom", "smtp.from") if result.method == "spf" else ("header.d", "header.i")
    found = next((result.properties[name] for name in names if name in result.properties), "")
    return found.rpartition("@")[2].lower().strip("<>.")


def _aligned(domain: str, author: str) -> bool:
    """Whether two domains are of one owner, relaxed as in DMARC."""
    return bool(domain) and _owner(domain) == _owner(author)


def _owner(domain: str) -> str:
    labels = domain.lower().strip(".").split(".")
    public = len(labels) > 2 and labels[-2] in _PUBLIC_SECOND
    return ".".join(labels[-3:] if public else labels[-2:])


def _results(config: EmailConfig, mail: Mail) -> list[_Result]:
    """The results of the topmost trusted lines, above the border."""
    found: list[_Result] = []
    server = ""
    is_over = False
    for name, value in mail.headers.items()[:_MAX_LINES]:
        low = name.lower()
        line = " ".join(str(value)[:_MAX_LINE].split())
        if low == "received":
            if is_over or found or not _is_ours(config, _BY, line):
                break
            is_over = not _is_from_within(config, line)
        elif low == "authentication-results":
            spoke, said = _parsed(line)
            if _is_trusted(config, spoke) and server in {"", spoke}:
                # A server may write a line for each method; the same method again, below, is not its own any more.
                told = {each.method for each in found}
                found += [each for each in said if each.method not in told]
                server = spoke
    return found


def _is_ours(config: EmailConfig, pattern: re.Pattern[str], line: str) -> bool:
    match = pattern.search(_COMMENT.sub(" ", line))
    return match is not None and _is_trusted(config, match[1])


def _is_from_within(config: EmailConfig, line: str) -> bool:
    """Whether a trusted server got the mail from another one, or from itself."""
    plain = _COMMENT.sub(" ", line)
    sender = _FROM.search(plain)
    return sender is None or sender[1].lower() in _HERE or _is_ours(config, _FROM, line)


def _is_trusted(config: EmailConfig, name: str) -> bool:
    low = name.lower().rstrip(".")
    return any(
        low == each or (each.startswith("*.") and (low.endswith(each[1:]) or low == each[2:]))
        for each in config.authserv
    )


def _parsed(line: str) -> tuple[str, list[_Result]]:
    plain = _COMMENT.sub(" ", _COMMENT.sub(" ", line))
    head, *rest = plain.split(";")
    server = (head.split() or [""])[0].lower().rstrip(".")
    found: list[_Result] = []
    for part in rest:
        match = _RESULT.match(part)
        if match is not None:
            properties = {key.lower(): value.lower() for key, value in _PROPERTY.findall(part)}
            found.append(_Result(match[1].lower(), match[2].lower(), properties))
    return server, found
