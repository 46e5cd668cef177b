"""What products, lines, payments and sales share on the wire: quantities, days, ids of other programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema

from crm_core.errors import InvalidInput
from crm_core.model.exchange import ExternalRefRecord
from crm_core.model.money import MOST, THOUSANDTHS
from crm_core.services.desk import Desk
from crm_core.services.recognising import external
from crm_core.storage.queries import selling as queries
from crm_core.storage.queries.pages import Reading
from crm_core.wording import Sentence
from hub.http.types import Named, Short

_MOST_SYSTEMS = 20


def _thousandths(value: object) -> int:
    """A quantity in thousandths: at most three digits behind the point, none of them lost to binary fractions."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(Sentence("a number, e.g. 2 or 0.5"))  # noqa: TRY004 - pydantic's kind
    try:
        exact = Decimal(str(value).strip().replace(",", ".")) * THOUSANDTHS
    except ArithmeticError as err:
        raise ValueError(Sentence("a number, e.g. 2 or 0.5")) from err
    if not exact.is_finite() or abs(exact) > MOST:
        raise ValueError(Sentence("a number that is not so large"))
    if exact != exact.to_integral_value():
        raise ValueError(Sentence("at most three digits behind the point"))
    return int(exact)


def _hundredths(value: object) -> int:
    found = _thousandths(value)
    if found % 10 or not 0 <= found <= 100 * THOUSANDTHS:
        raise ValueError(Sentence("per cent between 0 and 100, at most two digits behind the point"))
    return found // 10


def _day(value: str) -> str:
    found = date.fromisoformat(value)
    if not 1970 <= found.year <= 9000:
        raise ValueError(Sentence("a day between the years 1970 and 9000"))
    return found.isoformat()


_NUMBER = WithJsonSchema({"type": "number"})
Quantity: TypeAlias = Annotated[int, BeforeValidator(_thousandths), _NUMBER]
Percent: TypeAlias = Annotated[int, BeforeValidator(_hundredths), _NUMBER]
Day: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$"),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
ExternalIds: TypeAlias = Annotated[dict[Named, Short | None], Field(max_length=_MOST_SYSTEMS)]
Currency: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

__all__ = [
    "Currency",
    "Day",
    "ExternalIds",
    "Percent",
    "Quantity",
    "external_of",
    "held_external",
    "keep_external",
    "kept",
    "quantity_shown",
]


def quantity_shown(thousandths: int) -> int | float:
    """A quantity as a number."""
    whole, rest = divmod(thousandths, THOUSANDTHS)
    return whole if rest == 0 else thousandths / THOUSANDTHS


def keep_external(desk: Desk, kind: str, subject_id: int, given: BaseModel) -> None:
    """Keep the `external` ids of a body, where it names any."""
    named: dict[str, str | None] | None = getattr(given, "external", None)
    if named:
        external.keep(desk, kind, subject_id, named)


def kept(desk: Desk, kind: str, subject_id: int, given: BaseModel) -> dict[str, str]:
    """The same, and which ids the record has then."""
    keep_external(desk, kind, subject_id, given)
    return held_external(desk, kind, subject_id)


def held_external(desk: Desk, kind: str, subject_id: int) -> dict[str, str]:
    """By what ids other programs know a record, in an act."""
    return external.shown(_held(desk, kind, subject_id))


def external_of(conn: Reading, kind: str, ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """By what ids other programs know records."""
    return queries.external_of(conn, kind, ids)


def _held(desk: Desk, kind: str, subject_id: int) -> list[ExternalRefRecord]:
    found = desk.work.external_ids_of(kind, [subject_id])
    if len(found.get(subject_id, ())) > _MOST_SYSTEMS:
        raise InvalidInput("external: at most {most} programs a record", most=_MOST_SYSTEMS)
    return found.get(subject_id, [])
