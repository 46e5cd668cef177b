"""The few things that the two engines write differently where rows are made by SQL alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_core.storage.types import to_micros

# Two primes: a number is spread over all values, differently for every salt.
_P = 2_147_483_647
_Q = 2_147_483_629


@dataclass(frozen=True, slots=True)
class Dialect:
    """SQL of one engine; `n` is the number of the row that is made, from 1."""

    sqlite: bool
    now: datetime

    def numbers(self, count: int) -> str:
        """Rows `n` from 1, to select from."""
        if self.sqlite:
            step = f"SELECT 1 AS n UNION ALL SELECT n + 1 FROM g WHERE n < {count}"
            return f"(WITH RECURSIVE g(n) AS ({step}) SELECT n FROM g LIMIT {count}) AS g"
        return f"generate_series(1::bigint, {count}) AS g(n)"

    def chance(self, salt: int, among: int, n: str = "n") -> str:
        """A number below `among`, always the same for a row and a salt."""
        first = f"(({n} * {2 * salt * 7_368_787 + 1} + {salt * 999_983}) % {_P})"
        return f"({first} * (({n} * {2 * salt * 15_485_863 + 1}) % {_Q} + 1) % {_Q} % {among})"

    def often_first(self, salt: int, among: int, n: str = "n") -> str:
        """The same, the lower numbers far more often: the square of a chance."""
        fine = self.chance(salt, 1_000_000, n)
        return f"({fine} * {fine} / 1000000 * {among} / 1000000)"

    def pick(self, values: Sequence[str], number: str) -> str:
        """The text at a place, counted from 0."""
        if self.sqlite:
            listed = json.dumps(list(values), ensure_ascii=False).replace("'", "''")
            return f"('{listed}' ->> ({number}))"
        listed = ", ".join("'{}'".format(each.replace("'", "''")) for each in values)
        return f"(ARRAY[{listed}])[(1 + ({number}))::integer]"

    def pick_id(self, values: Sequence[int], number: str) -> str:
        """The id at a place, counted from 0."""
        if self.sqlite:
            return f"('{json.dumps(list(values))}' ->> ({number}))"
        return f"(ARRAY[{', '.join(map(str, values))}]::bigint[])[(1 + ({number}))::integer]"

    def ago(self, seconds: str) -> str:
        """A moment so many seconds before now."""
        if self.sqlite:
            return f"({to_micros(self.now)} - ({seconds}) * 1000000)"
        return f"('{self.now.isoformat()}'::timestamptz - ({seconds}) * interval '1 second')"

    def day_of(self, moment: str) -> str:
        """A moment's day."""
        return f"({moment} / 86400000000)" if self.sqlite else f"({moment}::date)"

    def day_ahead(self, days: str) -> str:
        """The day `YYYY-MM-DD` so many days after today."""
        if self.sqlite:
            return f"date('{self.now.date()}', '+' || ({days}) || ' days')"
        return f"to_char('{self.now.date()}'::date + ({days})::integer, 'YYYY-MM-DD')"

    def day_number(self, days: str) -> str:
        """The same as days since 1970."""
        return f"({(self.now.date() - datetime(1970, 1, 1, tzinfo=self.now.tzinfo).date()).days} + ({days}))"

    def json(self, text: str) -> str:
        """A text that is JSON, as such a column takes it."""
        return text if self.sqlite else f"({text})::jsonb"

    def flag(self, condition: str) -> str:
        """A condition as a column of flags takes it."""
        return f"({condition})"

    @staticmethod
    def digits(number: str, width: int) -> str:
        """A number below 10^width with leading zeros."""
        return f"substr(CAST({10**width} + ({number}) AS TEXT), 2)"
