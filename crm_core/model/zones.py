"""In which time zone a client lives: their number's, else their city's, else the office's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone

# Countries of one zone whose numbers share their code with a country of many.
_ONE_ZONE = {"KZ": "Asia/Almaty"}
# «г. Омск», «город Омск», not the end of «Екатеринбург.»
_TOWN = re.compile(r"\b(?:г\.|г\b|город\b)")


def client_zone(number: str, city: str | None, office: ZoneInfo, at: datetime) -> ZoneInfo:
    """The zone in which a client's clock runs at `at`.

    `number` is E.164. A number that fits several zones tells one only where all their clocks agree: a Russian mobile
    number fits sixteen.
    """
    of_number = _agreed(zones_of_number(number), at)
    if of_number is not None:
        return of_number
    of_city = zone_of_city(city) if city else None
    return of_city or office


@lru_cache(maxsize=4096)
def zones_of_number(number: str) -> tuple[ZoneInfo, ...]:
    """The zones that a number fits; empty for one that no numbering plan knows."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ()
    only = _ONE_ZONE.get(phonenumbers.region_code_for_number(parsed) or "")
    names = (only,) if only is not None else timezone.time_zones_for_number(parsed)
    found = (_zone(name) for name in names)
    return tuple(zone for zone in found if zone is not None)


def zone_of_city(city: str) -> ZoneInfo | None:
    """The zone of a city by its Russian or English name, as people write it; None where it is not known."""
    name = " ".join(_TOWN.sub(" ", city.casefold().replace("ё", "е")).split()).strip(" .,")
    for part in (name, *(each.strip(" .") for each in name.split(","))):
        zone = _cities().get(part)
        if zone is not None:
            return _zone(zone)
    return None


def _agreed(zones: tuple[ZoneInfo, ...], at: datetime) -> ZoneInfo | None:
    offsets = {at.astimezone(zone).utcoffset() for zone in zones}
    return zones[0] if len(offsets) == 1 else None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):  # «Etc/Unknown», or a zone that this machine does not have
        return None


@lru_cache(maxsize=1)
def _cities() -> Mapping[str, str]:
    text = resources.files("crm_core.model").joinpath("city_zones.txt").read_text(encoding="utf-8")
    lines = (line.partition(": ") for line in text.splitlines() if not line.startswith("#"))
    return {city: zone for zone, _, cities in lines for city in cities.split(", ")}
