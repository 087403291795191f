"""The command line gives the log out, and verifies what it gave out, on both databases."""

from __future__ import annotations

import io
import json
import sys
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from sqlalchemy import text

from retention.audit.handover import verify_bundle
from retention.cli import main
from retention.context import open_context
from retention.cycle import run
from retention.watcher import Watcher
from tests.guards import guards_put_back
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

EARLY = datetime(2026, 8, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def purged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give an installation that has disposed of thirty messages; who spoils it puts it right again."""
    folder = tmp_path_factory.mktemp("purged")
    if request.param == "sqlite":
        yield _purged(Office(folder, f"sqlite:///{folder / 'register.db'}"))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database("bundles") as url:
        yield _purged(Office(folder, url))


def _purged(office: Office) -> Office:
    office.found()
    office.drop("a.csv", [row(f"m{n}", f"2026-08-{1 + n % 20:02d} 09:00:00") for n in range(30)])
    for now in (EARLY, office.now):
        context = open_context(office.settings())
        run(context, now, Watcher())
        context.database.close()
    return office


def edit(office: Office, old: str, new: str) -> None:
    context = open_context(office.settings())
    change = text("UPDATE audit_entry SET body = replace(body, :old, :new) WHERE seq = 12 AND body LIKE :like")
    with context.database.write() as connection, guards_put_back(connection):
        assert connection.execute(change, {"old": old, "new": new, "like": f"%{old}%"}).rowcount
    context.database.close()


@contextmanager
def edited(office: Office) -> Iterator[None]:
    """Change the day in entry 12 for a while."""
    edit(office, "2026-08-", "2026-07-")
    try:
        yield
    finally:
        edit(office, "2026-07-", "2026-08-")


def answer(office: Office, *arguments: str, code: int = 0) -> str:
    """Run a command of ``retention audit`` in this process, from the folder of the office; give what it says."""
    said = io.StringIO()
    command = ["retention", "audit", arguments[0], "--config", str(office.config), "--now", office.now.isoformat()]
    with (
        chdir(office.folder),
        patch.multiple(sys, argv=[*command, *arguments[1:]], stdout=said, stderr=said),
        pytest.raises(SystemExit) as left,
    ):
        main()
    assert left.value.code == code, said.getvalue()
    return said.getvalue()


def test_what_is_given_out_is_verified_by_those_who_get_it(purged: Office) -> None:
    folder = purged.folder / "bundle"
    said = answer(purged, "export", "--bundle", "bundle", "--entry", "3")
    assert "DRILL" in said
    assert (folder / "proofs/3.tlog-proof").exists()
    last = json.loads((folder / "entries.jsonl").read_text("utf-8").splitlines()[-1])
    assert (last["kind"], last["what"]) == ("exported", "audit-log-bundle")
    assert last["size"] == len((folder / "entries.jsonl").read_text("utf-8").splitlines())
    unsigned = answer(purged, "verify", "--bundle", "bundle", code=3)
    assert "CONSISTENT, SIGNER NOT CHECKED: " in unsigned
    assert "VERIFIES" not in unsigned
    key = (folder / "keys/log.vkey").read_text("utf-8")
    letter = verify_bundle.parse_key(key).fingerprint
    kept = ("--since", "bundle/checkpoints/1")
    for trusted in (("--key", key), ("--key", "bundle/keys/log.vkey"), ("--fingerprint", letter)):
        told = answer(purged, "verify", "--bundle", "bundle", *trusted, *kept)
        assert "The bundle VERIFIES: " in told
        assert "  CHECKED: the log begins with the entry of the checkpoint that was kept elsewhere" in told
    assert "not have the fingerprint" in answer(
        purged, "verify", "--bundle", "bundle", "--fingerprint", "00" * 32, code=13
    )
    report = verify_bundle.verify(verify_bundle.Folder(folder), [verify_bundle.parse_key(key)])
    assert report.problems == []

    before = (folder / "checkpoint").read_bytes()
    assert "1 of them new there" in answer(purged, "export", "--bundle", "bundle")
    assert (folder / "checkpoint").read_bytes() != before
    answer(purged, "export", "--bundle", "bundle.tar")
    found = json.loads(answer(purged, "verify", "--bundle", "bundle.tar", "--format", "json", code=3))
    assert (found["ok"], found["key_trusted"], found["drill"], found["first_bad_index"]) == (True, False, True, None)
    said = answer(purged, "verify", "--bundle", "bundle.tar", "--fingerprint", letter, "--format", "json")
    assert json.loads(said)["key_trusted"] is True


def test_a_message_that_was_disposed_of_is_proven_by_its_identifier(purged: Office) -> None:
    said = answer(purged, "prove", "--message", "m7", "--output", "m7.tlog-proof")
    assert "a message received on 2026-08-08 on the network fb was disposed of" in said
    assert "m7" not in said.replace("m7.tlog-proof", "").replace("m7.json", "")
    assert "The proof verifies." in answer(purged, "verify", "--proof", "m7.tlog-proof")
    told = json.loads(answer(purged, "verify", "--proof", "m7.tlog-proof", "--format", "json"))
    assert told["ok"] is True
    entry = purged.folder / "m7.json"
    entry.write_bytes(entry.read_bytes().replace(b"2026-08-08", b"2026-08-09"))
    assert "does not lead to the root" in answer(purged, "verify", "--proof", "m7.tlog-proof", code=13)
    assert "no disposal in the log is of this message" in answer(purged, "prove", "--message", "m99", code=1)


def test_any_entry_is_proven_by_its_index(purged: Office) -> None:
    assert "Entry 0 says: genesis" in answer(purged, "prove", "--entry", "0")
    assert (purged.folder / "entry-0.tlog-proof").exists()
    assert "the log has no entry 5000" in answer(purged, "prove", "--entry", "5000", code=2)


def test_the_proof_of_another_log_is_refused_unless_its_key_is_given(purged: Office, tmp_path: Path) -> None:
    other = Office(tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'register.db'}").found()
    answer(other, "prove", "--entry", "0")
    proof = str(other.folder / "entry-0.tlog-proof")
    assert "no signature of a known key" in answer(purged, "verify", "--proof", proof, code=13)
    key = str(other.folder / "var/keys/signing.pub")
    assert "The proof verifies." in answer(purged, "verify", "--proof", proof, "--key", key)


def test_an_edited_entry_is_named_beside_a_checkpoint_that_was_kept(purged: Office) -> None:
    answer(purged, "export", "--bundle", "before")
    with edited(purged):
        said = answer(purged, "verify", "--since", "before/checkpoint", "--format", "json", code=13)
    found: dict[str, Any] = json.loads(said)
    assert found["first_bad_index"] == 12


def test_an_edited_entry_is_in_no_bundle(purged: Office) -> None:
    with edited(purged):
        assert "from entry 12 on" in answer(purged, "export", "--bundle", "edited", code=13)
    assert not (purged.folder / "edited/checkpoint").exists()


def test_a_checkpoint_that_was_kept_must_be_one_of_this_log(purged: Office) -> None:
    answer(purged, "export", "--bundle", "kept")
    note, kept = (purged.folder / "kept/checkpoint").read_text("utf-8"), purged.folder / "kept.txt"
    for copied in (note, note[:-1]):  # from a page or a mail, without its last newline
        kept.write_text(copied, encoding="utf-8")
        told = answer(purged, "verify", "--since", "kept.txt")
        assert f"CHECKED: the log begins with the {note.splitlines()[1]} entries of the checkpoint" in told
    for copied, code in ((note.replace("/DRILL-", "/DRILL-0"), 13), (note[:-2], 2), ("", 2), ("letter", 2)):
        kept.write_text(copied, encoding="utf-8")
        answer(purged, "verify", "--since", "kept.txt", code=code)


def test_what_was_changed_within_a_checkpoint_that_was_kept_is_not_called_unaltered(purged: Office) -> None:
    answer(purged, "export", "--bundle", "whole")
    note = (purged.folder / "whole/checkpoint").read_text("utf-8")
    sizes = sorted(int(one.name) for one in (purged.folder / "whole/checkpoints").iterdir())
    before = next((purged.folder / f"whole/checkpoints/{size}").read_text("utf-8") for size in sizes if size <= 12)
    (purged.folder / "later.txt").write_text(note, encoding="utf-8")
    (purged.folder / "earlier.txt").write_text(before, encoding="utf-8")
    with edited(purged):
        told = answer(purged, "verify", "--since", "later.txt", code=13)
        assert "first bad entry 12" in told
        assert "CHECKED" not in told
        assert "CHECKED: the log begins with" in answer(purged, "verify", "--since", "earlier.txt", code=13)


def test_a_deep_verification_says_what_it_looked_at(purged: Office) -> None:
    assert "CHECKED" not in answer(purged, "verify")
    assert "CHECKED: the register (0 messages) fits the log: by day and class" in answer(purged, "verify", "--deep")
    told = json.loads(answer(purged, "verify", "--deep", "--format", "json"))
    assert len(told["checked"]) == 1


def test_an_export_replaces_no_file_unless_it_is_told_to(purged: Office) -> None:
    path = purged.folder / "log.csv"
    csv = ("export", "--format", "csv", "--output", "log.csv")
    assert "Wrote 30 disposals to log.csv." in answer(purged, *csv)
    first = path.read_bytes()
    said = answer(purged, *csv, "--until", "2026-01-01", code=2)
    assert "log.csv: is there already; name another file, or replace it with --force" in said
    assert path.read_bytes() == first
    assert "No disposals in this range: log.csv has none." in answer(purged, *csv, "--until", "2026-01-01", "--force")
    assert len(path.read_bytes().splitlines()) == 1
    assert answer(purged, "export", "--until", "2026-01-01") == "No entries in this range.\n"
    answer(purged, "export", "--force", code=2)


def test_wrong_usage_is_told_as_such(sqlite_office: Office) -> None:
    for arguments in (
        ("verify", "--bundle", "a", "--proof", "b"),
        ("verify", "--proof", "a", "--since", "b"),
        ("verify", "--key", "a+b+c"),
        ("verify", "--bundle", "nowhere"),
        ("verify", "--since", "nowhere"),
        ("verify", "--fingerprint", "00" * 32),
        ("verify", "--bundle", "landing", "--fingerprint", "00"),
        ("verify", "--bundle", "landing", "--key", "var/keys/signing.pem"),
        ("verify", "--bundle", "landing", "--key", "a key"),
        ("prove",),
        ("prove", "--entry", "1", "--message", "m"),
        ("prove", "--entry", "1", "--output", "a.json"),
        ("export", "--entry", "1"),
        ("export", "--bundle", "a", "--run", "1"),
        ("export", "--bundle", "a", "--format", "csv"),
        ("export", "--bundle", "landing/.."),
    ):
        answer(sqlite_office, *arguments, code=2)


def test_a_place_that_cannot_be_written_is_named(sqlite_office: Office) -> None:
    (sqlite_office.folder / "file").write_text("", encoding="utf-8")
    for path in ("file/bundle", "file/bundle.tar"):
        assert "cannot be written" in answer(sqlite_office, "export", "--bundle", path, code=1)
    assert "cannot be written" in answer(sqlite_office, "prove", "--entry", "0", "--output", "file/p", code=1)
