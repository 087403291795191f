"""After a purge on SQLite no byte of any file of ours tells of what was purged, and the search is one that finds."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from retention import cycle, departures
from retention.acts.holding import HoldOrder, place_hold
from retention.watcher import Watcher
from tests.kit import Office, row

if TYPE_CHECKING:
    from pathlib import Path

PURGED_AT = datetime(2027, 1, 20, 12, tzinfo=UTC)
NOT_ORDERED = 'upstream = "none"'
HELD_CONTACT = "contact-on-hold"
ID = re.compile(rb"id=[0-9a-f]{12}=")


def _found(folder: Path, needles: list[bytes]) -> list[tuple[str, bytes]]:
    """Look for each needle in every file under a folder; give where which was found."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [(path.name, needle) for path, data in files.items() for needle in needles if needle in data]


def _marks(name: str) -> list[str]:
    return [f"{part}-{name}-marked" for part in ("contact", "conversation", "content")]


def _marked(name: str, created_at: str) -> tuple[str, ...]:
    contact, conversation, content = _marks(name)
    return row(name, created_at, contact=contact, conversation=conversation, content=content)


def test_nothing_that_was_purged_is_left_in_any_file_nor_was_ever_said(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", "sqlite:///register.db", NOT_ORDERED).found()
    due = [f"due-{number}-marked" for number in range(40)]
    young = [f"young-{number}-marked" for number in range(5)]
    rows = [_marked(name, "2026-09-01 10:00:00") for name in due]
    rows += [_marked(name, "2026-11-20 10:00:00") for name in young]
    office.drop("good.csv", rows[:30] + rows[40:])
    office.drop("odd.csv", [*rows[30:40], _marked("bad-marked", "no-date-marked")])
    office.drop("refused.csv", rows[:3]).write_text("Message ID\r\nrefused-marked\r\n", encoding="utf-8")
    said = [office.cli("run", "--verbose")]
    assert sorted(path.name.partition("-")[2] for path in (office.folder / "var/quarantine").iterdir()) == [
        "odd.csv",
        "refused.csv",
    ]

    office.now = PURGED_AT
    said += [office.cli("purge", "--dry-run"), office.cli("run", "--verbose"), office.cli("status")]
    said += [office.cli("audit", "export", "--output", "log.jsonl"), office.cli("audit", "export", "--format", "csv")]
    said += [office.cli("findings", "list", "--all"), office.cli("scan-residue", *due)]
    assert [done.returncode for done in said] == [3, 0, 0, 4, 0, 0, 0, 0]
    (office.folder / "said.txt").write_text("".join(done.stdout + done.stderr for done in said), encoding="utf-8")

    personal = [mark for name in (*due, *young, "bad-marked") for mark in _marks(name)]
    gone = [*due, *personal, "bad-marked", "no-date-marked", "refused-marked"]
    assert _found(office.folder, [needle.encode() for needle in gone]) == []
    assert {where for where, _ in _found(office.folder, [name.encode() for name in young])} == {"register.db"}


def test_nothing_is_left_of_thousands_that_came_in_any_order_and_went_around_held_ones(tmp_path: Path) -> None:
    """Random order and held rows in between make SQLite move rows from page to page, which leaves copies behind."""
    office, _ = _crowded(tmp_path / "office")
    context = office.open()
    for weeks in range(2, 10, 2):
        purged = cycle.purge(context, office.now + timedelta(weeks=weeks), Watcher())[1]
        assert purged.disposed > 100
        with context.database.read() as connection:
            keys = connection.exec_driver_sql("SELECT message_key FROM message").scalars()
            kept = {key.partition(":")[2].encode() for key in keys}
        # The database is open, so its log and its index are there too. Another process copies them: reading and closing
        # them in this one would take away its own locks.
        copy = tmp_path / f"copy-{weeks}"
        subprocess.run(["cp", "-R", office.folder, copy], check=True)  # noqa: S607  # any cp will do
        files = {path.name: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
        assert {"register.db", "register.db-wal", "register.db-shm"} <= files.keys()
        assert {name: ids for name, data in files.items() if (ids := set(ID.findall(data)) - kept)} == {}
        assert set(ID.findall(files["register.db"])) == kept
    context.database.close()


def test_a_process_that_has_looked_for_residue_still_has_the_register_to_itself(tmp_path: Path) -> None:
    """A process that closes a file loses all its POSIX locks on it: another one could then remove the open log."""
    office = Office(tmp_path / "office", "sqlite:///register.db").found()
    context = office.open()
    assert departures.residue(context, ["no-such-message"]).found == {}
    assert office.cli("audit", "verify").returncode == 0
    place_hold(context, HoldOrder("foi", "Legal", "FOI 4", date(2028, 1, 1)), office.now)
    assert [one["hold"] for one in office.told("hold", "list")["holds"]] == [1]
    context.database.close()
    assert office.cli("audit", "verify").returncode == 0


def test_what_nobody_can_unpack_is_told_as_unsearched_and_stops_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", "sqlite:///register.db").found()
    closed = office.folder / "var" / "closed.zip"
    with zipfile.ZipFile(closed, "w") as archive:
        archive.writestr("a.csv", "message-0001")
    packed = bytearray(closed.read_bytes())
    for place in (6, packed.index(b"PK\x01\x02") + 8):
        packed[place] |= 1  # encrypted
    closed.write_bytes(packed)
    done = office.cli("purge")
    assert done.returncode == 0
    assert "NOT SEARCHED: 1 file with parts that cannot be unpacked;" in done.stdout
    [found] = office.told("findings", "list")["findings"]
    assert (found["kind"], found["file"]) == ("residue-unsearched", str(closed))
    assert found["reason"].startswith("1 part of this archive cannot be unpacked (encrypted or damaged)")
    told = office.told("scan-residue", "message-0002")
    assert (told["residue"], told["unsearched"]) == (0, {str(closed): 1})
    said = office.cli("scan-residue", "message-0002").stdout
    assert "Looked for 1 identifier in every file of ours: 0 finds, 1 part of archives NOT SEARCHED." in said
    assert f"{closed}: 1 part cannot be unpacked (encrypted or damaged)" in said
    closed.unlink()
    assert "NOT SEARCHED" not in office.cli("purge").stdout
    assert office.told("findings", "list")["findings"] == []


def test_the_search_finds_what_a_plain_delete_leaves_behind(tmp_path: Path) -> None:
    office, written = _crowded(tmp_path / "office")
    careless = tmp_path / "careless.db"
    shutil.copyfile(office.folder / "register.db", careless)
    connection = sqlite3.connect(careless, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("DELETE FROM message WHERE contact <> ''")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert connection.execute("SELECT count(*) FROM message").fetchone() == (0,)
    connection.close()
    assert set(ID.findall(careless.read_bytes())) & written


def _crowded(folder: Path) -> tuple[Office, set[bytes]]:
    """Register messages of three months in random order by several exports, a tenth of them on hold."""
    chance = random.Random(2)  # noqa: S311  # an example, not a secret
    office = Office(folder, f"sqlite:///{folder / 'register.db'}", NOT_ORDERED)
    office.configure(("batch_size = 10", "batch_size = 200"))
    office.found()
    first = datetime(2026, 9, 1)  # noqa: DTZ001  # local, as exports write it
    rows = [
        row(
            f"id={chance.getrandbits(48):012x}=",
            str(first + timedelta(seconds=chance.randrange(80 * 86_400))),
            contact=HELD_CONTACT if chance.random() < 0.1 else "contact-1",
        )
        for _ in range(3_000)
    ]
    for number in range(6):
        office.drop(f"export-{number}.csv", rows[number::6])
    context = office.open()
    cycle.ingest(context, office.now, Watcher())
    order = HoldOrder("foi", "Legal", "FOI 3", date(2028, 1, 1), selectors={"contact": (HELD_CONTACT,)})
    place_hold(context, order, office.now)
    context.database.close()
    return office, {line[0].encode() for line in rows}
