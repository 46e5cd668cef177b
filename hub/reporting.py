"""Reports as they are asked for by people and programs: the period, the grouping, whose rows; and as CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.access import Access, Right
from crm_core.model.office import Office
from crm_core.storage.reports import REPORTS
from crm_core.storage.reports.base import MOST_ROWS, By, Kind, Report, Table, Wanted
from crm_core.storage.reports.reading import seen_of
from crm_core.wording import Sentence

USUAL_DAYS = 30
LONGEST = timedelta(days=2 * 366)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_DECODED_PLUS = re.compile(r" (\d\d:?\d\d)\Z", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1971, 8999
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks, as texts: moments (RFC 3339) or days of the office (`to` with its whole day), dimensions
    parted by commas, a manager."""

    since: str = ""
    until: str = ""
    by: str = ""
    manager: str = ""
    limit: int = 1000


def report_named(name: str) -> Report:
    """A report; raises NotFound with the names there are."""
    found = REPORTS.get(name)
    if found is None:
        raise NotFound(
            "there is no report «{report}»: there are {reports}", report=name[:80], reports=", ".join(REPORTS)
        )
    return found


def may_take(access: Access) -> bool:
    """Whether somebody may take away clients of everybody whose reports they see."""
    return access.covers(Right.EXPORT, Right.SEE_REPORTS)


def wanted_of(report: Report, asked: Asked, access: Access, office: Office, now: datetime) -> Wanted:
    """What is to be reported; raises InvalidInput, Forbidden. Where the right to reports does not reach all, it is of
    the asker, or of a person of their group whom they name, whatever else they ask."""
    zone = ZoneInfo(office.time_zone)
    until = _moment(asked.until, "to", zone, end=True) or _midnight(now.astimezone(zone).date(), zone, days=1)
    since = _moment(asked.since, "from", zone, end=False) or until - timedelta(days=USUAL_DAYS)
    if since >= until:
        raise InvalidInput("from: lies behind «to»")
    if until - since > LONGEST:
        raise InvalidInput("from: a report is of two years at most")
    return Wanted(
        since=since,
        until=until,
        now=now,
        office=office,
        by=_dimensions(report, asked.by),
        login=seen_of(access, asked.manager or None),
        limit=min(max(asked.limit, 1), MOST_ROWS),
    )


def csv_of(table: Table, office: Office, separator: str = ",") -> bytes:
    """The table for a spreadsheet: RFC 4180 (with `separator` between cells), UTF-8 with a mark, times of the
    office, nothing that it would execute."""
    zone, out = ZoneInfo(office.time_zone), io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(column.name for column in table.columns)
    kinds = [column.kind for column in table.columns]
    for row in table.rows:
        writer.writerow(_cell(value, kind, office, zone) for value, kind in zip(row, kinds, strict=True))
    return out.getvalue().encode("utf-8-sig")


def recording_url(call_id: int) -> str:
    """Where a call is heard."""
    return f"/api/v1/calls/{call_id}/recording"


def _cell(value: Any, kind: Kind, office: Office, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if kind is Kind.MOMENT:
        return str(value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"))
    if kind is Kind.RECORDINGS:
        return " ".join(f"{office.public_url}{recording_url(each)}" for each in value)
    return harmless(str(value))


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula; a plain number (also `+7916…`) is none."""
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if risky and not _PLAIN_NUMBER.match(text) else text


def _dimensions(report: Report, text: str) -> tuple[By, ...]:
    found: list[By] = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        if part not in {each.value for each in report.groups}:
            names = ", ".join(each.value for each in report.groups)
            raise InvalidInput("by: «{part}» is none of {names}", part=part[:40], names=names)
        found.append(By(part))
    if not found and report.must_group:
        return report.groups[:1]
    return tuple(dict.fromkeys(found))


def _moment(text: str, name: str, zone: ZoneInfo, *, end: bool) -> datetime | None:
    given = text.strip()
    if not given:
        return None
    what = Sentence(
        "{name}: «{given}» is neither a day (2026-03-02) nor a moment (2026-03-02T09:00:00Z)",
        name=name,
        given=given[:40],
    )
    try:
        if _DAY.match(given):
            return _midnight(date.fromisoformat(given), zone, days=1 if end else 0)
        found = datetime.fromisoformat(_DECODED_PLUS.sub(r"+\1", given))
        at = found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError) as err:
        raise InvalidInput(what) from err
    if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise InvalidInput(what)
    return at


def _midnight(day: date, zone: ZoneInfo, *, days: int) -> datetime:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(day)
    return datetime.combine(day + timedelta(days=days), time.min, zone).astimezone(UTC)
