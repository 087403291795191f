"""Servers, accounts and names that nothing is fetched for: said clearly, and the rest goes on."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import asyncssh
import pytest
from cryptography.hazmat.primitives import serialization

from retention.sources.sftp import session
from tests.integration.fetched import Fetched, put, states

if TYPE_CHECKING:
    from tests.integration.work import Work
    from tests.sftp_server import SftpUser


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
