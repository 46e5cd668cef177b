"""What is wrong with a configuration: every problem at once, each with its place and its cure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    `where` is the file as it was named, or `environment`; `line` counts from 1, None where there is none; `key` is the
    path of the key (`telegram[1].token`, the first table of a list is number 1) or the variable's name.
    """

    where: str
    line: int | None
    key: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        head = f"{place}: {self.key}: " if self.key else f"{place}: "
        return f"{head}{self.what}. {self.mend}" if self.mend else f"{head}{self.what}"


class SettingsError(Exception):
    """The configuration can't be used; `problems` names everything that was found, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"{count} in the configuration:\n{lines}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong inside one value; `at` leads from the value to the faulty part of it."""

    what: str
    mend: str = ""
    at: tuple[str | int, ...] = ()


class BadValueError(ValueError):
    """A value is of no use; raised by parsers, turned into problems by the reader that knows the key and the line."""

    def __init__(self, what: str, mend: str = "", *, faults: tuple[Fault, ...] = ()) -> None:
        self.faults = faults or (Fault(what, mend),)
        super().__init__(what)
