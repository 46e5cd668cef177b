"""What stands in a cell: text made harmless for spreadsheets and back, quantities, moments, several values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from crm_core.errors import InvalidInput
from crm_core.model import written

_DANGEROUS = frozenset("=+-@\t\r")
_QUOTED = _DANGEROUS | {"'"}
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+?\d+\Z", re.IGNORECASE)
_PARTS = re.compile(r"[,;\n|]")
_CURRENCY_NAMES = {"рубль": "RUB", "российский рубль": "RUB", "доллар": "USD", "доллар сша": "USD", "евро": "EUR"}
_MOMENTS = (
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M", "%d.%m.%Y", "%d.%m.%y"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y"),
)


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; `meant` gives the text back as it was.

    >>> harmless("=1+1"), meant(harmless("=1+1")), harmless("'=1"), meant(harmless("'=1")), harmless("O'Hara")
    ("'=1+1", '=1+1', "''=1", "'=1", "O'Hara")
    """
    if text[:1] in _DANGEROUS and text:
        return f"'{text}"
    return f"'{text}" if text[:1] == "'" and len(text) > 1 and text[1] in _QUOTED else text


def meant(cell: str) -> str:
    """The text behind a cell made harmless, by us or by others."""
    return cell[1:] if cell[:1] == "'" and len(cell) > 1 and cell[1] in _QUOTED else cell


def shortened(text: str) -> bool:
    """Whether a spreadsheet shortened a long number so that its digits are lost: `7,91612E+10`."""
    return _SHORTENED.search(text.strip()) is not None


def sum_of(text: str, currency: str = "RUB") -> tuple[int, str]:
    """A sum in minor units and its currency; raises InvalidInput."""
    found = written.money(text, currency_of(currency))
    return int(found["amount"]), str(found["currency"])


def worth(text: str, currency: str) -> tuple[int, str]:
    """The same of what a deal is worth; raises InvalidInput also below nothing."""
    found = sum_of(text, currency)
    if found[0] < 0:
        raise InvalidInput("«{text}»: a deal is worth nothing at least", text=written.brief(text))
    return found


def currency_of(text: str) -> str:
    """The ISO code of a currency; raises InvalidInput."""
    known = _CURRENCY_NAMES.get(written.one_form(text))
    return known or str(written.money(f"1 {text.strip()}" if text.strip() else 1)["currency"])


def thousandths(text: str) -> int:
    """A quantity in thousandths; raises InvalidInput."""
    value = (Decimal(str(written.number(text))) * 1000).quantize(Decimal(1), ROUND_HALF_UP)
    if abs(value) > written.LARGEST_AMOUNT:
        raise InvalidInput("«{text}» is too large", text=written.brief(text))
    return int(value)


def moment(text: str, zone: tzinfo) -> datetime:
    """A moment in UTC, as people and programs write it; a bare day is its beginning in the office. InvalidInput."""
    given = " ".join(text.split())
    found = _read(given)
    if found is None:
        found = datetime.fromisoformat(written.day(given))
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    if not 1970 <= found.year <= 9000:
        raise InvalidInput("«{text}» is no moment: write it like 12.03.2026 10:30", text=written.brief(text))
    return found.astimezone(UTC)


def _read(given: str) -> datetime | None:
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        pass  # people write it in other ways
    for form in _MOMENTS:
        try:
            return datetime.strptime(given, form)  # noqa: DTZ007 - the office's zone is added by the caller
        except ValueError:
            continue
    return None


def listed(text: str) -> list[str]:
    """The parts of a cell with several values: `a, b; c`."""
    return [part for each in _PARTS.split(text) if (part := " ".join(each.split()))]


def as_written(raw: str) -> str:
    """A cell of a file that came in, for a file that goes out: what was made harmless stays so, the rest is made."""
    return raw if raw[:1] == "'" else harmless(raw)
