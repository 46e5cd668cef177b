"""Values as people write them — numbers, sums, days, yes and no — read into what the record keeps.

Every function raises InvalidInput with words for people; blanks of all kinds count as one.
"""

from __future__ import annotations

import re
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from crm_core.errors import InvalidInput

LARGEST_AMOUNT = 10**15
"""The largest sum, in minor units, and the largest number."""

_LONGEST = 60
_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f'’]+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)\Z")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?:(?!\1)[.,]\d+)?\Z")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}\Z")
_SCALES = (
    ("тыс.", 3), ("тыс", 3), ("т.р.", 3), ("тысяч", 3), ("к", 3), ("k", 3),
    ("млн.", 6), ("млн", 6), ("миллионов", 6), ("млрд.", 9), ("млрд", 9),
)  # fmt: skip
_SIGNS = {
    "₽": "RUB", "р": "RUB", "р.": "RUB", "руб": "RUB", "руб.": "RUB", "рублей": "RUB", "рубля": "RUB", "рубль": "RUB",
    "rur": "RUB", "rub": "RUB", "$": "USD", "usd": "USD", "долл": "USD", "долл.": "USD", "долларов": "USD",
    "€": "EUR", "eur": "EUR", "евро": "EUR", "₸": "KZT", "kzt": "KZT", "тенге": "KZT", "byn": "BYN", "cny": "CNY",
    "¥": "CNY", "юаней": "CNY", "uah": "UAH", "₴": "UAH", "gbp": "GBP", "£": "GBP",
}  # fmt: skip
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_SUM = re.compile(r"(?P<before>[^\d\s.,+-]*)\s*(?P<number>[+-]?[\d.,][\d\s.,]*)(?P<after>.*)\Z", re.DOTALL)
_KOPECKS = re.compile(r"(.*?)(\d{1,2})\s*коп\.?(?:еек|ейки|ейка)?\Z", re.DOTALL)
# Digits behind the point of currencies that do not have two.
_PLACES = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3}
_MONTHS = (
    *("январ", "феврал", "март", "апрел", "ма", "июн"),
    *("июл", "август", "сентябр", "октябр", "ноябр", "декабр"),
)
_IN_WORDS = re.compile(r"(\d{1,2})\s+([а-яё]+)\s+(\d{4})(?:\s*г\.?|\s*года?)?\Z")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:\s*г\.?)?(?:[ ,T].*)?\Z")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?\Z")
_EARLIEST, _LATEST = 1000, 9000
_FIRST_MOMENT = 1970
_CENTURY = 70  # 70 is 1970, 69 is 2069
_YES = frozenset({"да", "yes", "y", "true", "1", "+", "on", "истина", "есть", "✓"})
_NO = frozenset({"нет", "no", "n", "false", "0", "-", "off", "ложь"})


def moment(given: str, zone: tzinfo) -> datetime:
    """A moment as fields of browsers send it, `2026-03-02T10:30`: of a zone where it names none. What lies beyond all
    calendars is none: in another zone it would be no moment at all, and nobody could read it back.
    """
    try:
        found = datetime.fromisoformat(given.strip())
    except ValueError as err:
        raise InvalidInput("«{text}» is no moment", text=brief(given)) from err
    if not _FIRST_MOMENT <= found.year <= _LATEST:
        raise InvalidInput("«{text}» is no moment", text=brief(given))
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def number(given: object) -> int | float:
    """A number: «1 500,50», `1,500.50`, `15 %`, a JSON number; whole ones as int.

    >>> number("1 500,50"), number("1.500.000"), number("1,500.5"), number("-3")
    (1500.5, 1500000, 1500.5, -3)
    """
    exact = _decimal(given)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def money(given: object, currency: str = "RUB") -> dict[str, int | str]:
    """A sum as `{amount, currency}`, `amount` in minor units. Text and bare numbers are in major units: «150 000,50 ₽».

    >>> money("150 000,50 ₽"), money("$1,200")
    ({'amount': 15000050, 'currency': 'RUB'}, {'amount': 120000, 'currency': 'USD'})
    """
    if isinstance(given, dict):
        return _parts(given)
    if isinstance(given, str):
        exact, named = _sum(given)
        currency = named or currency
    else:
        exact = _decimal(given)
    places = places_of(currency)
    minor = exact.scaleb(places)
    if minor != minor.to_integral_value():
        if isinstance(given, str):
            raise InvalidInput(
                "«{given}» is finer than {currency} is counted: at most {places} decimal places",
                given=brief(given),
                currency=currency,
                places=places,
            )
        minor = minor.quantize(Decimal(1), ROUND_HALF_UP)
    return _money(int(minor), currency)


def places_of(currency: str) -> int:
    """How many digits a currency has behind the point."""
    return _PLACES.get(currency, 2)


def day(given: object) -> str:
    """A day as `YYYY-MM-DD`: «12.03.2026», `2026-03-12`, «12 марта 2026 г.»; of a moment its day.

    >>> day("1.3.26"), day("12 марта 2026 г."), day("2026-03-12T10:00:00Z")
    ('2026-03-01', '2026-03-12', '2026-03-12')
    """
    if isinstance(given, datetime):
        return given.date().isoformat()
    if isinstance(given, date):
        return given.isoformat()
    if not isinstance(given, str):
        raise InvalidInput("«{given}» is no day: write it like 12.03.2026 or 2026-03-12", given=brief(given))
    text = given.strip().lower()
    numbers: tuple[int, int, int] | None = None
    if found := _YEAR_FIRST.match(text.upper()):
        numbers = (int(found[1]), int(found[2]), int(found[3]))
    elif found := _DAY_FIRST.match(text):
        year = int(found[3])
        if len(found[3]) == 2:
            year += 1900 if year >= _CENTURY else 2000
        numbers = (year, int(found[2]), int(found[1]))
    elif found := _IN_WORDS.match(text):
        month = next((n for n, stem in enumerate(_MONTHS, start=1) if _is_month(found[2], stem)), 0)
        numbers = (int(found[3]), month, int(found[1]))
    if numbers is None or not _EARLIEST <= numbers[0] <= _LATEST:
        raise InvalidInput("«{given}» is no day: write it like 12.03.2026 or 2026-03-12", given=brief(given))
    try:
        return date(*numbers).isoformat()
    except ValueError as err:
        raise InvalidInput("there is no day «{day}»", day=brief(given)) from err


def flag(given: object) -> bool:
    """Yes or no, in words or figures of either language."""
    if isinstance(given, bool):
        return given
    if isinstance(given, (int, float, str)):
        word = str(given).strip().casefold()
        if word in _YES:
            return True
        if word in _NO:
            return False
    raise InvalidInput("«{given}» is neither yes nor no: write «да» or «нет»", given=brief(given))


def one_form(text: str) -> str:
    """The form in which texts are compared: one case, one kind of blank, «ё» as «е»."""
    return " ".join(text.casefold().replace("ё", "е").split())


def brief(given: object) -> str:
    """What was given, short enough for a message."""
    text = str(given)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _decimal(given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, (int, float, str, Decimal)):
        raise InvalidInput("«{given}» is no number", given=brief(given))
    if isinstance(given, str):
        return _bounded(_plain(given.strip().removesuffix("%")), given)
    try:
        return _bounded(Decimal(str(given)), given)
    except InvalidOperation as err:
        raise InvalidInput("«{given}» is no number", given=brief(given)) from err


def _plain(text: str, *, thousands: bool = False) -> Decimal:
    """Of comma and point the last one parts the fraction; a repeated one groups thousands, with `thousands` also a
    single one before three digits."""
    bare = _BLANKS.sub("", text).replace("−", "-").replace("–", "-")
    if len(bare) > _LONGEST:
        raise InvalidInput("«{text}» is no number", text=brief(text))
    if thousands and _THOUSANDS.match(bare):
        bare = bare.replace(",", "").replace(".", "")
    elif _GROUPED.match(bare) and (bare.count(",") + bare.count(".") > 1):
        last = max(bare.rfind(","), bare.rfind("."))
        if bare.count(bare[last]) > 1:
            bare = bare.replace(bare[last], "")
        else:
            bare = f"{bare[:last].replace(',', '').replace('.', '')}.{bare[last + 1 :]}"
    elif not _NUMBER.match(bare):
        raise InvalidInput("«{text}» is no number", text=brief(text))
    try:
        return Decimal(bare.replace(",", "."))
    except InvalidOperation as err:
        raise InvalidInput("«{text}» is no number", text=brief(text)) from err


def _bounded(exact: Decimal, given: object) -> Decimal:
    if not exact.is_finite():
        raise InvalidInput("«{given}» is no number", given=brief(given))
    if abs(exact) > LARGEST_AMOUNT:
        raise InvalidInput("«{given}» is too large: at most {most}", given=brief(given), most=LARGEST_AMOUNT)
    return exact


def _sum(given: str) -> tuple[Decimal, str | None]:
    text = given.strip().replace("\u00a0", " ").replace("\u202f", " ").replace("−", "-")
    sign = ""
    if text[:1] in "+-" and text[1:2] and not (text[1].isdigit() or text[1].isspace()):
        sign, text = text[0], text[1:]  # -$5
    kopecks = Decimal(0)
    if found := _KOPECKS.match(text.casefold()):
        text, kopecks = found[1].strip(), Decimal(int(found[2])) / 100
    found = _SUM.match(text)
    if found is None or len(text) > _LONGEST:
        raise InvalidInput("«{given}» is no sum: write it like 150 000,50 ₽", given=brief(given))
    exact, rest = _plain(found["number"].strip(), thousands=True), found["after"].strip().casefold()
    for word, power in _SCALES:
        if rest == word or rest.startswith(f"{word} ") or (word.endswith(".") and rest.startswith(word)):
            exact, rest = exact.scaleb(power), rest.removeprefix(word).strip()
            break
    named = found["before"].strip().casefold() or rest
    currency = _currency(named, given) if named else None
    if kopecks:
        exact += -kopecks if exact.is_signed() else kopecks
    return _bounded(-exact if sign == "-" else exact, given), currency


def _currency(named: str, given: str) -> str:
    known = _SIGNS.get(named)
    if known is None and _CURRENCY.match(named.upper()):
        known = named.upper()
    if known is None:
        raise InvalidInput("«{given}» is no sum: «{named}» is no currency", given=brief(given), named=brief(named))
    return known


def _parts(given: dict[object, object]) -> dict[str, int | str]:
    amount, currency = given.get("amount"), given.get("currency", "RUB")
    if set(given) - {"amount", "currency"} or not isinstance(amount, int) or isinstance(amount, bool):
        raise InvalidInput('a sum is {"amount": minor units as a whole number, "currency": "RUB"}')
    if not isinstance(currency, str) or not _CURRENCY.match(currency):
        raise InvalidInput("«{currency}» is no currency: three capital letters, e.g. RUB", currency=brief(currency))
    return _money(amount, currency)


def _money(minor: int, currency: str) -> dict[str, int | str]:
    if abs(minor) > LARGEST_AMOUNT:
        raise InvalidInput(
            "the sum is too large: at most {most} minor units of {currency}", most=LARGEST_AMOUNT, currency=currency
        )
    return {"amount": minor, "currency": currency}


def _is_month(word: str, stem: str) -> bool:
    return word in {"май", "мая"} if stem == "ма" else word.startswith(stem)
