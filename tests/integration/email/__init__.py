"""Mailboxes over real sockets."""
