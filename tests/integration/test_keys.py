"""Keys over the life of an office: months end, a signing key is replaced, files are lost or come back."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from retention import cycle
from retention.acts.holding import HoldOrder, place_hold, release_hold
from retention.acts.keys import list_keys, rotate_signing_key
from retention.audit import log as audit_log
from retention.audit import rotation
from retention.audit.checkpoint import open_note, vkey
from retention.audit.soundness import find_fault
from retention.audit.verify import verify
from retention.errors import BeltClosedError, KeyFileError, LeaseLostError, RetentionError
from retention.purge import keys as destruction
from retention.report.explain import explain
from retention.store import findings, lease, month_keys, register
from retention.watcher import Watcher
from tests.kit import NOW, Office, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from retention.context import Context

DISPOSED = NOW + timedelta(days=100)
DESTROYED = DISPOSED + timedelta(days=91)


@pytest.fixture
def opened(office: Office) -> Iterator[Context]:
    context = office.open()
    yield context
    context.database.close()


def entries(context: Context, kind: str) -> list[dict[str, Any]]:
    with context.database.read() as connection:
        bodies = [json.loads(body) for _, body in audit_log.stream(connection)]
    return [body for body in bodies if body["kind"] == kind]


def turn(office: Office, context: Context, now: datetime, *rows: tuple[str, ...]) -> cycle.CycleResult:
    if rows:
        office.drop(f"{now:%Y%m%d%H%M%S}.csv", rows)
    result = cycle.run(context, now, Watcher())
    assert result.verification.ok
    return result


def month(context: Context, name: str = "2026-11") -> month_keys.MonthKey:
    with context.database.read() as connection:
        found = month_keys.find(connection, name)
    assert found is not None
    return found


def test_month_key_is_destroyed_when_the_dispute_period_has_passed_and_not_before(
    office: Office, opened: Context
) -> None:
    turn(office, opened, NOW, row("message-1"))
    file = opened.month_keys.path_of("2026-11")
    commitment = opened.month_keys.commitment("2026-11")
    turn(office, opened, DISPOSED)
    assert month(opened).empty_since == int(DISPOSED.timestamp())
    turn(office, opened, DISPOSED + timedelta(days=90, seconds=-1))
    assert file.exists()
    at = DISPOSED + timedelta(days=90)
    turn(office, opened, at)
    assert not file.exists()
    assert month(opened).destroyed_at == int(at.timestamp())
    turn(office, opened, at + timedelta(days=1))
    [gone] = entries(opened, "key_destroyed")
    assert (gone["month"], gone["commitment"]) == ("2026-11", commitment)
    with opened.database.read() as connection:
        names = opened.pseudonyms.of_message(connection, "message-1")
        told = explain(connection, opened.schedule, "message-1", names, at)
    assert told.state == "unknown"
    assert "the key of 2026-11 was destroyed on schedule" in told.working


def test_held_message_keeps_the_key_and_a_hold_outlives_keys(office: Office, opened: Context) -> None:
    turn(office, opened, NOW, row("message-1", contact="held"), row("message-2"))
    order = HoldOrder("foi", "owner", "reason", (NOW + timedelta(days=900)).date(), selectors={"contact": ("held",)})
    number = place_hold(opened, order, NOW)
    for days in (100, 300):
        turn(office, opened, NOW + timedelta(days=days))
    assert opened.month_keys.months() == ["2026-11"]
    assert month(opened).empty_since is None
    release_hold(opened, number, "answered", NOW + timedelta(days=301))
    again = place_hold(opened, order, NOW + timedelta(days=301))
    release_hold(opened, again, "answered", NOW + timedelta(days=302))
    turn(office, opened, NOW + timedelta(days=303))
    other = place_hold(opened, order, NOW + timedelta(days=303))
    turn(office, opened, NOW + timedelta(days=400))
    assert opened.month_keys.months() == []
    late = NOW + timedelta(days=401)
    created = f"{late - timedelta(days=30):%Y-%m-%d} 09:00:00"
    turn(office, opened, late, row("message-3", created, contact="held"))
    assert turn(office, opened, late + timedelta(days=200)).run.disposed == 0
    release_hold(opened, other, "answered", late + timedelta(days=200))
    assert turn(office, opened, late + timedelta(days=201)).run.disposed == 1


@pytest.mark.parametrize("point", ["before the file", "after the file"])
def test_destruction_cut_off_is_finished_by_the_next_turn(
    office: Office, opened: Context, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn(office, opened, NOW, row("message-1"))
    turn(office, opened, DISPOSED)
    remove = destruction._remove  # noqa: SLF001  # where the process dies

    def die(*files: Path) -> None:
        if point == "after the file":
            remove(*files)
        msg = "killed"
        raise RetentionError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(destruction, "_remove", die)
        with pytest.raises(RetentionError, match="killed"):
            cycle.run(opened, DESTROYED, Watcher())
    assert (month(opened).condemned_at, month(opened).destroyed_at) == (int(DESTROYED.timestamp()), None)
    assert list_keys(opened, DESTROYED).months[0].state == "condemned"
    cycle.ingest(opened, DESTROYED + timedelta(hours=1), Watcher())
    assert month(opened).destroyed_at is not None
    assert not opened.month_keys.path_of("2026-11").exists()
    assert len(entries(opened, "key_destroyed")) == 1
    turn(office, opened, DESTROYED + timedelta(hours=2))


@pytest.fixture
def single(sqlite_office: Office) -> Iterator[Context]:
    context = sqlite_office.open()
    yield context
    context.database.close()


def without_key(office: Office, context: Context) -> None:
    turn(office, context, NOW, row("message-1"))
    turn(office, context, DISPOSED)
    turn(office, context, DESTROYED)
    assert context.month_keys.months() == []


def test_key_that_comes_back_from_a_backup_is_destroyed_again(sqlite_office: Office, single: Context) -> None:
    turn(sqlite_office, single, NOW, row("message-1"))
    file = single.month_keys.path_of("2026-11")
    backup = file.read_bytes()
    turn(sqlite_office, single, DISPOSED)
    turn(sqlite_office, single, DESTROYED)
    file.write_bytes(backup)
    file.chmod(0o600)
    turn(sqlite_office, single, DESTROYED + timedelta(days=1))
    assert not file.exists()
    assert len(entries(single, "key_destroyed")) == 2


def test_late_message_of_a_month_without_key_is_due_on_arrival(sqlite_office: Office, single: Context) -> None:
    without_key(sqlite_office, single)
    result = turn(sqlite_office, single, DESTROYED + timedelta(days=1), row("message-2", "2026-11-30 23:59:59"))
    assert result.imports[0].progress.counts()["born_expired"] == 1
    assert single.month_keys.months() == []


def test_schedule_made_longer_does_not_bring_a_destroyed_key_back(sqlite_office: Office, single: Context) -> None:
    without_key(sqlite_office, single)
    sqlite_office.configure(('keep = "P3M"', 'keep = "P5Y"'))
    longer = sqlite_office.open()
    late = [row(f"message-{number}", "2026-11-20 09:00:00") for number in (2, 3)]
    rows = [*late, row("message-4", "2027-05-20 09:00:00")]
    counts = turn(sqlite_office, longer, DESTROYED + timedelta(days=1), *rows).imports[0].progress.counts()
    assert (counts["rejected"], counts["registered"]) == (2, 1)
    with longer.database.read() as connection:
        found = [one for one in findings.load(connection, open_only=True) if one.kind == "rejected-row"]
    assert [(one.line, one.column) for one in found] == [(2, "received_at"), (3, "received_at")]
    assert "whose key was destroyed" in found[0].reason
    assert longer.month_keys.months() == ["2027-05"]
    longer.database.close()


def test_late_message_that_is_not_due_starts_the_dispute_period_anew(sqlite_office: Office, single: Context) -> None:
    sqlite_office.configure(('keep = "P3M"', 'keep = "P1Y"'))
    context = sqlite_office.open()
    turn(sqlite_office, context, NOW, row("message-1", "2025-11-23 09:00:00"))
    turn(sqlite_office, context, NOW + timedelta(days=2))
    assert month(context, "2025-11").empty_since is not None
    turn(sqlite_office, context, NOW + timedelta(days=3), row("message-2", "2025-11-29 09:00:00"))
    assert month(context, "2025-11").empty_since is None
    turn(sqlite_office, context, NOW + timedelta(days=20))
    at = NOW + timedelta(days=20)
    assert month(context, "2025-11").empty_since == int(at.timestamp())
    context.database.close()
    assert single.installation == context.installation


def test_emptiness_that_another_hand_made_untrue_is_seen(sqlite_office: Office, single: Context) -> None:
    turn(sqlite_office, single, NOW, row("message-1"))
    with single.database.write() as connection:
        month_keys.set_empty_since(connection, "2026-11", NOW - timedelta(days=400))
    turn(sqlite_office, single, NOW + timedelta(days=1))
    assert month(single).empty_since is None


def test_clock_far_ahead_destroys_no_key(sqlite_office: Office, single: Context) -> None:
    turn(sqlite_office, single, NOW, row("message-1"))
    turn(sqlite_office, single, DISPOSED)
    sqlite_office.configure(('max_clock_jump = "P3650D"', 'max_clock_jump = "P7D"'))
    context = sqlite_office.open()
    with pytest.raises(BeltClosedError, match="clock"):
        cycle.run(context, DISPOSED + timedelta(days=3000), Watcher())
    assert context.month_keys.months() == ["2026-11"]
    assert month(context).condemned_at is None
    context.database.close()


def test_run_that_lost_its_lease_destroys_no_key(sqlite_office: Office, single: Context) -> None:
    turn(sqlite_office, single, NOW, row("message-1"))
    turn(sqlite_office, single, DISPOSED)
    held = lease.take(single.database)
    lost = lease.Lease(held.holder, held.token - 1)
    terms = destruction.KeyTerms(single.database, single.log, lost, single.month_keys, single.key_folder, DESTROYED)
    with pytest.raises(LeaseLostError):
        destruction.destroy_month_keys(terms, single.schedule, timedelta(days=90))
    assert single.month_keys.months() == ["2026-11"]


def lose_month_key(context: Context) -> None:
    context.month_keys.path_of("2026-11").unlink()


def swap_month_key(context: Context) -> None:
    context.month_keys.path_of("2026-11").write_text("ab" * 32 + "\n")


def open_month_key(context: Context) -> None:
    context.month_keys.path_of("2026-11").chmod(0o644)


def spoil_month_key(context: Context) -> None:
    context.month_keys.path_of("2026-11").write_text("nothing")


def open_folder(context: Context) -> None:
    context.key_folder.chmod(0o755)


def lose_hold_key(context: Context) -> None:
    (context.key_folder / "hold.key").unlink()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lose_month_key, r"2026-11\.key: is missing, but the audit log says"),
        (swap_month_key, r"2026-11\.key: is another key than the one the audit log says"),
        (open_month_key, r"2026-11\.key: is open to other users; run: chmod 0600"),
        (spoil_month_key, r"2026-11\.key: is not a month key"),
        (open_folder, r"keys: is open to other users; run: chmod 0700"),
        (lose_hold_key, r"hold\.key: is missing"),
    ],
)
def test_harm_to_a_key_shows_before_anything_is_deleted(
    sqlite_office: Office,
    single: Context,
    harm: Callable[[Context], None],
    said: str,
) -> None:
    turn(sqlite_office, single, NOW, row("message-1"))
    harm(single)
    with pytest.raises(KeyFileError, match=said):
        cycle.run(single, DISPOSED, Watcher())
    with single.database.read() as connection:
        assert register.total(connection) == 1
    assert any("key" in problem for problem in list_keys(single, DISPOSED).problems)


def test_keys_of_another_installation_are_refused(single: Context, tmp_path: Path) -> None:
    other = Office(tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'register.db'}").found()
    shutil.rmtree(single.key_folder)
    shutil.copytree(other.settings().paths.state / "keys", single.key_folder)
    with pytest.raises(KeyFileError, match="belongs to another log"):
        cycle.run(single, NOW, Watcher())


def notes(context: Context) -> list[tuple[int, str]]:
    with context.database.read() as connection:
        return [(kept.size, kept.note) for kept in audit_log.checkpoints(connection)]


def test_both_keys_sign_during_the_overlap_and_then_the_new_one_alone(office: Office, opened: Context) -> None:
    turn(office, opened, NOW, row("message-1"))
    old = opened.verifier
    done = rotate_signing_key(opened, "yearly change", now=NOW, person="admin")
    new = opened.verifier
    assert (vkey(new), new.name) == (done.verifier_key, old.name)
    assert new != old
    turn(office, opened, NOW + timedelta(days=29))
    for _, text in notes(opened)[-2:]:
        assert open_note(text, [old]) == open_note(text, [new])
    turn(office, opened, NOW + timedelta(days=30))
    assert not (opened.key_folder / "signing.pem").exists()
    assert notes(opened)[-1][1].count("\n\u2014 ") == 1
    size, text = notes(opened)[-1]
    assert open_note(text, [new]).size == size
    [retired] = entries(opened, "key_retired")
    assert retired["verifier_key"] == vkey(old)
    turn(office, opened, NOW + timedelta(days=31))
    assert len(entries(opened, "key_retired")) == 1
    with opened.database.read() as connection:
        for roots in ([old], [new], opened.verifiers):
            assert verify(connection, old.name, roots).ok
        for roots in ([new], opened.verifiers):
            assert find_fault(connection, old.name, roots) is None
    states = [(one.state, one.mode, one.until) for one in list_keys(opened, NOW).signing]
    assert states == [("destroyed", None, "2026-12-22T12:00:00Z"), ("signs", "0600", "")]


@pytest.mark.parametrize("point", ["before the file", "after the file"])
def test_retirement_cut_off_is_finished_by_the_next_turn(
    sqlite_office: Office, single: Context, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate_signing_key(single, "yearly change", now=NOW, person="admin")
    at = NOW + timedelta(days=31)
    remove = destruction._remove  # noqa: SLF001  # where the process dies

    def die(*files: Path) -> None:
        if point == "after the file":
            remove(*files)
        msg = "killed"
        raise RetentionError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(destruction, "_remove", die)
        with pytest.raises(RetentionError, match="killed"):
            cycle.run(single, at, Watcher())
    turn(sqlite_office, single, at)
    assert len(entries(single, "key_retired")) == 1
    assert not (single.key_folder / "signing.pem").exists()


def test_rotation_killed_before_its_entry_leaves_a_key_that_the_next_one_takes_up(
    sqlite_office: Office, single: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        msg = "killed"
        raise RetentionError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "record_rotation", die)
        with pytest.raises(RetentionError, match="killed"):
            rotate_signing_key(single, "yearly change", now=NOW, person="admin")
    assert entries(single, "rotate") == []
    turn(sqlite_office, single, NOW)
    [left_over] = (single.key_folder / "signing").iterdir()
    done = rotate_signing_key(single, "yearly change", now=NOW, person="admin")
    assert (left_over.with_suffix("") / "signing.pub").read_text() == done.verifier_key + "\n"
    turn(sqlite_office, single, NOW + timedelta(days=1))


def test_signer_that_was_loaded_before_another_took_over_signs_nothing(single: Context) -> None:
    stale = single.signer()
    rotate_signing_key(single, "yearly change", now=NOW, person="admin")
    with single.database.write() as connection, pytest.raises(KeyFileError, match="has taken over meanwhile"):
        single.log.sign_head(connection, single.installation.origin, stale)


def test_rotation_without_end_of_overlap_is_left_alone(sqlite_office: Office, single: Context) -> None:
    rotate_signing_key(single, "yearly change", now=NOW, person="admin")
    with single.database.read() as connection:
        chain = rotation.introduced(connection)
    endless = [chain[0], chain[1]._replace(until=None)]
    held = lease.take(single.database)
    terms = destruction.KeyTerms(single.database, single.log, held, single.month_keys, single.key_folder, DESTROYED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotation, "introduced", lambda _: endless)
        assert destruction.retire_signing_keys(terms) == []
    lease.give_back(single.database, held)
    turn(sqlite_office, single, NOW)


def test_passphrase_comes_from_the_service_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "signing-passphrase").write_text("secret words\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    office = Office(tmp_path / "office", f"sqlite:///{tmp_path / 'office' / 'register.db'}").found()
    context = office.open()
    turn(office, context, NOW, row("message-1"))
    rotate_signing_key(context, "yearly change", now=NOW, person="admin")
    turn(office, context, NOW + timedelta(days=1))
    office.found()
    assert [one.encrypted for one in list_keys(context, NOW).signing] == [True, True]
    (credentials / "signing-passphrase").write_text("other words\n")
    with pytest.raises(KeyFileError, match="does not open with the passphrase given"):
        cycle.run(context, NOW, Watcher())
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(KeyFileError, match="is encrypted and no passphrase was given"):
        office.found()
    context.database.close()


def test_list_says_why_each_key_lives(sqlite_office: Office, single: Context) -> None:
    turn(sqlite_office, single, NOW, row("message-1"), row("message-2", "2026-10-05 09:00:00"))
    rows = {one.month: one for one in list_keys(single, NOW).months}
    assert (rows["2026-11"].because, rows["2026-11"].registered) == ("the month has not ended", 1)
    assert rows["2026-10"].because == "messages of the month are registered"
    turn(sqlite_office, single, datetime(2027, 1, 10, tzinfo=UTC))
    later = {one.month: one for one in list_keys(single, datetime(2027, 1, 10, tzinfo=UTC)).months}
    assert later["2026-10"].because == "a rule keeps messages of the month for longer"
    assert later["2026-10"].destroys_on == "2027-04-10"


def test_commands_list_and_rotate_keys(sqlite_office: Office, single: Context) -> None:
    turn(sqlite_office, single, NOW, row("message-1"))
    told = sqlite_office.cli("keys", "rotate", "--reason", "yearly change")
    assert told.returncode == 0, told.stderr
    assert "The old key signs too until 2026-12-22T12:00:00Z" in told.stdout
    listed = sqlite_office.told("keys", "list")
    assert [one["state"] for one in listed["signing_keys"]] == ["signs beside its successor", "signs"]
    assert listed["signing_keys"][1]["fingerprint"] in told.stdout
    assert (listed["month_keys"][0]["month"], listed["hold_key"]["mode"], listed["problems"]) == ("2026-11", "0600", [])
    (single.key_folder / "hold.key").chmod(0o644)
    text = sqlite_office.cli("keys", "list")
    assert text.returncode == 1
    assert "PROBLEM: " in text.stdout
    assert "2026-11  made 2026-11-22T12:00:00Z, mode 0600: the month has not ended (1)" in text.stdout
