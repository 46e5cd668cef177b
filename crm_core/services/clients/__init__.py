"""Whom the office knows: contacts and companies, their merging, lists and links."""
