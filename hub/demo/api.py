"""The hub as another program sees it: its HTTP API with a token, parsed into what the demonstration looks at."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from crm_core.model.identity import brief, stored_identity

_PAGE = 100
_TIMEOUT = aiohttp.ClientTimeout(total=60)


class ApiFailure(Exception):
    """The hub refused or answered something else than agreed."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A client's card."""

    id: int
    name: str
    identities: tuple[str, ...]
    manager: str | None

    @property
    def shown(self) -> str:
        """The name, else whatever identifies the client."""
        return self.name or next((brief(stored_identity(each)) for each in self.identities), f"№ {self.id}")


@dataclass(frozen=True, slots=True)
class Lead:
    """An enquiry."""

    id: int
    contact_id: int
    title: str
    status: str
    source: str
    manager: str | None
    utm: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A client who waits, or waited."""

    id: int
    contact_id: int
    kind: str
    state: str
    rung: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class CallState:
    """A call of a timeline entry."""

    state: str
    wait_s: float
    talk_s: float
    answered_by: str
    rung: tuple[str, ...]
    recorded: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """Something on a client's timeline."""

    id: int
    contact_id: int
    kind: str
    direction: str
    text: str
    subject: str
    author: str
    delivery: str
    attachments: tuple[str, ...]
    versions: int
    call: CallState | None


class HubApi:
    """Calls of the API; open it with `async with`. Times out after ten seconds a call."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(self._url, timeout=_TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ready(self, within_s: float) -> None:
        """Wait until the hub takes facts in and every account is connected. Raises TimeoutError, saying what is not."""
        trouble = "it does not listen"
        try:
            async with asyncio.timeout(within_s):
                while trouble:
                    try:
                        async with self._open.get("/readyz") as response:
                            parts = (await response.json(content_type=None))["parts"]
                            trouble = "" if response.ok else str(parts)
                            trouble += ", ".join(
                                f"{name}: {part}" for name, part in parts.items() if _waits(name, part)
                            )
                    except aiohttp.ClientError as err:
                        trouble = str(err)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(trouble) from None

    async def events(self) -> AsyncIterator[None]:
        """The hub's live feed: yields whenever something changed; ends when the hub closes it."""
        headers = {**self._headers(), "Accept": "text/event-stream"}
        timeout = aiohttp.ClientTimeout(total=None, connect=5)
        async with self._open.get("/api/v1/events", headers=headers, timeout=timeout) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data:"):
                    yield None

    async def contacts(self) -> list[Contact]:
        """Everybody known."""
        return [_contact(item) for item in await self._list("/api/v1/contacts")]

    async def leads(self) -> list[Lead]:
        """All leads."""
        return [_lead(item) for item in await self._list("/api/v1/leads")]

    async def cases(self) -> list[Case]:
        """All cases, the closed ones too."""
        found = {case["id"]: case for state in ("open", "closed") for case in await self._list(_CASES + state)}
        return [_case(found[number]) for number in sorted(found)]

    async def timeline(self, contact_id: int) -> list[Entry]:
        """Everything that happened with a client, in the order in which it was written down."""
        return [_entry(item) for item in await self._list(f"/api/v1/contacts/{contact_id}/timeline")]

    async def add_contact(self, name: str, phone: str, manager: str) -> int:
        """Enter a client with their manager."""
        body = {"name": name, "identities": [f"tel:{phone}"], "manager": manager}
        return int((await self._post("/api/v1/contacts", body))["id"])

    async def write(self, contact_id: int, text: str, token: str, channel: str = "telegram") -> None:
        """Write to a client by a messenger, as whoever the token belongs to."""
        body = {"channel": channel, "text": text}
        await self._post(f"/api/v1/contacts/{contact_id}/messages", body, token)

    # ------------------------------------------------------------ inside

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("open the API with `async with`")
        return self._session

    def _headers(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self._token}"}

    async def _list(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            params = {"limit": str(_PAGE), **({"after": after} if after else {})}
            async with self._open.get(path, params=params, headers=self._headers()) as response:
                page = await _read(response)
            items += page["items"]
            after = page.get("next")
            if not after:
                return items

    async def _post(self, path: str, body: Mapping[str, Any], token: str | None = None) -> dict[str, Any]:
        headers = self._headers(token) | {"Idempotency-Key": uuid.uuid4().hex}
        async with self._open.post(path, json=body, headers=headers) as response:
            return await _read(response)


_CASES = "/api/v1/cases?state="


def _waits(name: str, part: Mapping[str, str]) -> bool:
    return ":" in name and part["state"] != "connected"


async def _read(response: aiohttp.ClientResponse) -> dict[str, Any]:
    if response.status >= 400:
        raise ApiFailure(f"{response.method} {response.url.path}: {response.status} {(await response.text())[:300]}")
    found: dict[str, Any] = await response.json()
    return found


def _contact(item: Mapping[str, Any]) -> Contact:
    identities = tuple(each if isinstance(each, str) else str(each["key"]) for each in item["identities"])
    return Contact(item["id"], item["name"] or "", identities, item["manager"])


def _lead(item: Mapping[str, Any]) -> Lead:
    utm = tuple(f"{name}={value}" for name, value in (item["utm"] or {}).items() if value)
    source = item["source"] or ""
    return Lead(item["id"], item["contact_id"], item["title"], item["status"], source, item["manager"], utm)


def _case(item: Mapping[str, Any]) -> Case:
    return Case(item["id"], item["contact_id"], item["kind"], item["state"], item["rung"], item["reason"] or "")


def _entry(item: Mapping[str, Any]) -> Entry:
    call = item.get("call")
    return Entry(
        id=item["id"],
        contact_id=item["contact_id"],
        kind=item["kind"],
        direction=item["direction"],
        text=item["text"] or "",
        subject=item.get("subject") or "",
        author=item.get("author") or "",
        delivery=item.get("delivery") or "",
        attachments=tuple(each["name"] for each in item.get("attachments") or ()),
        versions=len(item.get("history") or ()),
        call=_call(call) if call else None,
    )


def _call(call: Mapping[str, Any]) -> CallState:
    return CallState(
        state=call["state"],
        wait_s=call["wait_s"] or 0.0,
        talk_s=call["talk_s"] or 0.0,
        answered_by=str(call["answered_by"] or ""),
        rung=tuple(str(leg["endpoint"]) if isinstance(leg, dict) else str(leg) for leg in call["rung"] or ()),
        recorded=call.get("recording_state") in {"expected", "stored", "remote"},
    )
