"""An import that is stopped in the middle of a file loses nothing, doubles nothing and counts right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.errors import StoppedError
from retention.report.work import incomplete
from retention.watcher import Watcher
from tests.integration.work import SUMMER, Work
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("small_imports")


def mixture(count: int = 60) -> list[tuple[str, ...]]:
    """Spell rows of every fate, some of them twice."""
    rows = []
    times = [f"2026-08-0{1 + n % 9} 09:{n % 60:02}:00" for n in range(count)]
    for n, received in enumerate(times):
        fates = {
            0: row(f"comment-{n}", received, private=False),
            1: row(f"expired-{n}", "2026-04-01 09:00:00"),
            2: row("", received),
            3: row(f"message-{n - 5}", times[n - 5]),
        }
        rows.append(fates.get(n % 11, row(f"message-{n}", received, contact=f"contact-{n % 5}")))
    return rows


def stopping_after(batches: int) -> Watcher:
    left = [batches]

    def stop() -> None:
        left[0] -= 1
        if not left[0]:
            raise StoppedError

    return Watcher(stop=stop)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Give the counts of an import that nothing disturbs."""
    folder: Path = tmp_path_factory.mktemp("undisturbed")
    work = Work(Office(folder, f"sqlite:///{folder / 'register.db'}").found())
    counts = work.take(mixture()).progress.counts()
    work.context.database.close()
    assert min(counts.values()) > 0
    return counts


@pytest.mark.parametrize("batches", [1, 2, 5, 8, 9])
def test_import_that_is_stopped_goes_on_where_it_was(work: Work, batches: int, undisturbed: dict[str, int]) -> None:
    work.office.drop("a.csv", mixture())
    with pytest.raises(StoppedError):
        work.ingest(watcher=stopping_after(batches))
    [(state, records)] = work.ask('SELECT state, records FROM "import"')
    assert (state, records) == ("reading", min(7 * batches, 60))
    assert work.files() == ["a.csv"]
    assert work.kinds()["import_done"] == 0
    [result] = work.ingest()
    assert result.progress.counts() == undisturbed
    assert work.ask('SELECT state FROM "import"') == [("done",)]
    assert len(work.ids()) == len(set(work.ids())) == undisturbed["registered"]
    assert len(work.findings("rejected-row")) == undisturbed["rejected"]
    [entry] = work.entries("import_done")
    assert {name: entry[name] for name in undisturbed} == undisturbed


def test_import_that_is_stopped_after_every_batch_comes_to_the_same_end(
    work: Work, undisturbed: dict[str, int]
) -> None:
    work.office.drop("a.csv", mixture())
    for _ in _until_done(work):
        pass
    assert work.kinds()["import_done"] == 1
    [entry] = work.entries("import_done")
    assert {name: entry[name] for name in undisturbed} == undisturbed
    assert len(work.ids()) == undisturbed["registered"]


def _until_done(work: Work) -> Iterator[int]:
    for attempt in range(20):
        try:
            work.ingest(watcher=stopping_after(1))
        except StoppedError:
            yield attempt
        else:
            return


def test_import_that_is_stopped_is_signed_as_far_as_it_came(work: Work) -> None:
    work.office.drop("a.csv", mixture())
    with pytest.raises(StoppedError):
        work.ingest(watcher=stopping_after(2))
    sizes = [size for (size,) in work.ask("SELECT size FROM audit_checkpoint ORDER BY size")]
    assert sizes[-1] == len(work.entries())
    assert work.verify().ok


def test_file_that_became_another_one_since_is_read_from_its_beginning(work: Work) -> None:
    work.office.drop("a.csv", mixture())
    with pytest.raises(StoppedError):
        work.ingest(watcher=stopping_after(3))
    result = work.take([*mixture(), row("last", "2026-08-09 12:00:00")])
    assert result.progress.rows == 61
    assert len(work.ids()) == len(set(work.ids()))
    assert "last" in work.ids()


def test_message_that_comes_due_while_an_import_rests_is_not_stored_after_all(work: Work) -> None:
    work.office.drop("a.csv", [row(f"message-{n}", "2026-05-11 09:00:00") for n in range(14)])
    with pytest.raises(StoppedError):
        work.ingest(watcher=stopping_after(1))
    assert len(work.ids()) == 7
    [result] = work.ingest(SUMMER.replace(day=13))
    assert (result.progress.registered, result.progress.born_expired) == (7, 7)
    assert not incomplete([result], [])
    work.purge(SUMMER.replace(day=13))
    assert work.ids() == []
