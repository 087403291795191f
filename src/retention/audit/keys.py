"""The keys on disk: the log's signing key, one key a calendar month for pseudonyms, one for what holds are placed on.

    signing.pem        private key, PKCS#8, Ed25519; encrypted where a passphrase was given when it was made
    signing.pub        the same key for verifiers, as one line name+key id+base64
    signing.pub.pem    the same key for openssl, SPKI
    signing/…          the same three files of each key that took over since (see signing.py)
    month/2026-08.key  32 random bytes in hex
    hold.key           a Fernet key

The folder (0700, private files 0600) lives outside the database and outside its backups. Who restores a backup must not
get back a month key that was destroyed, and who takes the database must not get the keys with it. Therefore:

1. Nothing is overwritten, and nothing is made anew in place of a file that should be there: the only ways to a key are
   the first start and the first message of a month.
2. A file that others could have read or written is not used. The error names the file and the command to run.
3. A file appears complete or not at all, and is on disk before its key is used. One month has one key, however many
   processes ask for it at once.
4. No error repeats what a file holds.

Destroying a key is the purge's work; MonthKeys.path_of() and signing.private_file() tell it which file.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from errno import EEXIST, ENOTDIR, ENOTEMPTY
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.audit import keyfiles
from retention.audit.checkpoint import Signer, VerifierKey, parse_vkey, vkey
from retention.audit.passphrase import from_pem, to_pem
from retention.audit.pseudonym import KEY_BYTES
from retention.errors import KeyFileError, LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SIGNING_KEY = "signing.pem"
SIGNING_VKEY = "signing.pub"
SIGNING_SPKI = "signing.pub.pem"
HOLD_KEY = "hold.key"
MONTH_FOLDER = "month"

_COMMITMENT_DOMAIN = b"retention key commitment\0"
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_MONTH_FILE = re.compile(rf"({_MONTH.pattern})\.key")
_MONTH_KEY = re.compile(rb"([0-9a-f]{64})\n")


def create_key_directory(path: Path, origin: str, passphrase: str | None = None) -> Signer:
    """Make the folder with a new signing key and a new key for holds; it appears complete or not at all.

    Args:
        path: The folder to make; its parents are made where they are missing.
        origin: Name of the log, which is also the name of its key (C2SP tlog-checkpoint, "Signatures").
        passphrase: What the private key is encrypted with (PKCS#8), or None to leave it as it is.

    Returns:
        The new signer.

    Raises:
        KeyFileError: something stands at the path already, the disk refuses, or the passphrase is empty.
        LogError: the origin cannot be the name of a key.

    """
    private_key = Ed25519PrivateKey.generate()
    signer = Signer(origin, private_key)
    with keyfiles.os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.parent / tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            _write_keys(draft, private_key, signer.verifier, passphrase)
            _move_into_place(draft, path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        keyfiles.sync_folder(path.parent)
    return signer


def _write_keys(folder: Path, private_key: Ed25519PrivateKey, verifier: VerifierKey, passphrase: str | None) -> None:
    write_signing_key(folder, private_key, verifier, passphrase)
    keyfiles.write_new(folder / HOLD_KEY, Fernet.generate_key() + b"\n", 0o600)
    (folder / MONTH_FOLDER).mkdir(mode=0o700)
    keyfiles.sync_folder(folder)


def write_signing_key(
    folder: Path, private_key: Ed25519PrivateKey, verifier: VerifierKey, passphrase: str | None
) -> None:
    """Write the three files of a signing key into a folder that has none.

    Args:
        folder: The folder; nobody uses it yet.
        private_key: The key.
        verifier: Its public half, with its name.
        passphrase: What the private key is encrypted with (PKCS#8), or None to leave it as it is.

    Raises:
        KeyFileError: the passphrase is empty.
        OSError: the disk refuses; the caller stands inside keyfiles.os_errors().

    """
    spki = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keyfiles.write_new(folder / SIGNING_KEY, to_pem(private_key, passphrase), 0o600)
    keyfiles.write_new(folder / SIGNING_VKEY, vkey(verifier).encode() + b"\n", 0o644)
    keyfiles.write_new(folder / SIGNING_SPKI, spki, 0o644)
    keyfiles.sync_folder(folder)


def _move_into_place(draft: Path, path: Path) -> None:
    try:
        draft.rename(path)  # refuses a folder that holds anything, also one made a moment ago by another process
    except OSError as error:
        if error.errno not in {EEXIST, ENOTDIR, ENOTEMPTY}:
            raise
        msg = f"{path}: is there already, and keys are never overwritten; name another folder or move this one away"
        raise KeyFileError(msg) from error


def load_signer(path: Path, passphrase: str | None = None) -> Signer:
    """Read the signing key of a folder.

    Args:
        path: The folder.
        passphrase: What opens the private key where it is encrypted; not used where it is not.

    Returns:
        The signer, under the name that signing.pub states.

    Raises:
        KeyFileError: a file is missing, open to others, owned by another user, not an Ed25519 key, the passphrase is
            missing or wrong, or the two do not belong together. The message says what to do.

    """
    keyfiles.check_folder(path)
    file = path / SIGNING_KEY
    data = keyfiles.read_required(file, keyfiles.PRIVATE)
    private_key = from_pem(file, data, passphrase)
    verifier = load_verifier(path)
    signer = Signer(verifier.name, private_key)
    if signer.verifier != verifier:
        msg = f"{path / SIGNING_VKEY}: does not belong to {SIGNING_KEY}; restore both from the same backup of the keys"
        raise KeyFileError(msg)
    return signer


def load_verifier(path: Path) -> VerifierKey:
    """Read the public half of the signing key.

    Args:
        path: The key folder.

    Returns:
        The public key and its name (C2SP signed-note).

    Raises:
        KeyFileError: the file is missing, writable by others, owned by another user or not a verifier key.

    """
    file = path / SIGNING_VKEY
    data = keyfiles.read_required(file, keyfiles.PUBLIC)
    try:
        return parse_vkey(data.decode().removesuffix("\n"))
    except (UnicodeDecodeError, LogError):
        msg = f"{file}: is not a verifier key (name+key id+base64); restore the file from the backup of the keys"
        raise KeyFileError(msg) from None


class MonthKeys:
    """The keys of pseudonyms, one a calendar month in UTC, named ``YYYY-MM``, and the key for identifiers in holds."""

    def __init__(self, path: Path) -> None:
        """Use the key folder at a path; nothing is read yet."""
        self._folder = path / MONTH_FOLDER
        self._hold_file = path / HOLD_KEY

    def path_of(self, month: str) -> Path:
        """Tell which file holds, or would hold, a month's key.

        Args:
            month: ``YYYY-MM``.

        Returns:
            The path of the file.

        Raises:
            ValueError: not a month.

        """
        if not _MONTH.fullmatch(month):
            msg = "a month must be written YYYY-MM"
            raise ValueError(msg)
        return self._folder / f"{month}.key"

    def get(self, month: str) -> bytes | None:
        """Read a month's key.

        Args:
            month: ``YYYY-MM``.

        Returns:
            32 bytes, or None where the month has no key.

        Raises:
            KeyFileError: the folder or the file cannot be used; the message says what to do.
            ValueError: not a month.

        """
        file = self.path_of(month)
        keyfiles.check_folder(self._folder)
        data = keyfiles.read(file, keyfiles.PRIVATE)
        if data is None:
            return None
        match = _MONTH_KEY.fullmatch(data)
        if match is None:
            msg = f"{file}: is not a month key (64 hex digits and a newline); restore it from the backup of the keys"
            raise KeyFileError(msg)
        return bytes.fromhex(match[1].decode("ascii"))

    def ensure(self, month: str, *, known: bool) -> tuple[bytes, bool]:
        """Read a month's key, or make it where the month never had one.

        Args:
            month: ``YYYY-MM``.
            known: The log holds a key_created entry for the month. Its key is then never made a second time: the
                pseudonyms of the month would no longer match one another, and the log would not show why.

        Returns:
            32 bytes, and whether this call made them. A new key is on disk before this returns.

        Raises:
            KeyFileError: the key is known but gone, or folder or file cannot be used; the message says what to do.
            ValueError: not a month.

        """
        key = self.get(month)
        if key is not None:
            return key, False
        if known:
            msg = (
                f"{self.path_of(month)}: is missing, but the audit log says that the key of this month was created;"
                " restore the file from the backup of the keys"
            )
            raise KeyFileError(msg)
        with keyfiles.os_errors(self._folder), keyfiles.locked(self._folder):
            return self._create(month)

    def _create(self, month: str) -> tuple[bytes, bool]:
        key = self.get(month)
        if key is not None:
            return key, False
        key = secrets.token_bytes(KEY_BYTES)
        file = self.path_of(month)
        # Left by a run that was killed before the rename, so its key was never used. A hard link in place of the
        # rename could leave a second name of a used key, which would outlive the key's destruction.
        draft = file.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        keyfiles.write_new(draft, key.hex().encode("ascii") + b"\n", 0o600)
        draft.rename(file)
        keyfiles.sync_folder(self._folder)
        return key, True

    def months(self) -> list[str]:
        """List the months that have a key.

        Returns:
            ``YYYY-MM``, oldest first.

        Raises:
            KeyFileError: the folder cannot be used; the message says what to do.

        """
        keyfiles.check_folder(self._folder)
        with keyfiles.os_errors(self._folder):
            names = [_MONTH_FILE.fullmatch(file.name) for file in self._folder.iterdir()]
        return sorted(name[1] for name in names if name)

    def commitment(self, month: str) -> str:
        """Commit to a month's key, so that the log can say which key was created and which was destroyed.

        Args:
            month: ``YYYY-MM``.

        Returns:
            ``sha256:`` and the hex SHA-256 of ``retention key commitment``, a zero byte and the key.

        Raises:
            KeyFileError: the month has no key, or it cannot be used.
            ValueError: not a month.

        """
        key = self.get(month)
        if key is None:
            msg = f"{self.path_of(month)}: is missing, so there is no key to commit to"
            raise KeyFileError(msg)
        return "sha256:" + sha256(_COMMITMENT_DOMAIN + key).hexdigest()

    def check(self, live: Mapping[str, str], sealed: Iterable[str]) -> None:
        """Check that every key that must be there is there, usable and the one it was.

        Args:
            live: The commitment by month (``YYYY-MM``) of each key that was made and not destroyed.
            sealed: Texts that the key for holds must open.

        Raises:
            KeyFileError: a key is lost, swapped, not readable or open to others; the message names the file.

        """
        for month, commitment in live.items():
            self.ensure(month, known=True)
            if self.commitment(month) != commitment:
                msg = (
                    f"{self.path_of(month)}: is another key than the one the audit log says was made for this month,"
                    " perhaps of another installation; restore the file from the backup of these keys"
                )
                raise KeyFileError(msg)
        self._fernet()
        for token in sealed:
            self.unseal(token)

    def seal(self, text: str) -> str:
        """Encrypt a short text, such as an identifier that a hold names, for keeping in the database.

        Args:
            text: Any text.

        Returns:
            A Fernet token in ASCII. Its time is always 1970, so that it does not tell when it was made.

        Raises:
            KeyFileError: the key for holds cannot be used; the message says what to do.

        """
        return self._fernet().encrypt_at_time(text.encode("utf-8", "surrogatepass"), 0).decode("ascii")

    def unseal(self, sealed: str) -> str:
        """Decrypt what seal() returned.

        Args:
            sealed: The sealed text.

        Returns:
            The text as it was given to seal().

        Raises:
            KeyFileError: sealed with another key or changed since, or the key cannot be used.

        """
        try:
            return self._fernet().decrypt(sealed).decode("utf-8", "surrogatepass")
        except (InvalidToken, ValueError):
            msg = f"{self._hold_file}: does not open what it should have sealed; restore the key from its backup"
            raise KeyFileError(msg) from None

    def _fernet(self) -> Fernet:
        keyfiles.check_folder(self._hold_file.parent)
        data = keyfiles.read_required(self._hold_file, keyfiles.PRIVATE)
        try:
            return Fernet(data.removesuffix(b"\n"))
        except ValueError:
            msg = f"{self._hold_file}: is not a key for holds; restore it from the backup of the keys"
            raise KeyFileError(msg) from None
