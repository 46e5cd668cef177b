"""Whether a mail was written by a robot: auto-replies, newsletters and bounces need no answer."""

from __future__ import annotations

from channels.email.mime import Mail

_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply"})
_LISTS = ("list-id", "list-unsubscribe", "list-post", "x-mailing-list")
_REPLIES = (
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-autoresponse",
    "x-auto-reply",
    "x-auto-reply-from",
    "x-failed-recipients",
    "x-mail-autoreply",
)
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon"})
_NULL = "<>"


def is_automatic(mail: Mail, sender: str) -> bool:
    """Source: RFC 3834, RFC 2919, RFC 2369, RFC 3464. `sender` is an address."""
    submitted = mail.header("auto-submitted").lower().partition(";")[0].strip()
    return (
        (bool(submitted) and submitted != "no")
        or mail.header("precedence").lower() in _PRECEDENCE
        or any(name in mail.headers for name in (*_LISTS, *_REPLIES))
        or mail.header("return-path") == _NULL
        or mail.headers.get_content_type() == "multipart/report"
        or sender.partition("@")[0].lower() in _DAEMONS
    )
