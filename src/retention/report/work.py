"""How imports, plans, runs and verifications are told: as JSON of a stable shape, and as text for people."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from typing import TYPE_CHECKING, Any

from retention.errors import Exit
from retention.model import from_epoch, iso
from retention.policy.words import say_count
from retention.report.ledger import REGISTER_MISMATCH
from retention.report.upstream import calls_as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retention.audit.verify import Verification
    from retention.policy.plan import Plan
    from retention.sources.interface import SkippedFile
    from retention.store.imports import ImportResult
    from retention.store.runs import Run


def incomplete(results: Iterable[ImportResult], skipped: Iterable[tuple[str, SkippedFile]]) -> bool:
    """Tell whether a row or a file of any import was rejected, or a source could not be read."""
    failed = any(not file.name for _, file in skipped)
    return failed or any(result.refused or result.progress.rejected for result in results)


def exit_of(run: Run, not_deleted_upstream: int = 0) -> Exit:
    """Give the exit code that a finished run deserves."""
    if run.due_after:
        return Exit.BROKEN
    return Exit.PARTLY_DONE if run.residue or not_deleted_upstream else Exit.DONE


def waiting_as_text(not_deleted_upstream: int) -> list[str]:
    """Say what waits to be deleted by an interface, for which a job is only partly done."""
    if not not_deleted_upstream:
        return []
    told = f"{say_count(not_deleted_upstream, 'message')} disposed of here"
    return [f"Partly done: calls have not deleted {told} at the source yet; the next purge calls again."]


def raised_as_text(raised: Mapping[str, int]) -> list[str]:
    """Say what a person must look at after a run, the changed register first."""
    if not raised:
        return []
    lines = []
    if REGISTER_MISMATCH in raised:
        lines.append("The register is NOT what its ledger says: messages were deleted, inserted or changed around us.")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(raised.items()))
    return [*lines, f"A person must look at what this run found ({kinds}): retention findings list"]


def imports_as_json(results: Iterable[ImportResult]) -> dict[str, Any]:
    """Give imports in the shape of ``ingest --format json``."""
    return {
        "imports": [
            {
                "source": result.source,
                "name": result.name,
                "file_digest": result.file_digest,
                "window_from": iso(result.window_from) if result.window_from else None,
                "window_to": iso(result.window_to) if result.window_to else None,
                **result.progress.counts(),
                "already_imported": result.already_imported,
                "refused": result.refused,
            }
            for result in results
        ]
    }


def imports_as_text(results: list[ImportResult]) -> list[str]:
    """Give one line an import."""
    if not results:
        return ["Nothing was ingested."]
    lines = []
    for result in results:
        counts = result.progress
        if result.already_imported:
            lines.append(f"{result.name}: imported before, nothing changed")
            continue
        lines.append(
            f"{result.name}: {say_count(counts.rows, 'row')}: {counts.registered} registered, "
            f"{counts.duplicates} known already, {counts.not_covered} not covered by a rule, "
            f"{counts.born_expired} past their period (not stored), "
            f"{counts.rejected} rejected"
        )
        if result.refused:
            lines.append(f"  refused: {result.refused}")
        if counts.rejected:
            lines.append("  the rejected rows are in: retention findings list")
    return lines


def skipped_as_json(skipped: Iterable[tuple[str, SkippedFile]]) -> dict[str, Any]:
    """Give the files that were passed over, beside the imports of ``ingest --format json``."""
    return {"skipped": [{"source": source, "name": file.name, "reason": file.reason} for source, file in skipped]}


def skipped_as_text(skipped: Iterable[tuple[str, SkippedFile]]) -> list[str]:
    """Give one line for each file that was passed over."""
    return [
        f"{file.name}: passed over, it {file.reason}" if file.name else f"source {source}: {file.reason}"
        for source, file in skipped
    ]


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Give a plan in the shape of ``purge --format json``."""
    return {
        "digest": plan.digest,
        "now": iso(from_epoch(plan.now)),
        "schedule_digest": plan.schedule_digest,
        "total": plan.total,
        "due": plan.due,
        "held": plan.held,
        "released": plan.released,
        "rules": [
            {
                "rule": part.rule,
                "keep": part.keep,
                "authority": part.authority,
                "cutoff": iso(from_epoch(part.cutoff)),
                "due": part.due,
                "held": part.held,
                "released": part.released,
                "days": [
                    {"received_on": tally.received_on, "network": tally.network, "due": tally.due, "held": tally.held}
                    for tally in part.tallies
                ],
            }
            for part in plan.rules
        ],
    }


def plan_as_text(plan: Plan) -> list[str]:
    """Give a plan for people: what, why, how much of it by network."""
    lines = [
        f"Plan {plan.digest}",
        f"  made {iso(from_epoch(plan.now))} under schedule {plan.schedule_digest}",
        (
            f"  registered: {say_count(plan.total, 'message')}; {plan.due} due, {plan.held} due but held, "
            f"{plan.released} of the due because a hold was released"
        ),
    ]
    for part in plan.rules:
        lines.append(
            f"  rule {part.rule} ({part.keep or 'none'}): received before {iso(from_epoch(part.cutoff))}: "
            f"{part.due} due, {part.held} held"
        )
        if part.due:
            days = [tally.received_on for tally in part.tallies if tally.due]
            networks: Counter[str] = Counter()
            for tally in part.tallies:
                networks[tally.network] += tally.due
            told = ", ".join(f"{network or 'unknown'} {count}" for network, count in sorted(networks.items()) if count)
            lines.append(f"    received {min(days)} to {max(days)}: {told}")
    return lines


def how_to_go_on(plan: Plan, objections: list[str], hindrances: list[str], approvals: int = 0) -> list[str]:
    """Say what to do with a plan that a dry run has made.

    ``objections`` are what closed belts say, ``hindrances`` what no plan and no reason passes, ``approvals`` how many
    people must approve.
    """
    refused = [f"A purge of this database would be REFUSED: {hindrance}" for hindrance in hindrances]
    if not plan.due:
        return [*refused, "Nothing is due. Nothing was changed."]
    if refused:
        return [*refused, "Nothing was deleted."]
    reason = ' --reason "WHY"' if objections else ""
    told = [f"A safety belt asks for a person's reason: {objection}" for objection in objections]
    if approvals:
        people = "1 person" if approvals == 1 else f"{approvals} people"
        told += [f"It must be approved by {people}, each with:", f"  retention plan approve {plan.digest}"]
    return [*told, "Nothing was deleted. Carry it out with:", f"  retention purge --plan {plan.digest}{reason}"]


def run_as_json(run: Run, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a run in the shape of ``purge --format json``; ``calls`` is what calls_of() says of it."""
    names = (
        "id",
        "state",
        "disposed",
        "skipped_held",
        "skipped_gone",
        "batches",
        "due_after",
        "residue",
        "checkpoint_size",
    )
    return {**{name: getattr(run, name) for name in names}, "calls": calls}


def run_as_text(run: Run, calls: list[dict[str, Any]], unsearched: int = 0) -> list[str]:
    """Give a run for people.

    ``calls`` is what calls_of() says of it, ``unsearched`` the number of files that the search could not see into.
    """
    done = f"{say_count(run.disposed, 'message')} disposed of in {say_count(run.batches, 'batch')}"
    lines = [f"Run {run.id}: {done}."]
    if run.skipped_held:
        lines.append(f"  passed over: {run.skipped_held}, because a hold was placed after the plan was made")
    if run.skipped_gone:
        lines.append(f"  of the plan, not there any more: {run.skipped_gone}")
    lines.append(
        f"  Still due and not held: {run.due_after}. Identifiers found in our files, of a sample: {run.residue}."
    )
    lines += [f"  At {call['source']}: {calls_as_text(call)}." for call in calls]
    if unsearched:
        lines.append(f"  NOT SEARCHED: {say_count(unsearched, 'file')} with parts that cannot be unpacked;")
        lines.append("  look with: retention findings list")
    if run.checkpoint_size is not None:
        lines.append(f"  Signed checkpoint at {say_count(run.checkpoint_size, 'entry')}.")
    return lines


def verification_as_json(found: Verification) -> dict[str, Any]:
    """Give a verification in the shape of ``audit verify --format json``."""
    return {
        "ok": found.ok,
        "size": found.size,
        "root": b64encode(found.root).decode("ascii"),
        "first_bad_index": found.first_bad_index,
        "problems": found.problems,
        "notes": found.notes,
        "checked": found.checked,
    }


def verification_as_text(found: Verification) -> str:
    """Give a verification for people."""
    if found.ok:
        return "\n".join([f"The audit log verifies: {_extent(found)}", *_beside(found)])
    return _not_verified("The audit log", found)


def bundle_as_text(found: Verification, fingerprint: str, *, trusted: bool) -> str:
    """Give the verification of a bundle for people; ``trusted`` where somebody said whose signature it must bear."""
    if not found.ok:
        return _not_verified("The bundle", found)
    if trusted:
        return "\n".join([f"The bundle VERIFIES: {_extent(found)}", *_beside(found)])
    return "\n".join(
        [
            f"The bundle is CONSISTENT, SIGNER NOT CHECKED: {_extent(found)}",
            *_beside(found),
            "  Its key came with it, and whoever forges a bundle puts a key of their own there. Verify it again with",
            "  --fingerprint and the one that reached you on another way, by letter say. The bundle's own key has the",
            f"  SHA-256 {fingerprint}",
        ]
    )


def held_against(messages: int) -> str:
    """Say what was compared where the register fits the log."""
    return (
        f"the register ({say_count(messages, 'message')}) fits the log: by day and class, by import, by every "
        "pseudonym, and no message that was disposed of is there"
    )


def _extent(found: Verification) -> str:
    return f"{say_count(found.size, 'entry')}, root {b64encode(found.root).decode('ascii')}"


def _beside(found: Verification) -> list[str]:
    return [
        *(f"  CHECKED: {one}" for one in found.checked),
        *(f"  A person must look: {note}" for note in found.notes),
    ]


def _not_verified(what: str, found: Verification) -> str:
    where = f", first bad entry {found.first_bad_index}" if found.first_bad_index is not None else ""
    problems = (f"  {problem}" for problem in found.problems)
    return "\n".join([f"{what} DOES NOT VERIFY{where}:", *problems, *_beside(found)])
