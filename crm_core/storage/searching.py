"""Finding records by a part of what they are called: a name, a number, an address, led by an index on both engines.

PostgreSQL keeps the three-letter pieces of `search` in a GIN index (`hub_trigrams`, a function of our own: it needs no
extension and knows every alphabet in every locale), SQLite an FTS5 table of the same. Words of fewer letters are found
where a word begins with them.

Titles of deals, leads and tasks, and of documents with their numbers, are indexed by their words alone
(`crm_core.storage.migrations.title_index`), which costs a third of that where they are written: messages of strangers
open leads. What was typed is found in them, by `titled`, where words begin with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, Text, and_, cast, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from crm_core.model.identity import find_telephones
from crm_core.storage import tables
from crm_core.storage.types import JsonText

Condition = ColumnElement[bool]

FEWEST_LETTERS = 3
_FEWEST_DIGITS = 3
_TELLING_DIGITS = 5
_MOST_WORDS = 8
_LONGEST_WORD = 100
_FEWEST_LEADING = 2
_PARTS = re.compile(r"[^\W_]+")


class folded(FunctionElement[str]):  # noqa: N801 - a function of SQL
    """A text in small letters, of any alphabet."""

    type = Text()
    inherit_cache = True


class _has_tag(FunctionElement[Any]):  # noqa: N801 - a function of SQL
    type = NullType()  # SQLAlchemy would compare a Boolean with 1 on SQLite, which no index answers
    inherit_cache = True


class _has_words(FunctionElement[Any]):  # noqa: N801 - a function of SQL
    """Of a column `search`, words to be found in it: as pieces (PostgreSQL) and as a match (SQLite)."""

    type = NullType()
    inherit_cache = True


class _words_begin(FunctionElement[Any]):  # noqa: N801 - a function of SQL
    """Of a title and its id, that words of it begin so: as a query of texts (PostgreSQL) and as a match (SQLite)."""

    type = NullType()
    inherit_cache = True


@compiles(folded, "postgresql")
def _folded_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(folded, "sqlite")
def _folded_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    return f"hub_folded({compiler.process(element.clauses, **more)})"


@compiles(_has_tag, "postgresql")
def _tag_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    column, _, listed = element.clauses
    shown = compiler.process(column, **more)
    return f"({shown} @> {compiler.process(listed, **more)} AND {shown} <> '[]'::jsonb)"


@compiles(_has_tag, "sqlite")
def _tag_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    column, tag, _ = element.clauses
    inner = f"SELECT 1 FROM json_each({compiler.process(column, **more)}) AS k"
    return f"EXISTS ({inner} WHERE k.value = {compiler.process(tag, **more)})"


@compiles(_has_words, "postgresql")
def _words_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    column, pieces, _ = element.clauses
    return f"(hub_trigrams({compiler.process(column, **more)}) @> {compiler.process(pieces, **more)})"


@compiles(_has_words, "sqlite")
def _words_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    column, _, match = element.clauses
    found = f"{column.table.name}_search"
    table = compiler.process(column.table.c.id, **more)
    return f"{table} IN (SELECT rowid FROM {found} WHERE {found} MATCH {compiler.process(match, **more)})"


@compiles(_words_begin, "postgresql")
def _begin_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    title, _, query, _ = element.clauses
    return f"(hub_words({compiler.process(title, **more)}) @@ CAST({compiler.process(query, **more)} AS tsquery))"


@compiles(_words_begin, "sqlite")
def _begin_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    _, ident, _, match = element.clauses
    found = f"{ident.table.name}_search"
    shown = compiler.process(ident, **more)
    return f"{shown} IN (SELECT rowid FROM {found} WHERE {found} MATCH {compiler.process(match, **more)})"


def like(text: str) -> str:
    """A LIKE pattern (escaped by a backslash) that finds the text anywhere."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"


def has_tag(tags: Any, tag: str) -> Condition:
    """That a list of tags has this one."""
    return _has_tag(tags, literal(tag, Text()), literal([tag], JsonText()))


def no_tags(tags: Any) -> Condition:
    """That a list of tags is empty."""
    found: Condition = tags == literal([], JsonText())
    return found


def found_by(table: Table, typed: str, region: str) -> Condition:
    """Of a table, what somebody typed: all words of it anywhere in the name, the numbers, the addresses.

    Of records without a text to look in, their title and their client's.
    """
    if "search" in table.c:
        return _typed(table.c.search, typed, region)
    title = table.c.get("title")
    conditions: list[Condition] = []
    if title is not None:
        conditions.extend([and_(*(folded(title).like(like(word), escape="\\") for word in _words(typed)))])
    if "contact_id" in table.c:
        clients = select(tables.contact.c.id).where(_typed(tables.contact.c.search, typed, region))
        conditions.append(table.c.contact_id.in_(clients))
    return or_(*conditions)


def often_found(typed: str) -> bool:
    """Whether what somebody typed may stand with many: everything but a long number."""
    return sum(char.isdigit() for char in typed) < _TELLING_DIGITS or any(char.isalpha() for char in typed)


def read_by(table: Table, typed: str, region: str) -> Condition:
    """The same as `found_by` for a table with a text to look in, by reading the text and no index: for few records."""
    return _typed(table.c.search, typed, region, led=False)


def titled(table: Table, typed: str) -> Condition | None:
    """Of deals, leads, tasks and documents: words of the title (and of a document's number) that begin with all words
    that somebody typed, along the index; None where too little was typed for that."""
    parts = [part for word in _words(typed) for part in _PARTS.findall(word)]
    if all(len(part) < _FEWEST_LEADING for part in parts):
        return None
    query = literal(" & ".join(f"'{part}':*" for part in parts), Text())
    match = literal(" ".join(f'"{part}"*' for part in parts), Text())
    # What is punctuated stands in the title as it was typed.
    whole = (word for word in _words(typed) if not _PARTS.fullmatch(word))
    text = folded(_title(table))
    return and_(
        _words_begin(_title(table), table.c.id, query, match),
        *(text.like(like(word), escape="\\") for word in whole),
    )


def read_in_title(table: Table, typed: str) -> Condition:
    """All words that somebody typed anywhere in the title, by reading it and no index: for few records."""
    return _all_of(folded(_title(table)), _words(typed), led=False)


def said(text: ColumnElement[str], typed: str) -> Condition:
    """That all words that somebody typed stand anywhere in a text, by reading it."""
    return and_(*(folded(text).like(like(word), escape="\\") for word in _words(typed)))


def _title(table: Table) -> ColumnElement[str]:
    if table is not tables.document:
        return table.c.title
    # As the index says it, to the letter: nothing of it a value beside the statement.
    return table.c.title + literal_column("' '", Text()) + cast(table.c.number, Text())


def _typed(column: Any, typed: str, region: str, *, led: bool = True) -> Condition:
    words = _words(typed)
    by_words = _all_of(column, words, led=led)
    digits = "".join(char for char in typed if char.isdigit() and char.isascii())
    if len(digits) < _FEWEST_DIGITS or any(char.isalpha() for char in typed):
        return by_words
    numbers = {digits, *(found.value.casefold() for found in find_telephones(typed, region))} - {"".join(words)}
    return or_(by_words, *(_all_of(column, [number], led=led) for number in sorted(numbers)))


def _words(typed: str) -> list[str]:
    return [word[:_LONGEST_WORD] for word in typed.casefold().split()[:_MOST_WORDS]]


def _all_of(column: Any, words: Sequence[str], *, led: bool) -> Condition:
    long = [word for word in words if len(word) >= FEWEST_LETTERS]
    short = [word for word in words if len(word) < FEWEST_LETTERS]
    conditions: list[Condition] = []
    if led and (long or any(len(word) == FEWEST_LETTERS - 1 for word in short)):
        conditions.append(_indexed(column, long, short))
    # The pieces of a word may stand apart.
    conditions.extend(column.like(like(word), escape="\\") for word in long)
    for word in short:
        begins = like(word)[1:]
        conditions.append(or_(column.like(begins, escape="\\"), column.like(f"% {begins}", escape="\\")))
    return and_(*conditions)


def _indexed(column: Any, long: Sequence[str], short: Sequence[str]) -> Condition:
    grams = {word[i : i + 3] for word in long for i in range(len(word) - 2)}
    grams |= {f" {word}" for word in short if len(word) == FEWEST_LETTERS - 1}
    match = " ".join('"' + word.replace('"', '""') + '"' for word in long)
    pieces = literal(sorted(grams), ARRAY(Text()))
    if not match:
        return _pieces_only(column, pieces)
    return _has_words(column, pieces, literal(match, Text()))


class _pieces_only(FunctionElement[Any]):  # noqa: N801 - a function of SQL
    """The same for words too short for SQLite's index, which looks through them."""

    type = NullType()
    inherit_cache = True


@compiles(_pieces_only, "postgresql")
def _pieces_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    column, pieces = element.clauses
    return f"(hub_trigrams({compiler.process(column, **more)}) @> {compiler.process(pieces, **more)})"


@compiles(_pieces_only, "sqlite")
def _pieces_sqlite(_element: Any, _compiler: Any, **_more: Any) -> str:
    return "1"
