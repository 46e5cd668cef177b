"""Telephone exchanges: Asterisk asks by FastAGI and tells by AMI."""

from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.connector import PbxChannel, create

__all__ = ["AmiAddress", "PbxChannel", "PbxConfig", "create"]
