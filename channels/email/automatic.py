"""Whether a mail was written by a robot: auto-replies, newsletters and bounces need no answer."""

from __future__ import annotations

import re

from channels.email.mime import Mail

_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply", "auto-reply"})
_LISTS = ("list-id", "list-unsubscribe", "list-post", "x-mailing-list", "x-mailru-msgtype")
_REPLIES = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponse",
    "x-auto-reply",
    "x-auto-reply-from",
    "x-autoreply-from",
    "x-failed-recipients",
    "x-mail-autoreply",
    "x-cron-env",
)
# People's servers ask for no receipts by it; robots ask for no answers at all.
_SUPPRESSED = frozenset({"all", "autoreply"})
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mdaemon", "double-bounce"})
_NULL = "<>"
# Only where the subject begins with it: whoever answers an auto-reply writes «Re: Автоответ: …».
_SUBJECT = re.compile(
    r"\s*\[?(?:(?:автоответ(?:чик)?|нет на месте)\s*(?:[:.!\]–—-]|\Z)|автоматический ответ\b"
    r"|автоматическое уведомление\b|вне офиса\b"
    r"|(?:я |сейчас )?(?:в|нахожусь в) (?:отпуске|командировке)\b|отсутств(?:ие|ую) на рабочем месте"
    r"|уведомление об отсутствии"
    r"|auto(?:matic|mated)?[ -]?(?:reply|response|responder|answer)\b|out of (?:the )?office\b|ooo:"
    r"|undeliver(?:ed|able)\b|delivery status notification|mail delivery (?:failed|system|failure)|returned mail\b"
    r"|недоставленное сообщение|(?:письмо|сообщение) не доставлено|не удалось доставить)",
    re.IGNORECASE,
)


def is_automatic(mail: Mail, sender: str) -> bool:
    """Source: RFC 3834, RFC 2919, RFC 2369, RFC 3464. `sender` is an address."""
    submitted = mail.header("auto-submitted").lower().partition(";")[0].strip()
    return (
        (bool(submitted) and submitted != "no")
        or mail.header("precedence").lower() in _PRECEDENCE
        or any(name in mail.headers for name in (*_LISTS, *_REPLIES))
        or not _SUPPRESSED.isdisjoint(mail.header("x-auto-response-suppress").lower().replace(",", " ").split())
        or mail.header("return-path") == _NULL
        or mail.headers.get_content_type() == "multipart/report"
        or is_daemon(sender)
        or _SUBJECT.match(mail.header("subject")[:200]) is not None
    )


def is_daemon(sender: str) -> bool:
    """Whether an address is a mail server's own."""
    return sender.partition("@")[0].lower() in _DAEMONS
