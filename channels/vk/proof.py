"""Proving that a community's account works: whose token it is, what it may, whether VK sends what the hub wants."""

from __future__ import annotations

from collections.abc import Iterable

from channels.vk.api import VkApi
from channels.vk.config import API_VERSION, Mode, VkConfig
from channels.vk.errors import VkRefusal
from channels.vk.fields import Fields, ShapeError
from crm_core.errors import PermanentDeliveryError, TransientDeliveryError
from crm_core.wording import Joined, Sentence

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
            raise PermanentDeliveryError(Joined(problems))
        return Sentence(
            "«{name}», {mode}, API {version}, events {events} are on",
            name=name,
            mode=self._config.mode.value,
            version=API_VERSION,
            events=", ".join(NEEDED),
        )

    async def trouble(self) -> str:
        """What keeps VK from posting events, in words; empty where nothing does. Raises where the token is no good."""
        await self._community()
        return Joined(await self._events(settings=False))

    async def _community(self) -> str:
        answer = await self._api.call("groups.getById", group_id=self._config.group_id)
        try:
            groups = answer if isinstance(answer, list) else Fields.of(answer, "answer").items("groups")
            for value in groups:
                group = Fields.of(value, "group")
                if group.number("id") == self._config.group_id:
                    return group.text("name")
        except ShapeError as error:
            raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error
        raise PermanentDeliveryError(
            "the token is not of community {group}: correct group_id", group=self._config.group_id
        )

    async def _rights(self) -> list[str]:
        try:
            granted = Fields.of(await self._api.call("groups.getTokenPermissions"), "answer")
            names = {each.text("name") for each in granted.children("permissions")}
        except (VkRefusal, ShapeError):
            return []  # not told; the calls that need a right say so themselves
        missing = [right for right in _RIGHTS if right not in names]
        if not missing:
            return []
        return [
            Sentence(
                "the token lacks the rights {rights}: make a new one with them («Работа с API»)",
                rights=", ".join(missing),
            )
        ]

    async def _events(self, *, settings: bool = True) -> list[str]:
        try:
            if self._config.mode is Mode.LONGPOLL:
                return await self._longpoll()
            return await self._callback(settings=settings)
        except VkRefusal as error:
            if error.code not in {7, 15}:
                raise
            return [
                Sentence("the settings of events can't be read ({why}): the token needs the right «manage»", why=error)
            ]
        except ShapeError as error:
            raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error

    async def _longpoll(self) -> list[str]:
        found = await self._api.call("groups.getLongPollSettings", group_id=self._config.group_id)
        fields = Fields.of(found, "settings")
        if fields.values.get("is_enabled") != 1:
            return [Sentence("Long Poll API is off: switch it on («Работа с API», «Long Poll API»)")]
        return _off(fields)

    async def _callback(self, *, settings: bool) -> list[str]:
        answer = await self._api.call("groups.getCallbackServers", group_id=self._config.group_id)
        servers = Fields.of(answer, "servers").children("items")
        ours = next((each for each in servers if each.text("url").rstrip("/") == self._url), None)
        if ours is None:
            return [
                Sentence(
                    "no Callback API server of the community posts to {url}: add it («Работа с API»)", url=self._url
                )
            ]
        if ours.text("status") not in {"ok", ""}:
            return [
                Sentence(
                    "VK says of {url}: {words}; press «Подтвердить» in the Callback API settings",
                    url=self._url,
                    words=ours.text("status"),
                )
            ]
        if not settings:
            return []
        problems: list[str] = []
        code = await self._api.call("groups.getCallbackConfirmationCode", group_id=self._config.group_id)
        if Fields.of(code, "answer").text("code") != self._config.confirmation:
            problems.append(Sentence("confirmation is not what VK expects: copy it from the Callback API settings"))
        if ours.text("secret_key") != (self._config.secret or "") and ours.has("secret_key"):
            problems.append(Sentence("secret is not the one in the Callback API settings: make them the same"))
        found = await self._api.call(
            "groups.getCallbackSettings", group_id=self._config.group_id, server_id=ours.number("id")
        )
        return [*problems, *_off(Fields.of(found, "settings"))]


def _off(settings: Fields) -> list[str]:
    problems: list[str] = []
    version = settings.text("api_version")
    if version and version != API_VERSION:
        problems.append(
            Sentence("events come in API version {version}: choose {wanted}", version=version, wanted=API_VERSION)
        )
    events = settings.child("events")
    missing = _missing(events)
    if missing:
        problems.append(
            Sentence("events are off that the hub needs: {events} («Типы событий»)", events=", ".join(missing))
        )
    return problems


def _missing(events: Fields) -> Iterable[str]:
    return [name for name in NEEDED if events.values.get(name) != 1]
