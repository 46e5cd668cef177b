"""Files that came with messages: VK gives an address, good for some time; only VK's own hosts are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientError, ClientResponse, ClientTimeout

from channels.vk.api import CONNECT_S, UPLOAD_S, VkApi
from channels.vk.config import VkConfig
from crm_core.errors import PermanentDeliveryError, TransientDeliveryError

CHUNK = 64 * 1024
LIMIT = 50 * 1024 * 1024
REDIRECTS = 4
_GONE = frozenset({403, 404, 410})

_HOSTS = (
    "vk.com", "vk.ru", "vk.me", "vk-cdn.net", "vk-cdn.me", "vkuser.net", "vkuserlive.com", "vkuservideo.net",
    "vkuseraudio.net", "vkuserphoto.ru", "userapi.com", "vkvideo.ru", "okcdn.ru", "mycdn.me",
)  # fmt: skip


class Downloads:
    """Fetches files of one account."""

    def __init__(self, config: VkConfig, api: VkApi) -> None:
        self._api = api
        # Where another server stands in for VK, its files lie with it.
        self._own = urlsplit(config.api_base).netloc

    async def content(self, address: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises the delivery errors, PermanentDeliveryError over 50 MB and for other hosts."""
        limits = ClientTimeout(total=UPLOAD_S, connect=CONNECT_S)
        try:
            for _ in range(REDIRECTS + 1):
                self._allowed(address)
                async with self._api.session().get(address, timeout=limits, allow_redirects=False) as answer:
                    if 300 <= answer.status < 400 and "Location" in answer.headers:
                        address = urljoin(address, answer.headers["Location"])
                        continue
                    async for piece in _pieces(answer):
                        yield piece
                    return
        except TimeoutError as error:
            raise TransientDeliveryError("the file did not come in time") from error
        except (ClientError, OSError, ValueError) as error:
            raise TransientDeliveryError("the file can't be had now: {why}", why=type(error).__name__) from error
        raise PermanentDeliveryError("the file is sent from one place to another without end")

    def _allowed(self, address: str) -> None:
        try:
            parts = urlsplit(address)
            host = (parts.hostname or "").lower().rstrip(".")
        except ValueError as error:
            raise PermanentDeliveryError("the file has no address that can be read") from error
        of_vk = parts.scheme == "https" and any(host == each or host.endswith(f".{each}") for each in _HOSTS)
        if not of_vk and not (parts.scheme in {"http", "https"} and parts.netloc == self._own):
            raise PermanentDeliveryError("a file from «{host}» is not fetched: it is no host of VK's", host=host[:100])


async def _pieces(answer: ClientResponse) -> AsyncIterator[bytes]:
    if answer.status in _GONE:
        raise PermanentDeliveryError("VK does not give this file out (any more): HTTP {status}", status=answer.status)
    if answer.status != 200:
        raise TransientDeliveryError("the file can't be had now: HTTP {status}", status=answer.status)
    received = 0
    async for piece in answer.content.iter_chunked(CHUNK):
        received += len(piece)
        if received > LIMIT:
            raise PermanentDeliveryError("the file is longer than {LIMIT} bytes", LIMIT=LIMIT)
        yield piece
