"""What an entry of the log says: one builder for the disposals, one for everything else.

An entry is one canonical JSON object (see canonical.py) and is itself the leaf of the tree. It stays for ever, so
nothing personal may stand in it: a field that the table below does not know is refused, and what an operator wrote or
who they are (``by``, ``reason``, ``reference``) stands there only as a commitment, whose text and salt are kept in a
table that can be erased.

Every entry but a disposal carries ``at`` (``YYYY-MM-DDTHH:MM:SSZ``), ``kind`` and ``v`` = 1. A disposal carries exactly
``batch``, ``kind``, ``network``, ``pseudonym`` (22 characters), ``received_on`` (a day, so that anyone can check that
it was due) and ``v`` = 1. What the others carry; a field in brackets may be missing:

    genesis           origin, verifier_key, software, drill, [registered], [predecessor_origin], [predecessor_size],
                      [predecessor_root_hash], [by], [reason]
    schedule_changed  schedule_digest, [rules], [previous_digest], [shortened]
    key_created       month, commitment
    key_destroyed     month, commitment
    key_retired       verifier_key
    hold_placed       hold, [hold_kind], [scope_digest], [review_on], [received_from], [received_until], [by], [reason],
                      [reference]
    hold_released     hold, [by], [reason], [reference]
    import_done       source, file_digest, rows, registered, duplicates, not_covered, born_expired, rejected,
                      [import_id], [window_from], [window_to], [before], [after]
    import_refused    source, file_digest, before, after
    import_interrupted  before, after
    file_disposed     file_digest, place, [import_id], [size]
    belt_passed       belt, plan_digest, reason, [by], [figures], [run]
    plan_approved     plan_digest, by, [reason]
    backup_period     what, [keep]
    backup_registered backup, what, made_on, gone_by, by, [reason]
    backup_gone       backup, by, [reason]
    batch             batch, count, first, schedule_digest, plan_digest, run, software, [rule], [authority], [cutoff],
                      [due_before], [rules], [fencing_token], [before], [after], [cause], [reason]
    redated           pseudonym, received_on, previous_on, [network], [import_id]
    register_reconciled  before, after, reason, [finding], [by]
    heartbeat         run, registered, [held], [plan_digest], [schedule_digest], [software]
    run_interrupted   run, [batches], [disposed], [cause], [fencing_token]
    exported          what, [by], [digest], [rows], [size]
    viewed            what, [by]
    upstream_*        source, count, [order], [batch], [run], [list_digest], [file_digest], [window_from],
                      [window_to], [by], [reason], [reference]
    rotate            verifier_key, [previous_key], [until], [by], [reason]

``place`` of a file_disposed is ``landing``, ``quarantine`` or ``remote``: the server that the file was fetched from.
``upstream_*`` stands for ``upstream_`` and intended, deleted, failed, unknown, ordered, attested, absent or present.
``batch`` closes the transaction of one batch: ``first`` is the index of its first disposal; all of its disposals were
received before the instant ``cutoff`` and the day ``due_before``; ``before`` and ``after`` count the register (see
counts.py for the sum that they make); ``cause`` is a word of the program such as ``due`` or ``erasure`` (an erasure has
no rule and no cutoff), and of a run that did not come to its end ``stopped``, ``failed`` or ``killed``. ``redated``:
the message stood in the register under ``previous_on`` and stands there under ``received_on`` now. ``rules`` lists
objects with a name each. ``what`` of a backup_period lists kinds of copies; without ``keep`` no period holds for them
any more. ``rotate``: ``verifier_key`` signs every checkpoint from here on, ``previous_key`` beside it
until ``until``; then its private half is destroyed, which ``key_retired`` says (see rotation.py). Text from the
configuration goes through ascii_text first. ``genesis`` is the first entry of a log, and the first of each later epoch
(see epoch.py), where ``predecessor_*`` name the newest checkpoint of the epoch before it that had left the machine; the
root hash is hex.
"""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from retention.audit.canonical import Value, canonical
from retention.model import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

ENTRY_VERSION = 1
SALT_BYTES = 16

_COMMITMENT_DOMAIN = b"retention text commitment"
_COMMITMENT = re.compile(r"sha256:[0-9a-f]{64}")
_COMMITTED_FIELDS = frozenset({"by", "reason", "reference", "commitment"})
_NETWORK = re.compile(r"[a-z0-9._-]{1,64}")
_PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{22}")


class Fields(NamedTuple):
    """The fields of one kind of entry, beside ``at``, ``kind`` and ``v``."""

    required: frozenset[str]
    optional: frozenset[str]


def _fields(required: str, optional: str = "") -> Fields:
    return Fields(frozenset(required.split()), frozenset(optional.split()))


_UPSTREAM_OUTCOMES = ("intended", "deleted", "failed", "unknown", "ordered", "attested", "absent", "present")
_UPSTREAM = _fields("source count", "order batch run list_digest file_digest window_from window_to by reason reference")

KINDS: Final[Mapping[str, Fields]] = {
    "genesis": _fields(
        "origin verifier_key software drill",
        "registered predecessor_origin predecessor_size predecessor_root_hash by reason",
    ),
    "schedule_changed": _fields("schedule_digest", "rules previous_digest shortened"),
    "key_created": _fields("month commitment"),
    "key_destroyed": _fields("month commitment"),
    "key_retired": _fields("verifier_key"),
    "hold_placed": _fields("hold", "hold_kind scope_digest review_on received_from received_until by reason reference"),
    "hold_released": _fields("hold", "by reason reference"),
    "import_done": _fields(
        "source file_digest rows registered duplicates not_covered born_expired rejected",
        "import_id window_from window_to before after",
    ),
    "import_refused": _fields("source file_digest before after"),
    "import_interrupted": _fields("before after"),
    "file_disposed": _fields("file_digest place", "import_id size"),
    "plan_approved": _fields("plan_digest by", "reason"),
    "backup_period": _fields("what", "keep"),
    "backup_registered": _fields("backup what made_on gone_by by", "reason"),
    "backup_gone": _fields("backup by", "reason"),
    "belt_passed": _fields("belt plan_digest reason", "by figures run"),
    "batch": _fields(
        "batch count first schedule_digest plan_digest run software",
        "rule authority cutoff due_before rules fencing_token before after cause reason",
    ),
    "redated": _fields("pseudonym received_on previous_on", "network import_id"),
    "register_reconciled": _fields("before after reason", "finding by"),
    "heartbeat": _fields("run registered", "held plan_digest schedule_digest software"),
    "run_interrupted": _fields("run", "batches disposed cause fencing_token"),
    "exported": _fields("what", "by digest rows size"),
    "viewed": _fields("what", "by"),
    **{f"upstream_{outcome}": _UPSTREAM for outcome in _UPSTREAM_OUTCOMES},
    "rotate": _fields("verifier_key", "previous_key until by reason"),
}


def entry(kind: str, at: datetime, **fields: Value) -> bytes:
    """Spell one entry of any kind but a disposal.

    Args:
        kind: One of KINDS.
        at: When it happened: aware, any zone; written in UTC, whole seconds, rounded down.
        **fields: What the table in this module's header lists for the kind.

    Returns:
        The canonical bytes (RFC 8785), ready to be a leaf.

    Raises:
        ValueError: unknown kind, missing or unknown field, free text where a commitment belongs, a naive time, or a
            value that canonical() refuses. The message never repeats a value.

    """
    if at.utcoffset() is None:
        msg = "the time of an entry must be aware"
        raise ValueError(msg)
    _check_fields(kind, fields)
    return canonical({"at": iso(at), "kind": kind, "v": ENTRY_VERSION, **fields})


def _check_fields(kind: str, fields: dict[str, Value]) -> None:
    known = KINDS.get(kind)
    if known is None:
        msg = "an entry of an unknown kind; see the table in retention.audit.entry"
        raise ValueError(msg)
    missing = sorted(known.required - fields.keys())
    if missing:
        msg = f"an entry of kind {kind} must carry {', '.join(missing)}"
        raise ValueError(msg)
    unknown = fields.keys() - known.required - known.optional
    if unknown:
        msg = f"an entry of kind {kind} does not carry {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    for name in sorted(_COMMITTED_FIELDS & fields.keys()):
        if not _COMMITMENT.fullmatch(str(fields[name])):
            msg = f"{name} of a {kind} entry must be a commitment, never the text itself"
            raise ValueError(msg)


class _Pieces(dict[str, str]):
    """Finished pieces of an entry by the value in them, so that a value is checked once a batch and not once a row."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: str) -> str:
        piece = self[value] = self._make(value)
        return piece


def disposal_template(batch: int) -> Callable[[str, str, str], bytes]:
    """Prepare the spelling of one batch's disposals; what it returns is called once per message.

    Args:
        batch: Number of the batch, the same for all of them.

    Returns:
        A function of network (from safe_network), pseudonym (22 characters of base64url) and received day
        (``YYYY-MM-DD`` in the schedule's zone) that returns the canonical bytes (RFC 8785). It raises ValueError where
        one of the three is not of that form.

    Raises:
        ValueError: the number cannot stand in an entry.

    """
    opening = canonical({"batch": batch, "kind": "disposal"})[:-1].decode("ascii")
    is_pseudonym = _PSEUDONYM.fullmatch

    def up_to_pseudonym(network: str) -> str:
        if safe_network(network) != network:
            msg = "the network of a disposal must come from safe_network()"
            raise ValueError(msg)
        return f'{opening},"network":"{network}","pseudonym":"'

    def from_pseudonym(received_on: str) -> str:
        if not _is_day(received_on):
            msg = "the received day of a disposal must be written YYYY-MM-DD"
            raise ValueError(msg)
        return f'","received_on":"{received_on}","v":{ENTRY_VERSION}}}'

    heads, tails = _Pieces(up_to_pseudonym), _Pieces(from_pseudonym)

    def disposal(network: str, pseudonym: str, received_on: str) -> bytes:
        if not is_pseudonym(pseudonym):
            msg = "the pseudonym of a disposal must be 22 characters of base64url"
            raise ValueError(msg)
        return f"{heads[network]}{pseudonym}{tails[received_on]}".encode("ascii")

    return disposal


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def safe_network(text: str) -> str:
    """Turn a network's name from input into a token that may stand in an entry.

    Args:
        text: Whatever the source calls the network.

    Returns:
        The name in lower case where that is 1 to 64 characters of ``a-z 0-9 . _ -``, else ``other``.

    """
    token = text.lower()
    return token if text.isascii() and _NETWORK.fullmatch(token) else "other"


def ascii_text(text: str) -> str:
    r"""Spell configured text, such as a rule's authority, in ASCII.

    Args:
        text: Any text that is not personal.

    Returns:
        The text with backslashes, control characters and everything beyond ASCII as ``\\``, ``\n``, ``\xe4``,
        ``\u20ac``; two texts never share a spelling.

    """
    return text.encode("unicode_escape").decode("ascii")


def commitment(text: str, salt: bytes) -> str:
    """Commit to an operator's free text without showing it.

    Without the salt the text cannot be guessed from the commitment, so erasing the salt erases the text.

    Args:
        text: What the operator wrote.
        salt: 16 random bytes, used for this text alone and kept beside it.

    Returns:
        ``sha256:`` and the hex SHA-256 of domain, zero byte, salt, zero byte, text in UTF-8.

    Raises:
        ValueError: the salt has another length, or the text is not valid Unicode.

    """
    if len(salt) != SALT_BYTES:
        msg = f"the salt of a commitment must have {SALT_BYTES} bytes"
        raise ValueError(msg)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        msg = "the text is not valid Unicode; check the encoding of the terminal or file it came from"
        raise ValueError(msg) from None
    return "sha256:" + sha256(b"\0".join((_COMMITMENT_DOMAIN, salt, data))).hexdigest()
