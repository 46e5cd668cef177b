"""Making the office's rows: by SQL alone, every table in one statement, the indexes built afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from benchmarks.crm import words
from benchmarks.crm.dialect import Dialect
from crm_core.model.definitions import Catalogue
from crm_core.model.fields import fields_of
from crm_core.model.records import StageKind
from crm_core.model.scores import ClientStatus

CONTACTS, DEALS, ENTRIES = 1_000_000, 300_000, 10_000_000
MAIN_PIPELINE = "Курсы: Россия"

# Where the ids of each table begin: far from each other, in the order of the rows.
CONTACT_ID = 1_000_000_000
DEAL_ID = 2_000_000_000
ENTRY_ID = 3_000_000_000
CALL_ID = 4_000_000_000
OTHER_ID = 5_000_000_000
NEXT_ID = 9_000_000_000

_DAY_S = 86_400
_YEARS_S = 3 * 365 * _DAY_S
_FIELD_VALUE = "INSERT INTO field_value (key, field_id, subject_id, text_key, number, unique_key)"


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are; a share of the whole."""

    contacts: int
    deals: int
    entries: int

    @classmethod
    def of(cls, share: float) -> Size:
        """So much of the whole, at least enough to choose from."""
        return cls(*(max(int(whole * share), 200) for whole in (CONTACTS, DEALS, ENTRIES)))

    def __str__(self) -> str:
        return f"{self.contacts:,} contacts, {self.deals:,} deals, {self.entries:,} entries"


@dataclass(frozen=True, slots=True)
class Rows:
    """The statements that make all rows of an office with a configuration."""

    dialect: Dialect
    size: Size
    catalogue: Catalogue

    def statements(self) -> Iterator[tuple[str, str]]:
        """The table that is filled and how, in order."""
        yield "sale", self._sales()
        yield "contact", self._contacts()
        yield "identity", self._identities()
        yield "deal", self._deals()
        yield "lead", self._leads()
        yield "call", self._calls()
        yield "timeline", self._entries()
        yield "attachment", self._attachments()
        yield "contact_case", self._cases()
        yield "task", self._tasks()
        yield "product", self._products()
        yield "change", self._changes()
        for statement in (*self._values_of_deals(), *self._values_of_contacts()):
            yield "field_value", statement

    # ------------------------------------------------------------ clients

    def _phone(self) -> str:
        # Every number once: 7919 and 10^9 have no common divisor.
        return f"'+79' || {self.dialect.digits('n * 7919 % 1000000000', 9)}"

    def _mail(self) -> str:
        return "'client' || n || '@example.ru'"

    def _called(self, *, small: bool) -> str:
        parts = []
        for salt, among in ((1, words.SURNAMES), (2, words.FIRST), (3, words.SECOND)):
            listed = [each.casefold() for each in among] if small else list(among)
            parts.append(self.dialect.pick(listed, self.dialect.often_first(salt, len(among))))
        return " || ' ' || ".join(parts)

    def _born(self, count: int) -> str:
        return self.dialect.ago(f"({count} - n) * {_YEARS_S} / {count}")

    def _manager(self, salt: int = 4) -> str:
        return f"'manager' || {self.dialect.chance(salt, 10)}"

    def _contacts(self) -> str:
        """With the statuses of yesterday's night: of a day's sales few clients get another."""
        d, count = self.dialect, self.size.contacts
        city = d.pick(words.CITIES, d.often_first(5, len(words.CITIES)))
        fields = (
            f"""'{{"home_city": "' || {city} || '", "consent": ' || CASE WHEN {d.chance(6, 10)} < 6 THEN 'true' ELSE"""
            f""" 'false' END || ', "profession": "врач скорой помощи", "experience": "Нет"' || CASE WHEN"""
            f""" {d.chance(7, 10)} < 3 THEN ', "certificate_until": "' || {d.day_ahead(d.chance(8, 730))} || '"' ELSE"""
            """ '' END || '}'"""
        )
        tags = f"""CASE WHEN {d.chance(9, 5)} = 0 THEN '["' || {d.pick(words.TAGS, d.often_first(10, 8))} || '"]'
          ELSE '[]' END"""
        fresh, kept = d.ago(str(90 * _DAY_S)), d.ago(str(180 * _DAY_S))
        status = f"""CASE WHEN s.orders IS NULL THEN '{ClientStatus.POTENTIAL}'
          WHEN s.orders = 1 AND s.last_at >= {fresh} THEN '{ClientStatus.NEW}'
          WHEN s.orders = 1 THEN '{ClientStatus.OLD}' WHEN s.last_at >= {kept} THEN '{ClientStatus.REGULAR}'
          ELSE '{ClientStatus.GONE}' END"""
        heard = d.ago(d.often_first(11, _YEARS_S))
        with_mail = f"CASE WHEN n % 5 < 2 THEN ' ' || {self._mail()} ELSE '' END"
        return f"""
        INSERT INTO contact (id, name, created_at, updated_at, search, manager, city, status, last_signal_at,
          last_contact_at, fields, tags, marks, name_key, version)
        SELECT {CONTACT_ID} + n, {self._called(small=False)}, {self._born(count)}, {self._born(count)},
          {self._called(small=True)} || ' ' || {self._phone()} || {with_mail}, {self._manager()}, {city},
          {status}, {heard}, {heard}, {d.json(fields)}, {d.json(tags)}, {d.json("'{}'")}, {self._called(small=True)}, 1
        FROM {d.numbers(count)} LEFT JOIN (
          SELECT contact_id, COUNT(DISTINCT {d.day_of("at")}) AS orders, MAX(at) AS last_at FROM sale
          GROUP BY contact_id
        ) AS s ON s.contact_id = {CONTACT_ID} + n"""

    def _identities(self) -> str:
        count = self.size.contacts
        held = (
            (f"'tel:' || {self._phone()}", "1 = 1"),
            (f"'mailto:' || {self._mail()}", "n % 5 < 2"),
            ("'tg:' || (700000000 + n)", "n % 5 = 3"),
        )
        parts = " UNION ALL ".join(
            f"SELECT {key}, {CONTACT_ID} + n, 'import', {self._born(count)} FROM {self.dialect.numbers(count)}"
            f" WHERE {which}"
            for key, which in held
        )
        return f"INSERT INTO identity (key, contact_id, evidence, created_at) {parts}"

    def _some_contact(self, salt: int) -> str:
        return f"{CONTACT_ID} + 1 + {self.dialect.often_first(salt, self.size.contacts)}"

    def _even_contact(self, salt: int) -> str:
        return f"{CONTACT_ID} + 1 + {self.dialect.chance(salt, self.size.contacts)}"

    # ------------------------------------------------------------ what is sold

    def _places(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]:
        """Pipeline and stage of open, won and lost cards; the main pipeline is half of all."""
        found: dict[StageKind, list[tuple[int, int]]] = {kind: [] for kind in StageKind}
        for pipeline in self.catalogue.pipelines:
            times = len(self.catalogue.pipelines) if pipeline.record.name == MAIN_PIPELINE else 1
            for stage in pipeline.stages:
                found[stage.record.kind] += [(pipeline.id, stage.id)] * times
        return found[StageKind.OPEN], found[StageKind.WON], found[StageKind.LOST]

    def _deal_fields(self) -> tuple[str, str, str, str]:
        """City, course, and in how many days the course is and is to be spoken again."""
        d = self.dialect
        city = d.pick(words.CITIES, d.often_first(21, len(words.CITIES)))
        course = d.pick(words.COURSES, d.often_first(22, len(words.COURSES)))
        return city, course, d.chance(23, 365), d.chance(24, 90)

    def _deals(self) -> str:
        """One of ten is open."""
        d, count = self.dialect, self.size.deals
        still_open, won, lost = self._places()

        def place(part: int) -> str:
            chosen = [
                d.pick_id([each[part] for each in among], d.chance(25, len(among))) for among in (still_open, won, lost)
            ]
            return f"CASE WHEN n % 10 = 0 THEN {chosen[0]} WHEN n % 10 < 5 THEN {chosen[1]} ELSE {chosen[2]} END"

        city, course, course_in, contact_in = self._deal_fields()
        fields = (
            f"""'{{"city": "' || {city} || '", "course": "' || {course} || '", "course_on": "' ||"""
            f""" {d.day_ahead(course_in)} || '", "contact_on": "' || {d.day_ahead(contact_in)} || '", "listeners": '"""
            f""" || (1 + {d.chance(26, 12)}) || ', "source_page": "/kursy/pervaya-pomoshch", "legal": false}}'"""
        )
        tags = f"""CASE WHEN n % 3 = 0 THEN '["' || {d.pick(words.TAGS, d.often_first(27, 8))} || '"]' ELSE '[]' END"""
        changed = d.ago(f"({count} - n) * {_YEARS_S // 2} / {count}")
        closed = "CASE WHEN n % 10 = 0 THEN NULL ELSE "
        return f"""
        INSERT INTO deal (id, contact_id, pipeline_id, stage_id, title, created_at, updated_at, stage_since, amount,
          currency, manager, closed_at, reason, version, fields, tags)
        SELECT {DEAL_ID} + n, {self._some_contact(28)}, {place(0)}, {place(1)}, {course} || ', ' || {city},
          {self._born(count)}, {changed}, {changed}, 100 * {d.often_first(29, 90_000)}, 'RUB', {self._manager(30)},
          {closed}{changed} END, {closed}CASE WHEN n % 10 > 4 THEN 'Дорого' END END, 1, {d.json(fields)}, {d.json(tags)}
        FROM {d.numbers(count)}"""

    def _leads(self) -> str:
        # One open lead a client: each has its own.
        d, count = self.dialect, min(self.size.deals, self.size.contacts)
        status = "CASE WHEN n % 50 = 0 THEN 'new' WHEN n % 50 = 1 THEN 'taken' WHEN n % 3 = 0 THEN 'rejected' ELSE"
        empty = d.json("'{}'")
        return f"""
        INSERT INTO lead (id, contact_id, title, status, created_at, first_fact_at, channel, account, source,
          utm_source, utm_medium, utm_campaign, utm_content, utm_term, manager, closed_at, fields, tags, marks)
        SELECT {OTHER_ID} + n, {CONTACT_ID} + n, {d.pick(words.MESSAGES, "n % 8")}, {status} 'converted' END,
          {self._born(count)}, {self._born(count)}, 'telegram', 'shop', 'shop', '', '', '', '', '', {self._manager(31)},
          CASE WHEN n % 50 > 1 THEN {self._born(count)} END, {empty}, {d.json("'[]'")}, {empty}
        FROM {d.numbers(count)}"""

    def _tasks(self) -> str:
        d, count = self.dialect, self.size.deals
        due = d.ago(f"({count} - n) * {_YEARS_S} / {count} - {d.chance(32, 20)} * 86400")
        empty = d.json("'[]'")
        return f"""
        INSERT INTO task (id, title, state, created_at, updated_at, author, assignee, due_at, contact_id, deal_id, text,
          kind, result, done_at, checklist, fields, tags, version)
        SELECT {OTHER_ID} + {count} + n, 'Позвонить', CASE WHEN n % 12 = 0 THEN 'open' ELSE 'done' END,
          {self._born(count)}, {self._born(count)}, 'rule:bench', {self._manager(33)}, {due}, {self._some_contact(34)},
          {DEAL_ID} + n, '', 'call', 'дозвонились', CASE WHEN n % 12 > 0 THEN {self._born(count)} END, {empty},
          {d.json("'{}'")}, {empty}, 1
        FROM {d.numbers(count)}"""

    def _products(self) -> str:
        d = self.dialect
        name = d.pick(words.COURSES, "n - 1")
        return f"""
        INSERT INTO product (id, name, created_at, updated_at, search, unit, price, currency, version, fields)
        SELECT {OTHER_ID} - n, {name}, {d.ago("0")}, {d.ago("0")}, {name}, 'шт', 1000000, 'RUB', 1, {d.json("'{}'")}
        FROM {d.numbers(len(words.COURSES))}"""

    def _sales(self) -> str:
        """Twice as many as there are deals, of the third of the clients that ever bought."""
        d, count = self.dialect, self.size.deals * 2
        buyer = f"{CONTACT_ID} + 3 * (1 + {d.often_first(35, self.size.contacts // 3)})"
        at = d.ago(f"({count} - n) * {_YEARS_S} / {count}")
        number = d.chance(36, len(words.COURSES))
        return f"""
        INSERT INTO sale (id, ref, contact_id, product_id, name, quantity, amount, currency, at, recorded_at)
        SELECT {OTHER_ID} + 1000000000 + n, '1c:' || n, {buyer}, {OTHER_ID} - 1 - {number},
          {d.pick(words.COURSES, number)}, 1000, 100 * (500 + {d.often_first(37, 50_000)}), 'RUB', {at}, {at}
        FROM {d.numbers(count)}"""

    # ------------------------------------------------------------ what happened

    def _kind(self) -> str:
        return (
            "CASE WHEN n % 10 < 6 THEN 'message' WHEN n % 10 = 6 THEN 'email' WHEN n % 10 = 7 THEN 'call'"
            " WHEN n % 10 = 8 THEN 'note' ELSE 'stage' END"
        )

    def _entries(self) -> str:
        """Every client some, a few very many; a tenth of them calls."""
        d, count = self.dialect, self.size.entries
        inbound = "n % 10 < 8 AND n % 2 = 1"
        who = self._some_contact(41)
        told = "n % 10 < 6"
        at = self._born(count)
        signal = f"CASE WHEN {inbound} THEN 'ask' WHEN n % 10 < 7 THEN 'reply' END"
        ref = f"'telegram:shop:' || ({who}) || ':' || n"
        return f"""
        INSERT INTO timeline (id, seq, contact_id, kind, direction, occurred_at, sequence, recorded_at, channel,
          account, conversation, deal_id, call_id, external_id, ref, text, subject, quoted, author, by_person, signal,
          signal_at, delivery, versions, reactions)
        SELECT {ENTRY_ID} + n, n, {who}, {self._kind()}, CASE WHEN {inbound} THEN 'in' ELSE 'out' END, {at}, n, {at},
          CASE WHEN n % 10 < 8 THEN 'telegram' END, CASE WHEN n % 10 < 8 THEN 'shop' END,
          CASE WHEN {told} THEN CAST({who} AS TEXT) END, NULL, CASE WHEN n % 10 = 7 THEN {CALL_ID} + n END,
          CASE WHEN {told} THEN CAST(n AS TEXT) END, CASE WHEN {told} THEN {ref} END,
          {d.pick(words.MESSAGES, d.chance(42, 8))}, CASE WHEN n % 10 = 6 THEN 'Заявка на курс' ELSE '' END, '',
          {self._manager(43)}, {d.flag("n % 2 = 0")}, {signal}, CASE WHEN {signal} IS NOT NULL THEN {at} END,
          CASE WHEN n % 10 < 7 AND n % 2 = 0 THEN 'read' END, {d.json("'[]'")}, {d.json("'[]'")}
        FROM {d.numbers(count)}"""

    def _calls(self) -> str:
        d, count = self.dialect, self.size.entries
        at = self._born(count)
        missed = f"({d.chance(44, 5)} = 0)"
        return f"""
        INSERT INTO call (id, pbx, linkedid, contact_id, entry_id, direction, number, line, state, progress, started_at,
          answered_at, finished_at, wait_s, talk_s, cause, cause_text, hung_up_by, wish_callback, rung, talks)
        SELECT {CALL_ID} + n, 'office', 'l' || n, {self._some_contact(41)}, {ENTRY_ID} + n, 'in', '+79000000000',
          '+74950000000', CASE WHEN {missed} THEN 'missed' ELSE 'answered' END, 3, {at},
          CASE WHEN {missed} THEN NULL ELSE {at} END, {at}, 7.5, CASE WHEN {missed} THEN 0 ELSE 93.5 END, 16, '', '',
          {d.flag("1 = 0")}, {d.json("'[]'")}, {d.json("'[]'")}
        FROM {d.numbers(count)} WHERE n % 10 = 7"""

    def _attachments(self) -> str:
        count = self.size.entries // 40
        return f"""
        INSERT INTO attachment (id, entry_id, position, name, content_type, state, size, sha256)
        SELECT {OTHER_ID} + 2000000000 + n, {ENTRY_ID} + n * 40, 0, 'dogovor.pdf', 'application/pdf', 'stored', 48213,
          'a' || n
        FROM {self.dialect.numbers(count)}"""

    def _cases(self) -> str:
        """Every fourth client waited once, one of two hundred waits now."""
        d, count = self.dialect, self.size.contacts // 4
        at = self._born(count)
        return f"""
        INSERT INTO contact_case (id, contact_id, kind, state, facts, opened_at, channel, account, rung, closed_at,
          reason, manager, misses)
        SELECT {OTHER_ID} + 3000000000 + n, {CONTACT_ID} + n * 4, CASE WHEN n % 3 = 0 THEN 'call' ELSE 'message' END,
          CASE WHEN n % 50 = 0 THEN 'open' ELSE 'closed' END, 1, {at}, 'telegram', 'shop', 0,
          CASE WHEN n % 50 > 0 THEN {at} END, CASE WHEN n % 50 > 0 THEN 'reply' END, {self._manager(45)},
          {d.json("'[]'")}
        FROM {d.numbers(count)}"""

    def _changes(self) -> str:
        d, count = self.dialect, self.size.deals * 2
        return f"""
        INSERT INTO change (id, kind, subject_id, at, author, changes)
        SELECT {OTHER_ID} + 3500000000 + n, 'deal', {DEAL_ID} + 1 + n % {self.size.deals}, {self._born(count)},
          {self._manager(46)}, {d.json("'[[" + '"amount", 0, 1200000' + "]]'")}
        FROM {d.numbers(count)}"""

    # ------------------------------------------------------------ the index of fields

    def _values_of_deals(self) -> Iterator[str]:
        d = self.dialect
        city, course, course_in, contact_in = self._deal_fields()
        texts = {"city": (city, words.CITIES), "course": (course, words.COURSES)}
        for key, (_, among) in texts.items():
            salt = 21 if key == "city" else 22
            folded = d.pick([each.casefold().replace("ё", "е") for each in among], d.often_first(salt, len(among)))
            yield self._value("deal", key, self.size.deals, DEAL_ID, folded, "NULL")
        for key, days in (("course_on", course_in), ("contact_on", contact_in)):
            yield self._value("deal", key, self.size.deals, DEAL_ID, d.day_ahead(days), d.day_number(days))

    def _values_of_contacts(self) -> Iterator[str]:
        d, count = self.dialect, self.size.contacts
        cities = [each.casefold().replace("ё", "е") for each in words.CITIES]
        home = d.pick(cities, d.often_first(5, len(cities)))
        yield self._value("contact", "home_city", count, CONTACT_ID, home, "NULL")
        agreed = f"CASE WHEN {d.chance(6, 10)} < 6 THEN 1 ELSE 0 END"
        yield self._value("contact", "consent", count, CONTACT_ID, f"CAST({agreed} AS TEXT)", agreed)
        until, certified = d.chance(8, 730), f" WHERE {d.chance(7, 10)} < 3"
        day = d.day_ahead(until), d.day_number(until)
        yield self._value("contact", "certificate_until", count, CONTACT_ID, *day) + certified

    def _value(self, kind: str, key: str, count: int, first: int, text: str, number: str) -> str:
        field = fields_of(self.catalogue, kind).by_key[key].id
        return (
            f"{_FIELD_VALUE} SELECT '{field}:' || ({first} + n) || ':0', {field}, {first} + n, {text}, {number}, NULL"
            f" FROM {self.dialect.numbers(count)}"
        )


def dialect_of(*, sqlite: bool, now: datetime) -> Dialect:
    """The SQL of an engine, at a moment in whole seconds."""
    return Dialect(sqlite, now.replace(microsecond=0))
