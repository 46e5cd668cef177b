"""The mails that are measured with: short questions, each from another client."""

from __future__ import annotations

TO = "sales@example.org"


def content(number: int) -> bytes:
    """One mail, its lines ended as on the wire."""
    lines = (
        f"From: =?utf-8?b?0JjQstCw0L0=?= <client{number}@client.example>",
        f"To: {TO}",
        "Subject: =?utf-8?b?0KHQutC+0LvRjNC60L4g0YHRgtC+0LjRgiDQvtC60L3Qvg==?=",
        "Date: Mon, 02 Mar 2026 12:00:00 +0300",
        f"Message-ID: <bench.{number}@client.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Здравствуйте! Сколько стоит окно с установкой?",
        "",
        "С уважением, Иван",
        "",
    )
    return "\r\n".join(lines).encode()
