"""Files that lie with Telegram: what people sent and what the bot sent, by file id and by download path."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from aiogram.types import BufferedInputFile, File, InputFile

from hub.demo.peers.bot_api.errors import bad_request, not_found

DOWNLOAD_LIMIT = 20 * 1024 * 1024
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file. `claimed_size` is what Telegram says of it, which a test may set apart from the truth."""

    file_id: str
    unique_id: str
    path: str
    name: str
    content: bytes
    claimed_size: int

    def as_file(self) -> File:
        """The answer to getFile."""
        return File(
            file_id=self.file_id,
            file_unique_id=self.unique_id,
            file_size=self.claimed_size,
            file_path=self.path,
        )


class FileShelf:
    """The files one bot knows; another bot's ids mean nothing to it."""

    def __init__(self, bot_id: int) -> None:
        self._bot_id = bot_id
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}

    def put(self, folder: str, name: str, content: bytes, claimed_size: int | None = None) -> StoredFile:
        """Keep a file under `folder` (`photos`, `documents`, `voice` …)."""
        number = len(self._by_id)
        digest = hashlib.sha256(f"{self._bot_id}/{number}/{folder}".encode()).digest()
        stored = StoredFile(
            file_id="AgAC" + base64.urlsafe_b64encode(digest + digest[:16]).decode(),
            unique_id="AQAD" + base64.urlsafe_b64encode(digest[:9]).decode(),
            path=f"{folder}/file_{number}{PurePosixPath(name).suffix}",
            name=name,
            content=content,
            claimed_size=len(content) if claimed_size is None else claimed_size,
        )
        self._by_id[stored.file_id] = self._by_path[stored.path] = stored
        return stored

    def take(self, folder: str, source: str | InputFile, *, image: bool = False) -> StoredFile:
        """What a bot sends: an upload, or the id of a known file; raises ApiError."""
        if isinstance(source, str):
            known = self._by_id.get(source)
            if known is None:
                raise bad_request("wrong file identifier/HTTP URL specified")
            return known
        if not isinstance(source, BufferedInputFile) or not source.data:
            raise bad_request("file must be non-empty")
        if image and not source.data.startswith(_IMAGES):
            raise bad_request("IMAGE_PROCESS_FAILED")
        return self.put(folder, source.filename or "file", source.data)

    def get(self, file_id: str) -> StoredFile:
        """For getFile; raises ApiError for an unknown id and for more than 20 MB."""
        stored = self._by_id.get(file_id)
        if stored is None:
            raise bad_request("invalid file_id")
        if stored.claimed_size > DOWNLOAD_LIMIT:
            raise bad_request("file is too big")
        return stored

    def at(self, path: str) -> StoredFile:
        """For a download; raises ApiError."""
        stored = self._by_path.get(path)
        if stored is None:
            raise not_found()
        return stored
