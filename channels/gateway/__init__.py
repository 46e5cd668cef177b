"""Any messenger behind a program of somebody's own: signed JSON in and out, see docs/gateway.md."""

from channels.gateway.config import GatewayConfig
from channels.gateway.connector import GatewayChannel, create

__all__ = ["GatewayChannel", "GatewayConfig", "create"]
