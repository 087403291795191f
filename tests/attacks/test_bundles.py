"""Every fault that an exported bundle must withstand, in a folder and in a tar file, by whoever wrote it anew.

The attacker is no fool: sums and table are made anew after every change. Without the key the signature is what is left.
"""

from __future__ import annotations

import hashlib
import random
import re
from typing import TYPE_CHECKING

import aics_tlog
import pytest

from retention.audit.bundle_tar import write_archive
from retention.audit.bundle_verify import verify_exported
from retention.audit.checkpoint import Checkpoint, open_note, sign, vkey
from retention.audit.handover import verify_bundle
from retention.audit.signing import fingerprint
from retention.audit.tlog_proof import parse_proof, verify_proof
from retention.errors import LogError
from tests.bundle_kit import Log, changed, copied, files_of, heartbeat, signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retention.audit.verify import Verification

KEY = signer().verifier
SIZE = 301
TILE = "tile/0/000"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle of 301 entries with every kind of file in it: narrower tiles, proofs, an anchor."""
    folder = tmp_path_factory.mktemp("shared")
    log = Log.found(folder / "log.db").purge(99, 99, 85)
    (folder / "anchor").write_text(log.note + "\n", encoding="utf-8")
    log.export(folder / "bundle", anchor=folder / "anchor")
    log.purge(13).export(folder / "bundle", prove=[3], anchor=folder / "anchor")
    log.database.close()
    return folder / "bundle"


@pytest.fixture
def bundle(shared: Path, tmp_path: Path) -> Path:
    return copied(shared, tmp_path / "bundle")


def sum_again(bundle: Path) -> None:
    """Make SHA256SUMS fit whatever the files are now, and sign it with the log's own key."""
    names = [line.partition("  ")[2] for line in (bundle / "SHA256SUMS").read_text("utf-8").splitlines()]
    there = [name for name in names if (bundle / name).exists()]
    sums = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in there]
    (bundle / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    size = int((bundle / "checkpoint").read_text("utf-8").splitlines()[1])
    text = verify_bundle.list_text(KEY.name, size, "".join(sums).encode())
    (bundle / "SHA256SUMS.note").write_text(f"{text}\n{signer().signature_line(text)}", encoding="utf-8")


def lines(bundle: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = bundle / "entries.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in change(path.read_bytes().splitlines())))


def edit(bundle: Path) -> None:
    lines(bundle, lambda all_: [*all_[:120], heartbeat(5), *all_[121:]])


def delete(bundle: Path) -> None:
    lines(bundle, lambda all_: all_[:120] + all_[121:])


def insert(bundle: Path) -> None:
    lines(bundle, lambda all_: [*all_[:120], heartbeat(5), *all_[120:]])


def swap(bundle: Path) -> None:
    lines(bundle, lambda all_: [*all_[:120], all_[121], all_[120], *all_[122:]])


def truncate(bundle: Path) -> None:
    lines(bundle, lambda all_: all_[:250])


def spoil_tile(bundle: Path) -> None:
    data = bytearray((bundle / TILE).read_bytes())
    data[9 * 32] ^= 1
    (bundle / TILE).write_bytes(data)


def note(bundle: Path, change: Callable[[str], str]) -> None:
    """Change the newest checkpoint in both its places."""
    for name in ("checkpoint", f"checkpoints/{SIZE}"):
        path = bundle / name
        path.write_bytes(change(path.read_bytes().decode()).encode())


def replay(bundle: Path) -> None:
    """Put an older genuine checkpoint in the place of the newest, and leave the entries."""
    (bundle / "checkpoint").write_bytes((bundle / "checkpoints/201").read_bytes())


def strip(bundle: Path) -> None:
    note(bundle, lambda text: text.partition("\n\n")[0] + "\n\n")


def signed_again(change: Callable[[str], str]) -> Callable[[Path], None]:
    """Spell the checkpoint another way under a good signature by the log's own key."""

    def spell(text: str) -> str:
        spelled = change(text.partition("\n\n")[0] + "\n")
        return f"{spelled}\n{signer().signature_line(spelled)}"

    return lambda bundle: note(bundle, spell)


def sign_by_another(bundle: Path) -> None:
    head = verify_bundle.parse_note((bundle / "checkpoint").read_bytes())
    forged = sign(Checkpoint(head.origin, head.size, head.root), signer(9))
    note(bundle, lambda _: forged)


def asked(path: Path, *since: str) -> Verification:
    """Ask about the folder, and about a tar file of it, which must answer the same."""
    found = verify_exported(path, [KEY], since).found
    archive = path.with_name(f"{path.name}.tar")
    with archive.open("wb") as out:
        write_archive(path, out)
    packed = verify_exported(archive, [KEY], since).found
    assert (packed.first_bad_index, bool(packed.problems)) == (found.first_bad_index, bool(found.problems))
    return found


@pytest.mark.parametrize(
    ("attack", "index"),
    [
        pytest.param(edit, 120, id="edited"),
        pytest.param(delete, 120, id="deleted"),
        pytest.param(insert, 120, id="inserted"),
        pytest.param(swap, 120, id="reordered"),
        pytest.param(truncate, 250, id="truncated"),
        pytest.param(spoil_tile, 9, id="tile edited"),
        pytest.param(replay, 0, id="older checkpoint"),
        pytest.param(strip, None, id="signature stripped"),
        pytest.param(sign_by_another, None, id="another key"),
        pytest.param(signed_again(lambda text: text.replace("\n301\n", "\n0301\n")), None, id="leading zero"),
        pytest.param(signed_again(lambda text: text + "more\n"), None, id="extra line"),
        pytest.param(signed_again(lambda text: text.replace("\n", "\r\n")), None, id="CRLF"),
        pytest.param(
            signed_again(lambda text: f"{text[:-3]}{chr(ord(text[-3]) + 1)}=\n"), None, id="base64 of another spelling"
        ),
    ],
)
def test_fault_is_found_in_folder_and_tar_file(bundle: Path, attack: Callable[[Path], None], index: int | None) -> None:
    attack(bundle)
    sum_again(bundle)
    found = asked(bundle)
    assert found.problems
    assert found.first_bad_index == index, found.problems


DROPPED = [
    "anchors/checkpoints.log",
    "checkpoints/101",
    "entries.jsonl",
    "deletion-log.csv",
    "proofs/3.json",
    "VERIFY.md",
]


def told(bundle: Path) -> list[list[str]]:
    """Ask both verifiers, about the folder and about a tar file, for what they say of the files."""
    archive = bundle.with_name("told.tar")
    with archive.open("wb") as out:
        write_archive(bundle, out)
    answers = [verify_exported(path, [KEY]).found.problems for path in (bundle, archive)]
    return [*answers, verify_bundle.verify(verify_bundle.Folder(bundle), [], fingerprint=fingerprint(KEY)).problems]


@pytest.mark.parametrize("name", DROPPED)
def test_a_file_that_was_dropped_changed_or_added_on_the_way_is_named(bundle: Path, name: str) -> None:
    whole = (bundle / name).read_bytes()
    (bundle / name).unlink()
    for problems in told(bundle):
        assert f"{name} is missing: SHA256SUMS lists it" in problems
    (bundle / name).write_bytes(whole + b" ")
    for problems in told(bundle):
        assert f"{name} was changed: it is not the file that SHA256SUMS lists" in problems
    (bundle / name).write_bytes(whole)
    (bundle / "letter.txt").write_bytes(b"")
    assert told(bundle) == [["letter.txt was added: it is not among the files that SHA256SUMS lists"]] * 3


def test_whoever_adjusts_the_list_too_lacks_the_signature_over_it(bundle: Path) -> None:
    signed = (bundle / "SHA256SUMS.note").read_bytes()
    (bundle / "VERIFY.md").write_text("All is well.\n", encoding="utf-8")
    (bundle / "anchors/checkpoints.log").unlink()
    (bundle / "anchors").rmdir()
    sum_again(bundle)
    assert told(bundle) == [[]] * 3  # who has the key can leave out what it likes: no list inside can show that
    text = (bundle / "SHA256SUMS.note").read_text("utf-8").partition("\n\n")[0] + "\n"
    unsigned = "SHA256SUMS.note does not show that the key of the log signed this list of files with this checkpoint"
    for note in (signed, f"{text}\n{signer(9).signature_line(text)}".encode(), b"no note", text.encode() + b"\n\n"):
        (bundle / "SHA256SUMS.note").write_bytes(note)
        assert told(bundle) == [[unsigned]] * 3
    (bundle / "SHA256SUMS.note").unlink()
    assert (
        told(bundle)
        == [["SHA256SUMS.note is missing: nothing shows that the key of the log signed this list of files"]] * 3
    )
    (bundle / "SHA256SUMS").unlink()
    assert "SHA256SUMS is missing: nothing says which files belong to this bundle" in told(bundle)[0]


def test_a_signature_over_the_list_of_another_checkpoint_does_not_count(bundle: Path) -> None:
    listed = (bundle / "SHA256SUMS").read_bytes()
    text = verify_bundle.list_text(KEY.name, SIZE - 1, listed)
    (bundle / "SHA256SUMS.note").write_text(f"{text}\n{signer().signature_line(text)}", encoding="utf-8")
    assert all("does not show" in problems[0] for problems in told(bundle))


def test_what_is_signed_of_a_list_is_no_checkpoint(shared: Path) -> None:
    with pytest.raises(verify_bundle.NotVerifiedError):
        verify_bundle.parse_note((shared / "SHA256SUMS.note").read_bytes())
    with pytest.raises(LogError):
        open_note((shared / "SHA256SUMS.note").read_text("utf-8"), [KEY])


def test_many_files_that_are_gone_do_not_hide_what_else_is_wrong(bundle: Path) -> None:
    for number in range(150):
        (bundle / f"letter-{number:03d}.txt").write_bytes(b"")
    edit(bundle)
    found = asked(bundle)
    assert "more files are not as SHA256SUMS lists them" in found.problems[20]
    assert found.first_bad_index == 120
    assert "tile/0/000 does not fit the entries" in found.problems


def exported(folder: Path, change: str = "", *, grow: int = 0) -> Path:
    """Export a log that its own key has rewritten from the entry at which ``change`` is made."""
    log = Log.found(folder / "log.db").purge(99, 99, 85, 13)
    if change:
        log.sql(change, body=heartbeat(7).decode())
    log.rebuild(sign_again=True)
    if grow:
        log.append(heartbeat(1)).sign()
    log.export(folder / "bundle")
    log.database.close()
    return folder / "bundle"


def test_a_whole_log_that_is_another_is_found_by_what_was_kept(shared: Path, tmp_path: Path) -> None:
    kept = (shared / "checkpoint").read_text("utf-8")
    last = "UPDATE audit_entry SET body = :body WHERE seq = 0"
    for number, grow in enumerate((0, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        other = exported(folder, last, grow=grow)
        found = asked(other, kept)
        assert any("do not have the root of the checkpoint that was kept elsewhere" in one for one in found.problems)
        assert asked(other).first_bad_index is None


def test_proof_is_of_the_size_in_its_checkpoint_and_not_of_one_that_somebody_says(shared: Path) -> None:
    """Take the index from elsewhere: the path of one entry never leads to the root as that of another."""
    entry, proof = (shared / "proofs/3.json").read_bytes(), (shared / "proofs/3.tlog-proof").read_text("utf-8")
    assert verify_proof(parse_proof(proof), entry, [KEY]).size == SIZE
    changes = [("index 3", f"index {index}") for index in (0, 2, 4, 300, 301, 10**9)]
    changes += [("301", str(size)) for size in (4, 300, 302, 2**40)]
    for old, new in changes:
        with pytest.raises(LogError):
            verify_proof(parse_proof(proof.replace(f"\n{old}\n", f"\n{new}\n")), entry, [KEY])


def kind_of(name: str) -> str:
    """Tell files of one kind from another: numbers aside, and full tiles apart from begun ones."""
    return re.sub(r"[0-9]+", "N", name)


def theirs(folder: Path) -> bool:
    """Ask the verifier that was written elsewhere about all that it reads: checkpoint, tiles, entries."""
    try:
        parsed = aics_tlog.parse_note((folder / "checkpoint").read_bytes())
        checked = aics_tlog.verify_checkpoint(parsed, aics_tlog.parse_vkey(vkey(KEY)))
        if not checked.ok or checked.size is None or checked.root is None:
            return False
        aics_tlog.audit_tiles(aics_tlog.FileSystemTileReader(folder), checked.size, checked.root)
    except (ValueError, aics_tlog.TileMissingError, aics_tlog.TileVerificationError):
        return False
    return True


def places(length: int, chance: random.Random) -> set[int]:
    """Choose the first byte, the last two (a text ends with a newline), one in the middle and one by chance."""
    return {0, length - 1, max(length - 2, 0), length // 2, chance.randrange(length)}


def test_no_byte_of_any_kind_of_file_can_be_changed_unseen(shared: Path) -> None:
    chance = random.Random(20261122)  # noqa: S311  # a sample, not a secret
    kinds = {kind_of(path.relative_to(shared).as_posix()): path for path in files_of(shared)}
    assert len(kinds) >= 18
    assert theirs(shared)
    for kind, path in kinds.items():
        for place in places(path.stat().st_size, chance):
            with changed(path, place, chance.randrange(1, 256)):
                assert verify_exported(shared, [KEY]).found.problems, (kind, place)


@pytest.mark.parametrize("name", ["checkpoint", TILE, "tile/0/001.p/45", "tile/1/000.p/1", "tile/entries/000"])
def test_the_verifier_written_elsewhere_refuses_them_too(shared: Path, name: str) -> None:
    chance = random.Random(name)  # noqa: S311  # a sample, not a secret
    path = shared / name
    text = path.read_bytes()
    end = text.index(b"\n\n") + 1 if name == "checkpoint" else len(text)  # other signatures are not for it to judge
    for place in places(end, chance):
        with changed(path, place, chance.randrange(1, 256)):
            assert not theirs(shared), place


def test_the_fingerprint_is_what_tells_another_log_from_this_one(tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    log = Log.found(folder / "log.db", vkey(signer(9).verifier))
    log.signer = signer(9)
    log.rebuild(sign_again=True)
    log.export(folder / "bundle")
    log.database.close()
    own = verify_exported(folder / "bundle", [])
    assert own.found.problems == []
    assert own.fingerprint != fingerprint(KEY)
    assert verify_exported(folder / "bundle", [KEY]).found.problems
