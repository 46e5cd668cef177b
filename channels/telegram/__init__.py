"""Telegram bots: updates in, messages out."""

from channels.telegram.config import Mode, TelegramConfig
from channels.telegram.connector import TelegramChannel, create

__all__ = ["Mode", "TelegramChannel", "TelegramConfig", "create"]
