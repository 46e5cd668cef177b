"""Reports about mails that we sent: not delivered, delivered, read; each tied to the message it is about.

By RFC 3464 and RFC 8098 where the server keeps to them; else by the words that Exim, qmail, Mail.ru and others use. A
report is tied by our own id alone, which nobody knows but who got the mail: what names none of ours is just an
automatic mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from channels.email.automatic import is_daemon
from channels.email.config import EmailConfig
from channels.email.message_ids import is_own, message_ids, named
from channels.email.mime import Mail
from crm_core.errors import InvalidIdentity
from crm_core.messages import Delivery
from crm_core.model.identity import address

_DELIVERY = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DISPOSITION = "message/disposition-notification"
_ACTIONS = {"failed": Delivery.FAILED, "delivered": Delivery.DELIVERED}
NO_REASON = "the mail server gives no reason"
_MAX_BLOCKS = 200
_MAX_WORDS = 500
_MAX_SEARCHED = 200_000
_FOLD = re.compile(r"\n[ \t]+")
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]{1,60}):[ \t]*(.*)")
_OURS = re.compile(r"<hub\.[a-z2-7.]{2,250}@[^<>@\s]{1,190}>")
_ADDRESS = re.compile(r"[^\s<>;,()\"']{1,64}@[^\s<>;,()\"']{1,190}")
_FAILED = re.compile(
    r"undeliver|not (?:be )?deliver|could not be delivered|delivery (?:has )?fail|failure notice|returned mail"
    r"|delivery status"
    r"|returned to sender|permanent (?:fatal )?error|bounced|rejected"
    r"|не (?:было |был[аи]? |может быть |удалось )?(?:доставлен|доставить|отправлен)"
    r"|недостав|ошибка (?:при )?доставк|невозможно доставить|не существует|возвращен",
    re.IGNORECASE,
)
_WAITING = re.compile(
    r"\bdelayed\b|will be retried|still being retried"
    r"|warning: (?:message|could not)|задерж|попытки (?:доставки )?(?:будут )?продолж",
    re.IGNORECASE,
)
# The line in which the refusing server speaks, by how much it tells.
_SAYS = (
    re.compile(r"\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}\b"),
    re.compile(r"\b(?:said|ответил[аи]?|response)\b.{0,3}:?.*\b[45]\d\d\b", re.IGNORECASE),
    re.compile(r"(?:^|[\s:])[45]\d\d[ -]\S"),
    re.compile(
        r"mailbox|quota|user unknown|no such user|unrouteable|переполнен|не существует|не найден", re.IGNORECASE
    ),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a mail of ours: `refs` are all its names, `recipient` whom it went to, empty where it is not told.

    `state` is None where nothing has changed: the server tries on.
    """

    state: Delivery | None
    refs: tuple[str, ...]
    recipient: str = ""
    detail: str = ""


def report_of(config: EmailConfig, mail: Mail, sender: str) -> Report | None:
    """The report that a mail is; None where it is none, or about none of ours."""
    for kind, text in mail.reports:
        if kind in _DELIVERY:
            return _by_the_rules(config, mail, _blocks(text))
        if kind == _DISPOSITION:
            return _disposition(config, _blocks(text))
    return _by_its_words(config, mail, sender)


def _by_the_rules(config: EmailConfig, mail: Mail, blocks: list[dict[str, str]]) -> Report | None:
    envelopes = [
        f"<{block['original-envelope-id'].strip('<>')}>" for block in blocks if "original-envelope-id" in block
    ]
    refs = _all_names(config, envelopes) or _refs(config, mail)
    recipients = [block for block in blocks if "action" in block or "final-recipient" in block]
    if not refs or not recipients:
        return None
    # One recipient is all that our mails have; where a list passed it on, the worst counts.
    told = next((each for each in recipients if each.get("action", "").lower() == "failed"), recipients[0])
    action = re.split(r"[\s;(]", told.get("action", "").lower(), maxsplit=1)[0]
    status = told.get("status", "").split(" ")[0]
    said = _plain(told.get("diagnostic-code", ""))
    if action == "failed" or (not action and status.startswith("5")):
        said = said or _saying(mail.text, _recipient(told))
        detail = said if status in said else f"{status} {said}".strip()
        return Report(Delivery.FAILED, refs, _recipient(told), detail[:_MAX_WORDS] or NO_REASON)
    return Report(_ACTIONS.get(action), refs, _recipient(told), said[:_MAX_WORDS])


def _disposition(config: EmailConfig, blocks: list[dict[str, str]]) -> Report | None:
    """RFC 8098: whoever got the mail has seen it, or has thrown it away unseen."""
    told = {name: value for block in reversed(blocks) for name, value in block.items()}
    refs = _all_names(config, message_ids(told.get("original-message-id", "")))
    if not refs:
        return None
    done = told.get("disposition", "").lower().rpartition(";")[2].strip()
    return Report(Delivery.READ if done.startswith("displayed") else None, refs, _recipient(told))


def _by_its_words(config: EmailConfig, mail: Mail, sender: str) -> Report | None:
    """A report in a form of its own: from a mail server, with words of failure, and our id somewhere in it."""
    failed = mail.header("x-failed-recipients")
    if not failed and not is_daemon(sender):
        return None
    subject = mail.header("subject")
    words = mail.text[:_MAX_SEARCHED]
    if not failed and not _FAILED.search(f"{subject}\n{words[:5_000]}"):
        return None
    refs = _refs(config, mail)
    if not refs:
        return None
    named_first = next(iter(_ADDRESS.findall(failed or words)), "")
    if _WAITING.search(subject) or (not failed and _WAITING.search(words[:2_000])):
        return Report(None, refs, _valid(named_first))
    detail = _saying(words, _valid(named_first)) or subject or NO_REASON
    return Report(Delivery.FAILED, refs, _valid(named_first), detail[:_MAX_WORDS])


def _refs(config: EmailConfig, mail: Mail) -> tuple[str, ...]:
    """All names of our mail that a report is about: from the mail it returns, its own references, or its text."""
    found: list[str] = []
    for inner in mail.inner:
        found += message_ids(str(inner.get("message-id", "")))
    for kind, text in mail.reports:
        if kind == "text/rfc822-headers":
            found += message_ids(_unfolded_field(text, "message-id"))
    if not _ours(config, found):
        for name in ("in-reply-to", "references", "x-failed-message-id"):
            found += message_ids(mail.header(name))
    if not _ours(config, found):
        found += _OURS.findall(mail.text[:_MAX_SEARCHED])
        for file in mail.files[:5]:
            found += _OURS.findall(file.content[:_MAX_SEARCHED].decode("utf-8", "replace"))
    return _all_names(config, found)


def _ours(config: EmailConfig, found: Iterable[str]) -> list[str]:
    return [each for each in found if is_own(config, each)]


def _all_names(config: EmailConfig, found: Iterable[str]) -> tuple[str, ...]:
    first = next(iter(_ours(config, found)), None)
    return named(config, first) if first is not None else ()


def _blocks(text: str) -> list[dict[str, str]]:
    """The groups of fields of a report, names in small letters, the first of each name."""
    flat = _FOLD.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    found: list[dict[str, str]] = [{}]
    for line in flat.split("\n"):
        match = _FIELD.match(line)
        if match is not None:
            found[-1].setdefault(match[1].lower(), match[2].strip())
        elif not line.strip() and found[-1]:
            if len(found) >= _MAX_BLOCKS:
                break
            found.append({})
    return [block for block in found if block]


def _unfolded_field(text: str, name: str) -> str:
    return next((block[name] for block in _blocks(text) if name in block), "")


def _plain(code: str) -> str:
    """A diagnostic without the name of its form: `smtp; 550 …`."""
    form, semicolon, rest = code.partition(";")
    return " ".join((rest if semicolon and " " not in form.strip() else code).split())


def _recipient(block: dict[str, str]) -> str:
    stated = block.get("original-recipient") or block.get("final-recipient", "")
    return _valid(stated.rpartition(";")[2].strip().strip("<>"))


def _valid(text: str) -> str:
    try:
        return address(text.strip(".,:;<>")).value
    except InvalidIdentity:
        return ""


def _saying(text: str, recipient: str) -> str:
    """The line of a report in which the refusing server speaks, else the one below the recipient; empty where there is
    none."""
    lines = [" ".join(line.split()) for line in text.split("\n")[:300]]
    for pattern in _SAYS:
        for line in lines:
            if pattern.search(line[:_MAX_WORDS]):
                return line[:_MAX_WORDS]
    at = next((number for number, line in enumerate(lines) if recipient and line.strip("<>:;. ") == recipient), -1)
    return lines[at + 1][:_MAX_WORDS] if 0 <= at < len(lines) - 1 else ""
