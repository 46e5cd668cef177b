"""Money in minor units: bounds, the total of a line, words for people. No floating point anywhere."""

from __future__ import annotations

from crm_core.errors import InvalidInput

MOST = 10**15
"""No amount, and no sum of amounts, goes beyond this in either direction."""

THOUSANDTHS = 1000
"""How many parts of a unit a quantity counts."""

_DIGITS = {
    **dict.fromkeys(("JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "PYG", "UGX"), 0),
    **dict.fromkeys(("BHD", "KWD", "OMR", "TND", "JOD", "IQD"), 3),
}
_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "UAH": "₴", "GBP": "£"}
_USUAL_DIGITS = 2
_CODE = 3  # letters of a currency


def bounded(amount: int, what: str) -> int:
    """The amount; raises InvalidInput where it is beyond MOST, naming `what` it is."""
    if abs(amount) > MOST:
        raise InvalidInput(
            "{what}: {amount} is more than can be counted with (at most {most} minor units)",
            what=what,
            amount=amount,
            most=MOST,
        )
    return amount


def currency_of(given: str) -> str:
    """A currency's code (ISO 4217), «rub» too; raises InvalidInput for what is none."""
    code = given.strip().upper()
    if not (len(code) == _CODE and code.isascii() and code.isalpha()):
        raise InvalidInput("currency: «{given}» is no currency: write its code, e.g. «RUB»", given=given.strip()[:20])
    return code


def one_currency(given: str, wanted: str, what: str) -> None:
    """Raise InvalidInput where two currencies would be added up."""
    if given != wanted:
        raise InvalidInput(
            "{what}: it is in {given}, the deal in {wanted}; amounts of two currencies are not mixed",
            what=what,
            given=given,
            wanted=wanted,
        )


def gross(quantity: int, price: int) -> int:
    """The price of so many thousandths of a unit, rounded half up to the minor unit. Neither is negative."""
    return (2 * quantity * price + THOUSANDTHS) // (2 * THOUSANDTHS)


def part_of(amount: int, hundredths_of_a_percent: int) -> int:
    """So many hundredths of a per cent (10000 = all of it) of an amount that is not negative, rounded half up."""
    return (2 * amount * hundredths_of_a_percent + 10_000) // 20_000


def digits_of(currency: str) -> int:
    """How many digits the minor unit of a currency has (ISO 4217)."""
    return _DIGITS.get(currency, _USUAL_DIGITS)


def shown(amount: int, currency: str) -> str:
    """An amount as people read it: `12 500,00 ₽`."""
    digits = digits_of(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    number = f"{whole:,}".replace(",", "\u00a0")
    if digits:
        number = f"{number},{rest:0{digits}}"
    return f"{'−' if amount < 0 else ''}{number}\u00a0{_SIGNS.get(currency, currency)}"
