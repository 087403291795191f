from __future__ import annotations

import csv
import io
import json
import stat
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from retention import cycle, departures
from retention.acts.holding import HoldOrder, place_hold, release_hold
from retention.acts.recording import draw, give_out, write_document
from retention.acts.remarks import keep_remark
from retention.audit.checkpoint import open_note, parse_vkey, vkey
from retention.audit.export import Selection, write_csv
from retention.audit.log import stream
from retention.audit.signing import fingerprint
from retention.cli.app import retention
from retention.cli.frame import this_person
from retention.errors import LogError, RetentionError, UsageError
from retention.report.record import gather
from retention.report.record_html import record_as_html
from retention.report.record_json import record_as_json
from retention.report.record_page import page_of
from retention.report.record_pdf import record_as_pdf
from retention.watcher import Watcher
from tests.guards import pass_guards
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retention.context import Context
    from retention.report.record import Record

# London is an hour ahead of UTC until 25 October: what came at 23:30 UTC on 30 September came on 1 October there.
INGESTED = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
PURGED = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
REASON = "Two people have read the plan."
EXPECTED = {
    ("2026-09-29", "fb"): 14,
    ("2026-10-01", "fb"): 1,
    ("2026-10-01", "tw"): 6,
    ("2026-10-03", "tw"): 2,
}
ROWS = [
    *(row(f"a{number}", "2026-09-29 10:00:00") for number in range(14)),
    row("b", "2026-10-01 00:30:00"),
    *(row(f"c{number}", "2026-10-01 12:00:00", network="tw") for number in range(6)),
    *(row(f"d{number}", "2026-10-03 23:59:59", network="tw") for number in range(2)),
    *(row(f"e{number}", "2026-10-02 12:00:00", network="ig", conversation="held") for number in range(3)),
    row("later", "2026-10-30 12:00:00"),
]


@contextmanager
def opened(office: Office) -> Iterator[Context]:
    context = office.open()
    try:
        yield context
    finally:
        context.database.close()


def purge(office: Office, now: datetime, reason: str | None = None) -> int:
    with opened(office) as context:
        chosen = approval = None
        if reason is not None:
            chosen = cycle.plan(context, now)
            with context.database.write() as connection:
                approval = departures.Approval(keep_remark(connection, reason))
        return cycle.purge(context, now, Watcher(), chosen, approval)[1].id


def drawn(office: Office, run: int) -> Record:
    with opened(office) as context:
        return draw(context, run, PURGED)


def told(office: Office, run: int) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(record_as_json(drawn(office, run)))
    return answer


def change(office: Office, sql: str) -> None:
    with opened(office) as context, context.database.write() as connection:
        pass_guards(connection)
        connection.execute(text(sql))


@pytest.fixture
def purged(office: Office) -> Office:
    """Give an office whose first run has passed a belt, with three messages held."""
    office.configure(("max_share = 1.0", "max_share = 0.5"))
    office.drop("export.csv", ROWS)
    with opened(office) as context:
        cycle.ingest(context, INGESTED, Watcher())
        hold = HoldOrder("sar", "DPO", "Case 7", date(2027, 6, 1), selectors={"conversation": ("held",)})
        place_hold(context, hold, INGESTED)
    assert purge(office, PURGED, REASON) == 1
    return office


def test_a_record_says_what_the_run_did(purged: Office) -> None:
    said = told(purged, 1)
    counts = {(count["received_on"], count["network"]): count["disposed"] for count in said["counts"]}
    assert counts == EXPECTED
    assert said["run"]["disposed"] == sum(EXPECTED.values())
    assert said["plan"]["held"] == 3
    assert said["plan"]["holds"] == 1
    assert [(rule["rule"], rule["keep"], rule["disposed"]) for rule in said["rules"]] == [
        ("direct-messages", "P3M", 23)
    ]
    assert said["rules"][0]["cutoff"] == "2026-10-03T23:00:00Z"
    # Due on 30 December (14), 2 January (7) and 4 January (2); purged on 4 January.
    assert said["days_past_due"] == {"minimum": 0, "median": 5.0, "maximum": 5, "counted": 23}
    assert [(belt["belt"], belt["reason"]["text"]) for belt in said["belts_passed"]] == [("share", REASON)]
    assert said["drill"] is True
    assert said["checkpoint"]["size"] >= said["entries"]["last"] > said["entries"]["first"]


def test_a_record_and_the_deletion_log_agree(purged: Office) -> None:
    out = io.StringIO()
    with opened(purged) as context, context.database.read() as connection:
        write_csv(connection, Selection(run=1), out, context.installation.origin)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert Counter((line["received_on"], line["network"]) for line in rows) == EXPECTED
    said = told(purged, 1)
    assert {line["plan_digest"] for line in rows} == {said["plan"]["digest"]}
    first, last = int(rows[0]["entry_index"]), int(rows[-1]["entry_index"])
    assert said["entries"] == {"first": first, "last": last + 1, "disposals": 23, "closing_batches": 3}


def test_the_record_of_a_run_is_the_same_bytes_whenever_it_is_drawn(purged: Office) -> None:
    def documents() -> list[bytes]:
        found = drawn(purged, 1)
        return [record_as_json(found), record_as_html(found), record_as_pdf(found)]

    before = documents()
    with opened(purged) as context:
        release_hold(context, 1, "Case closed", PURGED + timedelta(hours=1))
    assert purge(purged, PURGED + timedelta(days=1), REASON) == 2
    assert documents() == before
    assert told(purged, 2)["rules"][0]["released"] == 3


def test_a_run_without_anything_due_has_a_record_too(purged: Office) -> None:
    purge(purged, PURGED + timedelta(hours=1))
    said = told(purged, 2)
    assert (said["run"]["disposed"], said["counts"], said["days_past_due"], said["entries"]) == (0, [], None, None)
    assert said["software"].startswith("retention ")
    assert record_as_pdf(drawn(purged, 2)).startswith(b"%PDF")


def test_messages_that_no_rule_covers_any_more_have_no_lateness(office: Office) -> None:
    office.drop("export.csv", ROWS[:2])
    with opened(office) as context:
        cycle.ingest(context, INGESTED, Watcher())
    office.configure(('visibility = "private"', 'network = "linkedin"'))
    said = told(office, purge(office, INGESTED + timedelta(hours=1), REASON))
    assert (said["run"]["disposed"], said["days_past_due"]) == (2, None)
    assert [rule["disposed"] for rule in said["rules"]] == [0, 2]
    assert b"no rule covers them any more" in record_as_html(drawn(office, 1))


def test_a_record_names_the_key_that_signed_and_its_fingerprint(purged: Office) -> None:
    record = drawn(purged, 1)
    with opened(purged) as context:
        [key] = context.verifiers
    assert (record.checkpoint.key, record.checkpoint.fingerprint) == (vkey(key), fingerprint(key))
    told_json, told_html = json.loads(record_as_json(record)), record_as_html(record).decode()
    assert (told_json["checkpoint"]["key"], told_json["checkpoint"]["fingerprint"]) == (vkey(key), fingerprint(key))
    assert all(escape(one) in told_html for one in (vkey(key), fingerprint(key)))
    head = open_note(record.checkpoint.note, [parse_vkey(record.checkpoint.key)])
    assert head.size == record.checkpoint.size


def test_no_record_is_drawn_where_no_entry_names_the_key(purged: Office) -> None:
    change(purged, "UPDATE audit_entry SET body = '{}' WHERE seq = 0")
    with (
        opened(purged) as context,
        context.database.read() as connection,
        pytest.raises(LogError, match="no entry of the log names the key"),
    ):
        gather(connection, context.installation, 1)


def test_whoever_passed_a_belt_at_the_command_line_is_named(office: Office) -> None:
    office.configure(("max_share = 1.0", "max_share = 0.5"))
    office.drop("export.csv", ROWS)
    with opened(office) as context:
        cycle.ingest(context, INGESTED, Watcher())
        digest = cycle.plan(context, PURGED).digest
    arguments = ["purge", "--config", str(office.config), "--now", PURGED.isoformat(), "--plan", digest]
    done = CliRunner().invoke(retention, [*arguments, "--reason", REASON])
    assert done.exit_code == 0, done.output
    with opened(office) as context, context.database.read() as connection:
        [passed] = [body for _, body in stream(connection) if '"kind":"belt_passed"' in body]
    [belt] = drawn(office, 1).belts
    assert belt.by is not None
    assert belt.by.text == this_person()
    assert belt.by.commitment == json.loads(passed)["by"]
    assert this_person() not in passed
    assert [line.text for line in page_of(drawn(office, 1)).belts][-1] == this_person()


def test_a_reason_that_was_erased_leaves_its_commitment(purged: Office) -> None:
    before = told(purged, 1)["belts_passed"][0]["reason"]
    change(purged, "DELETE FROM remark")
    assert told(purged, 1)["belts_passed"][0]["reason"] == {**before, "text": None}


def test_a_document_that_is_given_out_is_an_entry_with_its_digest(purged: Office, tmp_path: Path) -> None:
    with opened(purged) as context:
        found = draw(context, 1, PURGED)
        give_out(context, record_as_html(found), "html", now=PURGED, person="auditor")
        with context.database.read() as connection:
            last = [json.loads(body) for _, body in stream(connection)][-1]
    write_document(record_as_html(found), tmp_path / "record.html")
    assert (last["kind"], last["what"]) == ("exported", "disposal-record-html")
    assert last["digest"] == "sha256:" + sha256((tmp_path / "record.html").read_bytes()).hexdigest()


def test_no_record_is_drawn_of_what_is_not_known(purged: Office) -> None:
    with pytest.raises(UsageError, match="no run of this number"):
        drawn(purged, 2)
    change(purged, "UPDATE run SET checkpoint_size = NULL")
    with pytest.raises(UsageError, match="retention audit checkpoint"):
        drawn(purged, 1)
    change(purged, "UPDATE run SET state = 'running'")
    with pytest.raises(UsageError, match="has not ended"):
        drawn(purged, 1)


TAMPERING = {
    "UPDATE run SET disposed = disposed + 1": "do not say the same",
    "UPDATE purge_batch SET disposed = disposed - 1 WHERE batch = 1": "do not say the same",
    "UPDATE purge_batch SET first_index = first_index + 1 WHERE batch = 2": "do not say the same",
    "DELETE FROM purge_batch WHERE batch = 2": "do not say the same",
    "UPDATE plan SET body = replace(body, 'P3M', 'P4M')": "the plan of this run is gone",
    "DELETE FROM plan": "the plan of this run is gone",
    "UPDATE schedule_version SET canonical = replace(canonical, 'London', 'Dublin')": "the schedule of this run",
    "DELETE FROM schedule_version": "the schedule of this run",
    "UPDATE run SET checkpoint_size = checkpoint_size - 1": "the checkpoint that covered this run is gone",
}


def gathered_after(context: Context, sql: str) -> Record:
    """Gather the facts in a transaction that has changed something; the error rolls it back."""
    with context.database.write() as connection:
        pass_guards(connection)
        connection.execute(text(sql))
        return gather(connection, context.installation, 1)


def test_no_record_is_drawn_where_register_and_log_disagree(purged: Office) -> None:
    with opened(purged) as context:
        for sql, reason in TAMPERING.items():
            with pytest.raises(LogError, match=reason):
                gathered_after(context, sql)


def test_no_record_is_drawn_from_a_log_that_does_not_verify(purged: Office) -> None:
    for name in ("audit_entry_no_update", "audit_entry_update"):  # where the log is guarded by a trigger
        if purged.url.startswith("sqlite"):
            change(purged, f"DROP TRIGGER IF EXISTS {name}")
    change(purged, "UPDATE audit_entry SET body = replace(body, '2026-09-29', '2026-09-28') WHERE seq = 9")
    with pytest.raises(LogError, match="does not verify"):
        drawn(purged, 1)


def test_a_file_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match=r"record\.pdf: the record cannot be written"):
        write_document(b"", tmp_path / "missing" / "record.pdf")


def test_the_command_writes_every_form_at_once(sqlite_office: Office) -> None:
    sqlite_office.drop("export.csv", ROWS)
    with opened(sqlite_office) as context:
        cycle.ingest(context, INGESTED, Watcher())
    purge(sqlite_office, PURGED)
    names = ["--pdf", "record.pdf", "--html", "record.html", "--json", "record.json"]
    done = sqlite_office.cli("audit", "record", "--run", "1", *names, now=PURGED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DRILL")
    for name in names[1::2]:
        assert stat.S_IMODE((sqlite_office.folder / name).stat().st_mode) == 0o600
    done = sqlite_office.cli("audit", "record", "--run", "1", "--json", now=PURGED)
    assert done.stdout == (sqlite_office.folder / "record.json").read_text(encoding="utf-8")


def test_a_run_that_does_not_exist_is_wrong_usage(sqlite_office: Office) -> None:
    done = sqlite_office.cli("audit", "record", "--run", "1", "--json")
    assert (done.returncode, "there is no run of this number" in done.stderr) == (2, True)


def test_a_record_in_no_form_is_wrong_usage() -> None:
    told = CliRunner().invoke(retention, ["audit", "record", "--run", "1"]).exception
    assert isinstance(told, UsageError)
    assert "--pdf FILE, --html FILE or --json" in str(told)


@pytest.mark.parametrize(("how", "library"), [("pdf", "typst"), ("pdf", "segno"), ("html", "segno")])
def test_without_the_extra_the_command_to_install_it_is_named(
    how: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("qr", "record_page", "record_html", "record_pdf"):
        monkeypatch.delitem(sys.modules, f"retention.report.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    told = CliRunner().invoke(retention, ["audit", "record", "--run", "1", f"--{how}", "record"]).exception
    assert isinstance(told, UsageError)
    assert 'pip install "retention-enforcer[pdf]"' in str(told)
