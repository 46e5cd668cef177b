"""Whether everything that is configured names things that are there: what is applied as a whole is checked as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions import RuleBody, Section, SegmentBody
from crm_core.model.definitions.chains import ChainBody
from crm_core.services.automation.checks import check_chain, check_rule, check_segment
from crm_core.services.desk import Desk

_CHECKS: tuple[tuple[Section, type[Any], Callable[[Desk, Any], None]], ...] = (
    (Section.SEGMENT, SegmentBody, check_segment),
    (Section.RULE, RuleBody, check_rule),
    (Section.CHAIN, ChainBody, check_chain),
)


def problems(desk: Desk) -> tuple[str, ...]:
    """What of the office's definitions can't be read, and the first thing that a segment, a rule or a chain names and
    that is not there, in words; empty where all is well. Asked in a transaction after the one that changed them."""
    found = list(desk.catalogue.problems)
    for section, form, check in _CHECKS:
        for each, body in desk.catalogue.bodies(section, form):
            try:
                check(desk, body)
            except InvalidInput as err:
                found.append(f"{section.value} «{each.name}»: {err}")
    return tuple(found)
