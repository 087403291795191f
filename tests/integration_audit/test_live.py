"""On a real installation: whoever edits the database between two commands is found out by the next one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from retention import cycle, departures
from retention.audit.verify import verify
from retention.errors import Exit
from retention.watcher import Watcher
from tests.guards import pass_guards
from tests.integration_audit.trail import Attacker, signer
from tests.kit import NOW, row

if TYPE_CHECKING:
    from retention.context import Context
    from tests.kit import Office

LATER = datetime(2027, 3, 1, 12, tzinfo=UTC)


def in_the_database(office: Office, *statements: str) -> None:
    context = office.open()
    with context.database.write() as connection:
        pass_guards(connection)
        for statement in statements:
            assert connection.execute(text(statement)).rowcount
    context.database.close()


def told(office: Office) -> tuple[int, dict[str, object]]:
    done = office.cli("audit", "verify", "--format", "json", now=LATER)
    answer: dict[str, object] = json.loads(done.stdout)
    return done.returncode, answer


def size_of(context: Context) -> int:
    with context.database.read() as connection:
        return context.log.head(connection).size


def test_commands_find_what_was_changed_between_them(office: Office) -> None:
    office.drop("inbox.csv", [row(f"message-{n:05d}", "2026-11-05 09:00:00") for n in range(25)])
    context = office.open()
    cycle.run(context, NOW, Watcher())
    cycle.run(context, LATER, Watcher())
    size = size_of(context)
    context.database.close()

    code, answer = told(office)
    assert (code, answer["ok"], answer["size"], answer["first_bad_index"]) == (Exit.DONE, True, size, None)
    assert answer["problems"] == []

    in_the_database(office, f"UPDATE audit_entry SET body = replace(body, '-11-', '-12-') WHERE seq = {size - 3}")  # noqa: S608  # a number
    code, answer = told(office)
    assert (code, answer["ok"], answer["first_bad_index"]) == (Exit.LOG_NOT_VERIFIED, False, size - 3)
    proof = office.cli("audit", "prove", "--entry", str(size - 3), now=LATER)
    assert (proof.returncode, proof.stdout) == (Exit.LOG_NOT_VERIFIED, "")
    assert f"entry {size - 3} does not have the hash that was kept of it" in proof.stderr
    plain = office.cli("audit", "verify", now=LATER)
    assert plain.returncode == Exit.LOG_NOT_VERIFIED
    assert f"DOES NOT VERIFY, first bad entry {size - 3}" in plain.stdout
    assert "Traceback" not in plain.stderr


def test_nothing_is_signed_over_a_tail_that_was_cut_off(office: Office) -> None:
    office.drop("inbox.csv", [row(f"message-{n:05d}", "2026-11-05 09:00:00") for n in range(5)])
    context = office.open()
    cycle.run(context, NOW, Watcher())
    with context.database.write() as connection:
        pass_guards(connection)
        attacker = Attacker(connection, signer())
        attacker.sql("DELETE FROM audit_entry WHERE seq >= 3")
        attacker.rebuild()
    context.database.close()
    code, answer = told(office)
    assert (code, answer["first_bad_index"]) == (Exit.LOG_NOT_VERIFIED, 3)
    done = office.cli("audit", "checkpoint", now=LATER)
    assert (done.returncode, done.stdout) == (Exit.BELT_CLOSED, "")
    assert "older than its anchor" in done.stderr
    office.configure(('anchor = "anchor/checkpoints.log"\n', ""))
    done = office.cli("audit", "checkpoint", now=LATER)
    assert (done.returncode, done.stdout) == (Exit.LOG_NOT_VERIFIED, "")
    assert "the newest checkpoint speaks of another log or of entries that are gone" in done.stderr
    assert "Traceback" not in done.stderr


def test_messages_that_no_rule_covers_any_more_leave_a_log_that_verifies(office: Office) -> None:
    office.drop("inbox.csv", [row("message-00001", "2026-11-22 09:00:00"), row("message-00002", "2026-11-21 09:00:00")])
    context = office.open()
    cycle.run(context, NOW, Watcher())
    context.database.close()
    office.configure(('match = { visibility = "private" }', 'match = { visibility = "private", network = "none" }'))
    context = office.open()
    now = NOW + timedelta(minutes=1)
    approval = departures.Approval("sha256:" + 64 * "0")
    _, run = cycle.purge(context, now, Watcher(), cycle.plan(context, now), approval)
    with context.database.read() as connection:
        found = verify(connection, context.installation.origin, [context.verifier])
    context.database.close()
    assert (run.disposed, found.problems) == (2, [])
