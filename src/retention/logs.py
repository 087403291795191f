"""Logs: one line an event on stderr, readable on a terminal, JSON elsewhere. No personal values.

Redaction is the last step before rendering. What may be logged is what the program says about its work: names of
sources, files, rules and runs, counts, days and digests. Of an exception that a library logs, only types and places
are told: its message and its local variables may hold anything.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from retention.errors import UsageError

if TYPE_CHECKING:
    import structlog
    from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

LEVEL = "RETENTION_LOG_LEVEL"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]+@")


def set_up_logs(*, verbose: bool) -> None:
    """Send every log line of the program and of its libraries to stderr in one form.

    $RETENTION_LOG_LEVEL sets the level; else it is info, or warning on a terminal, where people read the results.
    """
    terminal = sys.stderr.isatty()
    level = logging.DEBUG if verbose else _level(terminal=terminal)
    handler = _Handler(sys.stderr)
    handler.setFormatter(_Formatter(terminal=terminal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("retention").setLevel(level)


class _Formatter(logging.Formatter):
    """Makes its lines by structlog, which is loaded at the first: most commands that only look have none to write."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    @cached_property
    def _made(self) -> logging.Formatter:
        import structlog

        last: list[Processor] = [
            structlog.processors.ExceptionRenderer(_places),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            structlog.dev.ConsoleRenderer(colors=True) if self._terminal else structlog.processors.JSONRenderer(),
        ]
        return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_first(), processors=last)

    def format(self, record: logging.LogRecord) -> str:
        return self._made.format(record)


def _first() -> list[Processor]:
    """Give the steps that every line goes through before it is rendered, whoever wrote it."""
    import structlog

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _level(*, terminal: bool) -> int:
    asked = os.environ.get(LEVEL, "").upper()
    if not asked:
        return logging.WARNING if terminal else logging.INFO
    if asked not in _LEVELS:
        msg = f"${LEVEL}: write one of {', '.join(_LEVELS).lower()}"
        raise UsageError(msg)
    return logging.getLevelNamesMapping()[asked]


class _Handler(logging.StreamHandler[TextIO]):
    """Says that a line could not be written, where the standard handler would write out everything that it held."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the standard library's name
        with suppress(OSError):
            self.stream.write(f"retention: a line of the logger {record.name} could not be written\n")


def _places(exc_info: ExcInfo) -> str:
    """Tell the type of an exception, and of each that led to it, and where it arose; nothing that it says."""
    told = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        frames = [f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)]
        told.append(" ".join([type(error).__name__, "at", *frames]))
        error = error.__cause__ or error.__context__
    return "; after ".join(told)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take passwords out of every text of an event that looks like a URL with one."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return _URL_PASSWORD.sub(r"\1:***@", value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redacted(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else _redacted(repr(value))


def log_retries() -> None:
    """Have the library for retries write where logs go; by itself it writes to stdout, between the results."""
    from stamina import instrumentation

    instrumentation.set_on_retry_hooks([instrumentation.LoggingOnRetryHook])


def get_logger(room: str) -> structlog.stdlib.BoundLogger:
    """Give the logger of a room."""
    import structlog

    steps = [structlog.stdlib.filter_by_level, *_first(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(f"retention.{room}"), steps, structlog.stdlib.BoundLogger
    )
    return logger
