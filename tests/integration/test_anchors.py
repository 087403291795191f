"""Checkpoints leave the machine: to the system log, a timestamp authority and a witness, all of them real."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stamina

from retention import upkeep
from retention.acts.bundling import export_bundle, prove_entry, save_proof
from retention.anchors import http
from retention.audit import stored
from retention.audit.bundle_verify import verify_exported
from retention.audit.checkpoint import open_note, vkey
from retention.audit.cosignature import parse_witness_key
from retention.audit.handover import verify_bundle as handover
from retention.errors import AnchorError, Exit, RestoredError
from retention.upkeep import sign_checkpoint
from tests.anchor_kit import OPENSSL, Authority, host, witness
from tests.integration.backups import Backup
from tests.integration.work import AUTUMN
from tests.kit import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.work import Work

ROWS = [row(f"m-{number}", f"2026-08-0{1 + number % 8} 09:00:00") for number in range(24)]
LATER = AUTUMN + timedelta(days=1)
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


def anchored(work: Work, **settings: object) -> Work:
    """Configure one more anchor."""
    lines = [f"{key} = {'true' if value is True else repr(value)}" for key, value in settings.items()]
    work.reopen(("[purge]", "\n".join(["[[anchor]]", 'name = "other"', *lines, "[purge]"])))
    return work


def sign(work: Work) -> str:
    return sign_checkpoint(work.context, work.context.signer(), AUTUMN)


def three_words(note: str) -> str:
    return " ".join(note.split("\n")[:3])


# The system log.


def test_checkpoint_goes_to_a_local_socket_as_one_message(sqlite_work: Work) -> None:
    path = sqlite_work.office.folder / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(path))
        note = sign(anchored(sqlite_work, kind="syslog", address=str(path)))
        assert log.recv(4096) == f"<14>retention checkpoint {three_words(note)}\0".encode()


def test_checkpoint_goes_to_a_host_over_udp_and_tcp(sqlite_work: Work) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        note = sign(anchored(sqlite_work, kind="syslog", address=f"udp://127.0.0.1:{log.getsockname()[1]}"))
        assert three_words(note).encode() in log.recv(4096)
    with socket.create_server(("127.0.0.1", 0)) as server:
        anchored(sqlite_work, kind="syslog", address=f"tcp://127.0.0.1:{server.getsockname()[1]}")
        note = sign(sqlite_work)
        with server.accept()[0] as log:
            assert log.recv(4096) == f"<14>retention checkpoint {three_words(note)}\n".encode()


@pytest.mark.parametrize("address", ["/nowhere/log", "tcp://127.0.0.1:{port}"])
def test_system_log_that_cannot_be_reached_is_a_finding_until_it_can(address: str, sqlite_work: Work) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    work = anchored(sqlite_work, kind="syslog", address=address.format(port=free))
    work.take(ROWS)
    assert [(one.kind, one.file) for one in work.findings()] == [("anchor-failed", "other")]
    assert work.status().promise == "at_risk"
    assert work.purge(AUTUMN)[1].disposed == 24
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        anchored(work, kind="syslog", address=f"udp://127.0.0.1:{log.getsockname()[1]}")
        work.run(LATER)
    assert work.findings() == []


# What is required.


def test_required_anchor_that_fails_stops_the_purge_before_it_deletes(work: Work) -> None:
    work.take(ROWS)
    plan = work.plan(AUTUMN)
    anchored(work, kind="syslog", address="/nowhere/log", required=True)
    with pytest.raises(AnchorError, match="anchor other: /nowhere/log") as stopped:
        work.purge(AUTUMN, plan)
    assert stopped.value.exit_code == Exit.FAILED
    assert len(work.ids()) == 24
    assert work.last_run() is None
    assert [one.kind for one in work.findings()] == ["anchor-failed"]
    work.reopen()
    assert work.purge(AUTUMN, plan)[1].disposed == 24


def test_probe_leaves_anchors_alone_that_are_not_required(sqlite_work: Work) -> None:
    sqlite_work.take(ROWS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(5)
        work = anchored(sqlite_work, kind="syslog", address=f"udp://127.0.0.1:{log.getsockname()[1]}")
        work.purge(AUTUMN)
        assert b" checkpoint " in log.recv(4096)
        log.setblocking(False)  # noqa: FBT003  # the socket's own signature
        with pytest.raises(BlockingIOError):
            log.recv(4096)


def test_second_anchor_file_is_read_back_too(sqlite_work: Work) -> None:
    work = anchored(sqlite_work, kind="file", path="elsewhere.log")
    work.take(ROWS)
    elsewhere = work.office.folder / "elsewhere.log"
    backup = Backup(work)
    anchored(work, kind="file", path="elsewhere.log")
    work.purge(AUTUMN)
    backup.put_back()
    main = work.context.settings.paths.anchor
    assert main is not None
    main.write_text("")
    anchored(work, kind="file", path="elsewhere.log")
    with pytest.raises(RestoredError, match=r"elsewhere\.log"):
        work.purge(AUTUMN)
    elsewhere.unlink()
    assert work.purge(AUTUMN)[1].disposed == 24
    assert not elsewhere.exists()
    assert {one.kind for one in work.findings()} == {"anchor-emptied", "anchor-failed"}


def test_anchor_file_that_refuses_stops_the_purge(sqlite_work: Work) -> None:
    sqlite_work.take(ROWS)
    anchor = sqlite_work.context.settings.paths.anchor
    assert anchor is not None
    kept = anchor.read_bytes()
    anchor.unlink()
    anchor.mkdir()
    with pytest.raises(AnchorError, match="cannot be read"):
        sqlite_work.purge(AUTUMN)
    assert len(sqlite_work.ids()) == 24
    anchor.rmdir()
    anchor.write_bytes(kept)


# A timestamp authority.


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "authority")


@needs_openssl
def test_timestamp_over_the_checkpoint_stands_in_the_bundle_and_openssl_verifies_it(
    work: Work, authority: Authority, tmp_path: Path
) -> None:
    with host(authority.answer) as tsa:
        anchored(work, kind="timestamp", url=tsa.url, certificate=str(authority.root))
        work.take(ROWS)
        export_bundle(work.context, tmp_path / "b", now=AUTUMN, person="ann")
    assert work.findings() == []
    tokens = sorted((tmp_path / "b/anchors").glob("*.tsr"))
    assert len(tokens) == 2
    [told] = re.findall(r"```sh\n(for token.*?)```", (tmp_path / "b/VERIFY.md").read_text(), re.DOTALL)
    shutil.copyfile(authority.root, tmp_path / "tsa-root.pem")
    _runs("sh", "-c", told, cwd=tmp_path / "b")
    shutil.copyfile(Authority(tmp_path / "stranger").root, tmp_path / "tsa-root.pem")
    assert subprocess.run(["sh", "-c", told], cwd=tmp_path / "b", capture_output=True, check=False).returncode  # noqa: S607
    for token in tokens:
        lines = (tmp_path / "b/checkpoints" / token.stem).read_text().split("\n")[:3]
        (tmp_path / "text").write_text("\n".join([*lines, ""]))
        command = ["ts", "-verify", "-in", str(token), "-data", str(tmp_path / "text"), "-CAfile", str(authority.root)]
        done = subprocess.run([str(OPENSSL), *command], capture_output=True, text=True, check=False)
        assert "Verification: OK" in done.stdout + done.stderr
    assert verify_exported(tmp_path / "b", [work.context.verifier]).found.problems == []


@needs_openssl
@pytest.mark.parametrize("wrong", ["stranger", "other text", "garbage", "status", "no file", "no certificate"])
def test_timestamp_that_does_not_verify_is_not_kept(
    wrong: str, sqlite_work: Work, authority: Authority, tmp_path: Path
) -> None:
    certificate = authority.root
    replayed: list[tuple[int, dict[str, str], bytes]] = []

    def answer(body: bytes) -> tuple[int, dict[str, str], bytes]:
        if wrong == "garbage":
            return 200, {}, b"no token"
        if wrong == "status":
            return 404, {}, b""
        replayed.append(authority.answer(body))
        return replayed[0]

    if wrong == "stranger":
        certificate = Authority(tmp_path / "stranger").root
    elif wrong == "no file":
        certificate = tmp_path / "nowhere"
    elif wrong == "no certificate":
        certificate = tmp_path / "empty"
        certificate.write_text("nothing")
    with host(answer) as tsa:
        anchored(sqlite_work, kind="timestamp", url=tsa.url, certificate=str(certificate))
        sign(sqlite_work)
        sqlite_work.hold(contact="somebody")
        sign(sqlite_work)
    [found] = sqlite_work.findings()[:1]
    assert found.kind == "anchor-failed"
    kept = sqlite_work.ask("SELECT size FROM audit_anchor WHERE kind = 'timestamp'")
    assert len(kept) == (1 if wrong == "other text" else 0)


def test_timestamps_need_their_extra(sqlite_work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    anchored(sqlite_work, kind="timestamp", url="http://127.0.0.1:1", certificate="ca.pem", required=True)
    with pytest.raises(AnchorError, match=r"retention-enforcer\[timestamp\]"):
        sign(sqlite_work)


# A witness.


def test_witness_signs_what_has_grown_and_every_verifier_takes_the_note(work: Work, tmp_path: Path) -> None:
    origin, key = work.context.installation.origin, work.context.verifier
    with witness(tmp_path / "w", origin, vkey(key)) as other:
        anchored(work, kind="witness", url=f"{other.url}/", key=other.key, required=True)
        first = sign(work)
        again = sign(work)
        work.take(ROWS)
        work.purge(AUTUMN)
        note = sign(work)
        export_bundle(work.context, tmp_path / "b", now=AUTUMN, person="ann")
        proven = prove_entry(work.context, 1, now=AUTUMN, person="ann")
    own = parse_witness_key(other.key)
    assert work.findings() == []
    for one in (first, again, note):
        assert own.cosigned_at(one)[0] in one
        assert open_note(one, [key]).origin == origin
        assert one.count("\n\u2014 ") == 2
    assert verify_exported(tmp_path / "b", [key], [first, note]).found.problems == []
    assert own.cosigned_at((tmp_path / "b/checkpoint").read_text())
    save_proof(proven, tmp_path / "one.tlog-proof")
    (tmp_path / "key").write_bytes((tmp_path / "b/keys/log.pem").read_bytes())
    _runs("sh", str(tmp_path / "b/check_record.sh"), "one.tlog-proof", "one.json", "key", cwd=tmp_path)
    _runs(sys.executable, handover.__file__, "b", "--key", vkey(key), cwd=tmp_path)
    tool = str(Path(sys.executable).with_name("aics-tlog"))
    _runs(
        *(tool, "verify-checkpoint", "--tiles", ".", "--log-key", vkey(key)),
        *("--witness-key", other.key, "--quorum", "1"),
        cwd=tmp_path / "b",
    )


def _runs(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_witness_that_has_seen_another_size_is_asked_from_there(work: Work, tmp_path: Path) -> None:
    with witness(tmp_path / "w", work.context.installation.origin, vkey(work.context.verifier)) as other:
        anchored(work, kind="witness", url=other.url, key=other.key, required=True)
        work.take(ROWS)
        work.tell("DELETE FROM audit_anchor WHERE kind = 'witness'")  # as if it had been signed and not been kept
        work.purge(AUTUMN)
        work.tell("UPDATE audit_anchor SET size = size + 1000 WHERE kind = 'witness'")
        sign(work)
    assert work.findings() == []


def test_witness_gives_a_restored_database_away_where_the_anchor_file_was_rolled_back_too(
    sqlite_work: Work, tmp_path: Path
) -> None:
    work = sqlite_work
    with witness(tmp_path / "w", work.context.installation.origin, vkey(work.context.verifier)) as other:
        anchored(work, kind="witness", url=other.url, key=other.key, required=True)
        work.take(ROWS)
        anchor = work.context.settings.paths.anchor
        assert anchor is not None
        kept = anchor.read_bytes()
        backup = Backup(work)
        anchored(work, kind="witness", url=other.url, key=other.key, required=True)
        work.purge(AUTUMN)
        backup.put_back()
        anchor.write_bytes(kept)
        anchored(work, kind="witness", url=other.url, key=other.key, required=True)
        with pytest.raises(AnchorError, match="the database was restored or cut back"):
            work.purge(LATER)
        for number in range(60):
            work.hold(now=LATER, contact=f"contact-{number}")
        with pytest.raises(AnchorError, match="does not go on from what it saw"):
            work.purge(LATER)
        assert len(work.ids()) == 24


def test_witness_that_does_not_know_the_log_says_so(sqlite_work: Work, tmp_path: Path) -> None:
    with witness(tmp_path / "w", "another.example/log", _key_of("another.example/log")) as other:
        anchored(sqlite_work, kind="witness", url=other.url, key=other.key, required=True)
        with pytest.raises(AnchorError, match="does not know this log"):
            sign(sqlite_work)


def _key_of(origin: str) -> str:
    from tests.bundle_kit import signer  # noqa: PLC0415  # what only one test needs

    return vkey(signer(name=origin).verifier)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, b""), "gave no signature"),
        ((200, "\u2014 witness.example/w1 AAAAAAAA\n".encode()), "gave no signature"),
        ((409, b"many"), "without saying what it has seen"),
        ((409, b"99999\n"), "has seen 99999 entries"),
        ((409, b"0\n"), "HTTP 409"),
        ((418, b""), "HTTP 418"),
        ((302, b""), "HTTP 302"),
        ((503, b""), r"cannot be reached \(HTTP 503\)"),
        ((200, b"x" * (1 << 19)), "cannot be used"),
    ],
)
def test_witness_that_answers_nonsense_is_not_believed(
    answer: tuple[int, bytes], says: str, sqlite_work: Work, tmp_path: Path
) -> None:
    with witness(tmp_path / "w", "another.example/log", _key_of("another.example/log")) as other:
        key = other.key
    with host(lambda _: (answer[0], {"Location": "http://127.0.0.1:1/"}, answer[1])) as false:
        anchored(sqlite_work, kind="witness", url=false.url, key=key, required=True)
        with pytest.raises(AnchorError, match=says):
            sign(sqlite_work)
    with sqlite_work.context.database.read() as connection:
        assert stored.evidence(connection, "witness") == []


def test_host_that_passes_is_asked_again() -> None:
    said: Iterator[tuple[int, dict[str, str], bytes]] = iter([(503, {}, b""), (200, {}, b"")])
    with host(lambda _: next(said)) as slow:
        assert http.post("it", slow.url, b"x", "text/plain", 5) == (200, b"")
        assert len(slow.asked) == 2


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with host(lambda _: (200, {}, b"direct")) as direct, host(lambda _: (200, {}, b"proxy")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert http.post("it", direct.url, b"x", "text/plain", 5).body == b"direct"
        assert proxy.asked == []


def test_host_that_never_answers_runs_into_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(AnchorError, match="cannot be reached"):
            http.post("it", url, b"x", "text/plain", 0.05)


def test_host_that_does_not_speak_tls_is_not_tried_again() -> None:
    with host(lambda _: (200, {}, b"")) as plain, pytest.raises(AnchorError, match="cannot be used"):
        http.post("it", plain.url.replace("http:", "https:"), b"x", "text/plain", 5)


# A crash between the steps.


@pytest.mark.parametrize("step", ["_publish", "cosigned"])
def test_process_that_dies_between_signing_and_anchoring_is_caught_up_with(
    step: str, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.take(ROWS)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, step, die)
        with pytest.raises(KeyboardInterrupt):
            work.purge(AUTUMN)
    work.reopen()
    work.run(LATER)
    anchor = work.context.settings.paths.anchor
    assert anchor is not None
    newest = work.ask("SELECT max(size) FROM audit_checkpoint")[0][0]
    assert f"\n{newest}\n" in anchor.read_text(encoding="utf-8")
    assert work.status(LATER).promise == "kept"


def test_note_torn_by_a_crash_is_passed_over_and_closed_off(work: Work) -> None:
    work.take(ROWS)
    anchor = work.context.settings.paths.anchor
    assert anchor is not None
    whole = anchor.read_bytes()
    last = whole.rstrip(b"\n").rpartition(b"\n\nretention/")[2]
    for length in range(1, len(last), 7):
        anchor.write_bytes(whole + b"\n\nretention/" + last[:length])
        work.hold(now=AUTUMN, contact=f"other-{length}")
        sign(work)
    assert work.purge(AUTUMN)[1].disposed == 24
    assert work.findings() == []


def test_checkpoint_command_prints_the_three_lines(sqlite_work: Work) -> None:
    sqlite_work.context.database.close()
    done = sqlite_work.office.cli("audit", "checkpoint")
    assert done.stdout.split("\n")[0].startswith("retention/DRILL-")
    assert done.stdout.split("\n")[1].isdecimal()


def test_check_names_every_anchor_and_those_that_cannot_be_used(sqlite_work: Work) -> None:
    anchored(sqlite_work, kind="timestamp", url="https://tsa.example/", certificate="nowhere.pem", required=True)
    sqlite_work.context.database.close()
    done = sqlite_work.office.cli("check")
    assert done.returncode == 2
    assert "  other: timestamp, https://tsa.example/; a purge stops where it fails" in done.stdout
    assert "nowhere.pem cannot be used" in done.stderr
    sqlite_work.office.configure(('anchor = "anchor/checkpoints.log"\n', ""))
    assert "NO anchor" in sqlite_work.office.cli("check").stdout
