"""Forms on web sites."""

from channels.web.config import WebConfig
from channels.web.connector import WebChannel, create

__all__ = ["WebChannel", "WebConfig", "create"]
