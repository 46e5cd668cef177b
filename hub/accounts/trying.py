"""Trying an account out before, or after, it is kept: the provider is really asked, nothing is taken in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Protocol

import aiohttp

from crm_core.messages import ChannelKey
from crm_core.model.definitions.accounts import AccountKind
from crm_core.ports import ChannelContext, Clock
from crm_core.storage.store import Store
from crm_core.wording import Sentence
from hub.accounts.channels import Channels
from hub.accounts.findings import Finding, Findings, Step, failed, proved
from hub.accounts.in_force import NowInForce
from hub.accounts.keeping import BadAccount, Given, kept
from hub.accounts.kinds import Account, alone
from hub.accounts.places import why_not
from hub.accounts.sealing import Seal
from hub.connectors import CONNECTORS
from hub.redaction import Redactor
from hub.settings import (
    EmailSettings,
    Endpoint,
    GatewaySettings,
    PbxSettings,
    Settings,
    TelegramMode,
    TelegramSettings,
    VkSettings,
    WebSettings,
)
from hub.settings.model import VkMode

_PATIENCE_S = 20.0
_ANSWER_S = 5.0


class Running(Protocol):
    """What of the hub is needed: its own settings, the record, and what runs."""

    @property
    def settings(self) -> Settings:
        """Those of hub.toml."""

    @property
    def store(self) -> Store:
        """The record."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def context(self) -> ChannelContext:
        """What connectors are given."""

    @property
    def configured(self) -> NowInForce:
        """What is in force."""

    @property
    def channels(self) -> Channels:
        """What runs."""


async def try_account(hub: Running, given: Given, language: str | None = None) -> Findings:
    """Whether this account would work: its settings, then every connection it needs, each at most 20 s.

    Never raises for what is wrong with the account. `language` is the office's unless it is named.
    """
    language = language or hub.settings.language.value
    catalogue = await hub.store.run(lambda desk: desk.catalogue)
    today = hub.clock.now().astimezone(hub.settings.time_zone).date()
    try:
        found = kept(given, hub.settings, catalogue, Seal(hub.settings), today)
    except BadAccount as err:
        return Findings(tuple(Finding(Step.SETTINGS, False, each.what, each.mend, each.key) for each in err.problems))
    return await try_configured(hub, given.kind, found.account, found.among, language)


async def try_configured(
    hub: Running, kind: AccountKind, account: Account, settings: Settings, language: str
) -> Findings:
    """The same for an account whose settings are right; `settings` are those it stands among."""
    tries = _Tries(hub, kind, settings, language)
    found = await asyncio.gather(*(tries.in_time(step, work) for step, work in tries.of(account)))
    hidden = Redactor(alone(settings, kind, account).secrets())
    return Findings(tuple(_hidden(hidden, each) for findings in found for each in findings))


def _hidden(secrets: Redactor, finding: Finding) -> Finding:
    """A finding without secrets; where there are none in it, in the words that can be said in other languages."""
    plain = secrets.text(finding.detail)
    return finding if plain == finding.detail else replace(finding, detail=plain)


class _Tries:
    """The trials of one account."""

    def __init__(self, hub: Running, kind: AccountKind, settings: Settings, language: str) -> None:
        self._hub = hub
        self._kind = kind
        self._settings = settings
        self._language = language

    def of(self, account: Account) -> Sequence[tuple[Step, Awaitable[tuple[Finding, ...]]]]:
        """What is tried of an account, side by side."""
        match account:
            case TelegramSettings(mode=mode):
                steps = (Step.LOGIN, Step.EVENTS)
                return [(Step.LOGIN, self._ask(account, steps)), *self._reached(hooked=mode is TelegramMode.WEBHOOK)]
            case VkSettings(mode=mode):
                steps = (Step.LOGIN, Step.EVENTS)
                return [(Step.LOGIN, self._ask(account, steps)), *self._reached(hooked=mode is VkMode.CALLBACK)]
            case EmailSettings():
                return self._mail(account)
            case PbxSettings(agi=agi):
                return [(Step.LOGIN, self._ask(account, (Step.LOGIN,))), (Step.PORT, self._port(agi))]
            case WebSettings():
                return [(Step.EVENTS, self._ask(account, (Step.EVENTS,))), *self._reached(hooked=True)]
            case GatewaySettings():
                return [(Step.LOGIN, self._ask(account, (Step.LOGIN,))), *self._reached(hooked=True)]

    async def in_time(self, step: Step, work: Awaitable[tuple[Finding, ...]]) -> tuple[Finding, ...]:
        """A trial that is over in time whatever happens."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await work
        except TimeoutError:
            return (
                failed(
                    step,
                    self._kind.value,
                    Sentence("no answer within {seconds} s", seconds=int(_PATIENCE_S)),
                    self._language,
                ),
            )
        except Exception as err:  # noqa: BLE001 - whatever a connector trips over is what is wrong with the account
            return (failed(step, self._kind.value, f"{type(err).__name__}: {err}", self._language),)

    async def _ask(self, account: Account, steps: Sequence[Step]) -> tuple[Finding, ...]:
        connect = CONNECTORS[self._kind.value]  # never the running ones: this account must be known to nobody
        settings = alone(self._settings, self._kind, account)
        # Loading a channel's library takes seconds, for which nobody is to wait.
        (channel,) = await asyncio.to_thread(connect, settings, self._hub.context)
        return await proved(channel, self._language, steps)

    def _mail(self, box: EmailSettings) -> Sequence[tuple[Step, Awaitable[tuple[Finding, ...]]]]:
        found: list[tuple[Step, Awaitable[tuple[Finding, ...]]]] = []
        if box.smtp is not None:
            way = replace(box, imap=None, listen=None)
            found.append((Step.OUTGOING, self._ask(way, (Step.OUTGOING,))))
        if box.imap is not None:
            way = replace(box, smtp=None, listen=None)
            found.append((Step.INCOMING, self._ask(way, (Step.INCOMING,))))
        if box.listen is not None:
            found.append((Step.PORT, self._port(box.listen)))
        return found

    async def _port(self, where: Endpoint) -> tuple[Finding, ...]:
        if where in self._own_places():
            return (Finding(Step.PORT, True, Sentence("the hub listens on {place}", place=where)),)
        wrong = await asyncio.to_thread(why_not, where)
        if wrong is None:
            return (Finding(Step.PORT, True, Sentence("{place} is free", place=where)),)
        told = Sentence("can't listen on {place}: {why}", place=where, why=wrong)
        return (failed(Step.PORT, self._kind.value, told, self._language),)

    def _own_places(self) -> frozenset[Endpoint]:
        """Where this hub listens for accounts of this kind: they may share."""
        now, channels = self._hub.configured.settings, self._hub.channels
        if self._kind is AccountKind.PBX:
            return frozenset(each.agi for each in now.pbx if _open(channels.get(ChannelKey("pbx", each.name))))
        boxes = (each for each in now.email if _open(channels.get(ChannelKey("email", each.name))))
        return frozenset(each.listen for each in boxes if each.listen is not None)

    def _reached(self, *, hooked: bool) -> Sequence[tuple[Step, Awaitable[tuple[Finding, ...]]]]:
        return [(Step.ADDRESS, self._address())] if hooked else []

    async def _address(self) -> tuple[Finding, ...]:
        """Whether the address that providers and browsers are told leads to this hub, as seen from here."""
        url = f"{self._hub.settings.base_url.rstrip('/')}/healthz"
        try:
            timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
                well = answer.status == 200 and (await answer.json(content_type=None)).get("ok") is True
            other = Sentence("something else answers at {url}: see that public_url leads to this hub", url=url)
            told = "" if well else other
        except aiohttp.ClientSSLError as err:
            told = Sentence("the certificate of {url} is not right: {why}", url=url, why=err)
        except (ssl.SSLError, aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError) as err:
            why = str(err) or type(err).__name__
            told = Sentence("{url} does not answer ({why}): see that public_url leads to this hub", url=url, why=why)
        if told:
            return (failed(Step.ADDRESS, self._kind.value, told, self._language),)
        return (Finding(Step.ADDRESS, True, Sentence("{url} answers", url=url)),)


def _open(channel: object) -> bool:
    """Whether a connector of this process listens."""
    place = getattr(channel, "agi_address", None) or getattr(channel, "listening", None)
    return place is not None
