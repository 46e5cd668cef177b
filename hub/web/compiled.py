"""Templates are compiled once a process, whatever number of hubs it holds: that takes longer than drawing a page."""

from __future__ import annotations

from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from typing_extensions import override

from hub.web.tongues import LANGUAGES


class CompiledTemplates(BytecodeCache):
    """What templates were compiled to, in memory; for environments that are set up alike."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    @override
    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    @override
    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


COMPILED = {language: CompiledTemplates() for language in LANGUAGES}
"""Of each language, for what is said in it is compiled in."""
