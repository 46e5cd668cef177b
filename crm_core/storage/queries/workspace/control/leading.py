"""Leading indicators: what everybody did on each of the last days that will be sales later.

A meeting is a done task whose kind or title begins with «встреч», «замер», «визит», "meeting" or "visit"; an offer or
an invoice is a document whose template is called so; a payment is money received for a deal of the person's. Every
source is one statement that counts by person, a column a day, over an index by time: it costs what was done within the
week, whatever lies before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, and_, case, func, literal_column, or_, select

from crm_core.storage.queries.pages import both
from crm_core.storage.queries.workspace.control.lists import Wish
from crm_core.storage.queries.workspace.control.views import ControlRow, Figure, SubjectKind, Unit
from crm_core.storage.reports.base import Words
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import call, deal, document, payment, task

_TALKS = Words("Разговоров", "Conversations")
_PLACED = Words("Из них исходящих", "Of them outgoing")
_MEETINGS = Words("Встреч и замеров", "Meetings and visits")
_OFFERS = Words("Предложений", "Offers")
_INVOICES = Words("Счетов", "Invoices")
_PAID = Words("Оплат", "Payments")
_MONEY = Words("Оплачено", "Paid")

# By what a task calls itself, in its kind or at the beginning of its title. SQLite's LIKE knows the case of Latin
# letters alone, so both are written out.
_MEETING = ("встреч", "Встреч", "замер", "Замер", "визит", "Визит", "meeting", "Meeting", "visit", "Visit")
_OFFER = re.compile(r"\bкп\b|предложени|offer|quot|proposal", re.IGNORECASE)
_INVOICE = re.compile(r"сч[её]т|invoice", re.IGNORECASE)


@dataclass(slots=True)
class _Done:
    """What one person did on one day; `money` in minor units, by currency."""

    talks: int = 0
    placed: int = 0
    meetings: int = 0
    offers: int = 0
    invoices: int = 0
    paid: int = 0
    money: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.talks, self.placed, self.meetings, self.offers, self.invoices, self.paid))

    def add(self, other: _Done) -> None:
        """Count another's in."""
        for name in ("talks", "placed", "meetings", "offers", "invoices", "paid"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for currency, amount in other.money.items():
            self.money[currency] = self.money.get(currency, 0) + amount

    def figures(self) -> tuple[Figure, ...]:
        """In the order of the columns. A sum of several currencies is none."""
        currency, amount = next(iter(self.money.items())) if len(self.money) == 1 else ("", None)
        counts = (
            (_TALKS, self.talks),
            (_PLACED, self.placed),
            (_MEETINGS, self.meetings),
            (_OFFERS, self.offers),
            (_INVOICES, self.invoices),
            (_PAID, self.paid),
        )
        return (
            *(Figure(title, value, Unit.COUNT) for title, value in counts),
            Figure(_MONEY, amount, Unit.MONEY, currency),
        )


def leading(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    """A line for each of the last days with what all did, today first, and under it those who did anything. Four
    statements."""
    days = _days(wish)
    found: list[dict[str, _Done]] = [{} for _day in days]
    talks, meetings, papers, money = (conn.execute(each).all() for each in leading_statements(wish))

    def of(place: int, login: str | None) -> _Done:
        return found[place].setdefault(login or "", _Done())

    for login, *counts in talks:
        for place in range(len(days)):
            of(place, login).talks += int(counts[place] or 0)
            of(place, login).placed += int(counts[len(days) + place] or 0)
    for login, *counts in meetings:
        for place, count in enumerate(counts):
            of(place, login).meetings += int(count or 0)
    for login, template, *counts in papers:
        for place, count in enumerate(counts):
            if _OFFER.search(template):
                of(place, login).offers += int(count or 0)
            elif _INVOICE.search(template):
                of(place, login).invoices += int(count or 0)
    for login, currency, *counts in money:
        for place in range(len(days)):
            count, amount = int(counts[place] or 0), int(counts[len(days) + place] or 0)
            if count:
                of(place, login).add(_Done(paid=count, money={currency: amount}))
    rows: list[ControlRow] = []
    for (since, _until), people in reversed(list(zip(days, found, strict=True))):
        rows.extend(_of_day(wish, since, {login: done for login, done in people.items() if done}))
    return tuple(rows)


def leading_statements(wish: Wish) -> tuple[Select[Any], ...]:
    """Conversations, meetings, documents by their templates, and money: by person, a column a day."""
    days = _days(wish)
    talked = call.c.talk_s > 0
    done = task.c.state == literal_column("'done'")
    met = or_(*(column.like(f"{word}%") for word in _MEETING for column in (task.c.kind, task.c.title)))
    received = payment.c.kind == literal_column("'received'")
    return (
        select(
            call.c.answered_by,
            *_counted(call.c.started_at, days),
            *_counted(call.c.started_at, days, call.c.direction == literal_column("'out'")),
        )
        .where(*_within(call.c.started_at, days), talked, *_whose(wish, call.c.answered_by))
        .group_by(call.c.answered_by),
        select(task.c.done_by, *_counted(task.c.done_at, days))
        .where(*_within(task.c.done_at, days), done, met, task.c.deleted_at.is_(None), *_whose(wish, task.c.done_by))
        .group_by(task.c.done_by),
        select(document.c.author, document.c.template, *_counted(document.c.created_at, days))
        .where(*_within(document.c.created_at, days), *_whose(wish, document.c.author))
        .group_by(document.c.author, document.c.template),
        select(
            deal.c.manager,
            payment.c.currency,
            *_counted(payment.c.at, days),
            *(_sum(payment.c.at, payment.c.amount, day) for day in days),
        )
        .join(deal, deal.c.id == payment.c.deal_id)
        .where(
            *_within(payment.c.at, days),
            received,
            payment.c.deleted_at.is_(None),
            payment.c.amount > 0,
            deal.c.deleted_at.is_(None),
            *_whose(wish, deal.c.manager),
            *both((seen_card(wish.asker.sight),)),
        )
        .group_by(deal.c.manager, payment.c.currency),
    )


def _of_day(wish: Wish, since: datetime, people: dict[str, _Done]) -> Sequence[ControlRow]:
    if not people:
        return ()
    whole = _Done()
    for done in people.values():
        whole.add(done)
    staff = wish.asker.staff
    names = {login: user.name if (user := staff.get(login)) is not None else login for login in people}
    return [
        ControlRow(SubjectKind.DAY, None, since.date().isoformat(), at=since, figures=whole.figures()),
        *(
            ControlRow(SubjectKind.USER, None, names[login], login=login or None, figures=people[login].figures())
            for login in sorted(people, key=lambda each: (names[each], each))
        ),
    ]


def _days(wish: Wish) -> list[tuple[datetime, datetime]]:
    """The days, the first first, each from its midnight to the next in the office's zone."""
    count = int(wish.limits.lately / timedelta(days=1))
    return [(wish.asker.midnight(-back), wish.asker.midnight(1 - back)) for back in range(count - 1, -1, -1)]


def _within(column: Any, days: Sequence[tuple[datetime, datetime]]) -> tuple[Any, Any]:
    return column >= days[0][0], column < days[-1][1]


def _counted(column: Any, days: Sequence[tuple[datetime, datetime]], *more: Any) -> list[Any]:
    return [
        func.sum(case((and_(column >= since, column < until, *more), 1), else_=0), type_=Integer)
        for since, until in days
    ]


def _sum(column: Any, amount: Any, day: tuple[datetime, datetime]) -> Any:
    return func.sum(case(((column >= day[0]) & (column < day[1]), amount), else_=0), type_=BigInteger)


def _whose(wish: Wish, column: Any) -> tuple[Any, ...]:
    """What is nobody's did nobody."""
    return (column.is_not(None), *both((wish.whose(column, nobodys=False),)))
