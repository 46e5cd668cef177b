"""A job done by a process of its own, which knows none of our secrets and is ended where it takes too long."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Answer:
    """How the process ended (0: well), what it wrote, and what it said of errors."""

    status: int | None
    written: bytes
    said: bytes


async def done_apart(worker: ModuleType, job: bytes, *, keep: Collection[str], patience_s: float) -> Answer:
    """Run a module that takes its job from standard input; of our environment it is given `keep` alone. Raises
    TimeoutError after `patience_s`."""
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", worker.__name__, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    try:
        async with asyncio.timeout(patience_s):
            written, said = await process.communicate(job)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Answer(process.returncode, written, said)
