"""Logs: one line an event on stderr, readable on a terminal, JSON elsewhere. No personal values.

Redaction is the last step before rendering. What may be logged is what the program says about its work: names of
sources, files, rules and runs, counts, days and digests. Tracebacks are rendered without local variables.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

LEVEL = "RETENTION_LOG_LEVEL"
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]+@")


def set_up_logs(*, verbose: bool) -> None:
    """Send every log line of the program and of its libraries to stderr in one form.

    $RETENTION_LOG_LEVEL sets the level; else it is info, or warning on a terminal, where people read the results.
    """
    terminal = sys.stderr.isatty()
    level = logging.DEBUG if verbose else _level(terminal=terminal)
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    last: list[Processor] = [
        structlog.processors.ExceptionRenderer(tracebacks),
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        redact,
        structlog.dev.ConsoleRenderer(colors=True) if terminal else structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("retention").setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _level(*, terminal: bool) -> int:
    named = logging.getLevelNamesMapping().get(os.environ.get(LEVEL, "").upper())
    return named or (logging.WARNING if terminal else logging.INFO)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take passwords out of every text of an event that looks like a URL with one."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _URL_PASSWORD.sub(r"\1:***@", value)
    return event


def get_logger(room: str) -> structlog.stdlib.BoundLogger:
    """Give the logger of a room."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"retention.{room}")
    return logger
