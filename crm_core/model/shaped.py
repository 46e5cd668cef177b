"""What all forms of data (bodies, queries, answers, definitions) derive from: read when they are first used."""

from __future__ import annotations

import threading
from typing import Any

from pydantic import BaseModel, ConfigDict

_building = threading.RLock()


class Shaped(BaseModel):
    """A pydantic model whose validator is made at its first use: of some five hundred a process uses few, and making
    all of them took a second of every start. A mistake in a declaration shows in the tests that walk all of them."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_rebuild(cls, **how: Any) -> bool | None:
        """As pydantic's, one thread at a time: two that use a model for the first time at once would otherwise find the
        validator of its base for a moment. All types that a model names stand in its module."""
        if cls.__pydantic_complete__ and not how.get("force"):
            return None
        with _building:
            return super().model_rebuild(**{**how, "_types_namespace": how.get("_types_namespace") or {}})
