#!/usr/bin/env python3
"""Verify an exported audit log, or the proof of one entry. One file; needs Python 3.11 and the package cryptography.

    python3 verify_bundle.py BUNDLE --fingerprint HEX [--since CHECKPOINT-FILE]...
    python3 verify_bundle.py BUNDLE --key VKEY|FILE [--since CHECKPOINT-FILE]...
    python3 verify_bundle.py --proof FILE.tlog-proof --entry FILE.json --key VKEY|FILE

What is checked, all of it computed anew from the lines of entries.jsonl (formats: c2sp.org, hashes: RFC 6962):

1. each entry against tile/entries and tile/0, each tile above against the tiles below it;
2. each checkpoint: its root is the root of so many entries, and a trusted key signed it. Trusted are the keys given to
   this program, and those that entries under a checkpoint signed by a trusted key introduce (genesis, rotate). Once a
   key has taken over, its signature must be there: what a retired key signs later proves nothing. A genesis after the
   first entry begins an epoch under another origin, after a database was restored; its key is compared anew;
3. each batch against its disposals: number, first index, and that every message was due on the day that is stated;
4. deletion-log.csv against the entries, line by line; each proof;
5. every file that is not a tile against the list SHA256SUMS, and that list against its signature, SHA256SUMS.note; that
   there is no link and no folder without a file;
6. with --since: the log still begins with what the checkpoint you kept speaks of.

The fingerprint, or the key, is one that reached you on another way than the bundle: by letter, say. Without either the
key comes from the bundle itself, and whoever forges a bundle puts a key of their own into it: then the answer is
CONSISTENT, SIGNER NOT CHECKED and never VERIFIED.
Exit: 0 verified, 1 not verified, 2 wrong usage, 3 consistent, but nobody has said whose signature it must be.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import sys
from base64 import b64decode, b64encode
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

EMPTY_ROOT = sha256(b"").digest()
WIDTH, HASH, BLOCK = 256, 32, 1 << 16
LONGEST_ENTRY, MOST_BLOCKS, MOST_PROBLEMS = 65_535, 512, 100
COUNTED = frozenset({"import_done", "import_refused", "import_interrupted", "batch", "register_reconciled"})
LIST, LIST_NOTE, LIST_KIND, MOST_FILES = "SHA256SUMS", "SHA256SUMS.note", "retention.bundle-files/v1", 20
LISTED = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
NAME, BASE64 = r"[^\s+\x00-\x1f]+", r"[A-Za-z0-9+/]+={0,2}"
SIGNATURES = rf"((?:\u2014 {NAME} {BASE64}\n)+)"
NOTE = re.compile(rf"((({NAME})\n(0|[1-9][0-9]{{0,18}})\n({BASE64})\n))\n{SIGNATURES}")
VKEY = re.compile(rf"({NAME})\+([0-9a-f]{{8}})\+({BASE64})\n?")
PROOF = re.compile(
    rf"c2sp\.org/tlog-proof@v1\n(?:extra {BASE64}\n)?index (0|[1-9][0-9]{{0,18}})\n((?:{BASE64}\n){{0,63}})\n(.*)",
    re.DOTALL,
)
TILE = re.compile(r"tile/([0-9]|[1-9][0-9]|entries)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
DISPOSAL = re.compile(
    rb'\{"batch":([1-9][0-9]{0,15}),"kind":"disposal","network":"([a-z0-9._-]{1,64})",'
    rb'"pseudonym":"([A-Za-z0-9_-]{22})","received_on":"([0-9]{4}-[0-9]{2}-[0-9]{2})","v":1\}'
)
COLUMNS = (
    *("entry_index", "disposed_at", "received_on", "network", "pseudonym", "rule", "authority", "cutoff"),
    *("run", "batch", "plan_digest", "schedule_digest", "origin"),
)


Read = TypeVar("Read")


class NotVerifiedError(Exception):
    """Something is not what it says, or not of the form it must have."""


class Key(NamedTuple):
    """A public key: its name, which is the origin of its log, and 32 bytes (RFC 8032)."""

    name: str
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that stand for the key in a signature line (C2SP signed-note)."""
        return sha256(self.name.encode() + b"\n\x01" + self.raw).digest()[:4]

    @property
    def vkey(self) -> str:
        """Spell the key as one line."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(chr(1).encode() + self.raw).decode()}"

    @property
    def fingerprint(self) -> str:
        """Give the SHA-256 of the key in DER, as openssl writes it, in hex."""
        return sha256(self._spelled(serialization.Encoding.DER)).hexdigest()

    @property
    def pem(self) -> bytes:
        """Spell the key for openssl."""
        return self._spelled(serialization.Encoding.PEM)

    def _spelled(self, encoding: serialization.Encoding) -> bytes:
        public = Ed25519PublicKey.from_public_bytes(self.raw)
        return public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)

    def signed(self, signature: bytes, text: bytes) -> bool:
        """Tell whether this key signed the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Head(NamedTuple):
    """A signed checkpoint, read and not yet believed. ``signatures`` holds key name, key id and signature."""

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: list[tuple[str, bytes, bytes]]

    def is_signed_by(self, keys: Mapping[tuple[str, bytes], Key]) -> bool:
        """Tell whether a key of the log signed it; raises for a signature that a known key did not make."""
        known = [
            (keys[name, key_id], signature) for name, key_id, signature in self.signatures if (name, key_id) in keys
        ]
        if not all(key.signed(signature, self.text) for key, signature in known):
            message = f"the checkpoint at size {self.size} carries a bad signature of a known key"
            raise NotVerifiedError(message)
        return any(key.name == self.origin for key, _ in known)


def decoded(text: str) -> bytes:
    """Decode base64 that is in its one canonical spelling."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if b64encode(data).decode() != text:
        message = "base64 that is not in its one canonical form"
        raise NotVerifiedError(message)
    return data


def parse_key(text: str) -> Key:
    """Read a key from its line."""
    match = VKEY.fullmatch(text)
    data = decoded(match[3]) if match else b""
    if (
        match is None
        or len(data) != 1 + HASH
        or data[:1] != b"\x01"
        or Key(match[1], data[1:]).key_id.hex() != match[2]
    ):
        message = "a key must read name+key id+base64 of an Ed25519 key, in one line"
        raise NotVerifiedError(message)
    return Key(match[1], data[1:])


def parse_key_bytes(data: bytes) -> Key:
    """Read a key from a file."""
    return parse_key(data.decode("utf-8", "replace"))


def parse_note(data: bytes) -> Head:
    """Read a signed checkpoint (C2SP tlog-checkpoint): three lines, an empty one, signature lines."""
    match = NOTE.fullmatch(data.decode("utf-8", "replace"))
    if match is None or len(root := decoded(match[5])) != HASH:
        message = "a checkpoint must be origin, size and root, an empty line and signature lines"
        raise NotVerifiedError(message)
    return Head(match[3], int(match[4]), root, match[1].encode(), parse_signatures(match[6]))


def parse_signatures(lines: str) -> list[tuple[str, bytes, bytes]]:
    """Read signature lines (C2SP signed-note): key name, key id and signature of each."""
    signatures = []
    for line in lines.splitlines():
        _, name, encoded = line.split(" ")
        signature = decoded(encoded)
        signatures.append((name, signature[:4], signature[4:]))
    return signatures


def list_text(origin: str, size: int, listed: bytes) -> str:
    """Spell what is signed of the list of a bundle's files: which list, beside which checkpoint.

    No checkpoint can be spelled like this: its first line is the name of the key.
    """
    return f"{LIST_KIND}\n{origin}\n{size}\n{sha256(listed).hexdigest()}\n"


def node(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def check_proof(data: bytes, entry: bytes) -> Head:
    """Check that an entry stands where a proof says, under the size of the checkpoint in it (RFC 9162, 2.1.3.2)."""
    match = PROOF.fullmatch(data.decode("utf-8", "replace"))
    if match is None:
        message = "not a proof of the form c2sp.org/tlog-proof@v1"
        raise NotVerifiedError(message)
    head, path = parse_note(match[3].encode()), [decoded(line) for line in match[2].splitlines()]
    place, last, result = int(match[1]), head.size - 1, sha256(b"\x00" + entry).digest()
    fits = place <= last
    for sibling in path:
        fits = fits and last > 0
        if place & 1 or place == last:
            result = node(sibling, result)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            result = node(result, sibling)
        place, last = place >> 1, last >> 1
    if not fits or last or result != head.root:
        message = "the proof does not lead from the entry to the root that was signed"
        raise NotVerifiedError(message)
    return head


class Tree:
    """The right edge of the tree: roots of whole subtrees, largest first. Rows of tiles are handed out."""

    def __init__(self, row: Callable[[int, bytes], None] | None = None) -> None:
        """Begin with nothing; ``row`` is told the level and the hash of each row of a tile above level 0."""
        self._parts: list[tuple[int, bytes]] = []
        self._row = row

    def copy(self) -> Tree:
        """Give a tree that can grow apart from this one."""
        twin = Tree()
        twin._parts = self._parts.copy()
        return twin

    def add(self, hashes: Iterable[bytes]) -> None:
        """Add leaves at the right."""
        parts = self._parts
        for leaf in hashes:
            height, one = 0, leaf
            while parts and parts[-1][0] == height:
                one = node(parts.pop()[1], one)
                height += 1
                if self._row and not height & 7:
                    self._row(height >> 3, one)
            parts.append((height, one))

    def root(self) -> bytes:
        """Give the root (RFC 6962 section 2.1)."""
        result = self._parts[-1][1] if self._parts else EMPTY_ROOT
        for _, left in self._parts[-2::-1]:
            result = node(left, result)
        return result


class Bundle(Protocol):
    """Where the files of a bundle are read from."""

    def names(self) -> Iterator[str]:
        """Name every file."""

    def strangers(self) -> Iterator[tuple[str, str]]:
        """Name what a bundle never has, each with what it is: links, folders without a file, devices."""

    def open(self, name: str) -> BinaryIO:
        """Open a file; one that is not there is empty."""


class Folder:
    """A bundle in a folder."""

    def __init__(self, path: Path) -> None:
        """Remember the folder."""
        self._path = path

    def names(self) -> Iterator[str]:
        """Name every file; what is a link is none."""
        for folder, _, files in os.walk(self._path):
            paths = (Path(folder, name) for name in files)
            yield from (self._name(path) for path in paths if path.is_file() and not path.is_symlink())

    def strangers(self) -> Iterator[tuple[str, str]]:
        """Name what a bundle never has, each with what it is: links, folders without a file, devices."""
        without: set[Path] = set()
        for folder, folders, files in os.walk(self._path, topdown=False):
            paths = [Path(folder, name) for name in (*folders, *files)]
            for path in paths:
                if path.is_symlink():
                    yield self._name(path), "a link"
                elif not path.is_file() and not path.is_dir():
                    yield self._name(path), "neither a file nor a folder"
            if without.issuperset(paths):
                without.add(Path(folder))
                yield self._name(Path(folder)), "a folder without a file"

    def open(self, name: str) -> BinaryIO:
        """Open a file; what is not there, or is a link, is empty."""
        path = self._path / name
        return path.open("rb") if path.is_file() and not path.is_symlink() else io.BytesIO()

    def _name(self, path: Path) -> str:
        return path.relative_to(self._path).as_posix()


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Read a file block by block."""
    return iter(lambda: file.read(BLOCK), b"")


def whole(bundle: Bundle, name: str) -> bytes:
    """Read a small file; what is beyond 32 MiB is left."""
    with bundle.open(name) as file:
        return b"".join(islice(blocks(file), MOST_BLOCKS))


def shown(text: str) -> str:
    """Spell a name so that it cannot pass for anything else in what is printed, whoever chose it."""
    return text if re.fullmatch(r"[\w./+@-]+", text) and text.isprintable() else ascii(text)


def tile_name(level: int, n: int, width: int) -> str:
    """Name the file of a tile (C2SP tlog-tiles); level -1 stands for the entries."""
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.append(f"x{n % 1000:03d}")
    path = f"tile/{'entries' if level < 0 else level}/{'/'.join(reversed(groups))}"
    return path if width == WIDTH else f"{path}.p/{width}"


@dataclass
class Report:
    """What was found: the last checkpoint, the key it rests on, sentences, and the first index known to be wrong."""

    head: Head | None = None
    key: Key | None = None
    problems: list[str] = field(default_factory=list)
    first_bad_index: int | None = None

    def add(self, problem: str, index: int | None = None) -> None:
        """Note a problem and the entry it concerns, where that is known."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        if index is not None and (self.first_bad_index is None or index < self.first_bad_index):
            self.first_bad_index = index


class Counts:
    """The size of the register, from entry to entry: what one leaves, the next one must begin with.

    The first entry says that the register is empty. Those of earlier versions do not say ``before`` and ``after``.
    """

    def __init__(self) -> None:
        """Begin before the first entry."""
        self.size: object = None
        self._early = 0

    def see(self, kind: str, entry: dict[str, Any]) -> bool:
        """Tell whether the next entry counts on from those before it."""
        if kind == "genesis":
            before, self.size = self.size, entry.get("registered")
            return before in (None, self.size)
        if kind == "redated" and isinstance(self.size, int):
            self.size -= 1
        elif kind == "heartbeat":
            return self.size in (None, entry.get("registered"))
        elif kind in COUNTED and (self.size is not None or "before" in entry):
            expected, before, after = self.size, entry.get("before"), entry.get("after")
            self.size = after
            if kind == "register_reconciled":
                self._early = 0
                return True
            return (
                isinstance(before, int)
                and isinstance(after, int)
                and expected in (None, before)
                and self._fits(kind, entry, after - before)
            )
        return True

    def _fits(self, kind: str, entry: dict[str, Any], grown: int) -> bool:
        if kind == "batch":
            return -grown == entry.get("count")
        if kind == "import_interrupted":
            self._early += grown
        elif kind == "import_done":
            early = entry["registered"] - grown if isinstance(entry.get("registered"), int) else -1
            self._early -= early
            return grown >= 0 and early >= 0 and self._early >= 0
        return grown >= 0


class Facts:
    """What entries say against each other, and the table of disposals that follows from them.

    ``misfits`` holds sentences, each with the entry it concerns and the one at which it showed.
    """

    def __init__(self, report: Report, table: BinaryIO, origin: str) -> None:
        """Compare the table's first line."""
        self.introduced: list[tuple[int, Key]] = []
        self.misfits: list[tuple[str, int, int]] = []
        self._report, self._table, self._origin = report, table, origin
        self._open: list[tuple[int, tuple[bytes, ...]]] = []
        self._fits = True
        self._counts = Counts()
        self._miscounted: int | None = None
        self._line = 1
        self._compare(COLUMNS, "deletion-log.csv is missing, or does not begin with the names of its columns")

    def see(self, index: int, line: bytes) -> None:
        """Look at the next entry."""
        if match := DISPOSAL.fullmatch(line):
            self._open.append((index, match.groups()))
            return
        try:
            entry = json.loads(line)
            kind = entry["kind"]
        except (ValueError, KeyError, TypeError, RecursionError):
            entry, kind = {}, "disposal"
        if kind == "register_reconciled":
            self._miscounted = None  # a person has looked at what did not fit until here
        if isinstance(kind, str) and not self._counts.see(kind, entry) and self._miscounted is None:
            self._miscounted = index
        if kind == "batch":
            self._close(index, entry)
        elif kind == "disposal" or self._open:
            self._add(f"entry {index} is not of this log's form, or parts disposals from their batch", index, index)
        elif kind in {"genesis", "rotate"}:
            with suppress(NotVerifiedError):
                self.introduced.append((index, parse_key(str(entry.get("verifier_key")))))

    def end(self, size: int) -> None:
        """Note that a batch is missing where none has closed disposals, and what the table says beyond the entries."""
        if self._open:
            first = self._open[0][0]
            self._add(f"entry {size} is missing: no batch closes the disposals from entry {first} on", size, size)
        if (index := self._miscounted) is not None:
            self._add(f"entry {index} does not count the register on from the entries before it", index, index)
        if self._fits and self._table.read(1):
            self._report.add("deletion-log.csv has more lines than there are disposals")

    def _add(self, problem: str, index: int, shown_at: int) -> None:
        if len(self.misfits) < MOST_PROBLEMS:
            self.misfits.append((problem, index, shown_at))

    def _close(self, index: int, batch: dict[str, Any]) -> None:
        disposals, self._open = self._open, []
        said = [batch.get("batch"), batch.get("first"), batch.get("count")]
        due_before = str(batch.get("due_before", ""))
        if not disposals or said != [int(disposals[0][1][0]), disposals[0][0], len(disposals)]:
            self._add(f"the batch at entry {index} does not describe the disposals before it", index, index)
        keys = ("rule", "authority", "cutoff", "run", "batch", "plan_digest", "schedule_digest")
        facts = [_guarded(batch.get(key, "")) for key in keys]
        at = _guarded(batch.get("at", ""))
        for place, (number, network, pseudonym, day) in disposals:
            if number != disposals[0][1][0]:
                self._add(f"entry {place} belongs to another batch than its neighbours", place, index)
            if day.decode() >= due_before:
                self._add(f"entry {place} was not due under the cutoff of its batch", place, index)
            own = [_guarded(one.decode()) for one in (day, network, pseudonym)]
            told = f"deletion-log.csv, line {self._line}, does not say what entry {place} says"
            self._compare((str(place), at, *own, *facts, self._origin), told)

    def _compare(self, cells: tuple[str, ...], problem: str) -> None:
        row = io.StringIO()
        csv.writer(row, lineterminator="\r\n").writerow(cells)
        expected = row.getvalue().encode()
        if self._fits and self._table.read(len(expected)) != expected:
            self._fits = False
            self._report.add(problem)
        self._line += expected.count(b"\n")


def _guarded(value: object) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula; a pseudonym may begin with a minus."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


class Walk:
    """One walk over the entries, a tile at a time; remembers the root at each size that somebody signed."""

    def __init__(self, bundle: Bundle, report: Report, marks: set[int], end: int) -> None:
        """Begin before the first entry. ``marks`` are the sizes at which roots are wanted, ``end`` is the last."""
        self.size = 0
        self._end = end
        self.roots = {0: EMPTY_ROOT}
        self.roots_as_kept: dict[int, bytes] = {}
        self._bundle, self._report, self._marks = bundle, report, marks
        self._edge: dict[int, list[bytes]] = {}  # the rows of the tile that is begun, by level; -1 are the entries
        self._full: dict[int, int] = {}  # how many tiles of a level above the entries are full
        self._tree = Tree(self._row)
        self._kept: Tree | None = None  # the tree of the kept hashes, from where one differs from its entry

    def add(self, lines: list[bytes]) -> None:
        """Add the entries of one tile; fewer than 256 at the end of the log only."""
        made = [sha256(b"\x00" + line).digest() for line in lines]
        coded = [len(line).to_bytes(2, "big") + line for line in lines]
        if len(lines) < WIDTH:
            self._edge[0], self._edge[-1] = made, coded
        self._compare(-1, self.size // WIDTH, coded)
        found = self._compare(0, self.size // WIDTH, made)
        kept = [found[start : start + HASH] for start in range(0, min(len(found), len(made) * HASH), HASH)]
        kept += made[len(kept) :]
        if kept != made and self._kept is None:
            self._kept = self._tree.copy()
        done = 0
        for end in [n for n in range(1, len(made)) if self.size + n in self._marks] + [len(made)]:
            self._tree.add(made[done:end])
            if self._kept:
                self._kept.add(kept[done:end])
            if (size := self.size + end) in self._marks:
                self.roots[size] = self._tree.root()
                self.roots_as_kept[size] = self._kept.root() if self._kept else b""
            done = end
        self.size += len(made)

    def end(self) -> None:
        """Compare the tiles that are begun above the entries."""
        for level, rows in self._edge.items():
            if level > 0 and rows:
                self._compare(level, self._full.get(level, 0), rows)

    def belongs(self, name: str) -> bool:
        """Tell whether a tile is one of this log: compared already, or an older, narrower one that still fits."""
        match = TILE.fullmatch(name)
        if match is None:
            return False
        level = -1 if match[1] == "entries" else int(match[1])
        n, width = int(re.sub("[x/]", "", match[2])), int(match[3] or WIDTH)
        full, rows = self.size // WIDTH ** (max(level, 0) + 1), self._edge.get(level, [])
        if match[3] is None or name != tile_name(level, n, width):
            return match[3] is None and name == tile_name(level, n, width) and n < full
        return n == full and width <= len(rows) and whole(self._bundle, name) == b"".join(rows[:width])

    def _row(self, level: int, one: bytes) -> None:
        rows = self._edge.setdefault(level, [])
        rows.append(one)
        if len(rows) == WIDTH:
            n = self._full.get(level, 0)
            self._compare(level, n, rows)
            self._full[level] = n + 1
            rows.clear()

    def _compare(self, level: int, n: int, rows: list[bytes]) -> bytes:
        """Compare a tile with what it must be; give it as it was kept."""
        width = min(WIDTH, self._end // WIDTH ** max(level, 0) - n * WIDTH)
        name, made = tile_name(level, n, width), b"".join(rows)
        kept = whole(self._bundle, name)
        if kept != made:
            same = next(
                (n for n, pair in enumerate(zip(kept, made, strict=False)) if pair[0] != pair[1]),
                min(len(kept), len(made)),
            )
            ends = list(accumulate(map(len, rows)))
            row = bisect_right(ends, same)
            # What differs above an entry that differs follows from it, and names nothing.
            index = None if level > 0 and self._kept else (n * WIDTH + row) * WIDTH ** max(level, 0)
            self._report.add(f"{name} does not fit the entries" if kept else f"{name} is missing", index)
        return kept


def verify(
    bundle: Bundle,
    keys: Iterable[Key],
    since: Iterable[bytes] = (),
    tick: Callable[[int], object] = id,
    fingerprint: str = "",
) -> Report:
    """Verify a bundle under the keys that are trusted, or the one of the fingerprint, or its own where none is given.

    ``since`` are checkpoints that were kept elsewhere; ``tick`` is told now and then how many entries were read.
    """
    report = Report()
    _check_files(bundle, report)
    try:
        _verify(bundle, (list(keys), fingerprint), since, tick, report)
    except NotVerifiedError as error:
        report.add(str(error))
    return report


def _verify(
    bundle: Bundle,
    trust: tuple[list[Key], str],
    since: Iterable[bytes],
    tick: Callable[[int], object],
    report: Report,
) -> None:
    note = whole(bundle, "checkpoint")
    head = report.head = _parsed("checkpoint", note, parse_note)
    own = report.key = _parsed("keys/log.vkey", whole(bundle, "keys/log.vkey"), parse_key_bytes)
    others = sorted(name for name in bundle.names() if not name.startswith("tile/"))
    heads = [
        (name, _parsed(shown(name), whole(bundle, name), parse_note))
        for name in others
        if name.startswith("checkpoints/")
    ]
    if whole(bundle, f"checkpoints/{head.size}") != note or any(
        name != f"checkpoints/{one.size}" for name, one in heads
    ):
        report.add("a file in checkpoints/ is not the checkpoint of the size that it is named after")
    heads = [(shown(name), one) for name, one in heads]
    heads += [("the checkpoint that was kept elsewhere,", parse_note(one)) for one in since]
    walk, facts = _walk(bundle, report, {one.size for _, one in heads}, head, tick)
    chain = facts.introduced
    start = _start(trust, own, chain, report)
    known = _trusted(heads, walk.roots, {(key.name, key.key_id): key for key in start}, chain)
    for told, one in heads:
        required, fitting = _fitting(known, chain, one.size)
        if one.is_signed_by(fitting) and (required or one.origin == head.origin):
            continue
        report.add(
            f"{told} of size {one.size}, is of an epoch of the log that had ended by then: the database was restored"
            if required and one.origin != required[0].name and one.origin in {key.name for _, key in chain}
            else f"{told} of size {one.size}, is not signed by the key that this log had then, or none leads to it"
        )
    _check_roots(sorted(heads, key=lambda pair: pair[1].size), walk, report)
    changed_from = report.first_bad_index
    for problem, index, shown_at in facts.misfits:
        # An entry that was changed later says nothing about what was done, so only what showed before it counts.
        if changed_from is None or shown_at < changed_from:
            report.add(problem, index)
    if (own.name, own.key_id) not in known or own.pem != whole(bundle, "keys/log.pem"):
        report.add("the key in keys/ is not one that the trusted key leads to")
    _check_list(bundle, head, _fitting(known, chain, head.size)[1], report)
    _check_proofs(bundle, others, [one for _, one in heads], report)
    for name in bundle.names():
        if name.startswith("tile/") and not walk.belongs(name):
            report.add(f"{shown(name)} is not a tile of this log, or it is damaged")


def _parsed(name: str, data: bytes, parse: Callable[[bytes], Read]) -> Read:
    """Read a small file of the bundle; what is wrong with it is told with its name."""
    try:
        return parse(data)
    except NotVerifiedError as error:
        message = f"{name}: {error}" if data else f"{name} is missing"
        raise NotVerifiedError(message) from None


def _start(trust: tuple[list[Key], str], own: Key, chain: list[tuple[int, Key]], report: Report) -> list[Key]:
    """Give the keys that trust begins with; a fingerprint may be of any key that the log says it had."""
    keys, fingerprint = trust
    if not fingerprint:
        return keys or [own]
    found = [key for key in [own, *(key for _, key in chain)] if key.fingerprint == fingerprint]
    if not found:
        report.add("the key in the bundle does not have the fingerprint that was given")
    return found[:1] or [own]


def _fitting(
    known: dict[tuple[str, bytes], Key], chain: list[tuple[int, Key]], size: int
) -> tuple[list[Key], dict[tuple[str, bytes], Key]]:
    """Give the key that had taken over last below a size, if any, and those known keys whose signature counts there."""
    required = [key for index, key in chain if index < size][-1:]
    return required, {name: key for name, key in known.items() if key in (required or known.values())}


def _check_files(bundle: Bundle, report: Report) -> None:
    """Compare every file that is not a tile with the list of them; tiles follow from the entries."""
    text = whole(bundle, LIST).decode("utf-8", "replace")
    listed = {name: digest for digest, name in LISTED.findall(text)}
    if text != "".join(f"{listed[name]}  {name}\n" for name in sorted(listed)):
        report.add(f"{LIST} is not a list of files as sha256sum writes it")
    wrong = [f"{shown(name)} is {what}: a bundle has none" for name, what in bundle.strangers()]
    there = sorted(name for name in bundle.names() if not name.startswith("tile/") and name not in {LIST, LIST_NOTE})
    for name in there:
        digest = sha256()
        with bundle.open(name) as file:
            for block in blocks(file):
                digest.update(block)
        if name not in listed:
            wrong.append(f"{shown(name)} was added: it is not among the files that {LIST} lists")
        elif listed[name] != digest.hexdigest():
            wrong.append(f"{shown(name)} was changed: it is not the file that {LIST} lists")
    wrong += [f"{shown(name)} is missing: {LIST} lists it" for name in sorted(listed.keys() - set(there))]
    if not text:
        wrong = [f"{LIST} is missing: nothing says which files belong to this bundle"]
    for problem in wrong[:MOST_FILES]:
        report.add(problem)
    if len(wrong) > MOST_FILES:
        report.add(f"{len(wrong) - MOST_FILES} more files are not as {LIST} lists them")


def _check_list(bundle: Bundle, head: Head, keys: dict[tuple[str, bytes], Key], report: Report) -> None:
    """Check that the key of the log signed this list of files, beside this checkpoint."""
    text, note = list_text(head.origin, head.size, whole(bundle, LIST)), whole(bundle, LIST_NOTE)
    signed, signatures = note.decode("utf-8", "replace").split("\n\n", 1) if b"\n\n" in note else ("", "")
    if (
        f"{signed}\n" != text
        or not re.fullmatch(SIGNATURES, signatures)
        or not Head(head.origin, head.size, b"", text.encode(), parse_signatures(signatures)).is_signed_by(keys)
    ):
        report.add(
            f"{LIST_NOTE} does not show that the key of the log signed this list of files with this checkpoint"
            if note
            else f"{LIST_NOTE} is missing: nothing shows that the key of the log signed this list of files"
        )


def _walk(
    bundle: Bundle, report: Report, marks: set[int], head: Head, tick: Callable[[int], object]
) -> tuple[Walk, Facts]:
    walk = Walk(bundle, report, marks, head.size)
    with bundle.open("entries.jsonl") as lines, bundle.open("deletion-log.csv") as table:
        facts = Facts(report, table, head.origin)
        each = iter(lambda: lines.readline(LONGEST_ENTRY + 1), b"")
        while chunk := list(islice(each, min(WIDTH, head.size - walk.size))):
            if not all(line.endswith(b"\n") for line in chunk):
                message = f"entries.jsonl: after line {walk.size}, one is too long or has no end"
                raise NotVerifiedError(message)
            for index, line in enumerate(chunk, walk.size):
                facts.see(index, line[:-1])
            walk.add([line[:-1] for line in chunk])
            tick(len(chunk))
        facts.end(walk.size)
        if walk.size != head.size or any(each):
            report.add(f"entries.jsonl does not have the {head.size} entries that the checkpoint says", walk.size)
    walk.end()
    return walk, facts


def _trusted(
    heads: list[tuple[str, Head]],
    roots: dict[int, bytes],
    known: dict[tuple[str, bytes], Key],
    introduced: list[tuple[int, Key]],
) -> dict[tuple[str, bytes], Key]:
    """Follow the keys: what stands under a checkpoint of a trusted key may introduce others."""
    while True:
        reach = max(
            (head.size for _, head in heads if head.root == roots.get(head.size) and head.is_signed_by(known)),
            default=0,
        )
        new = {(key.name, key.key_id): key for index, key in introduced if index < reach}
        if new.keys() <= known.keys():
            return known
        known = {**new, **known}


def _check_roots(heads: list[tuple[str, Head]], walk: Walk, report: Report) -> None:
    fitting, misfit = 0, False
    for told, head in heads:
        if head.size > walk.size:
            report.add(f"{told} was signed at size {head.size}, there are {walk.size} entries", walk.size)
        elif head.root == walk.roots[head.size]:
            fitting = head.size
        elif not misfit:
            misfit = True
            last = f"the last that fits is at {fitting}" if fitting else "none before it fits"
            index = None if walk.roots_as_kept.get(head.size) == head.root else fitting
            report.add(f"the first {head.size} entries do not have the root of {told}; {last}", index)


def _check_proofs(bundle: Bundle, names: list[str], heads: list[Head], report: Report) -> None:
    for name in names:
        if name.startswith("proofs/") and name.endswith(".tlog-proof"):
            try:
                fits = check_proof(whole(bundle, name), whole(bundle, f"{name[:-11]}.json")) in heads
            except NotVerifiedError:
                fits = False
            if not fits:
                report.add(f"{shown(name)} does not prove its entry under a checkpoint of this bundle")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", nargs="?", type=Path, help="the folder of the bundle")
    parser.add_argument("--fingerprint", help="SHA-256 of the public key in DER, in hex, from another way")
    parser.add_argument("--key", help="the log's public key from another way, as its line or in a file")
    parser.add_argument("--since", action="append", default=[], type=Path, help="a checkpoint that you kept")
    parser.add_argument("--proof", type=Path, help="a proof of one entry, in place of a bundle")
    parser.add_argument("--entry", type=Path, help="with --proof: the file with the entry")
    asked = parser.parse_args(arguments)
    if (asked.bundle is None) == (asked.proof is None) or (asked.proof and not (asked.entry and asked.key)):
        parser.error("name a bundle, or --proof with --entry and --key")
    try:
        keys = [given_key(asked.key)] if asked.key else []
        fingerprint = given_fingerprint(asked.fingerprint) if asked.fingerprint is not None else ""
        kept = [(path, given_note(path)) for path in asked.since]
        if asked.bundle and not asked.bundle.is_dir():
            parser.error(f"{asked.bundle}: is not a folder; unpack a tar file first: tar -xf FILE -C FOLDER")
        proof = (_read(asked.proof), _read(asked.entry)) if asked.proof else None
    except NotVerifiedError as error:
        parser.error(str(error))
    if fingerprint and keys and keys[0].fingerprint != fingerprint:
        parser.error("--key is not the key of --fingerprint; give one of the two")
    report = (
        _proven(*proof, keys[0])
        if proof
        else verify(Folder(asked.bundle), keys, [one for _, one in kept], id, fingerprint)
    )
    return _tell(report, kept, trusted=bool(asked.key or asked.fingerprint))


def given_key(given: str) -> Key:
    """Read the key that somebody trusts, from a line or a file; raises for what is not a public key with its name."""
    text = given
    with suppress(OSError, ValueError):  # a line may be longer than the name of a file can be
        if Path(given).is_file():
            text = _read(Path(given)).decode("utf-8", "replace")
    if "PRIVATE KEY" in text:
        message = "--key: this is a private key; it stays where it is. Give the public one, as in keys/log.vkey"
    elif "-----BEGIN" in text:
        message = "--key: a key in PEM does not say which log it is of; give its line, as in keys/log.vkey"
    else:
        with suppress(NotVerifiedError):
            return parse_key(text.strip())
        message = "--key: neither a file with a key nor a key, which reads name+key id+base64, as in keys/log.vkey"
    raise NotVerifiedError(message)


def given_fingerprint(given: str) -> str:
    """Read a fingerprint as people write it; raises where it is none."""
    text = re.sub(r"[\s:]", "", given).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        message = "--fingerprint: takes the 64 hexadecimal digits that reached you on another way, by letter say"
        raise NotVerifiedError(message)
    return text


def given_note(path: Path) -> bytes:
    """Read a checkpoint that somebody kept; one copied from a page or a mail may have lost its last newline."""
    data = _read(path).removesuffix(b"\n") + b"\n"
    try:
        parse_note(data)
    except NotVerifiedError as error:
        message = f"{path}: is not a signed checkpoint ({error})"
        raise NotVerifiedError(message) from None
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BLOCKS * BLOCK)
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise NotVerifiedError(message) from None


def _proven(proof: bytes, entry: bytes, key: Key) -> Report:
    report = Report(key=key)
    try:
        report.head = check_proof(proof, entry)
        if not report.head.is_signed_by({(key.name, key.key_id): key}):
            report.add("the checkpoint in the proof is not signed by the key that was given")
    except NotVerifiedError as error:
        report.add(str(error))
    return report


def _tell(report: Report, kept: list[tuple[Path, bytes]], *, trusted: bool) -> int:
    for problem in report.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    if report.first_bad_index is not None:
        sys.stdout.write(f"FIRST BAD ENTRY: {report.first_bad_index}\n")
    if report.problems or report.head is None or report.key is None:
        sys.stdout.write("NOT VERIFIED\n")
        return 1
    root = b64encode(report.head.root).decode()
    sys.stdout.write(f"{shown(report.head.origin)}: {report.head.size} entries, root {root}\n")
    for path, note in kept:
        sys.stdout.write(
            f"It begins with the {parse_note(note).size} entries of the checkpoint that was kept: {shown(str(path))}\n"
        )
    if trusted:
        sys.stdout.write("VERIFIED\n")
        return 0
    sys.stdout.write(
        "CONSISTENT, SIGNER NOT CHECKED: the key came with the bundle. Run it again with --fingerprint, giving the\n"
        f"one that reached you on another way. The bundle's own key has the SHA-256 {report.key.fingerprint}\n"
    )
    return 3


if __name__ == "__main__":  # pragma: no cover  # a test runs it as a process of its own
    sys.exit(main())
