"""An office with a million clients: what its people do all day, beside the bare statements that answer the same."""

from __future__ import annotations

from benchmarks.crm.measurement import measure

__all__ = ["measure"]
