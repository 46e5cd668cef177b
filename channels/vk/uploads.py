"""Files out: first to an address that VK names, then saved under a name that a message can carry."""

from __future__ import annotations

from channels.vk.api import VkApi
from channels.vk.conversation import Conversation, Peer
from channels.vk.fields import Fields, ShapeError
from crm_core.errors import NotFound, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import OutboundFile
from crm_core.ports import FileStore

MAX_FILE = 200 * 1024 * 1024
MAX_PHOTO = 50 * 1024 * 1024
_PHOTOS = frozenset({"image/jpeg", "image/png"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})


class Uploads:
    """Puts files where messages and comments of one community can carry them."""

    def __init__(self, api: VkApi, files: FileStore, group_id: int) -> None:
        self._api = api
        self._files = files
        self._group_id = group_id

    async def attached(self, where: Conversation, file: OutboundFile) -> str:
        """Upload one file; `photo-1_2_key` or `doc-1_2_key`, as messages name it. Raises the delivery errors."""
        if file.stored.size > MAX_FILE:
            raise PermanentDeliveryError("«{file}» is longer than the 200 MB that VK takes", file=file.name)
        try:
            content = await self._files.read(file.stored.sha256)
        except NotFound as error:
            raise PermanentDeliveryError("«{file}» is not in the file store", file=file.name) from error
        try:
            if isinstance(where, Peer) and file.content_type in _PHOTOS and file.stored.size <= MAX_PHOTO:
                return await self._photo(where, file, content)
            return await self._document(where, file, content)
        except ShapeError as error:
            raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error

    async def _photo(self, where: Peer, file: OutboundFile, content: bytes) -> str:
        server = Fields.of(await self._api.call("photos.getMessagesUploadServer", peer_id=where.peer_id), "server")
        given = await self._api.upload(_address(server), "photo", file.name, content, file.content_type)
        if given.text("photo") in {"", "[]"}:
            # VK took the bytes and found no picture in them: it still takes them as a file.
            return await self._document(where, file, content)
        saved = await self._api.call(
            "photos.saveMessagesPhoto",
            photo=given.text("photo"),
            server=given.values.get("server"),
            hash=given.text("hash"),
        )
        return f"photo{_named(_only(saved))}"

    async def _document(self, where: Conversation, file: OutboundFile, content: bytes) -> str:
        if isinstance(where, Peer):
            kind = "audio_message" if file.content_type in _VOICES else "doc"
            server = await self._api.call("docs.getMessagesUploadServer", type=kind, peer_id=where.peer_id)
        else:
            server = await self._api.call("docs.getWallUploadServer", group_id=self._group_id)
        address = _address(Fields.of(server, "server"))
        given = await self._api.upload(address, "file", file.name, content, file.content_type)
        saved = Fields.of(await self._api.call("docs.save", file=given.text("file"), title=file.name), "saved")
        kind = saved.text("type") or "doc"
        return f"{'audio_message' if kind == 'audio_message' else 'doc'}{_named(saved.child(kind))}"


def _address(server: Fields) -> str:
    address = server.text("upload_url")
    if not address.startswith(("https://", "http://")):
        raise ShapeError("server.upload_url: no address")
    return address


def _only(saved: object) -> Fields:
    if not isinstance(saved, list) or not saved:
        raise ShapeError("saved: a list with one picture is wanted")
    return Fields.of(saved[0], "saved")


def _named(saved: Fields) -> str:
    key = saved.text("access_key")
    return f"{saved.number('owner_id')}_{saved.number('id')}{'_' if key else ''}{key}"
