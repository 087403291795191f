"""A set-up that was cut off, anywhere, is finished by doing it again."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event, text

from retention.acts import setup
from retention.audit import keys
from retention.store.engine import open_database
from tests.depth import deep
from tests.integration.work import Work
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class CutError(Exception):
    """The process dies here."""


@contextmanager
def _dying(when: str, number: int) -> Iterator[list[str]]:
    """Die at the n-th statement that is sent to any database, before or after it; give the statements sent."""
    sent: list[str] = []

    def die(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)
        if len(sent) == number:
            raise CutError

    event.listen(Engine, when, die)
    try:
        yield sent
    finally:
        event.remove(Engine, when, die)


def _set_up(office: Office) -> None:
    setup.set_up(office.settings(), NOW, drill=True)


def _start_over(office: Office) -> None:
    """Take everything away that a set-up has made."""
    shutil.rmtree(office.folder / "var", ignore_errors=True)
    for file in office.folder.glob("register.db*"):
        file.unlink()
    if office.url.startswith("postgresql"):
        database = open_database(office.url)
        with database.write() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        database.close()


def _assert_whole(office: Office) -> None:
    work = Work(office)
    work.take([row("message-1", "2026-08-01 09:00:00")])
    assert work.kinds()["genesis"] == 1
    assert work.verify().ok
    assert work.ids() == ["message-1"]
    work.context.database.close()


@pytest.mark.unmeasured
def test_set_up_cut_off_at_any_statement_is_finished_by_the_next(database_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path, database_url)
    with _dying("before_cursor_execute", 0) as statements:
        _set_up(office)
    assert len(statements) > 25
    # Every sixth of them, in the full depth every second; fewer on PostgreSQL, where each attempt costs more and
    # everything up to the keys is one transaction.
    step = deep(8, 20) if database_url.startswith("postgresql") else deep(2, 6)
    for number in range(1, len(statements) + 1, step):
        _start_over(office)
        when = "after_cursor_execute" if number // step % 2 else "before_cursor_execute"
        with pytest.raises(CutError), _dying(when, number):
            _set_up(office)
        _set_up(office)
        if number // step % deep(5, 3) == 0 or number > len(statements) - 5:
            _assert_whole(office)


def _after(original: Callable[..., object]) -> Callable[..., object]:
    def die(*arguments: object, **named: object) -> object:
        original(*arguments, **named)
        raise CutError

    return die


def _before(_original: Callable[..., object]) -> Callable[..., object]:
    def die(*_arguments: object, **_named: object) -> object:
        raise CutError

    return die


STEPS = [
    (setup, "_make_folders"),
    (setup, "_migrate"),
    (keys, "_write_keys"),
    (keys, "_move_into_place"),
    (setup, "create_key_directory"),
    (setup, "save_installation"),
]


@pytest.mark.parametrize("dies", [_before, _after], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS, ids=[name.strip("_") for _, name in STEPS])
def test_set_up_cut_off_at_any_step_is_finished_by_the_next(
    step: tuple[object, str],
    dies: Callable[[Callable[..., object]], Callable[..., object]],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office(tmp_path, database_url)
    with monkeypatch.context() as patch:
        patch.setattr(*step, dies(getattr(*step)))
        with pytest.raises(CutError):
            _set_up(office)
    _set_up(office)
    _assert_whole(office)


def test_set_up_cut_off_leaves_no_draft_of_keys_that_a_later_one_takes(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _start_over(sqlite_office)
    with monkeypatch.context() as patch:
        patch.setattr(keys, "_write_keys", _after(keys._write_keys))  # noqa: SLF001 - the step that dies
        with pytest.raises(CutError):
            _set_up(sqlite_office)
    assert not (sqlite_office.folder / "var" / "keys").exists()
    _set_up(sqlite_office)
    names = sorted(path.name for path in (sqlite_office.folder / "var").iterdir())
    assert "keys" in names
    assert not any(name.startswith(".keys") for name in names)
