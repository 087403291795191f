"""What was disposed of here is deleted at Hootsuite too, with an entry before and after, once and no more."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from retention import cycle, departures
from retention.audit.verify import verify
from retention.report.explain import explain
from retention.report.record import gather
from retention.report.record_words import upstream_reason
from retention.report.upstream import calls_of
from retention.sources.hootsuite_api.remover import MessageRemover
from retention.store import upstream_calls
from retention.upstream import api
from retention.watcher import Watcher
from tests.kit import row

if TYPE_CHECKING:
    from retention.sources.interface import Removal
    from retention.store.runs import Run
    from tests.integration_api.branch import Branch

LATER = datetime(2027, 1, 5, 12, tzinfo=UTC)  # what was sent before 5 October in London is due
DELETE = {"method": "DELETE", "path": "/v1/messages"}


@pytest.fixture
def branch(branch: Branch) -> Branch:
    branch.configure(upstream="api")
    branch.ingest()
    return branch


def purge(branch: Branch, at: datetime = LATER) -> Run:
    return cycle.purge(branch.context, at, Watcher())[1]


def told(branch: Branch) -> dict[str, int]:
    """Add up the entries about calls."""
    counts: Counter[str] = Counter()
    for one in branch.entries():
        if one["kind"].startswith("upstream_"):
            assert one["source"] == "posts"
            counts[one["kind"].removeprefix("upstream_")] += one["count"]
    return dict(counts)


def left(branch: Branch) -> int:
    return departures.not_deleted_upstream(branch.context)


def gone(branch: Branch, before: set[str]) -> set[str]:
    return before - branch.everything()


def due(branch: Branch) -> set[str]:
    return {one["id"] for one in branch.published("2026-09-23T12:00:00Z", "2026-10-04T22:59:59Z")}


def test_every_disposed_message_is_deleted_there_and_no_other(branch: Branch) -> None:
    before, wanted = branch.everything(), due(branch)
    run = purge(branch)
    assert run.disposed == len(wanted) > 10
    assert gone(branch, before) == wanted
    assert told(branch) == {"intended": len(wanted), "deleted": len(wanted)}
    assert (left(branch), run.residue, branch.findings()) == (0, 0, [])


def test_without_it_nothing_is_deleted_there(branch: Branch) -> None:
    branch.configure(upstream="none")
    branch.close()
    before = branch.everything()
    assert purge(branch).disposed > 0
    assert gone(branch, before) == set()
    assert told(branch) == {}


def test_messages_of_other_sources_are_no_business_of_the_interface(branch: Branch) -> None:
    text = branch.office.config.read_text()
    block = '[[source]]\nname = "inbox"\nkind = "csv-export"\npreset = "hootsuite-inbox"\npath = "inbox"\n'
    block += 'time_zone = "Europe/London"\nsettle_seconds = 0\nupstream = "none"\n'
    text = text.replace("[purge]", block + "[purge]").replace('source = "posts"', 'source = ["posts", "inbox"]')
    branch.office.config.write_text(text)
    branch.close()
    (branch.office.folder / "inbox").mkdir()
    number = next(iter(branch.everything() - due(branch)))
    path = branch.office.drop("export.csv", [row(number, "2026-09-24 09:00:00")])
    path.rename(branch.office.folder / "inbox" / path.name)
    branch.ingest()
    before, wanted = branch.everything(), due(branch)
    assert purge(branch).disposed == len(wanted) + 1
    assert gone(branch, before) == wanted


def test_what_is_gone_already_counts_as_deleted(branch: Branch) -> None:
    client = branch.simulator.organization()
    wanted = sorted(due(branch))
    for number in wanted[:3]:
        client.did(f"/v1/messages/{number}", "DELETE")
    purge(branch)
    assert told(branch) == {"intended": len(wanted), "deleted": len(wanted)}


@pytest.mark.parametrize(("kind", "fields"), [("lost", {}), ("cut", {}), ("status", {"status": 503}), ("html", {})])
def test_a_call_without_an_answer_is_made_again(branch: Branch, kind: str, fields: dict[str, Any]) -> None:
    wanted = due(branch)
    branch.fail(kind, count=2, skip=4, **DELETE, **fields)
    purge(branch)
    assert told(branch) == {"intended": len(wanted), "deleted": len(wanted)}
    assert left(branch) == 0


def test_an_interface_that_fails_leaves_the_rest_for_the_next_run(branch: Branch) -> None:
    wanted = due(branch)
    branch.fail("drop", count=100, skip=5, **DELETE)
    run = purge(branch)
    assert run.state == "done"
    assert run.residue == 0  # what waits is known and is no residue
    assert told(branch) == {"intended": len(wanted), "deleted": 5, "unknown": 1, "failed": len(wanted) - 6}
    assert [kind for kind, _ in branch.findings()] == ["upstream-call-failed"]
    assert left(branch) == len(wanted) - 5
    branch.simulator.control.did("/simulator/faults", "DELETE")
    assert purge(branch).residue == 0
    counts = told(branch)
    assert counts["deleted"] == len(wanted)
    assert counts["intended"] == sum(counts.values()) - counts["intended"]
    assert (left(branch), branch.findings()) == (0, [])


def test_a_message_that_may_not_be_deleted_is_asked_for_until_a_person_must(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_REFUSALS", 2)
    wanted = due(branch)
    branch.simulator.control.did("/simulator/settings", deletable_states=["SCHEDULED"])
    purge(branch)
    assert told(branch) == {"intended": len(wanted), "failed": len(wanted)}
    assert (left(branch), branch.findings()) == (len(wanted), [])
    purge(branch)
    assert left(branch) == 0
    assert [kind for kind, _ in branch.findings()] == ["upstream-not-deleted"]


def test_a_kill_between_calls_and_outcome_is_reconciled_by_the_next_job(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = due(branch)

    class KilledError(BaseException):
        pass

    def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(upstream_calls, "settle", die)
        with pytest.raises(KilledError):
            purge(branch)
    assert told(branch) == {"intended": len(wanted)}
    branch.office.now = LATER
    branch.ingest()
    assert told(branch) == {"intended": len(wanted), "deleted": len(wanted)}
    assert left(branch) == 0
    context = branch.context
    with context.database.read() as connection:
        assert verify(connection, context.installation.origin, context.verifiers).ok


def test_what_was_done_before_something_unforeseen_is_written_down(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = len(due(branch))
    remove, made = MessageRemover.remove, [0]

    def third_time_unlucky(remover: MessageRemover, message_id: str) -> Removal:
        made[0] += 1
        if made[0] == 3:
            raise ZeroDivisionError
        return remove(remover, message_id)

    monkeypatch.setattr(MessageRemover, "remove", third_time_unlucky)
    with pytest.raises(ZeroDivisionError):
        purge(branch)
    assert told(branch) == {"intended": wanted, "deleted": 2, "failed": wanted - 2}
    purge(branch)
    assert left(branch) == 0


def test_the_command_line_says_partly_done_while_something_waits(branch: Branch) -> None:
    branch.fail("html", status=418, count=1000, **DELETE)
    branch.close()
    branch.environment["RETENTION_LOG_LEVEL"] = "critical"
    done = branch.office.cli("purge", "--format", "json", now=LATER)
    assert (done.returncode, done.stdout[:1]) == (3, "{"), done.stderr
    again = branch.office.cli("purge", now=LATER)
    assert again.returncode == 3
    assert f"Partly done: calls have not deleted {len(due(branch))} messages disposed of here at" in again.stdout
    branch.simulator.control.did("/simulator/faults", "DELETE")
    count = len(due(branch))
    done = branch.office.cli("purge", now=LATER)
    assert done.returncode == 0
    assert f"At posts: {count} deleted there by calls, for earlier runs." in done.stdout


def test_run_status_and_explain_say_what_became_of_the_calls(branch: Branch) -> None:
    wanted = sorted(due(branch))
    branch.fail("drop", count=100, skip=5, **DELETE)
    branch.close()
    branch.environment["RETENTION_LOG_LEVEL"] = "critical"
    office = branch.office
    waiting = {"source": "posts", "deleted": 5, "waiting": len(wanted) - 5, "given_up": 0}
    assert office.told("purge", now=LATER)["run"]["calls"] == [waiting]
    assert office.told("status", now=LATER)["upstream_calls"] == [waiting]
    levels = Counter(office.told("explain", one, now=LATER)["upstream"] for one in wanted[:3] + wanted[-1:])
    assert levels == {"deleted": 3, "unknown": 1}
    assert (
        f"posts            5 deleted there by calls, {len(wanted) - 5} to be called again"
        in office.cli("status", now=LATER).stdout
    )
    branch.simulator.control.did("/simulator/faults", "DELETE")
    office.cli("purge", now=LATER)
    assert office.told("explain", wanted[-1], now=LATER)["upstream"] == "deleted"
    assert f"posts            {len(wanted)} deleted there by calls\n" in office.cli("status", now=LATER).stdout


def test_what_is_refused_for_good_makes_the_run_uncertain(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_REFUSALS", 1)
    wanted = sorted(due(branch))
    branch.simulator.control.did("/simulator/settings", deletable_states=["SCHEDULED"])
    run = purge(branch)
    with branch.context.database.read() as connection:
        assert calls_of(connection, run.id) == [
            {"source": "posts", "deleted": 0, "waiting": 0, "given_up": len(wanted)}
        ]
        names = branch.context.pseudonyms.of_message(connection, wanted[0])
        told = explain(connection, branch.context.schedule, wanted[0], names, LATER)
    assert told.upstream == "unknown"
    refused = f"refused for good to delete {len(wanted)} of the {len(wanted)} messages of this run"
    assert any(line.endswith(refused) for line in told.working)


def test_the_disposal_record_says_what_the_receipts_show_and_no_more(branch: Branch) -> None:
    wanted = len(due(branch))
    branch.fail("drop", count=100, skip=5, **DELETE)
    first = purge(branch)
    assert first.disposed == wanted
    branch.simulator.control.did("/simulator/faults", "DELETE")
    at = datetime(2027, 1, 20, 12, tzinfo=UTC)
    second = purge(branch, at)
    with branch.context.database.read() as connection:
        records = [gather(connection, branch.context.installation, run.id) for run in (first, second)]
    assert [record.receipts for record in records] == [
        5,
        second.disposed,
    ]  # what was left of the first is none of the second
    assert second.disposed > 0
    assert [record.upstream_level for record in records] == ["unknown", "deleted"]
    assert "5 messages are deleted there. Of " in (told := upstream_reason(records[0]))
    assert told.endswith(" more nothing is known: a call failed, or no order lists them.")
