"""The lines of one transaction: their cells by meaning, what was found of them in the record, what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions.fields import FieldType
from crm_core.model.exchange import ExternalRefRecord
from crm_core.model.fields import FieldSet, fields_of, parse
from crm_core.model.importing import Became, How, Line, Outcome, Plan, Policy
from crm_core.model.likeness import full_name
from crm_core.services.clients.contacts import clean_tags
from crm_core.services.clients.tagging import joined_tags, put_tags
from crm_core.services.custom.typed import kind_of
from crm_core.services.desk import Desk
from crm_core.services.importing.cells import listed, meant, moment
from crm_core.services.importing.headings import HUB
from crm_core.services.importing.words import Fault, said
from crm_core.services.recognising.cleaning import clean_name, clean_text

Value = TypeVar("Value")

_FIELDS = "fields."
_LONGEST = 10_000
_MOST_NOTES = 10


@dataclass(slots=True)
class Given:
    """A line by meaning: texts of each target in the order of the columns, and notes on what can't be taken in."""

    line: Line
    texts: Mapping[str, list[str]]
    headings: Mapping[str, str]
    notes: list[str] = field(default_factory=list)

    def text(self, target: str) -> str:
        """The first text of a meaning; empty where there is none."""
        found = self.texts.get(target)
        return found[0] if found else ""

    def all(self, *targets: str) -> list[str]:
        """All texts of these meanings."""
        return [each for target in targets for each in self.texts.get(target, ())]

    @property
    def digest(self) -> str:
        """What tells lines apart that name no id and nobody."""
        plain = "\x1f".join(f"{name}={'|'.join(texts)}" for name, texts in sorted(self.texts.items()))
        return hashlib.sha256(plain.encode()).hexdigest()[:32]


@dataclass(slots=True)
class Batch:
    """What every kind of line needs. `dry` remembers, over the batches of a rehearsal, whom earlier lines would have
    made."""

    desk: Desk
    plan: Plan
    how: How
    dry: set[int] = field(default_factory=set)
    outcomes: list[Outcome] = field(default_factory=list)
    refs: dict[str, int] = field(default_factory=dict)
    _logins: dict[str, str] | None = None
    _fields: FieldSet | None = None

    # ------------------------------------------------------------ cells

    def given(self, lines: Iterable[Line]) -> list[Given]:
        """The lines by meaning; what can't be read has failed already."""
        found: list[Given] = []
        width = len(self.plan.columns)
        for line in lines:
            if line.flaw:
                self.failed(line.number, said(Fault.UNCLOSED))
                continue
            if len(line.cells) > width and any(cell.strip() for cell in line.cells[width:]):
                self.failed(line.number, said(Fault.RAGGED, count=len(line.cells), headings=width))
                continue
            found.append(self._one(line))
        return found

    def _one(self, line: Line) -> Given:
        texts: dict[str, list[str]] = {}
        headings: dict[str, str] = {}
        for column, cell in zip(self.plan.columns, line.cells, strict=False):
            if not column.target:
                continue
            text = clean_text(meant(cell.strip()).strip())[:_LONGEST]
            if not text:
                continue
            replaced = self.how.values.get(column.target)
            if replaced is not None and (other := replaced.get(text)) is not None:
                text = other
                if not text:
                    continue
            texts.setdefault(column.target, []).append(text)
            headings.setdefault(column.target, column.heading)
        return Given(line, texts, headings)

    @property
    def language(self) -> str:
        """The office's language."""
        return self.desk.office.language

    @property
    def zone(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.desk.office.time_zone)

    def note(self, given: Given, fault: Fault, **what: object) -> None:
        """Say that something of a line could not be taken in."""
        if len(given.notes) < _MOST_NOTES:
            given.notes.append(said(fault, **what))

    def failed(self, line: int, *why: str) -> None:
        """A line could not be taken in."""
        self.outcomes.append(Outcome(line, Became.FAILED, None, why))

    def refuse(self, given: Given, fault: Fault, **what: object) -> None:
        """The same, by its fault."""
        self.failed(given.line.number, said(fault, **what), *given.notes)

    def became(self, given: Given, became: Became, subject_id: int) -> None:
        """A line was taken in."""
        self.outcomes.append(Outcome(given.line.number, became, subject_id, tuple(given.notes)))

    def read(self, given: Given, target: str, parser: Callable[[str], Value]) -> Value | None:
        """A value of a line; None, with a note, where it can't be read."""
        text = given.text(target)
        if not text:
            return None
        try:
            return parser(text)
        except InvalidInput as err:
            self.note(given, Fault.VALUE, heading=given.headings.get(target, target), error=err)
            return None

    def moment(self, given: Given, target: str) -> datetime | None:
        """A moment of a line."""
        return self.read(given, target, lambda text: moment(text, self.zone))

    def tags(self, given: Given) -> list[str]:
        """The tags of a line."""
        return clean_tags([each[:100] for text in given.all("tags") for each in listed(text)])

    def manager(self, given: Given, target: str = "manager") -> str | None:
        """Who looks after it, by login or name; the import's own where nobody is named or known."""
        text = given.text(target)
        if not text:
            return self.how.manager
        login = self.logins.get(written.one_form(text)) or self.logins.get(full_name(text) or text)
        if login is None:
            self.note(given, Fault.MANAGER, value=text[:80])
            return self.how.manager
        return login

    @property
    def logins(self) -> dict[str, str]:
        """Active people by login, name, address."""
        if self._logins is None:
            found: dict[str, str] = {}
            doubtful: set[str] = set()
            for user in self.desk.work.staff.by_login.values():
                if not user.active:
                    continue
                names = (written.one_form(user.login), written.one_form(user.name), full_name(user.name))
                for name in {*names, (user.email or "").casefold()} - {""}:
                    if found.setdefault(name, user.login) != user.login:
                        doubtful.add(name)
            self._logins = {name: login for name, login in found.items() if name not in doubtful}
        return self._logins

    # ------------------------------------------------------------ custom fields

    def fields(self, given: Given, known: Mapping[str, Any]) -> dict[str, Any]:
        """Custom fields with those of a line, by the policy."""
        fields = dict(known)
        for target, texts in given.texts.items():
            if not target.startswith(_FIELDS):
                continue
            key = target.removeprefix(_FIELDS)
            if not self.wins(fields.get(key)):
                continue
            value = self._value(given, target, key, texts)
            if value is not None and str(value) != str(fields.get(key)):
                fields[key] = value
        notes = given.all("note")
        if notes and self.wins(fields.get(_NOTES[self.language != "ru"])):
            fields[_NOTES[self.language != "ru"]] = "\n".join(notes)[:_LONGEST]
        return fields

    def _value(self, given: Given, target: str, key: str, texts: Sequence[str]) -> Any:
        if self._fields is None:
            self._fields = fields_of(self.desk.catalogue, self.plan.kind.of)
        declared = self._fields.by_key.get(key)
        text = ", ".join(texts)
        if declared is None:
            return text
        if declared.type is FieldType.FORMULA:
            return None
        try:
            if declared.type is FieldType.USER:
                return self.manager(given, target)
            return parse(declared, text)
        except InvalidInput as err:
            self.note(given, Fault.VALUE, heading=given.headings.get(target, key), error=err)
            return None

    # ------------------------------------------------------------ policy

    def wins(self, known: object) -> bool:
        """Whether the file's value is taken where the record has `known`."""
        if self.how.policy is Policy.OVERWRITE:
            return True
        return self.how.policy is Policy.FILL and known in (None, "", [], {})

    def merged(self, record: Any, changes: Mapping[str, Any]) -> Any:
        """A record with what a line says of it, by the policy."""
        taken = {
            name: value
            for name, value in changes.items()
            if value not in (None, "") and getattr(record, name) != value and self.wins(getattr(record, name))
        }
        return record._replace(**taken) if taken else record

    def with_tags(self, record: Any, tags: Sequence[str]) -> Any:
        """A record with further tags; which of two that exclude each other stands is said by the policy."""
        if self.how.policy is Policy.SKIP:
            return record
        join = put_tags if self.how.policy is Policy.OVERWRITE else joined_tags
        after = join(self.desk, kind_of(record), record.tags, tags)
        return record._replace(tags=after) if after != record.tags else record

    # ------------------------------------------------------------ ids of other programs

    def key_of(self, given: Given, *, kind: str | None = None, target: str = "external_id") -> str | None:
        """The key of the record by the id that another program gave it."""
        text = given.text(target)
        return self.ref(kind or self.plan.kind.of, text) if text else None

    def ref(self, kind: str, external_id: str) -> str:
        """The key of an id of the file's program."""
        return f"{kind}:{self.how.system}:{external_id[:200]}"

    def hub_id(self, given: Given) -> int | None:
        """The record's own id, in a file that came from here."""
        text = given.text("hub_id")
        return int(text) if self.how.system == HUB and text.isascii() and text.isdigit() and len(text) < 19 else None

    def verified(self, given: Given, record: Any, moment_of: str = "created_at") -> Any:
        """A record found by its own number, if it is the very one that went out: numbers of another office may be the
        same, moments are not."""
        if record is None or self.hub_id(given) != record[0]:
            return record
        text = given.text(moment_of)
        try:
            same = bool(text) and moment(text, self.zone) == getattr(record, moment_of)
        except InvalidInput:
            same = False
        return record if same else None

    def look_up(self, keys: Iterable[str | None]) -> None:
        """Find the records of these ids; one statement."""
        wanted = [key for key in dict.fromkeys(keys) if key is not None and key not in self.refs]
        if wanted:
            found = self.desk.work.related(ExternalRefRecord, "key", wanted)
            self.refs.update({each.key: each.subject_id for each in found if each.key in set(wanted)})

    def remember(self, key: str | None, kind: str, subject_id: int) -> None:
        """Note that another program knows a record by this id."""
        if key is not None and key not in self.refs:
            self.refs[key] = subject_id
            self.desk.work.put(ExternalRefRecord(key, kind, subject_id, self.desk.now))

    # ------------------------------------------------------------ rehearsals

    def seen(self, keys: Iterable[str]) -> bool:
        """Whether an earlier batch of a rehearsal would have made somebody of these keys; they are noted."""
        if not self.how.dry_run:
            return False
        hashes = {hash(key) for key in keys}
        found = not hashes.isdisjoint(self.dry)
        self.dry |= hashes
        return found


_NOTES = ("Примечание", "Note")


def name_of(given: Given) -> str:
    """The whole name of a person: as it stands, or put together of its parts."""
    parts = [given.text("last_name"), given.text("first_name"), given.text("middle_name")]
    whole = given.text("name")
    return clean_name(whole or " ".join(part for part in parts if part))
