"""What the filters of lists ask alike: the same address after reading and writing, the same terms of a filter."""

from __future__ import annotations

import pytest
from multidict import MultiDict

from crm_core.errors import InvalidInput
from crm_core.model.user import Role, Staff, User
from hub.web.board.asking import Wanted as Cards
from hub.web.clients.asking import Wanted as Clients
from hub.web.filtering.asking import NOBODY, of_span, of_staff

PEOPLE = (
    User(1, "petr", "Пётр", Role.MANAGER, group="sales"),
    User(2, "ivan", "Иван", Role.MANAGER, group="sales"),
    User(3, "olga", "Ольга", Role.MANAGER),
)
STAFF = Staff({each.login: each for each in PEOPLE})


@pytest.mark.parametrize("wanted", [Cards, Clients])
def test_an_address_that_was_read_is_written_as_it_was(wanted: type[Cards | Clients]) -> None:
    address = "manager=ivan&made_from=2026-01-02&f.area.from=10&f.colour=%D0%B1%D0%B5%D0%BB%D1%8B%D0%B9"
    query = MultiDict(
        [("manager", " ivan "), ("made_from", "2026-01-02"), ("f.colour", "белый"), ("f.area.from", "10")]
    )
    found = wanted.of(query)
    assert (found.address, found.count) == (address, 4)
    assert wanted.of(MultiDict({"manager": "", "nothing": "1"})) == wanted()
    with pytest.raises(InvalidInput, match="NUL"):
        wanted.of(MultiDict({"f.colour": "\x00"}))


def test_what_stands_apart_from_the_filter_is_not_counted() -> None:
    cards, clients = (
        Cards.of(MultiDict({"sort": "due", "q": "окна"})),
        Clients.of(MultiDict({"q": "Анна", "idle": "1"})),
    )
    assert (cards.address, cards.count) == ("q=%D0%BE%D0%BA%D0%BD%D0%B0&sort=due", 1)
    assert (clients.address, clients.count) == ("q=%D0%90%D0%BD%D0%BD%D0%B0&idle=1", 1)


def test_whose_something_is() -> None:
    assert [*of_staff("", "", STAFF)] == []
    assert [*of_staff(NOBODY, "", STAFF)] == [{"field": "manager", "op": "empty"}]
    assert [*of_staff("olga", "sales", STAFF)] == [
        {"field": "manager", "value": "olga"},
        {"field": "manager", "op": "in", "value": ["ivan", "petr"]},
    ]


def test_a_span_may_be_open_at_either_end() -> None:
    first, last = {"field": "amount", "op": ">=", "value": "1"}, {"field": "amount", "op": "<=", "value": "2"}
    assert [*of_span("amount", "1", "2")] == [first, last]
    assert [*of_span("amount", "1", "")] == [first]
    assert [*of_span("amount", "", "2")] == [last]
