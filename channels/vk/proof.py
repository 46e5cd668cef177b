"""Proving that a community's account works: whose token it is, what it may, whether VK sends what the hub wants."""

from __future__ import annotations

from collections.abc import Iterable

from channels.vk.api import VkApi
from channels.vk.config import API_VERSION, Mode, VkConfig
from channels.vk.errors import VkRefusal
from channels.vk.fields import Fields, ShapeError
from crm_core.errors import PermanentDeliveryError, TransientDeliveryError

NEEDED = ("message_new", "message_edit", "message_reply", "message_event", "message_allow", "message_deny")
"""Events without which clients are not heard, or answers of colleagues not seen."""

_RIGHTS = ("messages", "manage", "photos", "docs")


class Proof:
    """Asks VK how the account stands."""

    def __init__(self, config: VkConfig, api: VkApi, public_url: str) -> None:
        self._config = config
        self._api = api
        self._url = f"{public_url.rstrip('/')}{config.path}"

    async def check(self) -> str:
        """One line of what was proved; raises DeliveryError saying what is wrong and how to mend it."""
        name = await self._community()
        problems = [*await self._rights(), *await self._events()]
        if problems:
            raise PermanentDeliveryError("; ".join(problems))
        return f"«{name}», {self._config.mode.value}, API {API_VERSION}, events {', '.join(NEEDED)} are on"

    async def trouble(self) -> str:
        """What keeps VK from posting events, in words; empty where nothing does. Raises where the token is no good."""
        await self._community()
        return "; ".join(await self._events(settings=False))

    async def _community(self) -> str:
        answer = await self._api.call("groups.getById", group_id=self._config.group_id)
        try:
            groups = answer if isinstance(answer, list) else Fields.of(answer, "answer").items("groups")
            for value in groups:
                group = Fields.of(value, "group")
                if group.number("id") == self._config.group_id:
                    return group.text("name")
        except ShapeError as error:
            raise TransientDeliveryError(f"VK's answer is not understood ({error})") from error
        raise PermanentDeliveryError(f"the token is not of community {self._config.group_id}: correct group_id")

    async def _rights(self) -> list[str]:
        try:
            granted = Fields.of(await self._api.call("groups.getTokenPermissions"), "answer")
            names = {each.text("name") for each in granted.children("permissions")}
        except (VkRefusal, ShapeError):
            return []  # not told; the calls that need a right say so themselves
        missing = [right for right in _RIGHTS if right not in names]
        if not missing:
            return []
        return [f"the token lacks the rights {', '.join(missing)}: make a new one with them («Работа с API»)"]

    async def _events(self, *, settings: bool = True) -> list[str]:
        try:
            if self._config.mode is Mode.LONGPOLL:
                return await self._longpoll()
            return await self._callback(settings=settings)
        except VkRefusal as error:
            if error.code not in {7, 15}:
                raise
            return [f"the settings of events can't be read ({error}): the token needs the right «manage»"]
        except ShapeError as error:
            raise TransientDeliveryError(f"VK's answer is not understood ({error})") from error

    async def _longpoll(self) -> list[str]:
        found = await self._api.call("groups.getLongPollSettings", group_id=self._config.group_id)
        fields = Fields.of(found, "settings")
        if fields.values.get("is_enabled") != 1:
            return ["Long Poll API is off: switch it on («Работа с API», «Long Poll API»)"]
        return _off(fields)

    async def _callback(self, *, settings: bool) -> list[str]:
        answer = await self._api.call("groups.getCallbackServers", group_id=self._config.group_id)
        servers = Fields.of(answer, "servers").children("items")
        ours = next((each for each in servers if each.text("url").rstrip("/") == self._url), None)
        if ours is None:
            return [f"no Callback API server of the community posts to {self._url}: add it («Работа с API»)"]
        if ours.text("status") not in {"ok", ""}:
            return [f"VK says of {self._url}: {ours.text('status')}; press «Подтвердить» in the Callback API settings"]
        if not settings:
            return []
        problems = []
        code = await self._api.call("groups.getCallbackConfirmationCode", group_id=self._config.group_id)
        if Fields.of(code, "answer").text("code") != self._config.confirmation:
            problems.append("confirmation is not what VK expects: copy it from the Callback API settings")
        if ours.text("secret_key") != (self._config.secret or "") and ours.has("secret_key"):
            problems.append("secret is not the one in the Callback API settings: make them the same")
        found = await self._api.call(
            "groups.getCallbackSettings", group_id=self._config.group_id, server_id=ours.number("id")
        )
        return [*problems, *_off(Fields.of(found, "settings"))]


def _off(settings: Fields) -> list[str]:
    problems = []
    version = settings.text("api_version")
    if version and version != API_VERSION:
        problems.append(f"events come in API version {version}: choose {API_VERSION}")
    events = settings.child("events")
    missing = _missing(events)
    if missing:
        problems.append(f"events are off that the hub needs: {', '.join(missing)} («Типы событий»)")
    return problems


def _missing(events: Fields) -> Iterable[str]:
    return [name for name in NEEDED if events.values.get(name) != 1]
