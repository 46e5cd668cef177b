"""The HTTP side: one address for all accounts, told apart by the token in it; what the telephone system is answered."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import unquote

from channels.cti.config import MAX_SIZE, PATH, CtiConfig
from channels.cti.inbound import Told
from crm_core.ports import HttpRequest, HttpResponse, HttpRoute

_JSON = "application/json; charset=utf-8"
_REFUSED = "Invalid token, please contact your admin!"


class Account(Protocol):
    """What the door asks of an account."""

    @property
    def config(self) -> CtiConfig:
        """Its token, and what it answers."""

    async def take(self, body: bytes) -> Told:
        """Take an event in; returns after the commit, raises IntakeFull or IntakeUnavailable."""

    def refuses(self, told: Told) -> bool:
        """Whether the caller is on a list of those who are not to be put through."""


class CtiDoor:
    """Takes in what telephone systems post, and answers in the protocol's words."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._accounts: list[Account] = []

    def add(self, account: Account) -> None:
        """Let this account's token in."""
        self._accounts.append(account)

    def routes(self, account: Account) -> tuple[HttpRoute, ...]:
        """The address, mounted once, by the first account."""
        return (HttpRoute("POST", PATH, self._posted, MAX_SIZE),) if self._accounts[:1] == [account] else ()

    def numbers(self, name: str) -> Mapping[str, float]:
        """What came for an account, since the start."""
        return {what: float(count) for (account, what), count in self.counts.items() if account == name}

    async def _posted(self, request: HttpRequest) -> HttpResponse:
        """200 with `{}` or an action, after commit; also for a repeat.

        401 for a wrong token: nothing is written. 422 with what is wrong for a body that can't be understood: it is in
        the journal as failed. Raises IntakeFull or IntakeUnavailable where nothing was committed.
        """
        account = self._of_token(request.path.rpartition("/")[2])
        if account is None:
            return _answer(401, {"error": _REFUSED})
        name = account.config.name
        told = await account.take(request.body)
        self.counts[name, f"events_{told.kind.value}" if told.kind is not None else "events_not_understood"] += 1
        if told.trouble:
            return _answer(422, {"error": told.trouble})
        if told.begins_in and account.refuses(told):
            self.counts[name, "callers_refused"] += 1
            return _answer(200, {"action": "reject", "reason": "busy"})
        shown = account.config.shown_to(told.digits) if told.begins_out else None
        if shown is not None:
            return _answer(200, {"action": "dial", "caller_id": shown.lstrip("+"), "number": told.to})
        return _answer(200, {})

    def _of_token(self, given: str) -> Account | None:
        """Every account is compared, whole, so that the time taken says nothing of how much was right."""
        said = unquote(given).encode("utf-8", "backslashreplace")
        found: Account | None = None
        for account in self._accounts:
            if hmac.compare_digest(said, account.config.token.encode("utf-8", "backslashreplace")):
                found = account
        return found


def _answer(status: int, body: dict[str, str]) -> HttpResponse:
    return HttpResponse(status, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), _JSON)
