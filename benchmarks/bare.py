"""Bare programs: the same seven rows a message as the hub writes, in set-based batches of 100, straight to the driver.

They know their answers beforehand: no parsing, no look-ups, no rules. The tables, indexes and constraints are the
hub's own.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime

import asyncpg
from sqlalchemy.engine import make_url

BATCH = 100
_SHOP = ("telegram", "shop")
_EMPTY = ("{}", "[]", "{}")  # fields, tags, marks
_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "journal": (
        ("id", "bigint"), ("channel", "text"), ("account", "text"), ("external_id", "text"), ("state", "text"),
        ("what", "text"), ("conversation", "text"), ("occurred_at", "timestamptz"), ("received_at", "timestamptz"),
        ("correlation_id", "text"), ("raw", "bytea"), ("raw_type", "text"), ("attempts", "integer"),
    ),
    "contact": (
        ("id", "bigint"), ("name", "text"), ("created_at", "timestamptz"), ("updated_at", "timestamptz"),
        ("search", "text"), ("fields", "jsonb"), ("tags", "jsonb"), ("marks", "jsonb"),
    ),
    "identity": (("key", "text"), ("contact_id", "bigint"), ("evidence", "text"), ("created_at", "timestamptz")),
    "lead": (
        ("id", "bigint"), ("contact_id", "bigint"), ("title", "text"), ("status", "text"),
        ("created_at", "timestamptz"), ("first_fact_at", "timestamptz"), ("channel", "text"), ("account", "text"),
        ("source", "text"), ("utm_source", "text"), ("utm_medium", "text"), ("utm_campaign", "text"),
        ("utm_content", "text"), ("utm_term", "text"), ("manager", "text"), ("fields", "jsonb"), ("tags", "jsonb"),
        ("marks", "jsonb"),
    ),
    "timeline": (
        ("id", "bigint"), ("seq", "bigint"), ("contact_id", "bigint"), ("kind", "text"), ("direction", "text"),
        ("occurred_at", "timestamptz"), ("sequence", "bigint"), ("recorded_at", "timestamptz"), ("channel", "text"),
        ("account", "text"), ("conversation", "text"), ("lead_id", "bigint"), ("journal_id", "bigint"),
        ("external_id", "text"), ("ref", "text"), ("text", "text"), ("subject", "text"), ("quoted", "text"),
        ("author", "text"), ("by_person", "boolean"), ("signal", "text"), ("signal_at", "timestamptz"),
        ("versions", "jsonb"),
    ),
    "deadline": (
        ("key", "text"), ("kind", "text"), ("subject_id", "bigint"), ("due_at", "timestamptz"), ("rung", "integer"),
        ("attempts", "integer"),
    ),
    "outbox": (
        ("id", "bigint"), ("kind", "text"), ("lane", "text"), ("dedupe", "text"), ("state", "text"),
        ("created_at", "timestamptz"), ("not_before", "timestamptz"), ("payload", "jsonb"), ("attempts", "integer"),
        ("started", "integer"),
    ),
}  # fmt: skip


def _rows(first: int, now: object, text: str) -> dict[str, list[tuple[object, ...]]]:
    """The rows of one batch; ids are made here, as the hub makes its own."""
    found: dict[str, list[tuple[object, ...]]] = {table: [] for table in _COLUMNS}
    for number in range(first, first + BATCH):
        base = 1_000_000 + number * 10
        who = f"Клиент {number}"
        found["journal"].append(
            (
                base,
                "telegram",
                "shop",
                str(number),
                "done",
                "MessageReceived",
                str(number),
                now,
                now,
                "c",
                b"{}",
                "json",
                1,
            )
        )
        found["contact"].append((base + 1, who, now, now, who.casefold(), "{}", "[]", "{}"))
        found["identity"].append((f"tg:{number}", base + 1, "telegram", now))
        found["lead"].append(
            (base + 2, base + 1, text, "new", now, now, "telegram", "shop", "shop", *[""] * 5, "manager0", *_EMPTY)
        )
        head = (base + 3, base + 3, base + 1, "message", "in", now, number, now, *_SHOP, str(number), base + 2, base)
        ref = f"telegram:shop:{number}:1"
        found["timeline"].append((*head, str(number), ref, text, "", "", who, False, "ask", now, "[]"))
        found["deadline"].append((f"case.rung:{base + 4}", "case.rung", base + 4, now, 0, 0))
        found["outbox"].append(
            (
                base + 5,
                "notification",
                "telegram:shop:900000",
                f"tell:{base}",
                "queued",
                now,
                now,
                '{"text": "x"}',
                0,
                0,
            )
        )
    return found


async def postgresql(url: str, messages: int) -> float:
    """Messages a second by asyncpg."""
    parts = make_url(url)
    conn = await asyncpg.connect(
        host=parts.host, port=parts.port, user=parts.username, password=parts.password, database=parts.database
    )
    statements = {}
    for table, columns in _COLUMNS.items():
        names = ", ".join(f'"{name}"' for name, _ in columns)
        arrays = ", ".join(
            f"${position}::{'text' if kind == 'jsonb' else kind}[]" for position, (_, kind) in enumerate(columns, 1)
        )
        values = ", ".join(f'v."{name}"::jsonb' if kind == "jsonb" else f'v."{name}"' for name, kind in columns)
        sql = f"INSERT INTO {table} ({names}) SELECT {values} FROM unnest({arrays}) AS v ({names})"
        statements[table] = await conn.prepare(sql)
    began = time.perf_counter()
    for first in range(0, messages, BATCH):
        rows = _rows(first, datetime.now(UTC), "Здравствуйте, сколько стоит окно?")
        async with conn.transaction():
            for table, statement in statements.items():
                await statement.fetch(*(list(column) for column in zip(*rows[table], strict=True)))
    took = time.perf_counter() - began
    await conn.close()
    return messages / took


def sqlite(url: str, messages: int) -> float:
    """Messages a second by the standard library's driver; WAL, synchronous FULL, as the hub."""
    conn = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")
    statements = {}
    for table, columns in _COLUMNS.items():
        names = ", ".join(f'"{name}"' for name, _ in columns)
        statements[table] = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in columns)})"
    began = time.perf_counter()
    for first in range(0, messages, BATCH):
        rows = _rows(first, time.time_ns() // 1000, "Здравствуйте, сколько стоит окно?")
        conn.execute("BEGIN IMMEDIATE")
        for table, statement in statements.items():
            conn.executemany(statement, rows[table])
        conn.execute("COMMIT")
    took = time.perf_counter() - began
    conn.close()
    return messages / took
