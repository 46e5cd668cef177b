"""What the large mail providers want of a program that logs in: told where a login is refused."""

from __future__ import annotations

from crm_core.wording import Sentence

_GMAIL = Sentence(
    "Gmail wants an app password: switch two-step verification on, then make one at myaccount.google.com/apppasswords"
)
_MICROSOFT = Sentence(
    "Outlook.com and Microsoft 365 take no passwords by IMAP any more:"
    " have the mail forwarded and name the place in listen"
)
_APP_PASSWORD = {
    "yandex": Sentence(
        "Yandex wants an app password: switch IMAP on in the mailbox's settings (mail clients),"
        " then make a password for mail at id.yandex.ru, Security, App passwords"
    ),
    "mail.ru": Sentence(
        "Mail.ru wants a password for external programs: account.mail.ru, Security, Passwords for external"
        " programs, with full access to mail"
    ),
    "gmail": _GMAIL,
    "google": _GMAIL,
    "rambler": Sentence("Rambler wants access for mail programs to be switched on in the mailbox's settings"),
    "mail.me.com": Sentence("iCloud wants an app-specific password: account.apple.com, Sign-In and Security"),
    "outlook": _MICROSOFT,
    "office365": _MICROSOFT,
}
_ALIASES = {"inbox.ru": "mail.ru", "list.ru": "mail.ru", "bk.ru": "mail.ru", "icloud": "mail.me.com", "ya.ru": "yandex"}


def hint(host: str) -> str:
    """What to do about a refused login at this server: `. …`, empty where nothing is known of it."""
    name = host.lower()
    for part, provider in (*((each, each) for each in _APP_PASSWORD), *_ALIASES.items()):
        if part in name:
            return Sentence(". {mend}", mend=_APP_PASSWORD[provider])
    return Sentence(
        ". Check user and password in the settings; special characters of a URL are percent-encoded (@ is %40)"
    )
