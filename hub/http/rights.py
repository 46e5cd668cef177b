"""Rights, as operations of the API declare them."""

from __future__ import annotations

from crm_core.model.access import Right

__all__ = ["Right"]
