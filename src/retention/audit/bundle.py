"""Write the log into a folder that an outsider verifies with tools that nobody here wrote.

    checkpoint  checkpoints/<size>          the newest signed checkpoint, and every one
    tile/<L>/<N>  tile/entries/<N>          the tree and the entries in the layout of C2SP tlog-tiles
    entries.jsonl  deletion-log.csv         every entry, one a line; one row a disposal with the facts of its batch
    proofs/<index>.tlog-proof  .json        proofs of single entries, each with its entry
    keys/                                   the public key, not trusted until its fingerprint was compared
    anchors/                                what was written outside the database, and tokens of timestamp authorities
    VERIFY.md  verify_bundle.py  check_record.sh
    SHA256SUMS  SHA256SUMS.note             every file but the tiles, and the signature over that list

Tiles are written as they stand in the database and entries as they stand beside them, so a bundle shows what somebody
changed there. One pass over what is new, one batch in memory. A later export into the same folder adds to it: what the
earlier checkpoint covers stays, partial tiles go when the full one has come. ``checkpoint`` is written after what it
covers, so a killed export is repeated from where the one before it ended.
"""

from __future__ import annotations

import csv
import os
import shutil
from base64 import b64encode
from hashlib import sha256
from itertools import dropwhile, groupby, takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from retention.audit import log as audit_log
from retention.audit import stored
from retention.audit.checkpoint import vkey
from retention.audit.export import COLUMNS, DISPOSAL, Group, disposal_rows, parsed
from retention.audit.handover import verify_bundle
from retention.audit.merkle import TILE_WIDTH
from retention.audit.prove import Prover
from retention.audit.signing import fingerprint
from retention.audit.soundness import proven_entries
from retention.audit.tiles import ENTRIES, DatabaseTiles, entry_bundle, tile_path, tiles_of
from retention.audit.tlog_proof import TlogProof, write_proof
from retention.errors import LogError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from retention.audit.checkpoint import Checkpoint, Signer, VerifierKey

HANDOVER = Path(verify_bundle.__file__).parent
LINES, TABLE = "entries.jsonl", "deletion-log.csv"
WARNING_FILE = "UNTRUSTED-until-the-fingerprint-is-compared.txt"

_CHUNK = 1 << 20
_WARNING = """\
The key beside this file came with the bundle. Whoever forges a bundle can put a key of their own here.

Ask the office, on a way that this bundle did not take, for the fingerprint of the key of the log

    {origin}

and compare it, digit by digit, with what this shows:

    openssl pkey -pubin -in keys/log.pem -outform DER | sha256sum
"""


class Bundle(NamedTuple):
    """What a bundle is made of: the newest checkpoint, its note, who signs, the anchor file where there is one."""

    head: Checkpoint
    note: str
    signer: Signer
    anchor: Path | None = None

    @property
    def key(self) -> VerifierKey:
        """The public key of the log."""
        return self.signer.verifier


class Written(NamedTuple):
    """What was written: entries in the bundle, those that were there before, and the fingerprint of the key."""

    size: int
    since: int
    fingerprint: str


def write_bundle(
    connection: Connection,
    folder: Path,
    bundle: Bundle,
    prove: Sequence[int] = (),
    progress: Callable[[int], None] | None = None,
) -> Written:
    """Write the log up to a signed checkpoint into a new folder, or add to what an earlier export wrote.

    Args:
        connection: a transaction that sees one state of the database.
        folder: the folder; it is made where it is missing.
        bundle: the checkpoint and what goes with it.
        prove: indexes of entries that get a proof of their own; the last disposal gets one in any case.
        progress: called now and then with the number of entries written since the last call.

    Returns:
        How much was written.

    Raises:
        UsageError: the folder holds something else, or an index is not in the log.
        LogError: the folder holds a bundle of another log, or this log was changed since.
        OSError: the disk refuses.

    """
    head = bundle.head
    outside = [index for index in prove if not 0 <= index < head.size]
    if outside:
        msg = f"the log has no entry {outside[0]}; it has {head.size}, counted from 0"
        raise UsageError(msg)
    tiles = DatabaseTiles(connection)
    since = _begun(folder, head, Prover(tiles, head.size))
    last = _write_entries(connection, folder, since, head, progress)
    for level, n, width in tiles_of(head.size, since):
        _put_tile(folder, (level, n, width), tiles.tile(level, n, width))
    _write_checkpoints(connection, folder, bundle)
    _write_tokens(connection, folder, head.size)
    for index in sorted({*prove, last}):
        _write_proof(connection, folder, bundle, Prover(tiles, head.size), index)
    _write_beside(folder, bundle, last)
    _put(folder / "checkpoint", bundle.note.encode())
    _put_list(folder, bundle)
    return Written(head.size, since, fingerprint(bundle.key))


def _begun(folder: Path, head: Checkpoint, prover: Prover) -> int:
    """Tell how many entries the folder holds already, all of them as they stand in the log."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        return 0
    try:
        earlier = verify_bundle.parse_note((folder / "checkpoint").read_bytes())
    except (FileNotFoundError, verify_bundle.NotVerifiedError):
        msg = f"{folder}: is not empty and holds no bundle, or one that was cut off; name another folder or remove it"
        raise UsageError(msg) from None
    if earlier.origin != head.origin:
        msg = f"{folder}: holds the bundle of another log; name another folder"
        raise UsageError(msg)
    if earlier.size > head.size or prover.root(earlier.size) != earlier.root:
        msg = (
            f"{folder}: the {earlier.size} entries that were exported there are not those that the log begins with now;"
            " keep that bundle and look with: retention audit verify --since, naming the file checkpoint in it"
        )
        raise LogError(msg)
    return earlier.size


def _write_entries(
    connection: Connection,
    folder: Path,
    since: int,
    head: Checkpoint,
    progress: Callable[[int], None] | None,
) -> int:
    """Write lines, entry bundles and rows; give the index of an entry that serves as an example: the last disposal."""
    last = max((int(path.stem) for path in folder.glob("proofs/*.json")), default=head.size - 1)
    first = since // TILE_WIDTH * TILE_WIDTH
    with (
        _cut(folder / LINES, _line_end, since) as lines,
        _cut(folder / TABLE, _row_end, since) as table,
    ):
        disposals = _Table(table, head.origin)
        entries = _entries(connection, first, head.size)
        for n, group in groupby(entries, key=lambda pair: pair[0] // TILE_WIDTH):
            page = list(group)
            _put_tile(folder, (ENTRIES, n, len(page)), entry_bundle(body.encode() for _, body in page))
            new = [(index, body) for index, body in page if index >= since]
            lines.write("".join(f"{body}\n" for _, body in new))
            for index, body in new:
                disposals.see(index, body)
            if progress:
                progress(len(new))
        for out in (lines, table):
            out.flush()
            os.fsync(out.fileno())
    return last if disposals.last is None else disposals.last


def _entries(connection: Connection, first: int, end: int) -> Iterator[tuple[int, str]]:
    """Give entries, each compared with the hash that was kept of it."""
    entries = proven_entries(connection, first // TILE_WIDTH * TILE_WIDTH)
    yield from takewhile(lambda pair: pair[0] < end, dropwhile(lambda pair: pair[0] < first, entries))


class _Table:
    """Writes the rows of disposals once their batch is known."""

    def __init__(self, out: IO[str], origin: str) -> None:
        self.last: int | None = None
        self._writer = csv.writer(out, lineterminator="\r\n")
        self._origin = origin
        self._open: list[tuple[int, str]] = []
        if not out.tell():
            self._writer.writerow(COLUMNS)

    def see(self, index: int, body: str) -> None:
        if body.startswith(DISPOSAL):
            self._open.append((index, body))
            self.last = index
            return
        entry = parsed(body)
        if entry.get("kind") == "batch":
            self._writer.writerows(disposal_rows(Group(index, body, entry, self._open), self._origin))
        self._open = []


def _cut(path: Path, end: Callable[[IO[bytes], int], int], since: int) -> IO[str]:
    """Open a file to go on writing after what the earlier checkpoint covers; what a killed export left goes."""
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(end(file, since))
    return path.open("a", encoding="utf-8", newline="")


def _line_end(file: IO[bytes], lines: int) -> int:
    position = 0
    while lines:
        block = file.read(_CHUNK)
        if not block:
            msg = f"{file.name}: has lost lines since it was exported; name another folder"
            raise LogError(msg)
        if (found := block.count(b"\n")) < lines:
            lines, position = lines - found, position + len(block)
            continue
        place = -1
        while lines:
            place, lines = block.index(b"\n", place + 1), lines - 1
        position += place + 1
    return position


def _row_end(file: IO[bytes], since: int) -> int:
    position = 0
    for row in file:
        index = row.partition(b",")[0]
        if not row.endswith(b"\r\n") or not since or (index.isdigit() and int(index) >= since):
            break
        position += len(row)
    return position


def _put_tile(folder: Path, name: tuple[int | str, int, int], data: bytes) -> None:
    level, n, width = name
    full = folder / tile_path(level, n)
    if width == TILE_WIDTH:
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(data)
        shutil.rmtree(full.with_name(f"{full.name}.p"), ignore_errors=True)
        return
    partial = folder / tile_path(level, n, width)
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(data)


def _write_checkpoints(connection: Connection, folder: Path, bundle: Bundle) -> None:
    (folder / "checkpoints").mkdir(exist_ok=True)
    for size, note in stored.notes(connection):
        path = folder / "checkpoints" / str(size)
        if size < bundle.head.size and not path.exists():
            _put(path, audit_log.cosigned(connection, size, note).encode())
    _put(folder / "checkpoints" / str(bundle.head.size), bundle.note.encode())


def _write_tokens(connection: Connection, folder: Path, size: int) -> None:
    """Write what timestamp authorities gave, each beside the size of the checkpoint that it is over."""
    for at, token in stored.evidence(connection, "timestamp"):
        if at <= size:
            (folder / "anchors").mkdir(exist_ok=True)
            _put(folder / "anchors" / f"{at}.tsr", token)


def _write_proof(connection: Connection, folder: Path, bundle: Bundle, prover: Prover, index: int) -> None:
    (folder / "proofs").mkdir(exist_ok=True)
    if (folder / "proofs" / f"{index}.json").exists():
        return
    proof = TlogProof(index, tuple(prover.inclusion(index)), bundle.note)
    _put(folder / "proofs" / f"{index}.tlog-proof", write_proof(proof).encode())
    _put(folder / "proofs" / f"{index}.json", entry_at(connection, index))


def entry_at(connection: Connection, index: int) -> bytes:
    """Give the canonical bytes of one entry.

    Args:
        connection: any transaction.
        index: its index.

    Returns:
        What was hashed.

    Raises:
        LogError: it is missing or was changed.

    """
    return next(body.encode() for _, body in _entries(connection, index, index + 1))


def _write_beside(folder: Path, bundle: Bundle, example: int) -> None:
    """Write the key, the anchor and what an outsider verifies with."""
    key = verify_bundle.Key(bundle.key.name, bundle.key.public_key)
    (folder / "keys").mkdir(exist_ok=True)
    _put(folder / "keys" / "log.vkey", f"{vkey(bundle.key)}\n".encode())
    _put(folder / "keys" / "log.pem", key.pem)
    warning = _WARNING.format(origin=key.name)
    _put(folder / "keys" / WARNING_FILE, warning.encode())
    if bundle.anchor is not None and bundle.anchor.is_file():
        (folder / "anchors").mkdir(exist_ok=True)
        shutil.copyfile(bundle.anchor, folder / "anchors" / "checkpoints.log")
    for name in ("verify_bundle.py", "check_record.sh"):
        _put(folder / name, (HANDOVER / name).read_bytes())
    text = (HANDOVER / "VERIFY.md").read_text("utf-8")
    own = b64encode(bundle.key.key_id).decode("ascii")[:5]  # what four bytes say alone, whatever follows
    notes = (path for path in (folder / "checkpoints").iterdir() if f" {key.name} {own}" in path.read_text("utf-8"))
    oldest = min(int(path.name) for path in notes)
    for word, value in {"ORIGIN": key.name, "INDEX": example, "OLDEST": oldest}.items():
        text = text.replace(f"@{word}@", str(value))
    _put(folder / "VERIFY.md", text.encode())


def _put(path: Path, data: bytes) -> None:
    """Write a small file that appears complete or not at all; one that says the same already is left alone."""
    if path.is_file() and path.read_bytes() == data:
        return
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(data)
    draft.replace(path)


def _put_list(folder: Path, bundle: Bundle) -> None:
    """List every file but the tiles, which follow from the entries, as sha256sum writes it, and sign the list."""
    lists = {verify_bundle.LIST, verify_bundle.LIST_NOTE}
    names = sorted(
        path.relative_to(folder).as_posix()
        for top in folder.iterdir()
        if top.name != "tile" and top.name not in lists
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file()
    )
    listed = "".join(f"{_digest(folder / name)}  {name}\n" for name in names).encode()
    text = verify_bundle.list_text(bundle.head.origin, bundle.head.size, listed)
    _put(folder / verify_bundle.LIST, listed)
    _put(folder / verify_bundle.LIST_NOTE, f"{text}\n{bundle.signer.signature_line(text)}".encode())


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        for block in verify_bundle.blocks(file):
            digest.update(block)
    return digest.hexdigest()
