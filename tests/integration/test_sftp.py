"""Exports that wait on a server: fetched once and whole, imported, and only then removed over there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.integration.fetched import SMALL, Fetched, digest, disposals, over_there, put, states
from tests.kit import row
from tests.sftp_server import PASSWORD

if TYPE_CHECKING:
    import pytest

    from tests.integration.work import Work
    from tests.sftp_server import SftpUser


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
