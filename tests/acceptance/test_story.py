"""The whole story of one office, told through the command line alone, on both databases."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.acceptance.desk import Answer, Way, ask_office, send_office, told
from tests.acceptance.shapes import CYCLE, DRY_RUN, EXPLANATION, IMPORTS, PURGE, STATUS, VERIFICATION, misfits
from tests.kit import Office, row

if TYPE_CHECKING:
    from pathlib import Path

SPRING = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 9, 2, 6, 0, tzinfo=UTC)
OLD = [f"spring-{number:04d}" for number in range(24)]
NEW = [f"summer-{number:04d}" for number in range(6)]


def root_of(leaves: list[bytes]) -> bytes:
    """Hash a log as RFC 6962 section 2.1 says, without any code of the program."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


@dataclass
class Story:
    """An office and the way in which its chief commands are run; what only looks runs in this process, to be quick."""

    office: Office
    way: Way

    def do(self, *arguments: str) -> Answer:
        """Run a command."""
        return self.way(self.office, *arguments)

    def told(self, *arguments: str) -> dict[str, Any]:
        """Run a command that says one JSON object."""
        return told(ask_office, self.office, *arguments)


def test_from_an_export_to_a_deletion_log_that_a_stranger_can_verify(database_url: str, tmp_path: Path) -> None:
    # Processes of their own on one database are enough; on the other the same commands run in this process.
    way = send_office if database_url.startswith("sqlite:") else ask_office
    story = Story(Office(tmp_path, database_url, now=SPRING), way)
    story.office.configure(("max_share = 1.0", "max_share = 0.10"))
    assert story.do("init", "--drill").code == 0
    assert story.do("check").code == 0
    _ingest_spring_and_summer(story)
    story.office.now = AUTUMN
    digest = _plan_stopped_by_the_share_belt(story)
    _purge_by_digest_passes_over_what_was_held_meanwhile(story, digest)
    _the_promise_is_kept_and_the_log_verifies(story)
    _release_and_finish(story)
    _a_stranger_verifies(story)


def _ingest_spring_and_summer(story: Story) -> None:
    old = [row(name, "2026-05-20 10:00:00", contact=f"person-{name[-1]}") for name in OLD]
    public = [row(f"public-{number}", f"2026-05-{20 + 5 * number} 10:00:00", private=False) for number in range(3)]
    story.office.drop("spring.csv", [*old, *public, row("", "2026-05-20 10:00:00")])
    story.office.drop("summer.csv", [row(name, "2026-05-31 23:30:00") for name in NEW])
    answer = story.do("ingest", "--format", "json")
    assert answer.code == 3, "a row was rejected"
    said = json.loads(answer.out)
    assert misfits(said, IMPORTS) == []
    keys = ("rows", "registered", "not_covered", "rejected")
    assert {one["name"]: [one[key] for key in keys] for one in said["imports"]} == {
        "spring.csv": [28, 24, 3, 1],
        "summer.csv": [6, 6, 0, 0],
    }
    [finding] = story.told("findings", "list")["findings"]
    place = (finding["kind"], finding["file"], finding["line"], finding["column"])
    assert place == ("rejected-row", "spring.csv", 29, "Message ID")
    assert story.do("status").code == 4
    assert story.do("findings", "resolve", str(finding["id"]), "--reason", "asked for the row again").code == 0
    assert story.told("ingest")["imports"] == []


def _plan_stopped_by_the_share_belt(story: Story) -> str:
    made = story.told("purge", "--dry-run")
    assert misfits(made, DRY_RUN) == []
    plan = made["plan"]
    assert (plan["total"], plan["due"], plan["held"]) == (30, 30, 0)
    stopped = story.do("purge")
    assert stopped.code == 12
    assert "safety belt share: the plan disposes of 30 of 30 messages" in stopped.err
    assert "retention purge --plan sha256:" in stopped.err
    return str(plan["digest"])


def _purge_by_digest_passes_over_what_was_held_meanwhile(story: Story, digest: str) -> None:
    order = ("--kind", "sar", "--reason", "SAR 17", "--owner", "Rights team", "--review-on", "2026-12-01")
    placed = story.do("hold", "place", *order, "--contact", "person-7")
    assert placed.code == 0
    assert "covers 2 registered messages now" in placed.out
    done = story.do("purge", "--plan", digest, "--reason", "seen by the officer", "--format", "json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert misfits(said, PURGE) == []
    assert said["plan"]["digest"] == digest
    run = said["run"]
    assert (run["disposed"], run["skipped_held"], run["skipped_gone"]) == (28, 2, 0)
    assert (run["due_after"], run["residue"], run["batches"]) == (0, 0, 3)
    again = story.do("purge", "--plan", digest, "--reason", "once more")
    assert again.code == 2, "a plan is used once"
    assert "this plan was used by run 1" in again.err


def _the_promise_is_kept_and_the_log_verifies(story: Story) -> None:
    status = story.told("status")
    assert misfits(status, STATUS) == []
    assert (status["promise"], status["registered"], status["due"], status["held"]) == ("kept", 2, 0, 2)
    verified = story.told("audit", "verify")
    assert misfits(verified, VERIFICATION) == []
    assert verified["ok"]
    assert (verified["size"], verified["root"]) == (status["log"]["size"], status["log"]["root"])
    for name, state in ((OLD[0], "disposed"), (OLD[7], "registered"), ("never-seen", "unknown")):
        explained = story.told("explain", name)
        assert misfits(explained, EXPLANATION) == []
        assert explained["state"] == state
        assert name not in json.dumps(explained)


def _release_and_finish(story: Story) -> None:
    assert story.do("hold", "release", "1", "--reason", "answered").code == 0
    story.office.configure()
    said = story.told("run")
    assert misfits(said, CYCLE) == []
    assert (said["plan"]["due"], said["plan"]["released"], said["run"]["disposed"]) == (2, 2, 2)
    assert story.told("status")["registered"] == 0, "the last one goes too"
    assert story.do("scan-residue", *OLD, *NEW).code == 0


def _a_stranger_verifies(story: Story) -> None:
    """Check the root and the table with nothing but what was exported."""
    table = story.do("audit", "export", "--format", "csv").out
    exported = story.office.folder / "deletion-log.jsonl"
    assert story.do("audit", "export", "--output", str(exported)).code == 0
    verified = story.told("audit", "verify")
    leaves = exported.read_bytes().splitlines()
    assert len(leaves) == verified["size"]
    assert b64encode(root_of(leaves)).decode() == verified["root"]
    disposals = list(csv.DictReader(io.StringIO(table)))
    assert len(disposals) == len(OLD) + len(NEW)
    assert {one["rule"] for one in disposals} == {"direct-messages"}
    assert all(one["received_on"] < one["cutoff"][:10] for one in disposals)
