"""``retention audit verify`` and ``prove``: the database, a bundle, one proof.

With ``--bundle``, and with ``--proof`` and ``--key``, no installation is opened: an auditor has none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting, this_person, watched
from retention.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from retention.audit.checkpoint import VerifierKey
    from retention.audit.verify import Verification

_FILE = click.Path(path_type=Path, dir_okay=False)
_LARGEST_INPUT = 1 << 21


@click.command(
    epilog=exits(
        Exit.PARTLY_DONE,
        Exit.LOG_NOT_VERIFIED,
        example="retention audit verify --since kept/checkpoint",
        partly="nobody said who must have signed a bundle, or an anchor could not be looked at",
    )
)
@common
@reporting
@click.option("--bundle", type=click.Path(path_type=Path), help="Verify this bundle, a folder or a tar file, instead.")
@click.option("--proof", type=_FILE, help="Verify this .tlog-proof and the .json beside it instead.")
@click.option("--since", type=_FILE, multiple=True, help="A checkpoint kept elsewhere that the log must go on from.")
@click.option("--deep", is_flag=True, help="Hold the register against the log too: counts, imports, every message.")
@click.option("--key", help="The log's public key, as name+id+base64 or in a file, in place of the bundle's own.")
@click.option("--fingerprint", metavar="HEX", help="With --bundle: SHA-256 of the log's key, as the office told it.")
def verify(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    form: str,
    bundle: Path | None,
    proof: Path | None,
    since: tuple[Path, ...],
    deep: bool,
    key: str | None,
    fingerprint: str | None,
) -> None:
    """Verify the whole log: every entry, tile and checkpoint, and the head."""
    if fingerprint is not None and (bundle is None or key):
        msg = "--fingerprint goes with --bundle, in place of --key"
        raise UsageError(msg)
    if deep and (bundle or proof):
        msg = "--deep looks at the register, which neither a bundle nor a proof has"
        raise UsageError(msg)
    if bundle and proof:
        msg = "give --bundle or --proof, not both"
        raise UsageError(msg)
    if proof:
        if since:
            msg = "--since goes with a whole log, not with --proof"
            raise UsageError(msg)
        _verify_proof(config, now, proof, key, form=form, verbose=verbose)
    elif bundle:
        _verify_bundle(bundle, since, key, fingerprint, form=form)
    elif key:
        msg = "--key goes with --bundle or --proof; the database is verified with the keys of this installation"
        raise UsageError(msg)
    else:
        _verify_database(config, now, [_note(path) for path in since], form=form, deep=deep, verbose=verbose)


def _verify_database(
    config: Path | None, now: datetime | None, since: list[str], *, form: str, deep: bool, verbose: bool
) -> None:
    from retention.acts.bundling import verify_deep, verify_since
    from retention.report.work import verification_as_json, verification_as_text

    with opened(config, now, verbose=verbose) as (context, present):
        with watched("verifying") as watcher:
            found = (verify_deep if deep else verify_since)(context, since, present, watcher.tick)
        if form == "json":
            put_json(context, verification_as_json(found))
        else:
            put_drill(context)
            click.echo(verification_as_text(found))
    _leave(found)


def _verify_bundle(path: Path, since: tuple[Path, ...], key: str | None, fingerprint: str | None, *, form: str) -> None:
    from retention.audit.bundle_verify import verify_exported
    from retention.report.work import bundle_as_text, verification_as_json

    keys, notes = [_key(key)] if key else [], [_note(kept) for kept in since]
    given = _fingerprint(fingerprint) if fingerprint is not None else ""
    with watched("verifying") as watcher:
        bundle = verify_exported(path, keys, notes, watcher.tick, given)
    trusted = bool(keys or given)
    if form == "json":
        told = {"origin": bundle.origin, "key_fingerprint": bundle.fingerprint, "key_trusted": trusted}
        _put({**verification_as_json(bundle.found), **told}, bundle.origin)
    else:
        _put_drill(bundle.origin)
        click.echo(bundle_as_text(bundle.found, bundle.fingerprint, trusted=trusted))
    _leave(bundle.found)
    if not trusted:
        click.get_current_context().exit(int(Exit.PARTLY_DONE))


def _verify_proof(
    config: Path | None, now: datetime | None, path: Path, key: str | None, *, form: str, verbose: bool
) -> None:
    from retention.audit.signing import fingerprint
    from retention.audit.tlog_proof import parse_proof, verify_proof
    from retention.report.proof import what_a_proof_shows

    keys = [_key(key)] if key else _own_keys(config, now, verbose=verbose)
    text, body = _text(path), _bytes(path.with_suffix(".json"))
    proof = parse_proof(text)
    checkpoint = verify_proof(proof, body, keys)
    signers = [fingerprint(one) for one in keys if one.key_id in _ids(text)]
    lines = what_a_proof_shows(proof.index, body, checkpoint, ", ".join(signers))
    if form == "json":
        _put({"ok": True, "index": proof.index, "size": checkpoint.size, "shows": lines}, checkpoint.origin)
    else:
        _put_drill(checkpoint.origin)
        click.echo("\n".join(["The proof verifies.", *lines]))


@click.command(epilog=exits(Exit.BELT_CLOSED, Exit.LOG_NOT_VERIFIED, example="retention audit prove --entry 42"))
@common
@click.option("--message", "message_id", metavar="ID", help="The source's identifier of a message disposed of.")
@click.option("--entry", "index", type=click.IntRange(0, 2**63 - 1), help="The index of an entry, from 0.")
@click.option("--output", type=_FILE, help="Write the proof to this file. [default: entry-N.tlog-proof]")
def prove(
    *,
    config: Path | None,
    now: datetime | None,
    verbose: bool,
    message_id: str | None,
    index: int | None,
    output: Path | None,
) -> None:
    """Prove that one entry stands in the log; the proof and the entry are written as two files."""
    from retention.acts.bundling import entry_of_message, prove_entry, save_proof
    from retention.audit.signing import fingerprint
    from retention.report.proof import what_a_proof_shows
    from retention.upkeep import demand_order

    if (message_id is None) == (index is None):
        msg = "name one entry: --message ID or --entry N"
        raise UsageError(msg)
    if output is not None and output.suffix == ".json":
        msg = "--output names the proof; the entry goes beside it and takes the ending .json"
        raise UsageError(msg)
    with opened(config, now, verbose=verbose) as (context, present):
        demand_order(context, present)
        found = entry_of_message(context, message_id) if message_id is not None else index or 0
        proven = prove_entry(context, found, now=present, person=this_person())
        path = output or Path(f"entry-{found}.tlog-proof")
        beside = save_proof(proven, path)
        put_drill(context)
        click.echo(f"Wrote {path} and {beside}.")
        click.echo("\n".join(what_a_proof_shows(found, proven.body, proven.checkpoint, fingerprint(proven.key))))


def _own_keys(config: Path | None, now: datetime | None, *, verbose: bool) -> list[VerifierKey]:
    with opened(config, now, verbose=verbose) as (context, _):
        return context.verifiers


def _key(text: str) -> VerifierKey:
    """Read a key that somebody trusts by the rules of the verifier that bundles hand over."""
    from retention.audit.checkpoint import parse_vkey
    from retention.audit.handover.verify_bundle import NotVerifiedError, given_key

    try:
        return parse_vkey(given_key(text).vkey)
    except NotVerifiedError as error:
        raise UsageError(str(error)) from None


def _fingerprint(text: str) -> str:
    from retention.audit.handover.verify_bundle import NotVerifiedError, given_fingerprint

    try:
        return given_fingerprint(text)
    except NotVerifiedError as error:
        raise UsageError(str(error)) from None


def _ids(proof: str) -> set[bytes]:
    from retention.audit.handover.verify_bundle import parse_note

    note = proof.partition("\n\n")[2]
    return {key_id for _, key_id, _ in parse_note(note.encode()).signatures}


def _note(path: Path) -> str:
    """Read a checkpoint that somebody kept; what is none is wrong usage, and says nothing of the log."""
    from retention.audit.handover.verify_bundle import NotVerifiedError, given_note

    try:
        return given_note(path).decode()
    except NotVerifiedError as error:
        raise UsageError(str(error)) from None


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError:
        msg = f"{path}: is not text in UTF-8"
        raise UsageError(msg) from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_INPUT + 1)
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror})"
        raise UsageError(msg) from None
    if len(data) > _LARGEST_INPUT:
        msg = f"{path}: is too large to be what it should be"
        raise UsageError(msg)
    return data


def _put(value: dict[str, Any], origin: str) -> None:
    click.echo(json.dumps({**value, **({"drill": True} if "/DRILL-" in origin else {})}, indent=2))


def _put_drill(origin: str) -> None:
    if "/DRILL-" in origin:
        click.echo("DRILL: what follows is an exercise, not a record of real messages.")


def _leave(found: Verification) -> None:
    if not found.ok:
        click.get_current_context().exit(int(Exit.LOG_NOT_VERIFIED))
    if found.notes:  # the same weight as in the status, which is at risk
        click.get_current_context().exit(int(Exit.PARTLY_DONE))
