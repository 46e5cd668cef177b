"""What columns hold that are no plain values."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What a JSON column holds: plain lists, dicts, strings, numbers."""
