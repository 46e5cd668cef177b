"""Mailboxes: mail in by SMTP, mail out by SMTP."""

from channels.email.config import EmailConfig, Listen, MailServer
from channels.email.connector import EmailChannel, create, create_all
from channels.email.listener import Listeners

__all__ = ["EmailChannel", "EmailConfig", "Listen", "Listeners", "MailServer", "create", "create_all"]
