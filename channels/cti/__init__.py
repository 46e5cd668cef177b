"""Other telephone systems that push their calls, in the words of Zammad's generic CTI interface."""

from channels.cti.config import CallerId, CtiConfig
from channels.cti.connector import CtiChannel, create, create_all

__all__ = ["CallerId", "CtiChannel", "CtiConfig", "create", "create_all"]
