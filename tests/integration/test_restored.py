"""A database that is older than its anchor, or went another way, is refused until a person begins a new epoch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retention.acts import epochs
from retention.acts.bundling import export_bundle, verify_since
from retention.acts.epochs import begin_epoch
from retention.acts.keys import rotate_signing_key
from retention.audit import rotation, signing
from retention.audit.bundle_verify import verify_exported
from retention.audit.checkpoint import parse_vkey
from retention.audit.handover import verify_bundle as handover
from retention.errors import AnchorError, BeltClosedError, Exit, KeyFileError, LogError, RestoredError, UsageError
from retention.store import month_keys
from retention.upkeep import sign_checkpoint
from tests.integration.backups import Backup
from tests.integration.work import AUTUMN, SUMMER
from tests.kit import row

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.acts.epochs import Begun
    from tests.integration.work import Work

LATER = AUTUMN + timedelta(hours=1)
ROWS = [row(f"m-{number}", f"2026-08-0{1 + number % 8} 09:00:00") for number in range(24)]


def anchor_of(work: Work) -> Path:
    anchor = work.context.settings.paths.anchor
    assert anchor is not None
    return anchor


def restored(work: Work) -> Work:
    """Back the database up, purge, and put the backup back."""
    work.take(ROWS)
    backup = Backup(work)
    work.purge(AUTUMN)
    backup.put_back()
    return work


def begin(work: Work) -> Begun:
    begun = begin_epoch(work.context, "the disk broke", now=LATER, person="ann")
    work.reopen()
    return begun


WAYS: dict[str, Callable[[Work], object]] = {
    "run": lambda work: work.run(LATER),
    "ingest": lambda work: work.ingest(LATER),
    "purge": lambda work: work.purge(LATER),
    "hold": lambda work: work.hold(now=LATER, contact="contact-1"),
    "rotate": lambda work: rotate_signing_key(work.context, "yearly", now=LATER, person="ann"),
    "sign": lambda work: sign_checkpoint(work.context, work.context.signer(), LATER),
    "bundle": lambda work: export_bundle(work.context, work.office.folder / "b", now=LATER, person="ann"),
}


def test_restored_database_is_refused_by_every_job_and_nothing_is_changed(work: Work) -> None:
    restored(work)
    before = work.dump("message", "audit_entry", "audit_head", "audit_checkpoint", "hold")
    for way in WAYS.values():
        with pytest.raises(RestoredError, match="older than its anchor") as refused:
            way(work)
        assert refused.value.exit_code == Exit.BELT_CLOSED
        assert "new-epoch" in str(refused.value)
        assert work.dump(*before) == before
    assert [one.kind for one in work.findings()] == ["restored"]


def test_restored_database_breaks_the_promise_and_does_not_verify_but_can_be_looked_at(work: Work) -> None:
    restored(work)
    status = work.status(AUTUMN)
    assert status.promise == "broken"
    assert any("older than its anchor" in reason for reason in status.reasons)
    assert status.log["verified"] is False
    found = verify_since(work.context, [], LATER)
    assert not found.ok
    assert work.explain("m-1").state == "registered"


def test_backup_as_new_as_its_anchor_is_welcome(work: Work) -> None:
    work.take(ROWS)
    Backup(work).put_back()
    assert work.purge(AUTUMN)[1].disposed == 24
    with pytest.raises(UsageError, match="no new epoch is needed"):
        begin(work)


def test_log_that_went_another_way_is_refused(sqlite_work: Work) -> None:
    work = restored(sqlite_work)
    anchor = anchor_of(work)
    kept = anchor.read_bytes()
    anchor.unlink()
    work.tell("UPDATE audit_checkpoint SET anchored_at = NULL")
    work.tell("DELETE FROM audit_anchor")
    for number in range(30):
        work.hold(now=AUTUMN, contact=f"contact-{number}")
    anchor.write_bytes(kept)
    work.reopen()
    with pytest.raises(RestoredError, match="does not go on from its anchor"):
        work.purge(LATER)
    assert work.status().promise == "broken"
    begun = begin(work)
    assert begun.entry_index > begun.predecessor_size
    assert verify_since(work.context, [], LATER).ok


def test_log_that_is_damaged_is_not_held_against_its_anchor(sqlite_work: Work) -> None:
    work = sqlite_work
    work.take(ROWS)
    [(kept,)] = work.ask("SELECT edge FROM audit_head")
    work.tell("UPDATE audit_head SET edge = :edge", edge=kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(LogError, match="does not fit its own edge"):
        work.purge(AUTUMN)
    assert work.status(AUTUMN).promise == "broken"
    with pytest.raises(LogError):
        begin(work)
    work.tell("UPDATE audit_head SET edge = :edge", edge=kept)


def test_new_epoch_goes_on_and_what_came_back_is_purged_again(work: Work) -> None:
    old = work.context.installation.origin
    restored(work)
    with pytest.raises(RestoredError):
        work.purge(LATER)
    size = work.status().log["size"]
    begun = begin(work)
    assert begun.origin == f"{old}/epoch-2" == work.context.installation.origin
    assert (begun.predecessor_origin, begun.entry_index) == (old, size)
    assert begun.predecessor_size > size
    entry = work.entries("genesis")[1]
    assert entry["predecessor_size"] == begun.predecessor_size
    assert bytes.fromhex(entry["predecessor_root_hash"])
    assert work.findings("restored") == []
    _, run = work.purge(LATER)
    assert run.disposed == 24
    assert work.run(LATER + timedelta(days=1)).verification.ok
    assert work.status(LATER + timedelta(days=1)).promise == "kept"
    assert [one["verifier_key"] for one in work.entries("key_retired")] == [work.entries("genesis")[0]["verifier_key"]]
    with work.context.database.read() as connection:
        chain = rotation.introduced(connection)
    assert [one.key.name for one in chain] == [old, begun.origin]


def test_every_earlier_proof_still_verifies_in_the_bundle_of_a_new_epoch(work: Work, tmp_path: Path) -> None:
    work.take(ROWS)
    kept = sign_checkpoint(work.context, work.context.signer(), SUMMER)
    backup = Backup(work)
    work.purge(AUTUMN)
    lost = sign_checkpoint(work.context, work.context.signer(), AUTUMN)
    export_bundle(work.context, tmp_path / "before", now=AUTUMN, person="ann")
    old_key = work.context.verifier
    backup.put_back()
    begun = begin(work)
    work.purge(LATER)
    export_bundle(work.context, tmp_path / "after", now=LATER, person="ann", prove=[0, begun.entry_index])
    key = parse_vkey(begun.verifier_key)
    assert verify_exported(tmp_path / "before", [old_key]).found.ok
    after = verify_exported(tmp_path / "after", [key], [kept])
    assert after.found.problems == []
    assert after.origin == begun.origin
    told = verify_exported(tmp_path / "after", [key], [lost]).found.problems
    assert any("the database was restored" in one for one in told)
    assert not verify_exported(tmp_path / "after", [old_key]).found.ok
    assert verify_since(work.context, [kept], LATER).ok
    found = verify_since(work.context, [lost], LATER)
    assert found.first_bad_index == begun.entry_index
    with pytest.raises(LogError, match="another log"):
        _export_into(work, tmp_path / "before")
    done = subprocess.run(
        [sys.executable, handover.__file__, tmp_path / "after", "--fingerprint", begun.fingerprint],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _export_into(work: Work, folder: Path) -> None:
    try:
        export_bundle(work.context, folder, now=LATER, person="ann")
    except UsageError as error:
        raise LogError(str(error)) from None


def test_verifier_written_elsewhere_accepts_the_new_epoch(sqlite_work: Work, tmp_path: Path) -> None:
    begun = begin(restored(sqlite_work))
    export_bundle(sqlite_work.context, tmp_path / "b", now=LATER, person="ann")
    tool = Path(sys.executable).with_name("aics-tlog")
    where = ["--tiles", ".", "--log-key", begun.verifier_key]
    for command in (["verify-checkpoint", *where], ["verify-inclusion", *where, "--index", "0"]):
        done = subprocess.run([tool, *command], cwd=tmp_path / "b", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_backup_from_before_an_epoch_is_refused_too_and_gets_the_epoch_after_it(work: Work) -> None:
    work.take(ROWS)
    first = Backup(work)
    work.purge(AUTUMN)
    first.put_back()
    begin(work)
    second = Backup(work)
    work.purge(LATER)
    second.put_back()
    third = begin(work)
    assert third.origin.endswith("/epoch-3")
    assert third.predecessor_origin.endswith("/epoch-2")
    assert work.purge(LATER)[1].disposed == 24
    assert verify_since(work.context, [], LATER).ok


def test_backup_of_the_first_epoch_is_refused_though_nothing_of_that_epoch_is_missing(sqlite_work: Work) -> None:
    work = sqlite_work
    work.take(ROWS)
    early, folder = Backup(work), work.office.folder
    work.purge(AUTUMN)
    shutil.copyfile(folder / "register.backup", folder / "early")
    full = Backup(work)
    full.put_back()
    shutil.copyfile(folder / "early", folder / "register.backup")
    early.put_back()
    begun = begin(work)
    shutil.copyfile(folder / "early", folder / "register.backup")
    early.put_back()
    with pytest.raises(RestoredError, match=begun.origin):
        work.purge(LATER)
    assert begin(work).origin.endswith("/epoch-3")


def test_backup_from_before_a_rotation_goes_on_in_a_new_epoch(work: Work) -> None:
    work.take(ROWS)
    backup = Backup(work)
    rotate_signing_key(work.context, "yearly", now=AUTUMN, person="ann")
    work.purge(AUTUMN)
    backup.put_back()
    with pytest.raises(RestoredError):
        work.purge(LATER)
    begin(work)
    assert work.purge(LATER)[1].disposed == 24
    assert verify_since(work.context, [], LATER).ok


def test_keys_that_were_restored_with_the_database_are_told_as_such(sqlite_work: Work) -> None:
    work = sqlite_work
    work.take(ROWS)
    backup, keys = Backup(work), work.context.key_folder
    shutil.copytree(keys, work.office.folder / "old keys")
    rotate_signing_key(work.context, "yearly", now=AUTUMN, person="ann")
    work.purge(AUTUMN + timedelta(days=40))
    backup.put_back()
    shutil.rmtree(keys)
    shutil.copytree(work.office.folder / "old keys", keys)
    with pytest.raises(RestoredError, match="key that is not in the key folder"):
        work.purge(LATER)
    begun = begin(work)
    assert begun.predecessor_size > begun.entry_index


def test_month_key_destroyed_since_the_backup_stays_destroyed(work: Work) -> None:
    work.take(ROWS)
    backup = Backup(work)
    work.purge(AUTUMN)
    much_later = AUTUMN + timedelta(days=200)
    work.purge(much_later)
    assert work.entries("key_destroyed")
    backup.put_back()
    begin_epoch(work.context, "the disk broke", now=much_later, person="ann")
    work.reopen()
    assert work.purge(much_later)[1].disposed == 24
    with work.context.database.read() as connection:
        assert all(found.destroyed_at for found in month_keys.load(connection) if found.month == "2026-08")


def test_month_key_that_is_lost_is_not_taken_for_destroyed(work: Work) -> None:
    restored(work)
    work.context.month_keys.path_of("2026-08").rename(work.office.folder / "kept.key")
    begin_epoch(work.context, "the disk broke", now=SUMMER + timedelta(days=1), person="ann")
    work.reopen()
    with pytest.raises(KeyFileError):
        work.purge(LATER)


@pytest.mark.parametrize("step", ["settle", "open_context"])
def test_new_epoch_that_died_after_its_entry_is_signed_by_the_next_run(
    step: str, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored(work)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(epochs if step == "open_context" else signing, step, die)
        with pytest.raises(KeyboardInterrupt):
            begin_epoch(work.context, "the disk broke", now=LATER, person="ann")
    work.reopen()
    assert work.context.installation.origin.endswith("/epoch-2")
    assert verify_since(work.context, [], LATER).ok
    assert work.purge(LATER)[1].disposed == 24
    assert verify_since(work.context, [], LATER).ok


def test_new_epoch_that_died_before_its_entry_is_begun_again_with_the_same_key(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored(work)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(epochs, "_append", die)
        with pytest.raises(KeyboardInterrupt):
            begin(work)
    work.reopen()
    with pytest.raises(RestoredError):
        work.purge(LATER)
    assert [path.suffix for path in (work.context.key_folder / "signing").iterdir()] == [".new"]
    begin(work)
    assert len(list((work.context.key_folder / "signing").iterdir())) == 1
    assert work.purge(LATER)[1].disposed == 24


def test_anchor_that_is_gone_stops_work_and_is_not_made_anew(work: Work) -> None:
    work.take(ROWS)
    anchor = anchor_of(work)
    moved = anchor.rename(anchor.with_suffix(".moved"))
    with pytest.raises(AnchorError, match="missing, though checkpoints were written") as refused:
        work.purge(AUTUMN)
    assert refused.value.exit_code == Exit.FAILED
    assert not anchor.exists()
    assert work.status().promise == "at_risk"
    found = verify_since(work.context, [], AUTUMN)
    assert found.ok
    assert "missing" in found.notes[0]
    moved.rename(anchor)
    assert work.purge(AUTUMN)[1].disposed == 24
    assert work.findings() == []


def test_anchor_that_was_emptied_is_a_finding_until_a_person_looks(work: Work) -> None:
    work.take(ROWS)
    anchor_of(work).write_text("")
    assert work.purge(AUTUMN)[1].disposed == 24
    work.purge(LATER)
    assert [one.kind for one in work.findings()] == ["anchor-emptied"]


def test_belts_can_not_be_passed_for_a_restored_database(work: Work) -> None:
    restored(work)
    plan = work.plan(LATER)
    with pytest.raises(BeltClosedError):
        work.purge(LATER, plan, "never mind")
