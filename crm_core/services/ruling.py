"""What rules did in this transaction, so that they neither circle nor run away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from crm_core.model.automation import RunOutcome
from crm_core.ports import UnitOfWork

MOST_AGAIN = 2
"""So many times in one line of consequences may a rule act on a record."""
LONGEST_LINE = 8
"""So long may a line of consequences be."""
MOST_AN_HOUR = 100
"""So often rules act on one record within an hour."""

_HOUR = timedelta(hours=1)
_DID_NOTHING = frozenset({RunOutcome.HELD_BACK.value, RunOutcome.UNMET.value})
_SHOWN = 3  # rules named of one generation

Subject = tuple[str, int]


@dataclass(slots=True)
class Ruling:
    """Lines of consequences, and rates. A line of a record is one set of names a generation: which rules acted, what
    acted because of them, and so on."""

    lines: dict[Subject, tuple[frozenset[str], ...]] = field(default_factory=dict)
    fresh: dict[Subject, tuple[frozenset[str], ...]] = field(default_factory=dict)
    counted: dict[Subject, Counter[tuple[str, str]]] = field(default_factory=dict)

    def generation(self) -> None:
        """What was done so far is the cause of what comes now."""
        self.lines.update(self.fresh)
        self.fresh.clear()

    def circle(self, subject: Subject, rule: str) -> str | None:
        """The line that ends in this rule, in words, where it goes in a circle or is too long."""
        line = self.lines.get(subject, ())
        if len(line) < LONGEST_LINE and sum(rule in names for names in line) < MOST_AGAIN:
            return None
        return " → ".join([*(_named(names) for names in line), f"«{rule}»"])

    def acted(self, subject: Subject, rule: str, touched: Iterable[Subject]) -> None:
        """A rule acted on a record, and made or changed others."""
        line = self.lines.get(subject, ())
        for each in (subject, *touched):
            known = self.fresh.get(each, ())
            names = known[-1] | {rule} if len(known) > len(line) else frozenset({rule})
            self.fresh[each] = (*line, names)

    def read(self, work: UnitOfWork, subjects: Iterable[Subject]) -> None:
        """Read how often rules ran on records within the hour, where it is not known yet; one statement."""
        missing = [each for each in dict.fromkeys(subjects) if each not in self.counted]
        found = work.runs_since(missing, work.now - _HOUR) if missing else {}
        for subject in missing:
            self.counted[subject] = Counter(found.get(subject, {}))

    def full(self, subject: Subject, rule: str, most: int | None) -> int | None:
        """How many times an hour are enough, where so many were; None where there is room."""
        counted = self.counted.get(subject, Counter())
        ran = {key: count for key, count in counted.items() if key[1] not in _DID_NOTHING}
        if sum(ran.values()) >= MOST_AN_HOUR:
            return MOST_AN_HOUR
        own = sum(count for (name, _), count in ran.items() if name == rule)
        return most if most is not None and own >= most else None

    def told(self, subject: Subject, rule: str) -> bool:
        """Whether it was said within the hour that this rule is held back on this record."""
        return self.counted.get(subject, Counter())[rule, RunOutcome.HELD_BACK.value] > 0

    def count(self, subject: Subject, rule: str, outcome: RunOutcome) -> None:
        """Count a run."""
        self.counted.setdefault(subject, Counter())[rule, outcome.value] += 1


def _named(names: frozenset[str]) -> str:
    listed = sorted(names)
    more = ", …" if len(listed) > _SHOWN else ""
    return ", ".join(f"«{each}»" for each in listed[:_SHOWN]) + more
