"""What is handed over with a bundle finds every change in it, and says which entry is the first that is wrong."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import aics_tlog
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.audit.bundle import HANDOVER
from retention.audit.bundle_verify import verify_exported
from retention.audit.checkpoint import Checkpoint, parse_vkey, sign, vkey
from retention.audit.entry import disposal_template
from retention.audit.handover import verify_bundle
from retention.audit.handover.verify_bundle import Folder, Key, NotVerifiedError, main, parse_key, parse_note
from retention.audit.merkle import Frontier, leaf_hashes
from retention.audit.signing import fingerprint
from retention.report.work import bundle_as_text
from tests.bundle_kit import ORIGIN, Log, batch, changed, contents_of, copied, files_of, heartbeat, signer
from tests.depth import tries

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = Key(ORIGIN, signer().verifier.public_key)
TOOLS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
SHELL = shutil.which("sh") or "/bin/sh"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the database of a log of 287 entries, and its bundle."""
    folder = tmp_path_factory.mktemp("made")
    log = Log.found(folder / "log.db").purge(99, 99, 85)
    log.export(folder / "bundle")
    log.database.close()
    return folder


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Iterator[Log]:
    log = Log.copied(made / "log.db", tmp_path / "log.db")
    yield log
    log.database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle with a full tile, partial ones of two sizes, a key that took over, an anchor and two proofs."""
    folder = tmp_path_factory.mktemp("shared")
    log = Log.found(folder / "log.db").purge(99, 99, 70)
    (folder / "anchor.log").write_text(log.note, encoding="utf-8")
    log.export(folder / "bundle", anchor=folder / "anchor.log")
    log.rotate(signer(2, signer())).purge(13).export(folder / "bundle", prove=[3])
    log.database.close()
    return folder / "bundle"


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """Give the bundle of 287 entries, to be spoilt."""
    return copied(made / "bundle", tmp_path / "bundle")


def ask(folder: Path, *keys: Key, since: tuple[bytes, ...] = ()) -> verify_bundle.Report:
    return verify_bundle.verify(Folder(folder), keys or [KEY], since)


def caught(folder: Path, index: int | None, problem: str, *, since: tuple[bytes, ...] = ()) -> None:
    found = ask(folder, since=since)
    assert any(problem in one for one in found.problems), found.problems
    assert found.first_bad_index == index, found.problems


def rewrite(folder: Path, lines: list[bytes]) -> None:
    """Make every file of a bundle anew from other entries, with everything but the key."""
    target = folder.with_name(f"{folder.name}-forged")
    log = Log.found(folder.with_name("forger.db"))
    log.sql("DELETE FROM audit_entry")
    log.rebuild()
    log.append(*lines)
    log.sql("DELETE FROM audit_checkpoint")
    log.signer = signer(9)
    log.sign().export(target)
    log.database.close()
    shutil.rmtree(folder)
    target.rename(folder)


def test_the_verifier_needs_nothing_of_ours() -> None:
    tree = ast.parse((HANDOVER / "verify_bundle.py").read_text("utf-8"))
    imported = {
        name.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {(node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_the_verifier_in_a_bundle_runs_by_itself(shared: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(shared / "verify_bundle.py"), str(shared)]
    own = fingerprint(signer(2).verifier)
    last = ""
    for more, code in (["--fingerprint", own], 0), ([], 3):
        done = subprocess.run([*command, *more], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (done.returncode, done.stderr) == (code, "")
        assert "287 entries" in done.stdout
        last = done.stdout
        assert last.endswith("\nVERIFIED\n") is not bool(code)
    assert "VERIFIED" not in last
    assert "CONSISTENT, SIGNER NOT CHECKED: the key came with the bundle." in last


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(60))
@given(data=st.data())
def test_no_byte_of_any_file_can_be_changed_unseen(data: st.DataObject, shared: Path) -> None:
    path = data.draw(st.sampled_from(files_of(shared)), label="file")
    offset = data.draw(st.integers(0, path.stat().st_size - 1), label="offset")
    difference = data.draw(st.integers(1, 255), label="difference")
    with changed(path, offset, difference):
        assert ask(shared).problems != []


def theirs(folder: Path) -> bool:
    """Ask the verifier that was written elsewhere about all that it reads: checkpoint, tiles, entries."""
    try:
        note = aics_tlog.parse_note((folder / "checkpoint").read_bytes())
        checked = aics_tlog.verify_checkpoint(note, aics_tlog.parse_vkey(vkey(signer(2).verifier)))
        if not checked.ok or checked.size is None or checked.root is None:
            return False
        aics_tlog.audit_tiles(aics_tlog.FileSystemTileReader(folder), checked.size, checked.root)
    except (ValueError, aics_tlog.TileMissingError, aics_tlog.TileVerificationError):
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(40))
@given(data=st.data())
def test_a_verifier_written_elsewhere_refuses_the_same_changes(data: st.DataObject, shared: Path) -> None:
    assert theirs(shared)
    read = ["tile/0/000", "tile/0/001.p/31", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/31"]
    path = shared / data.draw(st.sampled_from(read), label="file")
    offset = data.draw(st.integers(0, path.stat().st_size - 1), label="offset")
    with changed(path, offset, data.draw(st.integers(1, 255), label="difference")):
        assert not theirs(shared)


def test_both_refuse_every_change_of_the_signed_lines_of_a_checkpoint(shared: Path) -> None:
    path = shared / "checkpoint"
    length = path.read_bytes().index(b"\n\n") + 2
    for offset in range(length):
        with changed(path, offset, 1 + offset % 255):
            assert not theirs(shared)
            assert ask(shared).problems != []


@pytest.mark.parametrize("name", ["checkpoint", "keys/log.vkey", "SHA256SUMS", "checkpoints/1"])
def test_every_byte_of_the_files_that_all_rests_on_counts(shared: Path, name: str) -> None:
    for offset in range(0, (shared / name).stat().st_size, 41):
        with changed(shared / name, offset, 0x20):
            assert ask(shared).problems != []


def test_every_file_is_missed(shared: Path, tmp_path: Path) -> None:
    folder = copied(shared, tmp_path / "copy")
    for path in files_of(folder):
        if re.search(r"\.p/16$", path.as_posix()):
            continue  # an older, narrower tile that the wide one stands in for
        path.rename(tmp_path / "away")
        assert ask(folder).problems != [], path
        (tmp_path / "away").rename(path)
    assert ask(folder).problems == []


@pytest.mark.parametrize(
    "name",
    [
        "letter.txt",
        "checkpoints/77",
        "tile/0/002",
        "tile/0/001.p/32",
        "tile/0/x000/000",
        "tile/0/001",
        "tile/0/x001/000",
        "tile/0/letter",
        "tile/2/000.p/1",
    ],
)
def test_a_file_too_many_is_named(shared: Path, tmp_path: Path, name: str) -> None:
    folder = copied(shared, tmp_path / "copy")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes((folder / "checkpoints/1").read_bytes())
    assert ask(folder).problems != []


def test_of_many_strange_files_the_first_are_named_and_the_rest_counted(bundle: Path) -> None:
    for number in range(verify_bundle.MOST_FILES + 3):
        (bundle / f"strange-{number:02}").touch()
    found = ask(bundle).problems
    assert "3 more files are not as SHA256SUMS lists them" in found
    assert sum("strange-" in one for one in found) == verify_bundle.MOST_FILES


def test_a_link_in_place_of_a_file_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    (bundle / "entries.jsonl").rename(tmp_path / "elsewhere")
    (bundle / "entries.jsonl").symlink_to(tmp_path / "elsewhere")
    caught(bundle, 0, "entries.jsonl does not have the 287 entries")


@pytest.mark.parametrize("name", ["extra", "tile/evil", "tile", "tile/0", "anchors", "proofs/285.json", "tile/0/evil"])
@pytest.mark.parametrize("to", ["folder", "file", "nowhere"])
def test_a_link_is_refused_wherever_it_is_and_whatever_it_leads_to(
    bundle: Path, tmp_path: Path, name: str, to: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    kept = tmp_path / "kept"
    if (bundle / name).exists():
        (bundle / name).rename(kept)
    (bundle / name).symlink_to(kept if kept.exists() and to == "folder" else tmp_path / to)
    assert f"{name} is a link: a bundle has none" in ask(bundle).problems


@pytest.mark.parametrize("name", ["extra", "tile/5", "proofs/sub/sub", "checkpoints/287.d"])
def test_a_folder_that_holds_nothing_is_named(bundle: Path, name: str) -> None:
    (bundle / name).mkdir(parents=True)
    assert f"{name} is a folder without a file: a bundle has none" in ask(bundle).problems


def test_a_pipe_is_named_and_not_read(bundle: Path) -> None:
    os.mkfifo(bundle / "pipe")
    assert ask(bundle).problems == ["pipe is neither a file nor a folder: a bundle has none"]


@pytest.mark.parametrize("place", ["", "tile/0/", "checkpoints/", "proofs/", "SHA256SUMS"])
@pytest.mark.parametrize("name", ["a\nVERIFIED\nb", "a\x1b[2Kb", "a\rVERIFIED", "a VERIFIED", "a\u202eb", "a\udc80b"])
def test_no_name_can_pass_for_a_finding_of_ours(
    bundle: Path, capsys: pytest.CaptureFixture[str], place: str, name: str
) -> None:
    if place == "SHA256SUMS":
        with (bundle / place).open("ab") as file:
            file.write(f"{'0' * 64}  {name}\n".encode(errors="replace"))
    else:
        note = (bundle / "checkpoint").read_bytes()
        (bundle / f"{place}{name}{'.tlog-proof' if place == 'proofs/' else ''}").write_bytes(note)
    assert main([str(bundle), "--key", KEY.vkey]) == 1
    said = capsys.readouterr().out
    assert said.endswith("\nNOT VERIFIED\n")
    assert "\nVERIFIED" not in said
    assert (place == "SHA256SUMS" and "\n" in name) or re.search(r"'[^'\n]+'", said)
    assert said.replace("\n", "").isprintable()
    problems = bundle_as_text(verify_exported(bundle, [parse_vkey(KEY.vkey)]).found, "", trusted=True)
    assert problems.replace("\n", "").isprintable()


def test_the_name_of_a_log_cannot_pass_for_anything_else_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = "a\x9b2Kb"
    key = signer(name=origin)
    frontier = Frontier()
    frontier.append(leaf_hashes([b"{}"]))
    note = sign(Checkpoint(origin, 1, frontier.root()), key)
    (tmp_path / "proof").write_text(f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}", encoding="utf-8")
    (tmp_path / "entry").write_bytes(b"{}")
    (tmp_path / "key").write_text(vkey(key.verifier), encoding="utf-8")
    given = ["--proof", str(tmp_path / "proof"), "--entry", str(tmp_path / "entry"), "--key", str(tmp_path / "key")]
    assert main(given) == 0
    assert capsys.readouterr().out.startswith("'a\\x9b2Kb': 1 entries")


@pytest.mark.parametrize("index", [0, 1, 100, 101, 255, 256, 286])
def test_an_edited_line_is_named(bundle: Path, index: int) -> None:
    lines = (bundle / "entries.jsonl").read_bytes().splitlines(keepends=True)
    lines[index] = heartbeat(5) + b"\n"
    (bundle / "entries.jsonl").write_bytes(b"".join(lines))
    assert ask(bundle).first_bad_index == index


@pytest.mark.parametrize("line", [b"no JSON\n", b"[]\n", b"{}\n"])
def test_a_line_that_nobody_can_read_is_named(bundle: Path, line: bytes) -> None:
    lines = (bundle / "entries.jsonl").read_bytes().splitlines(keepends=True)
    lines[100] = line
    (bundle / "entries.jsonl").write_bytes(b"".join(lines))
    assert ask(bundle).first_bad_index == 100


def test_a_batch_that_was_changed_says_nothing_about_its_disposals(bundle: Path) -> None:
    lines = (bundle / "entries.jsonl").read_bytes().splitlines(keepends=True)
    lines[100] = lines[100].replace(b'"due_before":"2026-08-22"', b'"due_before":"2026-08-02"')
    (bundle / "entries.jsonl").write_bytes(b"".join(lines))
    caught(bundle, 100, "tile/0/000 does not fit the entries")


@pytest.mark.parametrize(
    ("change", "index"),
    [
        (lambda lines: lines[:120] + lines[121:], 120),
        (lambda lines: [*lines[:120], lines[120], *lines[120:]], 121),
        (lambda lines: [*lines[:120], lines[121], lines[120], *lines[122:]], 120),
        (lambda lines: lines[:-1], 286),
        (lambda lines: [*lines, heartbeat(1)], 287),
    ],
    ids=["dropped", "inserted", "reordered", "truncated", "appended"],
)
def test_dropped_inserted_and_reordered_lines_are_named(bundle: Path, change: object, index: int) -> None:
    assert callable(change)
    lines = change((bundle / "entries.jsonl").read_bytes().splitlines())
    (bundle / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    found = ask(bundle)
    assert found.problems
    assert found.first_bad_index == index


def test_a_line_without_end_or_without_measure_ends_the_verification(bundle: Path) -> None:
    whole = (bundle / "entries.jsonl").read_bytes()
    for spoilt in (whole[:-1], whole.replace(b"\n", b" ")[:40_000] + b"x" * 70_000):
        (bundle / "entries.jsonl").write_bytes(spoilt)
        caught(bundle, None, "is too long or has no end")


def test_an_edited_upper_tile_names_the_first_entry_under_it(bundle: Path) -> None:
    with changed(bundle / "tile/1/000.p/1", 5, 1):
        caught(bundle, 0, "tile/1/000.p/1 does not fit the entries")


def test_a_large_tree_is_verified_up_to_its_third_level(tmp_path: Path) -> None:
    log = Log.found(tmp_path / "log.db")
    log.append(*[heartbeat(1)] * 65_800).sign().export(tmp_path / "bundle")
    log.database.close()
    folder = tmp_path / "bundle"
    with changed(folder / "tile/1/000", 64, 1), changed(folder / "tile/1/001.p/1", 0, 1):
        found = ask(folder)
    assert found.first_bad_index == 512
    assert [one.partition(" ")[0] for one in found.problems] == ["tile/1/000", "tile/1/001.p/1", "tile/1/001.p/1"]


def test_everything_rebuilt_without_the_key_is_refused(bundle: Path) -> None:
    lines = (bundle / "entries.jsonl").read_bytes().splitlines()
    own = lines[0].replace(KEY.vkey.encode(), vkey(signer(9).verifier).encode())
    rewrite(bundle, [own, *lines[1:]])
    caught(bundle, None, "is not signed by the key that this log had then")
    assert verify_bundle.verify(Folder(bundle), []).problems == []  # by its own key it is whole: hence the fingerprint


def test_history_rewritten_with_the_key_is_caught_by_the_checkpoint_that_was_kept(
    log: Log, bundle: Path, tmp_path: Path
) -> None:
    kept = [(bundle / f"checkpoints/{size}").read_bytes() for size in (101, 201, 287)]
    log.sql("UPDATE audit_entry SET body = :body WHERE seq = 287 - 1", body=heartbeat(3).decode())
    log.sql("UPDATE audit_entry SET body = :body WHERE seq = 150", body=heartbeat(3).decode())
    log.rebuild(sign_again=True)
    log.export(tmp_path / "rewritten")
    honest = [one for one in ask(tmp_path / "rewritten").problems if "root" in one]
    assert honest == []
    found = ask(tmp_path / "rewritten", since=tuple(kept))
    assert any(
        "the first 201 entries do not have the root of the checkpoint that was kept" in one for one in found.problems
    )


def test_an_old_genuine_checkpoint_replayed_is_caught_by_the_one_that_was_kept(
    log: Log, bundle: Path, tmp_path: Path
) -> None:
    note = (bundle / "checkpoint").read_bytes()
    log.sql("DELETE FROM audit_entry WHERE seq >= 201")
    log.sql("DELETE FROM audit_checkpoint WHERE size > 201")
    log.rebuild()
    log.sign().export(tmp_path / "cut")
    assert ask(tmp_path / "cut").problems == []
    caught(tmp_path / "cut", 201, "was signed at size 287, there are 201 entries", since=(note,))


def test_a_checkpoint_of_another_log_is_no_memory_of_this_one(bundle: Path) -> None:
    other = sign(Checkpoint("retention/other", 0, Frontier().root()), signer(name="retention/other")).encode()
    caught(bundle, None, "is not signed by the key that this log had then", since=(other,))


def test_a_fork_of_the_same_size_is_refused(bundle: Path) -> None:
    lines = (bundle / "entries.jsonl").read_bytes().splitlines()
    frontier = Frontier()
    frontier.append(leaf_hashes([*lines[:-1], heartbeat(8)]))
    fork = sign(Checkpoint(ORIGIN, len(lines), frontier.root()), signer())
    caught(
        bundle,
        287,
        "the first 287 entries do not have the root of the checkpoint that was kept",
        since=(fork.encode(),),
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"count": 4}, "the batch at entry 295 does not describe the disposals before it"),
        ({"first": 287}, "the batch at entry 295 does not describe the disposals before it"),
        ({"batch": 8}, "the batch at entry 295 does not describe the disposals before it"),
        ({"due_before": "2026-08-20"}, "entry 292 was not due under the cutoff of its batch"),
    ],
)
def test_a_batch_that_lies_is_named_although_it_was_signed(
    log: Log, tmp_path: Path, change: dict[str, int | str], problem: str
) -> None:
    entries = [heartbeat(1), heartbeat(2), heartbeat(3), *batch(7, 290, 5, **change)]
    log.append(*entries).sign().export(tmp_path / "bundle")
    assert problem in ask(tmp_path / "bundle").problems


def test_disposals_of_two_batches_are_told_apart(log: Log, tmp_path: Path) -> None:
    mixed = [batch(7, 287, 1)[0], batch(6, 288, 1)[0], batch(7, 287, 2)[2]]
    log.append(*mixed).sign().export(tmp_path / "bundle")
    assert ask(tmp_path / "bundle").problems == ["entry 288 belongs to another batch than its neighbours"]


def test_a_table_with_more_rows_is_named(bundle: Path) -> None:
    with (bundle / "deletion-log.csv").open("ab") as table:
        table.write(b"286,2026\r\n")
    caught(bundle, None, "deletion-log.csv has more lines than there are disposals")


def test_a_proof_of_something_else_is_named(bundle: Path) -> None:
    (bundle / "proofs/285.json").write_bytes(heartbeat(1))
    caught(bundle, None, "proofs/285.tlog-proof does not prove its entry")


def test_checkpoints_under_wrong_names_are_refused(bundle: Path) -> None:
    (bundle / "checkpoints/101").rename(bundle / "checkpoints/102")
    caught(bundle, None, "a file in checkpoints/ is not the checkpoint of the size that it is named after")


def test_whoever_trusts_the_first_key_is_led_to_the_one_that_took_over(shared: Path) -> None:
    second = Key(ORIGIN, signer(2).verifier.public_key)
    assert ask(shared, KEY).problems == []
    assert ask(shared, second).problems == []
    assert ask(shared, Key(ORIGIN, signer(3).verifier.public_key)).problems != []


def test_a_retired_key_signs_nothing_more(log: Log, tmp_path: Path) -> None:
    log.rotate(signer(2, signer()))
    log.signer = signer()
    log.append(heartbeat(1))
    with log.database.write() as connection:
        head = Checkpoint(ORIGIN, *log.log.head(connection))
        log.note = sign(head, signer())
    log.export(tmp_path / "bundle")
    caught(tmp_path / "bundle", None, "checkpoints/289 of size 289, is not signed by the key that this log had then")


def test_a_log_whose_first_entry_names_no_key_rests_on_the_one_that_is_given(tmp_path: Path) -> None:
    log = Log.found(tmp_path / "log.db", first_key="none")
    log.export(tmp_path / "bundle")
    log.database.close()
    assert ask(tmp_path / "bundle").problems == []


def test_a_key_in_the_bundle_that_nothing_leads_to_is_named(bundle: Path) -> None:
    stranger = Key(ORIGIN, signer(4).verifier.public_key)
    (bundle / "keys/log.vkey").write_text(stranger.vkey + "\n", encoding="utf-8")
    (bundle / "keys/log.pem").write_bytes(stranger.pem)
    caught(bundle, None, "the key in keys/ is not one that the trusted key leads to")


@pytest.mark.parametrize(
    "text",
    ["", "a+b+c", "a+00000000+AQ==", f"{KEY.vkey}x", KEY.vkey.replace("+", "-"), KEY.vkey[:-1], f"{KEY.vkey}\n\n"],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NotVerifiedError):
        parse_key(text)


def test_keys_are_spelled_as_everybody_does() -> None:
    assert KEY.vkey == vkey(signer().verifier)
    assert KEY.fingerprint == fingerprint(signer().verifier)
    assert parse_key(KEY.vkey + "\n") == KEY


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n7\nextension\n"),
        ("\n", "\r\n"),
        ("\n\n", "\n"),
        ("=\n\n", "=\n\n\n"),
        ("\u2014", "-"),
        (b64encode(bytes(32)).decode(), b64encode(bytes(31)).decode()),
        (b64encode(bytes(32)).decode(), b64encode(bytes(32)).decode().replace("A=", "B=")),
    ],
)
def test_a_checkpoint_of_another_spelling_is_refused(old: str, new: str) -> None:
    note = sign(Checkpoint(ORIGIN, 7, bytes(32)), signer())
    parse_note(note.encode())
    assert old in note
    with pytest.raises(NotVerifiedError):
        parse_note(note.replace(old, new).encode())


def proof_files(shared: Path) -> tuple[str, str]:
    return str(shared / "proofs/3.tlog-proof"), str(shared / "proofs/3.json")


def misused(capsys: pytest.CaptureFixture[str], why: str, *arguments: str) -> None:
    """Run the program in a way it cannot be run: that says nothing of the log, and nothing is said of it."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (2, "")
    assert why in said.err


def test_a_proof_is_verified_alone(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof, entry = proof_files(shared)
    assert main(["--proof", proof, "--entry", entry, "--key", KEY.vkey]) == 0
    assert "287 entries" in capsys.readouterr().out
    assert main(["--proof", proof, "--entry", entry, "--key", Key(ORIGIN, b"k" * 32).vkey]) == 1
    assert "not signed by the key that was given" in capsys.readouterr().out
    assert main(["--proof", proof, "--entry", str(shared / "checkpoint"), "--key", KEY.vkey]) == 1
    assert main(["--proof", entry, "--entry", entry, "--key", KEY.vkey]) == 1
    misused(capsys, "nowhere: cannot be read", "--proof", str(shared / "nowhere"), "--entry", entry, "--key", KEY.vkey)


@pytest.mark.parametrize("index", [0, 1, 4, 6])
def test_a_path_that_is_too_long_or_too_short_is_refused(index: int, log: Log) -> None:
    bodies = [heartbeat(n) for n in range(7)]
    hashes = leaf_hashes(bodies)
    frontier = Frontier()
    frontier.append(hashes)
    note = sign(Checkpoint(ORIGIN, 7, frontier.root()), signer())
    full = {
        0: [hashes[1]],
        1: [hashes[0]],
        4: [hashes[5]],
        6: [],
    }[index]
    for path in (full, [*full, *[bytes(32)] * 9]):
        lines = "".join(f"{b64encode(one).decode()}\n" for one in path)
        with pytest.raises(NotVerifiedError, match="does not lead from the entry"):
            verify_bundle.check_proof(f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n{note}".encode(), bodies[index])
    assert log.size == 287


def test_the_command_line_says_what_is_wrong_and_where(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = str(bundle / "checkpoints/101")
    assert main([str(bundle), "--key", str(bundle / "keys/log.vkey"), "--since", old]) == 0
    said = capsys.readouterr().out
    assert f"It begins with the 101 entries of the checkpoint that was kept: {old}\nVERIFIED\n" in said
    assert main([str(bundle), "--fingerprint", KEY.fingerprint.upper()]) == 0
    spaced = " ".join(KEY.fingerprint[place : place + 4] for place in range(0, 64, 4))
    assert main([str(bundle), "--fingerprint", spaced, "--key", KEY.vkey]) == 0
    assert main([str(bundle)]) == 3
    assert f"own key has the SHA-256 {KEY.fingerprint}" in capsys.readouterr().out
    assert main([str(bundle), "--fingerprint", "00" * 32]) == 1
    said = capsys.readouterr().out
    assert said == "PROBLEM: the key in the bundle does not have the fingerprint that was given\nNOT VERIFIED\n"
    with changed(bundle / "tile/0/000", 32 * 77, 1):
        assert main([str(bundle)]) == 1
    told = capsys.readouterr().out
    assert "FIRST BAD ENTRY: 77\n" in told
    assert told.endswith("NOT VERIFIED\n")


def test_what_is_no_key_no_fingerprint_and_no_checkpoint_is_wrong_usage(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, good = str(bundle), KEY.fingerprint
    misused(capsys, "neither a file with a key nor a key", folder, "--key", "no key")
    misused(capsys, "neither a file with a key nor a key", folder, "--key", str(bundle / "checkpoint"))
    misused(capsys, "neither a file with a key nor a key", folder, "--key", "x" * 5000)
    misused(capsys, "a key in PEM does not say which log it is of", folder, "--key", str(bundle / "keys/log.pem"))
    private = tmp_path / "signing.pem"
    private.write_text("-----BEGIN PRIVATE KEY-----\n", encoding="utf-8")
    misused(capsys, "this is a private key; it stays where it is", folder, "--key", str(private))
    misused(capsys, "takes the 64 hexadecimal digits", folder, "--fingerprint", "THE-ONE-FROM-THE-LETTER")
    misused(capsys, "takes the 64 hexadecimal digits", folder, "--fingerprint", "")
    misused(capsys, "--key is not the key of --fingerprint", folder, "--fingerprint", "00" * 32, "--key", KEY.vkey)
    misused(capsys, "nowhere: cannot be read", folder, "--fingerprint", good, "--since", str(bundle / "nowhere"))
    misused(capsys, "is not a signed checkpoint", folder, "--fingerprint", good, "--since", str(bundle / "VERIFY.md"))
    misused(capsys, "unpack a tar file first", str(tmp_path / "bundle.tar"), "--fingerprint", good)


def test_a_fingerprint_from_before_a_rotation_leads_to_the_key_that_took_over(shared: Path) -> None:
    for seed, wrong in (1, []), (2, []), (3, ["the key in the bundle does not have the fingerprint that was given"]):
        known = fingerprint(signer(seed).verifier)
        assert verify_bundle.verify(Folder(shared), [], fingerprint=known).problems == wrong


def test_whoever_names_the_real_key_in_a_log_of_their_own_does_not_verify(tmp_path: Path) -> None:
    folder = tmp_path / "forged"
    folder.mkdir()
    log = Log.found(folder / "log.db", KEY.vkey)
    log.signer = signer(9)
    log.rebuild(sign_again=True)
    log.rotate(signer(9)).export(folder / "bundle")
    log.database.close()
    found = verify_bundle.verify(Folder(folder / "bundle"), [], fingerprint=KEY.fingerprint)
    assert any("is not signed by the key that this log had then" in one for one in found.problems)


def test_a_row_is_told_by_its_line_in_the_file(bundle: Path) -> None:
    table = (bundle / "deletion-log.csv").read_bytes().splitlines(keepends=True)
    (bundle / "deletion-log.csv").write_bytes(b"".join([*table[:4], table[4].replace(b"fb", b"ig"), *table[5:]]))
    caught(bundle, None, "deletion-log.csv, line 5, does not say what entry 4 says")
    (bundle / "deletion-log.csv").unlink()
    caught(bundle, None, "deletion-log.csv is missing, or does not begin with the names of its columns")


def test_a_cell_with_a_line_of_its_own_and_a_pseudonym_with_a_minus_are_compared_right(tmp_path: Path) -> None:
    log = Log.found(tmp_path / "log.db")
    disposal = disposal_template(1)("fb", "-" + "a" * 21, "2026-08-01")
    closing = batch(1, 1, 1, authority="Notice,\nsection 2")[-1]
    log.append(disposal, closing, *batch(2, 3, 2)).sign().export(tmp_path / "bundle")
    log.database.close()
    assert ask(tmp_path / "bundle").problems == []
    table = (tmp_path / "bundle/deletion-log.csv").read_bytes()
    assert b"\r\n1,2026-11-22T12:00:00Z,2026-08-01,fb,'-aaa" in table
    (tmp_path / "bundle/deletion-log.csv").write_bytes(table.replace(b"\r\n4,", b"\r\n9,"))
    caught(tmp_path / "bundle", None, "deletion-log.csv, line 5, does not say what entry 4 says")


@pytest.mark.parametrize("arguments", [[], ["a", "--proof", "b"], ["--proof", "b"], ["--proof", "b", "--entry", "c"]])
def test_wrong_usage_has_its_own_exit_code(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "name a bundle, or --proof" in capsys.readouterr().err


def test_a_kept_checkpoint_may_have_lost_its_last_newline(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes((bundle / "checkpoints/101").read_bytes()[:-1])
    assert main([str(bundle), "--key", KEY.vkey, "--since", str(kept)]) == 0
    kept.write_bytes((bundle / "checkpoints/101").read_bytes()[:-2])
    misused(capsys, "is not a signed checkpoint", str(bundle), "--key", KEY.vkey, "--since", str(kept))


def test_many_problems_are_not_all_told() -> None:
    report = verify_bundle.Report()
    for _ in range(300):
        report.add("one more")
    assert len(report.problems) == 100


def script(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [SHELL, str(HANDOVER / "check_record.sh"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": TOOLS})


def test_one_record_is_verified_with_openssl_alone(shared: Path) -> None:
    done = script(*proof_files(shared), shared / "keys/log.pem")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"SHOWN: record 3 of 287 in {ORIGIN}" in done.stdout
    assert fingerprint(signer(2).verifier) in done.stdout
    assert script("only one").returncode == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(8))
@given(data=st.data())
def test_no_byte_of_a_record_or_its_proof_can_be_changed_unseen_by_the_script(
    data: st.DataObject, bundle_of_one_key: Path
) -> None:
    proof, entry = bundle_of_one_key / "proofs/3.tlog-proof", bundle_of_one_key / "proofs/3.json"
    path = data.draw(st.sampled_from([proof, proof, proof, entry]))
    offset = data.draw(st.integers(0, path.stat().st_size - 1))
    with changed(path, offset, data.draw(st.integers(1, 255))):
        done = script(proof, entry, bundle_of_one_key / "keys/log.pem")
    assert done.returncode == 1
    assert done.stdout.startswith("NOT SHOWN")


@pytest.fixture(scope="module")
def bundle_of_one_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one-key")
    log = Log.found(folder / "log.db").purge(99)
    log.export(folder / "bundle", prove=[3])
    log.database.close()
    return folder / "bundle"


def test_every_command_that_a_bundle_tells_people_to_run_works(shared: Path, tmp_path: Path) -> None:
    folder = copied(shared, tmp_path / "a folder")
    before = contents_of(folder)
    blocks = re.findall(r"^```sh\n(.*?)^```$", (folder / "VERIFY.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    letter = fingerprint(signer(2).verifier)
    assert "".join(blocks).count("THE-ONE-FROM-THE-LETTER") == 2
    assert letter not in (folder / "VERIFY.md").read_text("utf-8")
    said = []
    for block in blocks:
        environment = {"PATH": TOOLS, "HOME": str(tmp_path)}
        done = subprocess.run(
            [SHELL, "-e"],
            input=block.replace("THE-ONE-FROM-THE-LETTER", letter),
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        said.append(done.stdout)
    assert letter in said[0]
    assert said[2].count('"ok": true') >= 3
    assert said[3].startswith("SHOWN: record")
    assert "has the root that was signed" in said[4]
    assert said[5].count("\nVERIFIED\n") == 2
    assert contents_of(folder) == before
