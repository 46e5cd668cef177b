"""Reports: one module a metric, its definition in words beside its query. All read, none writes."""

from __future__ import annotations

from collections.abc import Mapping

from crm_core.storage.reports.base import Report
from crm_core.storage.reports.callback_time import CALLBACK_TIME
from crm_core.storage.reports.forgotten import FORGOTTEN
from crm_core.storage.reports.missed import MISSED
from crm_core.storage.reports.never_returned import NEVER
from crm_core.storage.reports.numbers_unknown import UNKNOWN

__all__ = ["REPORTS"]

REPORTS: Mapping[str, Report] = {each.name: each for each in (MISSED, CALLBACK_TIME, NEVER, UNKNOWN, FORGOTTEN)}
