"""The log: one line per record whatever is logged, with its correlation id and without secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from hub.log import bind_correlation, configure_logging, correlation_id, get_logger, new_correlation_id
from hub.settings import LogFormat

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.configure(**before)


@pytest.fixture
def lines() -> Lines:
    stream = io.StringIO()
    configure_logging(LogFormat.JSON, secrets=["hunter-two", "p/w d8"], stream=stream)

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        return found

    return read


def alone() -> None:
    """Take pytest's own log handlers away for the rest of the test: they do raise what they can't format."""
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if type(handler).__module__ == "hub.log"]


def text_of(log: Callable[[], object]) -> str:
    stream = io.StringIO()
    configure_logging(LogFormat.TEXT, stream=stream)
    alone()
    log()
    return stream.getvalue()


def test_both_kinds_of_logger_end_in_one_format(lines: Lines) -> None:
    get_logger("hub.intake").info("batch committed", facts=5, names=("Иванов",))
    logging.getLogger("aiogram").warning("lost %s of %d", "один", 2)
    ours, theirs = lines()
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "batch committed",
        "level": "info",
        "logger": "hub.intake",
        "facts": 5,
        "names": ["Иванов"],
    }
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("lost один of 2", "warning", "aiogram")


def test_chatty_libraries_are_quiet(lines: Lines) -> None:
    logging.getLogger("sqlalchemy.engine.Engine").info("SELECT 1")
    logging.getLogger("aiohttp.access").info("GET /")
    get_logger("hub").debug("detail")
    assert lines() == []


def test_lines_carry_the_id_of_their_fact(lines: Lines) -> None:
    log = get_logger("hub")
    with bind_correlation("update-17") as bound:
        assert bound == correlation_id() == "update-17"
        log.info("in")
        logging.getLogger("sqlalchemy").warning("in")
        with bind_correlation():
            assert correlation_id() not in {"", "update-17"}
        log.info("still in")
    log.info("out")
    assert [line.get("correlation_id") for line in lines()] == ["update-17", "update-17", "update-17", None]


async def test_tasks_keep_their_own_id(lines: Lines) -> None:
    met = asyncio.Barrier(2)

    async def work(name: str) -> None:
        with bind_correlation(name):
            await met.wait()
            get_logger("hub").info(name)

    await asyncio.gather(work("a"), work("b"))
    assert all(line["event"] == line["correlation_id"] for line in lines())


@pytest.mark.parametrize("wanted", ["", "a b", "x" * 65, "a\nb", "<script>"])
def test_an_id_from_outside_has_to_be_a_plain_word(wanted: str) -> None:
    with bind_correlation(wanted) as bound:
        assert len(bound) == len(new_correlation_id()) == 16


def test_secrets_are_blanked_wherever_they_stand(lines: Lines) -> None:
    log = get_logger("hub")
    log.info("login with hunter-two", url="imap://u:p%2Fw%20d8@h", password="x", nested={"api_token": "y", "n": 1})
    try:
        int("refused: hunter-two")
    except ValueError:
        log.exception("failed")
    logging.getLogger("aiohttp").error("POST %s", "https://api.telegram.org/bot123:abc/getMe")
    told = lines()
    assert "hunter" not in str(told)
    assert "p%2F" not in str(told)
    assert "abc" not in str(told)
    assert told[0]["nested"] == {"api_token": "***", "n": 1}
    assert told[0]["password"] == "***"
    assert "ValueError: invalid literal for int() with base 10: 'refused: ***'" in told[1]["exception"]
    assert told[2]["event"] == "POST https://api.telegram.org/bot***/getMe"


class Unshowable:
    """An object whose text can't be had."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_nothing_that_is_logged_raises(lines: Lines) -> None:
    alone()
    log: Any = get_logger("hub")
    cycle: list[object] = []
    cycle.append(cycle)
    log.info("odd", value=Unshowable(), cycle=cycle, key={1: b"\xff"}, number=float("nan"), lone="\ud800")
    log.info("bad %s arguments %d", "x")  # noqa: PLE1206 - what is tested
    log.info("unshowable %s", Unshowable())
    log.info(Unshowable())
    logging.getLogger("aiogram").error("bad %d", "not a number %s")
    logging.getLogger("aiogram").error({"a": 1})
    told = lines()
    assert [line["event"] for line in told[1:3]] == ["bad %s arguments %d", "unshowable %s"]
    assert told[0]["value"] == "<Unshowable that can't be shown: RuntimeError>"
    assert told[0]["number"] == "nan"
    assert told[4]["event"] == "bad %d"
    assert told[4]["unformattable"] == "TypeError"
    assert len(told) == 6


def test_a_text_line_stays_one_line() -> None:
    forged = "gone\n2026-01-01T00:00:00Z [error] forged\x1b[31m"
    told = text_of(lambda: get_logger("hub").info(forged, value="a\r\nb", n=1))
    assert told.count("\n") == 1
    assert "\x1b" not in told
    assert "\\n2026" in told
    assert "n=1" in told


def test_a_traceback_in_text_is_readable() -> None:
    def fail() -> None:
        try:
            int("token=abc")
        except ValueError:
            logging.getLogger("x").exception("failed")

    told = text_of(fail)
    assert "Traceback (most recent call last):\n" in told
    assert "'token=***'" in told


def test_bad_arguments_in_text() -> None:
    told = text_of(lambda: logging.getLogger("x").error("bad %d", "word"))
    assert "event=bad %d" in told
    assert "unformattable=TypeError" in told


def test_a_closed_stream_is_told_without_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    last_resort = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", last_resort)
    stream = io.StringIO()
    configure_logging(stream=stream)
    stream.close()
    get_logger("hub").info("unheard")
    assert last_resort.getvalue() == "a log record of hub was lost: ValueError\n"
    monkeypatch.setattr(sys, "__stderr__", None)
    get_logger("hub").info("unheard")


def test_configuring_again_replaces_the_format_and_adds_no_second_handler() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging(stream=first)
    configure_logging(LogFormat.JSON, stream=second)
    get_logger("hub").info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1
