"""Rules: what follows by itself from facts, changes and time, as the office wrote it down."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.model.history import Change
from crm_core.services.automation.index import index_of
from crm_core.services.automation.matching import occasions_of_changes, occasions_of_facts
from crm_core.services.automation.planning import plan, plan_definitions, rule_due, rules_due, schedule_due
from crm_core.services.automation.running import act_on
from crm_core.services.desk import Desk


def follow_rules(desk: Desk, changes: Sequence[Change]) -> None:
    """Run the rules that the changes concern; a step of settling. Costs nothing where none is concerned."""
    plan_definitions(desk, changes)
    index = index_of(desk.catalogue)
    if not index.rules:
        return
    if index.columns:
        plan(desk, index, changes)
    if desk.quiet:
        return  # much is brought in at once: only what time brings is heard of it
    desk.rules.generation()
    occasions = [*occasions_of_facts(desk, index, changes), *occasions_of_changes(desk, index, changes)]
    if occasions:
        order = {rule_id: number for number, rule_id in enumerate(index.rules)}
        occasions.sort(key=lambda each: order[each.rule.id])
        act_on(desk, occasions)


__all__ = ["follow_rules", "rule_due", "rules_due", "schedule_due"]
