"""Downloads that break off, files that change under way, removals that fail: the next look mends it."""

from __future__ import annotations

import logging
import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from retention import arrivals
from retention.errors import ConnectionLostError, StoppedError
from retention.ingest import fetching as room
from retention.sources.sftp import client, part, session
from retention.watcher import Watcher
from tests.integration.fetched import LONG, SMALL, Fetched, digest, disposals, over_there, put, states
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work
    from tests.sftp_server import SftpUser

BLOCK = session.BLOCK


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
        monkeypatch.setattr(arrivals, "time", SimpleNamespace(time=lambda: start + after))
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
