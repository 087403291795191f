"""Whatever goes wrong: one line on stderr, a documented exit code, and never a value or a traceback."""

from __future__ import annotations

import errno
import getpass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import InvalidRequestError

import retention.context
from retention.errors import Exit, RetentionError
from tests.acceptance.desk import ask_office

if TYPE_CHECKING:
    from tests.kit import Office

VALUE = "qz-a-personal-value"
UNFORESEEN = [
    ValueError(VALUE),
    KeyError(VALUE),
    RuntimeError(f"line one\n{VALUE}"),
    UnicodeDecodeError("utf-8", VALUE.encode(), 0, 1, VALUE),
    InvalidRequestError(VALUE),
    OSError(errno.EIO, VALUE, VALUE),
    OSError(VALUE),
    MemoryError(VALUE),
    RecursionError(VALUE),
    AssertionError(VALUE),
    ExceptionGroup(VALUE, [ValueError(VALUE)]),
]


def raise_from(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the opening of the installation fail, the step that every command takes first."""

    def fail(_: object) -> None:
        raise error from LookupError(VALUE)

    monkeypatch.setattr(retention.context, "open_context", fail)


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
def test_an_error_that_nobody_foresaw_is_told_by_kind_and_place_without_what_it_says(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    raise_from(error, monkeypatch)
    answer = ask_office(sqlite_office, "status")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(
        f"retention: an error that was not foreseen ({type(error).__name__} at test_cli_last_resort.py:"
    )
    assert len(answer.err.splitlines()) == 1
    assert VALUE not in answer.err


def test_an_error_of_the_system_is_told_in_the_systems_words(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_from(OSError(errno.ENOSPC, VALUE), monkeypatch)
    assert "No space left on device" in ask_office(sqlite_office, "status").err


def test_ctrl_c_before_the_work_begins_ends_without_a_traceback(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_from(KeyboardInterrupt(), monkeypatch)
    answer = ask_office(sqlite_office, "status")
    assert (answer.code, answer.err.strip()) == (1, "retention: interrupted")


@pytest.mark.parametrize("code", list(Exit))
def test_an_error_of_our_own_leaves_with_its_own_code_and_says_what_to_do(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch, code: Exit
) -> None:
    error = RetentionError("try it the other way")
    error.exit_code = code
    raise_from(error, monkeypatch)
    answer = ask_office(sqlite_office, "status")
    assert (answer.code, answer.err) == (int(code), "retention: try it the other way\n")


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 4711"), OSError("No username set")])
def test_a_user_without_a_name_may_take_exports_and_place_holds(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    order = ("--kind", "foi", "--reason", "r", "--review-on", "2099-01-01", "--everything")
    assert ask_office(sqlite_office, "hold", "place", *order).code == 0
    assert "owner user " in ask_office(sqlite_office, "hold", "list").out
    assert ask_office(sqlite_office, "audit", "export").code == 0


def test_a_hold_whose_network_was_forgotten_says_so(sqlite_office: Office) -> None:
    order = ("--kind", "foi", "--reason", "r", "--review-on", "2099-01-01", "--network", "fb")
    assert ask_office(sqlite_office, "hold", "place", *order).code == 0
    assert "covers network fb; reason: r" in ask_office(sqlite_office, "hold", "list").out
    assert ask_office(sqlite_office, "hold", "release", "1", "--reason", "answered").code == 0
    sqlite_office.now += timedelta(hours=1)
    assert ask_office(sqlite_office, "purge").code == 0
    told = ask_office(sqlite_office, "hold", "list", "--all").out
    assert "covers a network whose name was erased after the release; reason: r" in told
