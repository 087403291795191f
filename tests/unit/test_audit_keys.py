"""Keys are made once, read only where nobody else can, and never made again in place of one that is gone."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import stat
import subprocess
import sys
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from retention.audit import keyfiles
from retention.audit.checkpoint import Checkpoint, open_note, parse_vkey, sign
from retention.audit.keys import MonthKeys, create_key_directory, load_signer, load_verifier
from retention.errors import KeyFileError, LogError

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN = "stats.example/retention"
HEAD = Checkpoint(ORIGIN, 1, bytes(32))
UNUSED_USER = 54_321


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "my keys"
    create_key_directory(path, ORIGIN)
    return path


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the path belong to another user: really where we may, else by being somebody else."""
    if os.geteuid() == 0:
        os.chown(path, UNUSED_USER, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: UNUSED_USER)


def pem(key: Ed25519PrivateKey) -> bytes:
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def test_new_folder_holds_its_keys_and_nobody_else_can_read_them(folder: Path) -> None:
    modes = {str(file.relative_to(folder)): stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*")}
    assert modes == {
        "signing.pem": 0o600,
        "signing.pub": 0o644,
        "signing.pub.pem": 0o644,
        "hold.key": 0o600,
        "month": 0o700,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


def test_checkpoint_of_the_loaded_key_opens_with_the_public_half(folder: Path) -> None:
    verifier = load_verifier(folder)
    assert verifier.name == ORIGIN
    assert open_note(sign(HEAD, load_signer(folder)), [verifier]) == HEAD


def test_created_signer_is_the_one_that_is_loaded(tmp_path: Path) -> None:
    signer = create_key_directory(tmp_path / "keys", ORIGIN)
    assert load_signer(tmp_path / "keys").verifier == signer.verifier


def test_three_spellings_of_the_public_key_agree(folder: Path) -> None:
    vkey = parse_vkey((folder / "signing.pub").read_text().removesuffix("\n"))
    spki = serialization.load_pem_public_key((folder / "signing.pub.pem").read_bytes())
    private = serialization.load_pem_private_key((folder / "signing.pem").read_bytes(), None)
    assert isinstance(spki, Ed25519PublicKey)
    assert isinstance(private, Ed25519PrivateKey)
    assert vkey.public_key == spki.public_bytes_raw() == private.public_key().public_bytes_raw()


def test_nothing_is_overwritten(folder: Path) -> None:
    before = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_key_directory(folder, ORIGIN)
    assert {file: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("elsewhere")])
def test_file_or_link_in_the_way_is_not_replaced(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "keys")
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_key_directory(tmp_path / "keys", ORIGIN)
    assert not (tmp_path / "keys").is_dir()


def test_empty_folder_in_the_way_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    create_key_directory(tmp_path / "keys", ORIGIN)
    assert load_signer(tmp_path / "keys").verifier.name == ORIGIN


def test_disk_that_refuses_is_reported_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(KeyFileError, match="No space left"):
            create_key_directory(tmp_path / "keys", ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_name_too_long_for_the_disk_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="name too long"):
        create_key_directory(tmp_path / ("x" * 300), ORIGIN)


def test_folder_that_could_not_be_moved_into_place_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(KeyFileError, match="Read-only"):
            create_key_directory(tmp_path / "keys", ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_origin_that_no_note_can_carry_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="key name or origin"):
        create_key_directory(tmp_path / "keys", "two words")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".", "signing.pem"])
@pytest.mark.parametrize("extra", [0o040, 0o004, 0o020, 0o001])
def test_key_open_to_others_is_refused_with_the_command_that_closes_it(folder: Path, name: str, extra: int) -> None:
    path = folder / name
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(mode | extra)
    with pytest.raises(KeyFileError) as caught:
        load_signer(folder)
    assert str(caught.value) == f"{path}: is open to other users; run: chmod {mode:04o} '{path}'"
    assert subprocess.run(["/bin/sh", "-c", str(caught.value).partition("run: ")[2]], check=True).returncode == 0
    assert load_signer(folder).verifier == load_verifier(folder)


def test_public_key_may_be_read_by_others_but_not_written(folder: Path) -> None:
    (folder / "signing.pub").chmod(0o664)
    with pytest.raises(KeyFileError, match="chmod 0644"):
        load_verifier(folder)


@pytest.mark.parametrize("name", [".", "signing.pem"])
def test_key_of_another_user_is_refused(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(folder / name, monkeypatch)
    with pytest.raises(KeyFileError, match=r"belongs to another user; run: chown \d+ '"):
        load_signer(folder)


@pytest.mark.parametrize("name", ["signing.pem", "signing.pub"])
def test_missing_key_is_never_made_anew(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(KeyFileError, match=f"{name}: is missing; restore it"):
        load_signer(folder)
    assert not (folder / name).exists()


def test_missing_folder_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="retention init"):
        load_signer(tmp_path / "keys")


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").touch(mode=0o600)
    with pytest.raises(KeyFileError, match="is not a folder"):
        load_signer(tmp_path / "keys")


def test_pipe_in_place_of_a_key_is_refused_and_does_not_block(folder: Path) -> None:
    (folder / "signing.pem").unlink()
    os.mkfifo(folder / "signing.pem", 0o600)
    with pytest.raises(KeyFileError, match="not a regular file"):
        load_signer(folder)


def test_link_that_leads_to_itself_is_reported(folder: Path) -> None:
    (folder / "signing.pem").unlink()
    (folder / "signing.pem").symlink_to("signing.pem")
    with pytest.raises(KeyFileError, match="symbolic links"):
        load_signer(folder)


NO_KEY = "MC4CAQAwBQYDK2VwBCIEIDsecretsecretsecret"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        NO_KEY.encode(),
        f"-----BEGIN PRIVATE KEY-----\n{NO_KEY}\n-----END PRIVATE KEY-----\n".encode(),
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    ],
)
def test_file_that_holds_another_thing_than_a_signing_key_is_refused_without_quoting_it(
    folder: Path, content: bytes
) -> None:
    (folder / "signing.pem").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"signing.pem: is not an? .*; restore the file") as caught:
        load_signer(folder)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", [b"", b"\xff\n", f"{ORIGIN}+00000000+secret\n".encode(), b"secret\n\n"])
def test_file_that_holds_another_thing_than_a_public_key_is_refused_without_quoting_it(
    folder: Path, content: bytes
) -> None:
    (folder / "signing.pub").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"signing.pub: is not a verifier key") as caught:
        load_signer(folder)
    assert "secret" not in str(caught.value)


def test_halves_of_two_keys_are_refused(folder: Path) -> None:
    (folder / "signing.pem").write_bytes(pem(Ed25519PrivateKey.generate()))
    with pytest.raises(KeyFileError, match=r"does not belong to signing\.pem"):
        load_signer(folder)


def test_month_gets_its_key_at_first_use_and_keeps_it(folder: Path) -> None:
    keys = MonthKeys(folder)
    assert keys.get("2026-08") is None
    assert keys.months() == []
    key, created = keys.ensure("2026-08", known=False)
    assert (len(key), created) == (32, True)
    for known in (False, True):
        assert MonthKeys(folder).ensure("2026-08", known=known) == (key, False)
    assert keys.get("2026-08") == key
    assert stat.S_IMODE(keys.path_of("2026-08").stat().st_mode) == 0o600
    assert (folder / "month" / "2026-08.key").read_text() == key.hex() + "\n"


def test_months_are_listed_oldest_first_and_other_files_are_passed_over(folder: Path) -> None:
    keys = MonthKeys(folder)
    made = {month: keys.ensure(month, known=False)[0] for month in ("2027-01", "2026-08", "2026-12")}
    assert len(set(made.values())) == 3
    for name in ("2026-09.draft", "2026-13.key", "notes", "2026-10.key.bak"):
        (folder / "month" / name).touch()
    assert keys.months() == ["2026-08", "2026-12", "2027-01"]


def test_known_key_that_vanished_is_not_made_again(folder: Path) -> None:
    keys = MonthKeys(folder)
    keys.ensure("2026-08", known=False)
    keys.path_of("2026-08").unlink()
    with pytest.raises(KeyFileError, match=r"2026-08\.key: is missing, but the audit log says"):
        keys.ensure("2026-08", known=True)
    assert keys.months() == []


def ensure_in_process(folder: Path) -> tuple[bytes, bool]:
    return MonthKeys(folder).ensure("2026-08", known=False)


def test_processes_that_ask_at_once_get_one_key_and_one_of_them_made_it(folder: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        answers = pool.map(ensure_in_process, [folder] * 16, chunksize=1)
    assert len({key for key, _ in answers}) == 1
    assert sum(created for _, created in answers) == 1


def test_threads_that_ask_at_once_get_one_key_a_month_and_one_of_them_made_it(folder: Path) -> None:
    months = [f"2026-{month:02}" for month in range(1, 13)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda month: MonthKeys(folder).ensure(month, known=False), months * 8))
    assert len({key for key, _ in answers}) == 12
    assert sum(created for _, created in answers) == 12


def test_second_of_two_writers_takes_the_key_that_the_first_made(folder: Path) -> None:
    second = MonthKeys(folder)
    with ThreadPoolExecutor(1) as pool:
        with keyfiles.locked(folder / "month"):
            waiting = pool.submit(second.ensure, "2026-08", known=False)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
            keyfiles.write_new(second.path_of("2026-08"), b"ab" * 32 + b"\n", 0o600)
        assert waiting.result() == (b"\xab" * 32, False)


DIES_BEFORE_RENAME = """
import os, pathlib, sys
from retention.audit.keys import MonthKeys
pathlib.Path.rename = lambda *_: os._exit(9)
MonthKeys(pathlib.Path(sys.argv[1])).ensure("2026-08", known=False)
"""


def test_run_killed_while_making_a_key_leaves_none_and_the_next_one_makes_it(folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", DIES_BEFORE_RENAME, str(folder)], check=False)
    assert killed.returncode == 9
    keys = MonthKeys(folder)
    draft = (folder / "month" / "2026-08.draft").read_bytes()
    assert (keys.get("2026-08"), keys.months()) == (None, [])
    key, created = keys.ensure("2026-08", known=False)
    assert created
    assert key.hex().encode() not in draft
    assert [file.name for file in (folder / "month").iterdir()] == ["2026-08.key"]
    assert keys.path_of("2026-08").stat().st_nlink == 1


@pytest.mark.parametrize(
    "content", [b"", b"ab" * 32, b"AB" * 32 + b"\n", b"ab" * 31 + b"\n", b"ab" * 33 + b"\n", b"\xab" * 32]
)
def test_file_that_holds_another_thing_than_a_month_key_is_refused(folder: Path, content: bytes) -> None:
    keys = MonthKeys(folder)
    keyfiles.write_new(keys.path_of("2026-08"), content, 0o600)
    for ask in (keys.get, keys.commitment, lambda month: keys.ensure(month, known=False)):
        with pytest.raises(KeyFileError, match=r"2026-08\.key: is not a month key"):
            ask("2026-08")
    assert keys.path_of("2026-08").read_bytes() == content


def test_month_key_open_to_others_is_refused(folder: Path) -> None:
    keys = MonthKeys(folder)
    keys.ensure("2026-08", known=False)
    keys.path_of("2026-08").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 0600"):
        keys.get("2026-08")


def test_month_folder_that_vanished_is_not_taken_for_one_without_keys(folder: Path) -> None:
    (folder / "month").rmdir()
    keys = MonthKeys(folder)
    for ask in (keys.months, lambda: keys.get("2026-08"), lambda: keys.ensure("2026-08", known=False)):
        with pytest.raises(KeyFileError, match="month: is missing"):
            ask()


@pytest.mark.parametrize(
    "month", ["", "2026-13", "2026-00", "2026-8", "2026-08-01", "../../x", "2026-08\n", "\u0662026-08"]
)
def test_what_is_no_month_has_no_file(folder: Path, month: str) -> None:
    keys = MonthKeys(folder)
    with pytest.raises(ValueError, match="YYYY-MM"):
        keys.path_of(month)
    with pytest.raises(ValueError, match="YYYY-MM"):
        keys.ensure(month, known=False)


def test_commitment_says_which_key_it_was_and_not_the_key(folder: Path) -> None:
    keys = MonthKeys(folder)
    with pytest.raises(KeyFileError, match="no key to commit to"):
        keys.commitment("2026-08")
    key, _ = keys.ensure("2026-08", known=False)
    assert keys.commitment("2026-08") == "sha256:" + hashlib.sha256(b"retention key commitment\0" + key).hexdigest()


@pytest.mark.parametrize("text", ["", "17841400000000000", "Zoë 🙂", "half a pair \ud83d"])
def test_sealed_text_opens_again_and_shows_nothing(folder: Path, text: str) -> None:
    keys = MonthKeys(folder)
    sealed = keys.seal(text)
    assert sealed.isascii()
    assert MonthKeys(folder).unseal(sealed) == text
    assert sealed != keys.seal(text)
    key = Fernet((folder / "hold.key").read_bytes().strip())
    assert key.extract_timestamp(sealed.encode()) == 0


def test_sealed_text_that_was_changed_or_sealed_elsewhere_does_not_open(folder: Path, tmp_path: Path) -> None:
    create_key_directory(tmp_path / "other", ORIGIN)
    sealed = MonthKeys(folder).seal("secret")
    for token, keys in (
        (sealed[:-4] + "AAA=", MonthKeys(folder)),
        ("", MonthKeys(folder)),
        ("ä", MonthKeys(folder)),
        (sealed, MonthKeys(tmp_path / "other")),
    ):
        with pytest.raises(KeyFileError, match=r"hold\.key: does not open"):
            keys.unseal(token)


@pytest.mark.parametrize("content", [b"", b"secret", urlsafe_b64encode(bytes(31))])
def test_file_that_holds_another_thing_than_a_key_for_holds_is_refused(folder: Path, content: bytes) -> None:
    (folder / "hold.key").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"hold\.key: is not a key for holds") as caught:
        MonthKeys(folder).seal("x")
    assert "secret" not in str(caught.value)


def test_missing_key_for_holds_is_never_made_anew(folder: Path) -> None:
    (folder / "hold.key").unlink()
    with pytest.raises(KeyFileError, match=r"hold\.key: is missing"):
        MonthKeys(folder).seal("x")
