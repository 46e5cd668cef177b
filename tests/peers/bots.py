"""Tokens of the bots that the fixture `bots` knows."""

from __future__ import annotations

TOKEN = "7654321:AAE-strict_local_token"
OTHER = "7654399:AAE-another_local_token"
