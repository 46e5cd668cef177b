"""A bucket of an object storage that speaks S3. Files go there whole, are read back and compared before they count.

The library's blocking calls run in threads: they give the interpreter free while they wait, and nothing of theirs is
left running when the program ends, which their asynchronous calls do not promise.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from hub.settings import ObjectStorage

_PIECE = 256 * 1024
_LONGEST_ERROR = 300
_END = b""


class StorageTrouble(Exception):
    """The storage did not do what it was asked; says why in one line, without secrets."""


class NotInStorage(Exception):
    """There is nothing under that name."""


class Bucket:
    """One bucket; constructing does no I/O. Every method raises StorageTrouble."""

    def __init__(self, storage: ObjectStorage, *, patience_s: float = 20.0) -> None:
        self._store = S3Store(
            storage.bucket,
            prefix=storage.prefix or None,
            endpoint=storage.endpoint,
            access_key_id=storage.key,
            secret_access_key=storage.secret.reveal(),
            region=storage.region,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": not storage.secure,
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=patience_s),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
        )

    async def put(self, path: Path, key: str) -> None:
        """Put a file there; returns when what lies there was read back and is the same, byte for byte."""
        await asyncio.to_thread(self._put, path, key)

    async def delete(self, key: str) -> None:
        """Delete; nothing happens where there is nothing."""
        await asyncio.to_thread(self._delete, key)

    async def size(self, key: str) -> int:
        """The size in bytes; raises NotInStorage."""
        return await asyncio.to_thread(self._size, key)

    async def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` to before `end`, in pieces; raises NotInStorage."""
        pieces = await asyncio.to_thread(self._open, key, start, end)
        while piece := await asyncio.to_thread(_next, pieces):
            yield piece

    def _put(self, path: Path, key: str) -> None:
        wanted = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                wanted.update(piece)
        found = hashlib.sha256()
        try:
            obstore.put(self._store, key, path)
            for part in obstore.get(self._store, key).stream(min_chunk_size=_PIECE):
                found.update(part)
        except (BaseError, OSError) as err:
            raise _trouble(err) from err
        if found.digest() != wanted.digest():
            raise StorageTrouble(f"what lies under {key} is not what was put there")

    def _delete(self, key: str) -> None:
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as err:
            raise _trouble(err) from err

    def _size(self, key: str) -> int:
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError as err:
            raise NotInStorage(key) from err
        except (BaseError, OSError) as err:
            raise _trouble(err) from err

    def _open(self, key: str, start: int, end: int) -> Iterator[bytes]:
        try:
            found = obstore.get(self._store, key, options={"range": (start, end)})
        except FileNotFoundError as err:
            raise NotInStorage(key) from err
        except (BaseError, OSError) as err:
            raise _trouble(err) from err
        return (bytes(piece) for piece in found.stream(min_chunk_size=_PIECE))


def _next(pieces: Iterator[bytes]) -> bytes:
    try:
        return next(pieces, _END)
    except (BaseError, OSError) as err:
        raise _trouble(err) from err


def _trouble(err: Exception) -> StorageTrouble:
    """The library's errors go on for pages; their first line says what happened."""
    first = next(iter(str(err).strip().splitlines()), type(err).__name__)
    return StorageTrouble(first[:_LONGEST_ERROR])
