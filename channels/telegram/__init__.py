"""Telegram bots: updates in, messages out."""
