"""Mailboxes: mail in by SMTP, LMTP and IMAP, mail out by SMTP."""

from channels.email.config import Certificate, EmailConfig, Listen, MailServer
from channels.email.connector import EmailChannel, create, create_all
from channels.email.listener import Listeners

__all__ = ["Certificate", "EmailChannel", "EmailConfig", "Listen", "Listeners", "MailServer", "create", "create_all"]
