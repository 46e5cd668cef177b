"""The log: one line per thing that happened, text or JSON, with the correlation id of the fact it belongs to.

Everything ends in one handler: structlog's loggers, which the hub uses, and the standard library's, which the vendor
libraries use. Whatever is written passes the redactor first. Logging never raises.
"""

from __future__ import annotations

import json
import logging
import re
import secrets as random_secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor

from hub.redaction import Redactor, one_line
from hub.settings.model import LogFormat

# Chatty below a warning: a line per request, statement or SMTP command.
_QUIET = ("aiohttp.access", "sqlalchemy.engine", "sqlalchemy.pool", "mail.log", "asyncio", "alembic.runtime")
_MULTILINE = frozenset({"exception", "stack"})
_OURS = frozenset({"timestamp", "level", "logger"})  # set here, nobody's values
_CORRELATION = re.compile(r"[\w.:-]{1,64}\Z")

_correlation: ContextVar[str] = ContextVar("hub_correlation_id", default="")


def get_logger(name: str) -> BoundLogger:
    """A logger; `log.info("call routed", contact_id=5)`. Works before `configure_logging`, too."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def new_correlation_id() -> str:
    """A fresh id, 16 hexadecimal digits."""
    return random_secrets.token_hex(8)


def correlation_id() -> str:
    """The id of the fact being worked on in this task or thread; empty outside of any."""
    return _correlation.get()


@contextmanager
def bind_correlation(wanted: str = "") -> Iterator[str]:
    """Every line logged inside carries this id, also in tasks started inside; yields it.

    An id from outside that is empty or no plain word of at most 64 characters is replaced by a fresh one.
    """
    bound = wanted if _CORRELATION.match(wanted) else new_correlation_id()
    token = _correlation.set(bound)
    try:
        yield bound
    finally:
        _correlation.reset(token)


def configure_logging(
    log_format: LogFormat = LogFormat.TEXT,
    *,
    secrets: Iterable[str] = (),
    level: int = logging.INFO,
    stream: TextIO | None = None,
) -> None:
    """Send everything to `stream` (standard error) in this format; `secrets` are blanked. May be called again."""
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_Formatter(log_format, Redactor(secrets), colors=handler.stream.isatty()))
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    structlog.configure(
        # Nothing that can fail runs in the caller: the rest is the formatter's, which guards it.
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )


def hide(secrets: Iterable[str]) -> None:
    """Blank these secrets too, from now on: those that the hub learns while it runs."""
    texts = frozenset(secrets)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Handler) and isinstance(handler.formatter, _Formatter):
            handler.formatter.hide(texts)


class _Handler(logging.StreamHandler[TextIO]):
    """A stream handler that says in one line that a record was lost, without showing the record."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Called by `emit` where the stream refuses (closed, disk full)."""
        error = sys.exc_info()[0]
        with suppress(
            OSError, ValueError, AttributeError
        ):  # standard error itself may be gone; nothing is left to tell
            name = error.__name__ if error else "unknown error"
            sys.__stderr__.write(f"a log record of {record.name} was lost: {name}\n")  # type: ignore[union-attr] # None is suppressed


class _Formatter(ProcessorFormatter):
    def __init__(self, log_format: LogFormat, redactor: Redactor, *, colors: bool) -> None:
        self._format = log_format
        self._redactor = redactor
        self._hidden: frozenset[str] = frozenset()
        renderer: Processor
        if log_format is LogFormat.JSON:
            renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
        else:
            # tracebacks are texts already when they come here; the plain formatter is the one that expects so
            plain = structlog.dev.plain_traceback
            renderer = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, exception_formatter=plain)
        super().__init__(
            processors=[
                _describe,
                ProcessorFormatter.remove_processors_meta,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                self._redact,
                renderer,
            ]
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; where that fails, a line saying so with the bare message."""
        try:
            return super().format(record)
        except Exception as err:  # noqa: BLE001 - arguments of a log call are anybody's, and logging never raises
            return self._unformattable(record, err)

    def hide(self, secrets: frozenset[str]) -> None:
        """Blank these as well as those before."""
        if not secrets <= self._hidden:
            self._hidden |= secrets
            self._redactor = self._redactor.knowing(self._hidden)

    def _redact(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        safe: EventDict = {}
        for key, value in event.items():
            if key in _OURS:
                safe[key] = value
                continue
            found = self._redactor.named(str(key), value)
            if self._format is LogFormat.TEXT and isinstance(found, str) and key not in _MULTILINE:
                found = one_line(found)
            safe[str(key)] = found
        return safe

    def _unformattable(self, record: logging.LogRecord, err: Exception) -> str:
        message = record.msg.get("event") if isinstance(record.msg, dict) else record.msg
        fields = {
            "event": one_line(str(self._redactor.value(message))),
            "level": record.levelname.lower(),
            "logger": record.name,
            "unformattable": type(err).__name__,
            "correlation_id": correlation_id(),
        }
        if self._format is LogFormat.JSON:
            return json.dumps(fields, ensure_ascii=False)
        return " ".join(f"{key}={value}" for key, value in fields.items())


def _describe(_logger: object, _method: str, event: EventDict) -> EventDict:
    """When, how grave, whose, and of which fact."""
    record: Any = event["_record"]
    event["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    if bound := correlation_id():
        event.setdefault("correlation_id", bound)
    return event
