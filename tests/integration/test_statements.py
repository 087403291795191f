"""What is sent to the database: one door to deletion, nothing that a cluster cannot run, an index for every walk."""

from __future__ import annotations

import io
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event

import retention
from retention import departures
from retention.acts.exporting import export_log
from retention.acts.ordering import attest_order, export_order, show_order
from retention.audit.export import Selection
from retention.store import register
from tests.integration.work import AUTUMN, SUMMER, Work
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import PostgresServer

SOURCE = Path(retention.__file__).parent
DELETION = re.compile(
    r'(?i)\bDELETE\s+FROM\s+"?message"?(?!\w)|\bTRUNCATE\s+(TABLE\s+)?"?message"?(?!\w)|delete\(\s*message\s*\)'
)

# Rule 4 of the portable dialect: none of these on the table of messages.
FORBIDDEN = re.compile(
    r"(?is)\bFOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE)\b|\bSKIP\s+LOCKED\b|\bNOWAIT\b|\bctid\b|\browid\b|^\s*DELETE\b.*\bLIMIT\b"
    r"|\bLOCK\s+TABLE\b|\bpg_(try_)?advisory|\bMERGE\s+INTO\b|\bDO\s+UPDATE\b|\bnow\s*\(|\bCURRENT_TIMESTAMP\b|\binterval\b"
    r"|\bdate_trunc\b|\bstrftime\b"
)


class Sent(NamedTuple):
    """One statement: its text, its parameters, and the files of ours that it came through."""

    text: str
    values: Any
    files: tuple[str, ...]

    @property
    def touches_message(self) -> bool:
        """Whether it names the table, apart from the word in quotation marks that holds use."""
        return re.search(r"\bmessage\b", self.text.replace("'message'", "")) is not None


@contextmanager
def _listening() -> Iterator[list[Sent]]:
    sent: list[Sent] = []

    def note(_c: object, _cursor: object, statement: str, values: object, _context: object, _many: object) -> None:
        sent.append(Sent(statement, values, tuple(_our_files())))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _our_files() -> Iterator[str]:
    frame = sys._getframe(2)  # noqa: SLF001 - whoever is on the way to the database
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(SOURCE):
            yield path.relative_to(SOURCE).as_posix()
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop


@dataclass(frozen=True)
class Day:
    """An installation in which everything was done that can be done with messages, and what that sent."""

    work: Work
    sent: list[Sent]


@contextmanager
def _day(folder: Path, url: str) -> Iterator[Day]:
    work = Work(Office(folder, url).found())
    yield Day(work, _everything(work))
    work.context.database.close()


@pytest.fixture(scope="module")
def sqlite_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("statements")
    with _day(folder, f"sqlite:///{folder / 'register.db'}") as day:
        yield day


@pytest.fixture(scope="module")
def postgres_day(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Day]:
    with postgres_server.database(f"statements_{uuid4().hex}") as url, _day(tmp_path_factory.mktemp("pg"), url) as day:
        yield day


@pytest.fixture(params=["sqlite_day", "postgres_day"])
def sent(request: pytest.FixtureRequest) -> list[Sent]:
    """Give every statement of such a day, on either database."""
    day: Day = request.getfixturevalue(request.param)
    return day.sent


def _everything(work: Work) -> list[Sent]:
    rows = [row(f"message-{n}", f"2026-08-0{1 + n % 9} 09:{n % 60:02}:00", contact=f"c{n % 5}") for n in range(60)]
    with _listening() as sent:
        work.take(rows, "a.csv")
        held = work.hold(contact="c1", network="fb")
        work.take([*rows, row("message-3", "2026-08-09 10:00:00"), row("", "x")], "b.csv", now=SUMMER.replace(hour=13))
        plan = work.plan(AUTUMN)
        with work.context.database.read() as connection:
            for part in plan.rules:
                list(register.stream_due(connection, before=part.cutoff, class_ids=part.class_ids))
        work.purge(AUTUMN, plan)
        work.release(held, AUTUMN)
        work.status(AUTUMN)
        work.explain("message-1")
        work.explain("message-2")
        work.run(AUTUMN.replace(hour=14))
        _everything_with_orders(work)
        export_log(work.context, Selection(), "csv", io.StringIO(), now=AUTUMN, person="somebody")
        work.verify()
    assert work.ids() == []
    return sent


def _everything_with_orders(work: Work) -> None:
    show_order(work.context, 1)
    attest_order(work.context, 1, by="Ann", reference="ticket", now=AUTUMN.replace(hour=15))
    export_order(work.context, 1, work.office.folder / "order.csv", now=AUTUMN.replace(hour=15), person="Ann")
    departures.residue(work.context, ["message-1"])
    late = AUTUMN + timedelta(days=3)
    seen = [row("message-1", "2026-08-02 09:01:00"), row("late", "2026-11-24 09:00:00", private=False)]
    work.take(seen, "[770][message][01082026000000][05082026000000][a].csv", late)
    work.explain("message-1", late)
    work.run(AUTUMN + timedelta(days=150))


def test_only_the_purge_room_spells_a_deletion_of_messages() -> None:
    spelled = {path.relative_to(SOURCE).parts[0] for path in SOURCE.rglob("*.py") if DELETION.search(path.read_text())}
    assert spelled == {"purge"}


def test_every_deletion_of_messages_goes_through_the_one_door(sent: list[Sent]) -> None:
    deletions = [one for one in sent if DELETION.search(one.text)]
    assert len(deletions) >= 7
    for one in deletions:
        assert "purge/execute.py" in one.files
        assert "cycle.py" in one.files


def test_every_deletion_of_what_is_due_tests_for_time_and_holds_itself(sent: list[Sent]) -> None:
    deletions = [one.text for one in sent if DELETION.search(one.text) and "RETURNING" in one.text]
    assert deletions
    for statement in deletions:
        assert "m.received_at <" in statement
        assert re.search(r"NOT EXISTS \(\s*SELECT 1 FROM hold h WHERE \(h\.released_at IS NULL", statement)


def test_no_statement_on_messages_is_one_that_a_cluster_cannot_run(sent: list[Sent]) -> None:
    touching = [one.text for one in sent if one.touches_message]
    assert len(touching) > 30
    assert [statement for statement in touching if FORBIDDEN.search(statement)] == []


def test_key_of_a_message_is_never_changed(sent: list[Sent]) -> None:
    changes = [one.text for one in sent if re.match(r"(?i)\s*UPDATE\s+message\b", one.text)]
    assert changes
    for statement in changes:
        assert re.match(r"(?is)\s*UPDATE message( m)? SET last_seen_at = \S+\s+(WHERE|FROM)", statement)


def test_only_the_file_of_orders_lists_reads_them_and_what_erases_tables_whole(sent: list[Sent]) -> None:
    touching = [one for one in sent if re.search(r"\bupstream_item(_rebuilt)?\b", one.text)]
    apart = [one for one in touching if "store/order_items.py" not in one.files]
    assert {re.split(r"\s", one.text.strip())[0] for one in touching} >= {"SELECT", "UPDATE", "DELETE"}
    for one in apart:
        copied = re.match(
            r"(?s)\s*(CREATE TABLE upstream_item_rebuilt|INSERT INTO upstream_item_rebuilt SELECT|DROP TABLE|"
            r"ALTER TABLE|VACUUM)",
            one.text,
        )
        assert copied, one.text
        assert "purge/run.py" in one.files, one
    users = {next(file for file in one.files if not file.startswith("store/")) for one in touching}
    assert users <= {
        "upstream/orders.py",
        "upstream/evidence.py",
        "upstream/listing.py",
        "acts/ordering.py",
        "purge/run.py",
        "departures.py",
        "report/explain.py",
    }


def test_no_other_file_names_the_table_of_orders_lists() -> None:
    named = {
        path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if "upstream_item" in path.read_text()
    }
    assert named == {
        "store/tables.py",
        "store/order_items.py",
        "store/sqlite.py",
        "store/postgres.py",
        "store/grants.py",
    }


def test_no_statement_holds_an_identifier_in_its_text(sent: list[Sent]) -> None:
    assert [one.text for one in sent if "message-1" in one.text or re.search(r"'c[0-4]'", one.text)] == []


def _plans(day: Day, wanted: list[Sent]) -> dict[str, list[str]]:
    """Ask SQLite how it carries out each statement."""
    found: dict[str, list[str]] = {}
    with day.work.context.database.engine.connect() as connection:
        for one in wanted:
            values = one.values[0] if isinstance(one.values, list) else one.values
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one.text}", values)
            found[one.text] = [step[3] for step in steps]
    return found


def _on_messages(day: Day, pattern: str) -> list[Sent]:
    return [one for one in day.sent if one.touches_message and re.search(pattern, one.text)]


WALKS = {
    "boundary": r"OFFSET",
    "deletion": r"DELETE FROM message AS m",
    "one row": r"DELETE FROM message WHERE",
    "stream": r"SELECT m\.received_at, m\.message_key FROM message m WHERE m.received_at <",
    "next due": r"SELECT received_at FROM message WHERE received_at >=",
    "sighting": r"UPDATE message",
}


def test_every_walk_on_sqlite_searches_the_primary_key_and_sorts_nothing(sqlite_day: Day) -> None:
    for name, pattern in WALKS.items():
        wanted = _on_messages(sqlite_day, pattern)
        assert wanted, name
        for statement, steps in _plans(sqlite_day, wanted).items():
            on_message = [step for step in steps if re.search(r"\b(m|message)\b", step.replace("message_", ""))]
            assert on_message, (name, statement)
            assert all("USING PRIMARY KEY" in step for step in on_message), (name, steps)
            assert not any("TEMP B-TREE" in step for step in steps), (name, steps)


def test_counts_on_sqlite_read_only_what_is_due(sqlite_day: Day) -> None:
    wanted = _on_messages(sqlite_day, r"GROUP BY 1, 2")
    assert wanted
    searched = re.compile(r"SEARCH m USING PRIMARY KEY \(received_at(>\? AND received_at)?<\?\)")
    for steps in _plans(sqlite_day, wanted).values():
        assert any(searched.search(step) for step in steps), steps
        # Groups are quarters of an hour: few, so the one tree is small.
        assert sum("TEMP B-TREE" in step for step in steps) <= 2, steps


def test_ends_of_the_register_on_sqlite_are_two_look_ups(sqlite_day: Day) -> None:
    wanted = _on_messages(sqlite_day, r"(min|max)\(received_at\)")
    assert len(wanted) >= 2
    for steps in _plans(sqlite_day, wanted).values():
        assert steps in (["SEARCH message USING PRIMARY KEY"], ["SEARCH message"]), steps


def test_hold_test_on_sqlite_finds_its_values_by_key(sqlite_day: Day) -> None:
    wanted = _on_messages(sqlite_day, r"DELETE FROM message AS m")
    for steps in _plans(sqlite_day, wanted).values():
        on_selectors = [step for step in steps if re.search(r"\bs\b", step)]
        assert len(on_selectors) == 5
        assert all("SEARCH s USING PRIMARY KEY" in step for step in on_selectors), steps
