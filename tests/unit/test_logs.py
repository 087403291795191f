"""Logs: one form for the program and its libraries, no passwords, and nothing that an exception says."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import StatementError

from retention.errors import UsageError
from retention.logs import LEVEL, get_logger, redact, set_up_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "qzpassword"  # noqa: S105  # opens nothing
VALUE = "qzvalue"
URL = f"postgresql://user:{PASSWORD}@host:5432/db"
SHOWN_URL = "postgresql://user:***@host:5432/db"


class Stderr(io.StringIO):
    """A standard error stream that may claim to be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def _logs_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(LEVEL, raising=False)
    root, ours = logging.getLogger(), logging.getLogger("retention")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], levels = before[0], before[1:]
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def listen(*, terminal: bool = False, verbose: bool = False) -> Stderr:
    """Set logs up with a stream that is kept, and drop the handlers that pytest put beside it."""
    stream = Stderr(terminal=terminal)
    with patch.object(sys, "stderr", stream):
        set_up_logs(verbose=verbose)
    return stream


def fail() -> None:
    local = VALUE
    message = f"{local} at {URL}"
    raise ValueError(message)


def test_a_line_is_one_json_object_with_time_level_and_room() -> None:
    stderr = listen()
    get_logger("ingest").info("import", file="a.csv", rows=3, refused=None)
    [line] = stderr.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "import",
        "level": "info",
        "logger": "retention.ingest",
        "file": "a.csv",
        "rows": 3,
        "refused": None,
    }


def test_lines_of_libraries_have_the_same_form() -> None:
    stderr = listen()
    logging.getLogger("sqlalchemy.pool").warning("cannot connect to %s", "host")
    [line] = stderr.lines()
    assert (line["event"], line["level"], line["logger"]) == ("cannot connect to host", "warning", "sqlalchemy.pool")
    assert "timestamp" in line


def test_libraries_are_heard_from_warnings_on_also_where_we_say_everything() -> None:
    stderr = listen(verbose=True)
    logging.getLogger("sqlalchemy.engine").info("SELECT %s", VALUE)
    get_logger("cycle").debug("a step")
    assert [line["event"] for line in stderr.lines()] == ["a step"]


@pytest.mark.parametrize(
    ("named", "heard"),
    [(None, ["one", "two"]), ("error", []), ("WARNING", ["two"]), ("", ["one", "two"])],
)
def test_the_environment_sets_how_much_is_said(
    monkeypatch: pytest.MonkeyPatch, named: str | None, heard: list[str]
) -> None:
    if named is not None:
        monkeypatch.setenv(LEVEL, named)
    stderr = listen()
    get_logger("cycle").info("one")
    get_logger("cycle").warning("two")
    assert [line["event"] for line in stderr.lines()] == heard


def test_a_terminal_shows_warnings_in_colour_and_no_json() -> None:
    stderr = listen(terminal=True)
    get_logger("cycle").info("unseen")
    get_logger("cycle").warning("a run had been interrupted", run=7)
    shown = stderr.getvalue()
    assert "unseen" not in shown
    assert "a run had been interrupted" in shown
    assert "\x1b[" in shown
    assert "{" not in shown


@pytest.mark.parametrize(
    "value",
    [
        URL,
        f"tried {URL} and {URL}",
        {"url": URL},
        {"urls": [URL, (URL,)]},
        {URL},
        URL.encode(),
        ValueError(URL),
    ],
    ids=["text", "sentence", "object", "lists", "set", "bytes", "exception"],
)
def test_passwords_of_addresses_are_taken_out_wherever_they_stand(value: object) -> None:
    stderr = listen()
    get_logger("store").error("failed", value=value)
    logging.getLogger("library").error("failed: %s", value)
    assert PASSWORD not in stderr.getvalue()
    assert len(stderr.lines()) == 2
    assert SHOWN_URL in stderr.getvalue()


def test_what_is_no_address_with_a_password_stays() -> None:
    event = {
        "event": "a@b: c:d",
        "url": "postgresql://user@host/db",
        "count": 3,
        "ok": True,
        "none": None,
        "share": 0.5,
    }
    assert redact(None, "info", dict(event)) == event


@pytest.mark.parametrize("library", [False, True])
def test_of_an_exception_only_type_and_place_are_told(*, library: bool) -> None:
    stderr = listen()
    try:
        try:
            fail()
        except ValueError as error:
            raise KeyError(VALUE) from error
    except KeyError:
        if library:
            logging.getLogger("library").exception("failed")
        else:
            get_logger("store").exception("failed")
    [line] = stderr.lines()
    assert line["exception"].startswith("KeyError at test_logs.py:")
    assert "; after ValueError at test_logs.py:" in line["exception"]
    assert VALUE not in stderr.getvalue()
    assert PASSWORD not in stderr.getvalue()


def test_an_exception_on_a_terminal_is_told_in_the_same_way() -> None:
    stderr = listen(terminal=True)
    try:
        fail()
    except ValueError:
        get_logger("store").exception("failed")
    shown = stderr.getvalue()
    assert "ValueError at test_logs.py:" in shown
    assert "could not be written" not in shown
    assert VALUE not in shown


def test_a_line_that_cannot_be_written_does_not_show_what_it_held() -> None:
    stderr = listen()
    template = "two values: %s %s"
    logging.getLogger("library").error(template, VALUE)
    assert stderr.getvalue() == "retention: a line of the logger library could not be written\n"


def test_the_database_layer_neither_logs_nor_tells_parameters() -> None:
    stderr = listen()
    engine = create_engine("sqlite://", hide_parameters=True)
    with engine.connect() as connection, pytest.raises(StatementError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE id = :id"), {"id": VALUE})
    engine.dispose()
    assert VALUE not in str(caught.value)
    assert stderr.getvalue() == ""


def test_level_that_is_none_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEVEL, VALUE)
    with pytest.raises(UsageError, match="write one of debug, info, warning, error, critical") as caught:
        listen()
    assert VALUE not in str(caught.value)
