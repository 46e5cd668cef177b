"""Numbers and sums as people write them, in figures and in words."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from crm_core.wording import Sentence

LARGEST = Decimal(10) ** 15

_UNITS_HE = ("", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_UNITS_SHE = ("", "одна", "две", *_UNITS_HE[3:])
_TEENS = (
    *("десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать"),
    *("пятнадцать", "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать"),
)
_TENS = (
    *("", "", "двадцать", "тридцать", "сорок", "пятьдесят"),
    *("шестьдесят", "семьдесят", "восемьдесят", "девяносто"),
)
_HUNDREDS = (
    *("", "сто", "двести", "триста", "четыреста", "пятьсот"),
    *("шестьсот", "семьсот", "восемьсот", "девятьсот"),
)
# Names of the thousands' powers: their forms, and whether they are feminine.
_GROUPS = (
    (("", "", ""), False),
    (("тысяча", "тысячи", "тысяч"), True),
    (("миллион", "миллиона", "миллионов"), False),
    (("миллиард", "миллиарда", "миллиардов"), False),
    (("триллион", "триллиона", "триллионов"), False),
    (("квадриллион", "квадриллиона", "квадриллионов"), False),
)
# A currency's sign; the forms of its unit, all of them masculine or neuter; the forms of its hundredth.
_CURRENCIES = {
    "RUB": ("₽", ("рубль", "рубля", "рублей"), ("копейка", "копейки", "копеек")),
    "BYN": ("BYN", ("белорусский рубль", "белорусских рубля", "белорусских рублей"), ("копейка", "копейки", "копеек")),
    "KZT": ("₸", ("тенге", "тенге", "тенге"), ("тиын", "тиына", "тиынов")),
    "USD": ("$", ("доллар США", "доллара США", "долларов США"), ("цент", "цента", "центов")),
    "EUR": ("€", ("евро", "евро", "евро"), ("цент", "цента", "центов")),
    "CNY": ("¥", ("юань", "юаня", "юаней"), ("фэнь", "фэня", "фэней")),
}


def number(value: object) -> Decimal | None:
    """A value as an exact number, where it is one of at most 10**15; also of text such as «1 234,5»."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace(",", ".")
    if len(text) > 40:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) <= LARGEST else None


def plural(count: int, forms: tuple[str, str, str]) -> str:
    """The form of a Russian noun behind a count: of one, of two, of five."""
    last, teens = abs(count) % 10, abs(count) % 100
    if last == 1 and teens != 11:
        return forms[0]
    return forms[1] if 2 <= last <= 4 and not 12 <= teens <= 14 else forms[2]


def grouped(value: Decimal, places: int | None = None) -> str:
    """A number in figures, thousands apart by spaces that don't break: `1 234 567,5`.

    Without `places` as many as it has, at most four.
    """
    if places is None:
        rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
        text = f"{rounded:,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"
    return text.replace(",", "\u00a0").replace(".", ",").replace("-", "−")


def money(value: Decimal, currency: str = "RUB") -> str:
    """A sum in major units as people write it: `1 234,50 ₽`; whole sums without hundredths."""
    sign = _CURRENCIES[currency][0] if currency in _CURRENCIES else currency
    exact = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{grouped(exact, 0 if exact == exact.to_integral_value() else 2)}\u00a0{sign}".strip()


def words(value: int, *, feminine: bool = False) -> str:
    """A whole number in Russian words; raises ValueError beyond 10**18."""
    if abs(value) >= 10 ** (3 * len(_GROUPS)):
        raise ValueError(Sentence("the number is too large to be written in words"))
    if value == 0:
        return "ноль"
    parts: list[str] = ["минус"] if value < 0 else []
    rest, groups = abs(value), []
    while rest:
        rest, group = divmod(rest, 1000)
        groups.append(group)
    for power in range(len(groups) - 1, -1, -1):
        forms, is_feminine = _GROUPS[power]
        if groups[power]:
            parts.extend(_three(groups[power], feminine=feminine if power == 0 else is_feminine))
            parts.extend([plural(groups[power], forms)] if power else [])
    return " ".join(parts)


def money_words(value: Decimal, currency: str = "RUB") -> str:
    """A sum in Russian words as documents write it: «Одна тысяча двести рублей 50 копеек»."""
    exact = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    whole, hundredths = divmod(int(abs(exact) * 100), 100)
    said = words(-whole if exact < 0 and whole else whole)
    if exact < 0 and not whole:
        said = f"минус {said}"
    said = said[0].upper() + said[1:]
    if currency not in _CURRENCIES:
        return f"{said} {currency} {hundredths:02}"
    _, unit, part = _CURRENCIES[currency]
    return f"{said} {plural(whole, unit)} {hundredths:02} {plural(hundredths, part)}"


def _three(value: int, *, feminine: bool) -> list[str]:
    """A number below a thousand in words."""
    hundreds, rest = divmod(value, 100)
    tens, units = divmod(rest, 10)
    if tens == 1:
        found = [_HUNDREDS[hundreds], _TEENS[units]]
    else:
        found = [_HUNDREDS[hundreds], _TENS[tens], (_UNITS_SHE if feminine else _UNITS_HE)[units]]
    return [each for each in found if each]
