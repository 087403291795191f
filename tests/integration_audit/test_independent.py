"""What leaves the program is checked by the standard library alone, and by openssl."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from retention import cycle
from retention.acts.exporting import export_to_file
from retention.audit.export import Selection
from retention.upkeep import sign_checkpoint
from retention.watcher import Watcher
from tests.kit import NOW, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.context import Context
    from tests.kit import Office

LATER = datetime(2027, 3, 1, 12, tzinfo=UTC)
DUE = 23


@pytest.fixture
def installation(office: Office) -> Iterator[Context]:
    """Give an installation that has ingested 40 messages and disposed of 23 of them, in three batches."""
    days = ["2026-11-05 09:00:00"] * DUE + ["2026-12-20 09:00:00"] * 17
    office.drop("inbox.csv", [row(f"message-{n:05d}", day) for n, day in enumerate(days)])
    context = office.open()
    cycle.ingest(context, datetime(2026, 12, 21, tzinfo=UTC), Watcher())
    assert cycle.run(context, LATER, Watcher()).run.disposed == DUE
    yield context
    context.database.close()


def root_of(lines: list[bytes]) -> bytes:
    """Compute the root of RFC 6962 with nothing but SHA-256."""
    level = [hashlib.sha256(b"\0" + line).digest() for line in lines]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def exported(context: Context, path: Path, how: str = "jsonl") -> Path:
    export_to_file(context, Selection(), "csv" if how == "csv" else "jsonl", path, now=LATER, person="auditor")
    return path


def test_root_of_the_exported_lines_is_the_signed_one(installation: Context, tmp_path: Path) -> None:
    lines = exported(installation, tmp_path / "log.jsonl").read_bytes().split(b"\n")
    assert all(
        json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) == line.decode() for line in lines[:-1]
    )
    origin, size, root, *_ = sign_checkpoint(installation, installation.signer(), LATER).split("\n")
    assert lines.pop() == b""
    assert (origin, int(size)) == (installation.installation.origin, len(lines))
    assert b64encode(root_of(lines)).decode() == root
    for line in lines:
        assert json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) == line.decode()


def test_every_row_of_the_table_is_a_line_and_its_batch(installation: Context, tmp_path: Path) -> None:
    table = exported(installation, tmp_path / "deletion-log.csv", "csv")
    lines = exported(installation, tmp_path / "log.jsonl").read_bytes().splitlines()
    entries = [json.loads(line) for line in lines]
    batches = {entry["batch"]: entry for entry in entries if entry["kind"] == "batch"}
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == DUE
    assert len(batches) == 3
    for found in rows:
        disposal = entries[int(found["entry_index"])]
        closing = batches[disposal["batch"]]
        own = {key: disposal[key] for key in ("batch", "network", "pseudonym", "received_on")}
        of_batch = ("rule", "authority", "cutoff", "run", "plan_digest", "schedule_digest")
        from_batch = {key: closing[key] for key in of_batch}
        expected = {**own, **from_batch, "disposed_at": closing["at"], "origin": installation.installation.origin}
        unguarded = {key: value.removeprefix("'") for key, value in found.items() if key != "entry_index"}
        assert unguarded == {key: str(value) for key, value in expected.items()}


@pytest.fixture
def openssl() -> str:
    """Find an openssl that knows Ed25519 and says so."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl on this machine to check signatures with")
    version = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
    if not version.startswith("OpenSSL 3"):
        pytest.skip(f"openssl 3 or later is needed to check Ed25519 with pkeyutl, this one is {version.strip()!r}")
    return program


def test_openssl_verifies_the_signed_checkpoint(sqlite_office: Office, tmp_path: Path, openssl: str) -> None:
    context = sqlite_office.open()
    text, _, signature = sign_checkpoint(context, context.signer(), NOW).partition("\n\n")
    context.database.close()
    head, signed = tmp_path / "head", tmp_path / "head.sig"
    signed.write_bytes(b64decode(signature.rpartition(" ")[2])[4:])
    key = str(context.key_folder / "signing.pub.pem")
    command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", str(head)]
    command += ["-sigfile", str(signed)]
    head.write_text(text + "\n", encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Signature Verified Successfully\n"), done.stderr
    head.write_text(text.replace("\n", "\n1", 1) + "\n", encoding="utf-8")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
