"""Exports that wait on a server: fetched once and whole, imported, and only then removed over there."""

from __future__ import annotations

import logging
import os
import sys
import time
from base64 import b64encode
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING

import asyncssh
import pytest
import stamina
from cryptography.hazmat.primitives import serialization

from retention import cycle
from retention.cycle import Watcher
from retention.errors import ConnectionLostError, StoppedError
from retention.ingest import fetching as room
from retention.report.work import incomplete
from retention.sources.sftp import client, part, session
from tests.kit import row
from tests.sftp_server import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.interface import SkippedFile
    from retention.store.imports import ImportResult
    from tests.integration.work import Work
    from tests.sftp_server import SftpUser

SMALL = [row(f"message-{n}", "2026-08-01 09:00:00") for n in range(5)]
LONG = [row(f"message-{n}", "2026-08-01 09:00:00", content="Hello " * 500) for n in range(100)]
BLOCK = session.BLOCK


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def fetching(sqlite_work: Work, sftp_user: SftpUser) -> Work:
    sqlite_work.reopen(sftp_user.source())
    return sqlite_work


class Fetched:
    """One ingest and everything that it passed over."""

    def __init__(self, work: Work) -> None:
        self.skipped: list[tuple[str, SkippedFile]] = []
        watcher = Watcher(skip=lambda *found: self.skipped.append(found))
        self.imports: list[ImportResult] = work.ingest(watcher=watcher)
        self.whole = not incomplete(self.imports, self.skipped)

    @property
    def registered(self) -> int:
        return sum(one.progress.registered for one in self.imports)

    @property
    def reasons(self) -> str:
        return "\n".join(file.reason for _, file in self.skipped)


def put(work: Work, user: SftpUser, name: str = "a.csv", rows: list[tuple[str, ...]] | None = None) -> bytes:
    path = work.office.drop("made.csv", SMALL if rows is None else rows)
    content = path.read_bytes()
    path.unlink()
    (user.exports / name).write_bytes(content)
    return content


def over_there(user: SftpUser) -> list[str]:
    return sorted(path.name for path in user.exports.iterdir())


def states(work: Work) -> list[tuple[str, str]]:
    return [(name, state) for name, state in work.ask("SELECT name, state FROM remote_file ORDER BY id")]


def disposals(work: Work) -> list[tuple[str, str]]:
    return [(one["place"], one["file_digest"]) for one in work.entries("file_disposed")]


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


# The way it goes.


def test_a_file_is_fetched_imported_and_then_removed_from_the_server(work: Work, sftp_user: SftpUser) -> None:
    work.reopen(sftp_user.source())
    content = put(work, sftp_user)
    found = Fetched(work)
    assert (found.registered, found.whole) == (5, True)
    assert found.imports[0].file_digest == digest(content)
    assert disposals(work) == [("landing", digest(content)), ("remote", digest(content))]
    assert [one["kind"] for one in work.entries()][-3:] == ["import_done", "file_disposed", "file_disposed"]
    assert work.entries("file_disposed")[1]["size"] == len(content)
    assert (over_there(sftp_user), work.files()) == ([], [])
    assert states(work) == [("a.csv", "removed")]
    assert work.findings() == []


def test_one_connection_serves_a_whole_run(fetching: Work, sftp_user: SftpUser) -> None:
    put(fetching, sftp_user, "a.csv", SMALL[:2])
    put(fetching, sftp_user, "b.csv", SMALL[2:])
    assert Fetched(fetching).registered == 5
    asked = sftp_user.asked()
    assert asked.count("connect") == asked.count("list") == 1
    assert asked.count("remove") == 2


def test_a_server_that_keeps_its_files_is_asked_for_each_of_them_once(fetching: Work, sftp_user: SftpUser) -> None:
    fetching.reopen(sftp_user.source(("user =", 'after_fetch = "leave"\nuser =')))
    content = put(fetching, sftp_user)
    assert Fetched(fetching).registered == 5
    sftp_user.asked()
    for _ in range(2):
        assert Fetched(fetching).imports == []
        assert sftp_user.asked("re") == []
    assert disposals(fetching) == [("landing", digest(content))]
    assert over_there(sftp_user) == ["a.csv"]


def test_a_file_that_is_kept_here_until_it_is_due_goes_over_there_at_once(fetching: Work, sftp_user: SftpUser) -> None:
    fetching.reopen(
        sftp_user.source(), ("settle_seconds = 0\n", 'settle_seconds = 0\nafter_ingest = "keep-until-due"\n')
    )
    first = put(fetching, sftp_user)
    Fetched(fetching)
    assert (fetching.files(), over_there(sftp_user)) == (["a.csv"], [])
    second = put(fetching, sftp_user, rows=[row("message-9", "2026-08-02 09:00:00")])
    assert Fetched(fetching).registered == 1
    assert sorted(fetching.files()) == sorted([f"{digest(second)[7:19]}-a.csv", "a.csv"])
    assert (fetching.office.landing / "a.csv").read_bytes() == first


def test_what_arrives_is_private_and_the_run_that_comes_between_sees_nothing_of_a_part(
    fetching: Work, sftp_user: SftpUser
) -> None:
    fetching.reopen(
        sftp_user.source(), ("settle_seconds = 0\n", 'settle_seconds = 0\nafter_ingest = "keep-until-due"\n')
    )
    put(fetching, sftp_user)
    Fetched(fetching)
    [file] = fetching.office.landing.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_password_lets_in_too(fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file = f'key_file = "{sftp_user.key_file}"'
    fetching.reopen(sftp_user.source((key_file, 'sign_in = "password"')))
    put(fetching, sftp_user)
    assert "there is no credential hootsuite-inbox-sftp-password" in Fetched(fetching).reasons
    monkeypatch.setenv("RETENTION_HOOTSUITE_INBOX_SFTP_PASSWORD", "wrong")
    assert "does not let" in Fetched(fetching).reasons
    assert [one.kind for one in fetching.findings()] == ["fetch-failed", "fetch-failed"]
    monkeypatch.setenv("RETENTION_HOOTSUITE_INBOX_SFTP_PASSWORD", PASSWORD)
    assert Fetched(fetching).registered == 5
    assert fetching.findings() == []


def test_the_key_may_be_a_credential_and_the_host_key_a_fingerprint(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = sftp_user.server
    changes = (f'key_file = "{sftp_user.key_file}"\n', ""), (server.host_key, server.fingerprint)
    fetching.reopen(sftp_user.source(*changes))
    monkeypatch.setenv("RETENTION_HOOTSUITE_INBOX_SFTP_KEY_FILE", str(sftp_user.key_file))
    put(fetching, sftp_user)
    assert Fetched(fetching).registered == 5


# What must not happen.


@pytest.mark.parametrize("pinned", ["whole", "fingerprint"])
def test_a_server_with_another_host_key_is_told_nothing_and_asked_for_nothing(
    fetching: Work, sftp_user: SftpUser, pinned: str
) -> None:
    server = sftp_user.server
    moved = (f"port = {server.port}", f"port = {server.moved_port}")
    short = [] if pinned == "whole" else [(server.host_key, server.fingerprint)]
    fetching.reopen(sftp_user.source(moved, *short))
    put(fetching, sftp_user)
    found = Fetched(fetching)
    assert (found.imports, found.whole, sftp_user.asked()) == ([], False, [])
    [finding] = fetching.findings()
    assert (finding.kind, finding.source) == ("host-key-changed", "hootsuite-inbox")
    assert server.fingerprint in finding.reason
    assert server.moved_fingerprint in finding.reason
    assert "host_key of the source hootsuite-inbox" in finding.reason
    if pinned == "whole":
        assert fetching.office.cli("ingest").returncode == 3
    fetching.reopen(sftp_user.source())
    assert Fetched(fetching).registered == 5
    assert fetching.findings() == []


def test_a_server_without_a_key_of_the_pinned_type_is_another_server(fetching: Work, sftp_user: SftpUser) -> None:
    kind, curve = b"ecdsa-sha2-nistp256", b"nistp256"
    fields = (kind, curve, b"\4" + bytes(64))
    blob = b64encode(b"".join(len(one).to_bytes(4, "big") + one for one in fields)).decode()
    fetching.reopen(sftp_user.source((sftp_user.server.host_key, f"{kind.decode()} {blob}")))
    assert "showed a key of another type" in Fetched(fetching).reasons
    assert [one.kind for one in fetching.findings()] == ["host-key-changed"]


def test_a_key_that_the_server_does_not_know_is_refused_and_said_so(fetching: Work, sftp_user: SftpUser) -> None:
    strange = fetching.office.folder / "strange"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(strange))
    strange.chmod(0o600)
    fetching.reopen(sftp_user.source((str(sftp_user.key_file), str(strange))))
    found = Fetched(fetching)
    assert not found.whole
    assert f"does not let {sftp_user.name} in with the key" in found.reasons
    strange.chmod(0o640)
    assert "open to other users; close it with: chmod 600" in Fetched(fetching).reasons
    strange.chmod(0o600)
    strange.write_text("no key at all", encoding="ascii")
    assert "the private key is not one of" in Fetched(fetching).reasons
    strange.unlink()
    assert "the private key cannot be read (No such file or directory)" in Fetched(fetching).reasons


def test_an_encrypted_key_needs_its_passphrase(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = fetching.office.folder / "locked"
    key = serialization.load_ssh_private_key(sftp_user.key_file.read_bytes(), None)
    form = serialization.PrivateFormat.OpenSSH
    lock = form.encryption_builder().kdf_rounds(1).build(b"open")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, lock))
    locked.chmod(0o600)
    fetching.reopen(sftp_user.source((str(sftp_user.key_file), str(locked))))
    put(fetching, sftp_user)
    assert "needs its passphrase" in Fetched(fetching).reasons
    monkeypatch.setenv("RETENTION_HOOTSUITE_INBOX_SFTP_PASSPHRASE", "wrong")
    assert "its passphrase is wrong" in Fetched(fetching).reasons
    monkeypatch.setenv("RETENTION_HOOTSUITE_INBOX_SFTP_PASSPHRASE", "open")
    assert Fetched(fetching).registered == 5


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../etc/cron.d/a.csv", "separators of folders"),
        ("a\\b.csv", "separators of folders"),
        ("a\nb.csv", "control characters"),
        ("\x1b[2J.csv", "control characters"),
        ("\xff\xfe.csv", "not UTF-8"),
        ("a" * 300 + ".csv", "more than 200 bytes"),
        ("minutes.pdf", "names end in .csv"),
    ],
)
def test_a_name_that_could_do_harm_is_refused_with_a_finding_and_the_others_are_fetched(
    fetching: Work, sftp_user: SftpUser, name: str, reason: str
) -> None:
    put(fetching, sftp_user)
    sftp_user.treat(strange=[name])
    assert Fetched(fetching).registered == 5
    [finding] = fetching.findings()
    assert finding.kind == "remote-file-refused"
    assert reason in finding.reason
    assert finding.file.isprintable()
    assert len(finding.file) <= 80
    assert fetching.files() == []
    sftp_user.treat()
    assert Fetched(fetching).imports == []
    assert fetching.findings() == []


def test_what_is_no_file_and_what_is_not_finished_over_there_is_left(fetching: Work, sftp_user: SftpUser) -> None:
    (sftp_user.exports / "folder.csv").mkdir()
    for name in (".hidden.csv", "half.csv.part"):
        (sftp_user.exports / name).write_bytes(b"x")
    (sftp_user.exports / "link.csv").symlink_to("half.csv.part")
    assert Fetched(fetching).imports == []
    assert [(one.file, one.reason.split(",")[0]) for one in fetching.findings()] == [
        ("link.csv", "is not a regular file")
    ]


def test_of_very_many_strange_names_some_are_told(fetching: Work, sftp_user: SftpUser) -> None:
    sftp_user.treat(strange=[f"minutes-{n}.pdf" for n in range(30)])
    Fetched(fetching)
    told = fetching.findings("remote-file-refused")
    assert len(told) == 21
    assert told[-1].reason == "10 more remote files are refused and are not listed one by one"


def test_a_folder_with_too_many_names_is_refused_whole(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MOST_NAMES", 50)
    put(fetching, sftp_user)
    sftp_user.treat(many=60)
    assert "has more than 50 names" in Fetched(fetching).reasons
    assert states(fetching) == []


def test_a_folder_that_is_not_there_is_named(fetching: Work, sftp_user: SftpUser) -> None:
    fetching.reopen(sftp_user.source(("user =", 'remote_folder = "/export/nowhere"\nuser =')))
    found = Fetched(fetching)
    assert "the folder /export/nowhere of 127.0.0.1 cannot be listed: it does not exist" in found.reasons
    assert not found.whole


# What breaks.


def test_a_download_that_is_cut_off_goes_on_where_it_stopped(
    fetching: Work, sftp_user: SftpUser, capsys: pytest.CaptureFixture[str]
) -> None:
    content = put(fetching, sftp_user, rows=LONG)
    sftp_user.treat(cut_after=len(content) // 2, cuts=1)
    found = Fetched(fetching)
    assert (found.registered, found.whole, found.imports[0].file_digest) == (100, True, digest(content))
    assert sftp_user.asked("connect") == ["connect"] * 2
    assert "stamina" not in capsys.readouterr().out


def test_a_download_goes_on_in_the_next_run_and_only_its_end_is_read_again(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "OVERLAP", BLOCK)
    monkeypatch.setattr(session, "AHEAD", 1)
    content = put(fetching, sftp_user, rows=LONG)
    sftp_user.treat(cut_after=len(content) // 2, cuts=2)
    broken = Fetched(fetching)
    assert (broken.imports, broken.whole) == ([], False)
    assert [one.kind for one in fetching.findings()] == ["fetch-failed"]
    [left] = fetching.office.landing.iterdir()
    have = left.stat().st_size
    assert 0 < have < len(content)
    assert content.startswith(left.read_bytes())
    sftp_user.asked()
    assert Fetched(fetching).registered == 100
    assert min(int(line.split()[1]) for line in sftp_user.asked("read")) == have - BLOCK
    assert fetching.findings() == []
    assert disposals(fetching)[-1] == ("remote", digest(content))


@pytest.mark.parametrize("spoilt", ["end", "longer"])
def test_a_part_that_is_not_the_beginning_of_the_file_is_fetched_anew(
    fetching: Work, sftp_user: SftpUser, spoilt: str
) -> None:
    content = put(fetching, sftp_user, rows=LONG)
    sftp_user.treat(cut_after=len(content) // 2, cuts=2)
    Fetched(fetching)
    [left] = fetching.office.landing.iterdir()
    with left.open("r+b") as file:
        file.seek(-10 if spoilt == "end" else 0, os.SEEK_END)
        file.write(b"\0" * 10 if spoilt == "end" else b"\0" * len(content))
    found = Fetched(fetching)
    assert (found.registered, found.imports[0].file_digest) == (100, digest(content))


def test_another_version_of_a_file_does_not_go_on_with_the_part_of_the_first(
    fetching: Work, sftp_user: SftpUser
) -> None:
    first = put(fetching, sftp_user, rows=LONG)
    sftp_user.treat(cut_after=len(first) // 2, cuts=2)
    Fetched(fetching)
    second = put(fetching, sftp_user, rows=LONG[1:])
    found = Fetched(fetching)
    assert (found.registered, found.imports[0].file_digest) == (99, digest(second))
    assert list(fetching.office.landing.iterdir()) == []


def test_a_server_that_gives_less_at_once_than_it_is_asked_for_is_read_whole(
    fetching: Work, sftp_user: SftpUser
) -> None:
    content = put(fetching, sftp_user, rows=LONG[:30])
    sftp_user.treat(short=10_000)
    assert Fetched(fetching).imports[0].file_digest == digest(content)


def test_a_server_that_does_not_answer_is_given_up(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    put(fetching, sftp_user)
    sftp_user.treat(silent=True)
    found = Fetched(fetching)
    assert (found.imports, found.whole) == ([], False)
    assert "the connection to 127.0.0.1 failed" in found.reasons


def test_a_server_that_cannot_be_reached_does_not_stop_what_has_landed(fetching: Work, sftp_user: SftpUser) -> None:
    fetching.reopen(sftp_user.source((f"port = {sftp_user.server.port}", "port = 1")))
    fetching.office.drop("by-hand.csv", SMALL)
    found = Fetched(fetching)
    assert (found.registered, found.whole) == (5, False)
    [finding] = fetching.findings()
    assert finding.kind == "fetch-failed"
    assert "Connection refused" in finding.reason


def test_one_server_that_fails_does_not_stop_the_other(fetching: Work, sftp_user: SftpUser) -> None:
    _, keys = sftp_user.source((f"port = {sftp_user.server.port}", "port = 1"))
    other = 'name = "other"\npreset = "hootsuite-inbox"\npath = "other"\ntime_zone = "Europe/London"'
    (fetching.office.folder / "other").mkdir()
    fetching.reopen(sftp_user.source(), ("[purge]", f"[[source]]\n{other}\n{keys}[purge]"))
    put(fetching, sftp_user)
    found = Fetched(fetching)
    assert (found.registered, found.whole) == (5, False)
    assert [(one.kind, one.source) for one in fetching.findings()] == [("fetch-failed", "other")]


def test_a_file_that_grows_waits_until_two_looks_find_it_the_same(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching.reopen(sftp_user.source(), ("settle_seconds = 0\n", "settle_seconds = 60\n"))
    start = time.time()

    def look(after: float) -> Fetched:
        monkeypatch.setattr(cycle, "time", SimpleNamespace(time=lambda: start + after))
        return Fetched(fetching)

    put(fetching, sftp_user, rows=SMALL[:2])
    assert "not yet stable" in look(0).reasons
    put(fetching, sftp_user)
    for after in (70, 100):
        found = look(after)
        assert (found.imports, found.whole) == ([], True)
    assert look(50).imports == []  # the clock was put back
    assert look(90).imports == []
    assert look(112).registered == 5


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_look(fetching: Work, sftp_user: SftpUser) -> None:
    content = put(fetching, sftp_user)
    sftp_user.treat(grow="a.csv")
    found = Fetched(fetching)
    assert (found.imports, found.whole) == ([], True)
    assert "changes while it is read" in found.reasons
    assert list(fetching.office.landing.iterdir()) == []
    sftp_user.treat()
    (sftp_user.exports / "a.csv").write_bytes(content)
    assert Fetched(fetching).registered == 5


def test_a_file_that_vanishes_between_list_and_get_is_no_matter(fetching: Work, sftp_user: SftpUser) -> None:
    put(fetching, sftp_user, "a.csv")
    put(fetching, sftp_user, "b.csv")
    sftp_user.treat(vanish="a.csv")
    found = Fetched(fetching)
    assert (found.registered, found.whole) == (5, True)
    assert "is gone from the server" in found.reasons
    sftp_user.treat()
    assert Fetched(fetching).whole
    assert states(fetching) == [("b.csv", "removed")]


def test_a_file_that_may_not_be_read_is_told_and_mended(fetching: Work, sftp_user: SftpUser) -> None:
    put(fetching, sftp_user)
    sftp_user.treat(refuse_read=True)
    found = Fetched(fetching)
    assert not found.whole
    assert "the remote file a.csv cannot be read on the server: permission denied" in found.reasons
    assert [(one.kind, one.file) for one in fetching.findings()] == [("remote-file-refused", "a.csv")]
    sftp_user.treat()
    assert Fetched(fetching).registered == 5
    assert fetching.findings() == []


def test_a_file_that_may_not_be_removed_is_told_and_tried_again_and_never_fetched_again(
    fetching: Work, sftp_user: SftpUser
) -> None:
    content = put(fetching, sftp_user)
    sftp_user.treat(refuse_remove=True)
    found = Fetched(fetching)
    assert (found.registered, found.whole) == (5, False)
    assert "the remote file a.csv cannot be removed on the server: permission denied" in found.reasons
    assert states(fetching) == [("a.csv", "removing")]
    sftp_user.asked()
    assert not Fetched(fetching).whole
    assert sftp_user.asked("read") == []
    assert [(one.kind, one.file) for one in fetching.findings()] == [("remote-file-not-removed", "a.csv")]
    assert [place for place, _ in disposals(fetching)] == ["landing"]
    sftp_user.treat()
    assert Fetched(fetching).whole
    assert disposals(fetching) == [("landing", digest(content)), ("remote", digest(content))]
    assert (fetching.findings(), over_there(sftp_user)) == ([], [])


def test_a_connection_that_is_lost_for_good_before_the_removal_leaves_it_to_the_next_run(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = put(fetching, sftp_user)

    def lost(_: object, __: object) -> None:
        msg = "the connection failed"
        raise ConnectionLostError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(client.Client, "status_of", lost)
        found = Fetched(fetching)
    assert (found.registered, found.whole, states(fetching)) == (5, False, [("a.csv", "removing")])
    assert [one.kind for one in fetching.findings()] == ["fetch-failed"]
    assert Fetched(fetching).whole
    assert disposals(fetching)[-1] == ("remote", digest(content))


def test_a_file_that_somebody_took_from_the_server_meanwhile_is_gone(fetching: Work, sftp_user: SftpUser) -> None:
    content = put(fetching, sftp_user)
    sftp_user.treat(refuse_remove=True)
    Fetched(fetching)
    (sftp_user.exports / "a.csv").unlink()
    sftp_user.asked()
    assert Fetched(fetching).whole
    assert sftp_user.asked("remove") == []
    assert disposals(fetching)[-1] == ("remote", digest(content))
    assert fetching.findings() == []


def test_another_file_under_the_old_name_is_not_removed_before_it_was_imported(
    fetching: Work, sftp_user: SftpUser
) -> None:
    fetching.reopen(sftp_user.source(("user =", 'after_fetch = "leave"\nuser =')))
    put(fetching, sftp_user)
    Fetched(fetching)
    fetching.reopen(sftp_user.source(), ("settle_seconds = 0\n", "settle_seconds = 60\n"))
    put(fetching, sftp_user, rows=[row("message-9", "2026-08-02 09:00:00")])
    Fetched(fetching)
    assert over_there(sftp_user) == ["a.csv"]
    assert [state for _, state in states(fetching)] == ["removed", "seen"]


def test_a_file_of_which_no_row_could_be_read_stays_on_the_server_until_it_was_imported(
    fetching: Work, sftp_user: SftpUser
) -> None:
    (sftp_user.exports / "a.csv").write_bytes(b"Message ID\r\n1\r\n")
    found = Fetched(fetching)
    assert found.imports[0].refused is not None
    assert over_there(sftp_user) == ["a.csv"]
    assert len(fetching.quarantined()) == 1
    assert Fetched(fetching).imports == []
    assert states(fetching) == [("a.csv", "fetched")]


def test_a_file_that_comes_back_to_the_server_is_told_and_left(fetching: Work, sftp_user: SftpUser) -> None:
    content = put(fetching, sftp_user)
    os.utime(sftp_user.exports / "a.csv", (1, 1_780_000_000))
    Fetched(fetching)
    (sftp_user.exports / "a.csv").write_bytes(content)
    os.utime(sftp_user.exports / "a.csv", (1, 1_780_000_000))
    sftp_user.asked()
    assert Fetched(fetching).imports == []
    assert sftp_user.asked("re") == []
    assert [(one.kind, one.file) for one in fetching.findings()] == [("remote-file-back", "a.csv")]
    (sftp_user.exports / "a.csv").unlink()
    Fetched(fetching)
    assert fetching.findings() == []


def test_the_same_bytes_under_another_name_are_imported_once_and_removed_twice(
    fetching: Work, sftp_user: SftpUser
) -> None:
    content = put(fetching, sftp_user, "a.csv")
    put(fetching, sftp_user, "b.csv")
    found = Fetched(fetching)
    assert [one.already_imported for one in found.imports] == [False, True]
    assert disposals(fetching).count(("remote", digest(content))) == 2
    assert over_there(sftp_user) == []


def test_what_was_lost_here_before_it_was_read_is_fetched_again(fetching: Work, sftp_user: SftpUser) -> None:
    put(fetching, sftp_user)
    fetching.tell("UPDATE remote_file SET state = 'seen'")
    Fetched(fetching)
    content = put(fetching, sftp_user, "b.csv", SMALL[:2])
    status = (sftp_user.exports / "b.csv").stat()
    fetching.tell(
        "INSERT INTO remote_file (source, name, size, modified_at, state, seen_at, file_digest, path) "
        "VALUES ('hootsuite-inbox', 'b.csv', :size, :at, 'fetched', 1, :digest, :path)",
        size=status.st_size,
        at=int(status.st_mtime),
        digest=digest(content),
        path=str(fetching.office.landing / "b.csv"),
    )
    assert [one.name for one in Fetched(fetching).imports] == ["b.csv"]
    assert over_there(sftp_user) == []


def test_a_run_that_is_asked_to_stop_leaves_a_part_that_the_next_one_goes_on_with(
    fetching: Work, sftp_user: SftpUser
) -> None:
    content = put(fetching, sftp_user, rows=LONG)
    blocks = 0

    def stop() -> None:
        nonlocal blocks
        blocks += 1
        if blocks == 4:
            msg = "asked to stop"
            raise StoppedError(msg)

    with pytest.raises(StoppedError):
        fetching.ingest(watcher=Watcher(stop=stop))
    [left] = fetching.office.landing.iterdir()
    assert left.stat().st_size == 3 * BLOCK
    assert Fetched(fetching).imports[0].file_digest == digest(content)


def test_the_lease_is_kept_while_a_large_file_arrives(
    fetching: Work, sftp_user: SftpUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[object] = []
    monkeypatch.setattr(room, "_RENEW_SECONDS", -1.0)
    original = room.FetchTerms.renew
    monkeypatch.setattr(room.FetchTerms, "renew", lambda *given: renewed.append(original(*given)))
    content = put(fetching, sftp_user, rows=LONG)
    Fetched(fetching)
    assert len(renewed) >= len(content) // BLOCK


def test_a_landing_folder_that_is_gone_is_told(fetching: Work, sftp_user: SftpUser) -> None:
    put(fetching, sftp_user)
    fetching.office.landing.rmdir()
    found = Fetched(fetching)
    assert not found.whole
    assert "a file cannot be written to" in found.reasons
    assert [one.kind for one in fetching.findings()] == ["fetch-failed", "source-failed"]


def test_nothing_is_logged_but_names_and_digests(
    fetching: Work, sftp_user: SftpUser, caplog: pytest.LogCaptureFixture
) -> None:
    put(fetching, sftp_user, rows=[row("message-1", "2026-08-01 09:00:00", content="qzsecret", contact="qzsecret")])
    with caplog.at_level(logging.DEBUG):
        Fetched(fetching)
    assert "a.csv" in caplog.text
    assert "qzsecret" not in caplog.text
    assert not [one for one in caplog.records if one.name.startswith("paramiko")]


# What is said about it.


def test_check_says_where_files_are_fetched_and_which_key_is_pinned(fetching: Work, sftp_user: SftpUser) -> None:
    done = fetching.office.cli("check")
    assert done.returncode == 0, done.stderr
    port, name = sftp_user.server.port, sftp_user.name
    assert (
        f"Source hootsuite-inbox fetches /export/message of 127.0.0.1, port {port}, as {name}; "
        f"the pinned host key is {sftp_user.server.fingerprint}."
    ) in done.stdout
    fetching.office.configure(sftp_user.source((str(sftp_user.key_file), "/nowhere/id")))
    done = fetching.office.cli("check")
    assert done.returncode == 2
    assert "source hootsuite-inbox: /nowhere/id: the private key cannot be read" in done.stderr


def test_without_its_library_the_source_names_the_extra_and_the_others_go_on(
    fetching: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching.office.drop("by-hand.csv", SMALL)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    found = Fetched(fetching)
    assert (found.registered, found.whole) == (5, False)
    assert 'pip install "retention-enforcer[sftp]"' in found.reasons
    [pickup] = fetching.context.pickups()
    assert 'pip install "retention-enforcer[sftp]"' in pickup.problems()[0]
