"""Forms and the chat on web sites."""

from channels.web.config import ChatConfig, Side, WebConfig
from channels.web.connector import WebChannel, create

__all__ = ["ChatConfig", "Side", "WebChannel", "WebConfig", "create"]
