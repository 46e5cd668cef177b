"""The people of the office as the wall shows them: free, busy or away, with what they do and have at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from crm_core.messages import DeviceState, Verdict
from crm_core.storage.queries.workspace.wall import PersonAtWork
from hub.telephony.attendance import PersonNow
from hub.web.tongues import _
from routing.reasons import state_words, verdict_words

_BUSY = frozenset({DeviceState.BUSY, DeviceState.RINGING})
_ENGAGED = frozenset({Verdict.BUSY, Verdict.WRAP_UP})


class Doing(StrEnum):
    """Whether somebody can take a call, is taken up by one, or is not there for calls."""

    FREE = "free"
    BUSY = "busy"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class WallPerson:
    """A person in a line; `words` say what they do, or why calls pass them over; `takes_calls`: by a telephone."""

    at_work: PersonAtWork
    doing: Doing
    words: str
    takes_calls: bool = True


def people_now(people: Iterable[PersonAtWork], now: Mapping[str, PersonNow], language: str) -> tuple[WallPerson, ...]:
    """Those who are busy first, then the free ones, then those who are away; by name."""
    found = [_person(each, now.get(each.login), language) for each in people]
    order = (Doing.BUSY, Doing.FREE, Doing.AWAY)
    return tuple(sorted(found, key=lambda each: (order.index(each.doing), each.at_work.name)))


def _person(at_work: PersonAtWork, now: PersonNow | None, language: str) -> WallPerson:
    """As their telephones say; where those say nothing, as the record does."""
    if at_work.call is not None:
        return WallPerson(at_work, Doing.BUSY, "")
    if now is None or now.verdict is Verdict.NO_EXTENSION:
        gone = at_work.away or not at_work.working
        words = verdict_words(Verdict.ABSENT if at_work.away else Verdict.NO_EXTENSION, language)
        doing = Doing.AWAY if gone or now is not None else Doing.FREE
        return WallPerson(at_work, doing, words, takes_calls=doing is Doing.FREE)
    if now.verdict is None:
        # Of a telephone that nobody knows anything of it is said that it can be rung all the same.
        known = now.state is not DeviceState.UNKNOWN
        return WallPerson(at_work, Doing.FREE, state_words(now.state, language) if known else _("can be rung"))
    busy = now.verdict in _ENGAGED or (now.state in _BUSY and now.verdict is not Verdict.ABSENT)
    return WallPerson(at_work, Doing.BUSY if busy else Doing.AWAY, verdict_words(now.verdict, language))
