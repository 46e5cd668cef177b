"""Mailboxes: mail in by SMTP, mail out by SMTP."""
