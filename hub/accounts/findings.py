"""What trying an account out came to, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crm_core.errors import ChannelAuthError, CoreError, PermanentDeliveryError
from crm_core.ports import Channel, ChannelHealth, ChannelState, ProvesItself
from hub.accounts.advice import RU, Words, advice


class Step(StrEnum):
    """What is tried, in this order."""

    SETTINGS = "settings"
    LOGIN = "login"
    EVENTS = "events"
    OUTGOING = "outgoing"
    INCOMING = "incoming"
    PORT = "port"
    ADDRESS = "address"

    def title(self, language: str = RU) -> str:
        """How people call it."""
        return _TITLES[self].of(language)


_TITLES = {
    Step.SETTINGS: Words("Настройки", "Settings"),
    Step.LOGIN: Words("Вход", "Login"),
    Step.EVENTS: Words("Приём событий", "Events"),
    Step.OUTGOING: Words("Исходящая почта", "Outgoing mail"),
    Step.INCOMING: Words("Входящая почта", "Incoming mail"),
    Step.PORT: Words("Порт хаба", "The hub's port"),
    Step.ADDRESS: Words("Адрес из интернета", "Address from the internet"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One step: `detail` says what was proved or what is wrong, in the connectors' own words; `mend` what to do.

    `field` is the key of a setting that is wrong.
    """

    step: Step
    ok: bool
    detail: str
    mend: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """All steps that were tried."""

    steps: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the account works."""
        return all(each.ok for each in self.steps)


def failed(step: Step, channel: str, detail: str, language: str, *, auth: bool = False) -> Finding:
    """A step that failed, with what to do."""
    state = ChannelState.BAD_CREDENTIALS if auth else ChannelState.RECONNECTING
    return Finding(step, False, detail, advice(channel, ChannelHealth(state, detail), language))


async def proved(channel: Channel, language: str = RU, steps: Sequence[Step] = (Step.LOGIN,)) -> tuple[Finding, ...]:
    """What a connector says of its account: it is asked as `hub check` asks it. Of several `steps` the first is logging
    in, the others come after it."""
    name, health = channel.key.channel, channel.health
    first, *others = steps
    if health.state is ChannelState.STOPPED and health.detail:
        return (Finding(Step.SETTINGS, False, health.detail, advice(name, health, language)),)
    if not isinstance(channel, ProvesItself):
        return (Finding(first, True, _NOTHING.of(language)),)
    try:
        told = await channel.check()
    except PermanentDeliveryError as err:
        # The login was taken, unless it is the wrong account's; what comes behind it is not as it should be.
        if not others or "group_id" in str(err):
            return (failed(first, name, str(err), language),)
        return (Finding(first, True, ""), failed(others[0], name, str(err), language))
    except CoreError as err:
        return (failed(first, name, str(err), language, auth=isinstance(err, ChannelAuthError)),)
    return (Finding(first, True, told), *(Finding(each, True, "") for each in others))


_NOTHING = Words("ждёт обращений, проверять нечего", "it waits to be spoken to, there is nothing to try")
