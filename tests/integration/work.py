"""An installation at work, inside this process: what a person or a timer does, and everything there is to look at."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

from retention import cycle, departures
from retention.acts.holding import HoldOrder, place_hold, release_hold
from retention.acts.remarks import keep_remark
from retention.audit.log import stream
from retention.audit.verify import Verification, verify
from retention.model import to_epoch
from retention.policy.hold import SELECTORS
from retention.report.explain import Explanation, explain
from retention.standing import look
from retention.store import findings, runs
from retention.watcher import Watcher
from tests.guards import guards_put_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from retention.context import Context
    from retention.cycle import CycleResult
    from retention.policy.plan import Plan
    from retention.report.status import Status
    from retention.store.findings import Finding
    from retention.store.imports import ImportResult
    from retention.store.runs import Run
    from tests.kit import Office

QUIET = Watcher()

SUMMER = datetime(2026, 8, 10, 12, tzinfo=UTC)
"""When the exports of a test usually come in: nothing received from 10 May on is due yet."""

AUTUMN = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""When the purge of a test usually runs: everything received through 21 August is due."""


class Work:
    """One installation with its database open. ``now`` is what every act is told unless it says otherwise."""

    def __init__(self, office: Office, now: datetime = SUMMER) -> None:
        self.office = office
        self.now = now
        self.context: Context = office.open()

    def reopen(self, *changes: tuple[str, str]) -> None:
        """Change the configuration and open the installation anew, as the next process would."""
        self.context.database.close()
        self.office.configure(*changes)
        self.context = self.office.open()

    # What is done.

    def ingest(self, now: datetime | None = None, watcher: Watcher = QUIET) -> list[ImportResult]:
        return cycle.ingest(self.context, now or self.now, watcher)

    def take(self, rows: Iterable[tuple[str, ...]], name: str = "a.csv", now: datetime | None = None) -> ImportResult:
        """Drop one export and ingest it."""
        self.office.drop(name, rows)
        [result] = self.ingest(now)
        return result

    def plan(self, now: datetime | None = None) -> Plan:
        return cycle.plan(self.context, now or self.now)

    def purge(
        self,
        now: datetime | None = None,
        chosen: Plan | None = None,
        reason: str | None = None,
        watcher: Watcher = QUIET,
    ) -> tuple[Plan, Run]:
        approval = None
        if reason is not None:
            with self.context.database.write() as connection:
                approval = departures.Approval(keep_remark(connection, reason))
        return cycle.purge(self.context, now or self.now, watcher, chosen, approval)

    def run(self, now: datetime | None = None, watcher: Watcher = QUIET) -> CycleResult:
        return cycle.run(self.context, now or self.now, watcher)

    def hold(
        self,
        *,
        now: datetime | None = None,
        received_from: date | None = None,
        received_through: date | None = None,
        review_on: date = date(2027, 12, 31),
        selectors: Mapping[str, tuple[str, ...]] | None = None,
        **named: str,
    ) -> int:
        """Place a hold by ``message=``, ``conversation=``, ``contact=``, ``network=`` or ``channel=``, or by many."""
        given = {**(selectors or {}), **{kind: (value,) for kind, value in named.items()}}
        order = HoldOrder(
            kind="foi",
            owner="the office",
            reason="FOI 2026/1",
            review_on=review_on,
            received_from=received_from,
            received_through=received_through,
            selectors={kind: given[kind] for kind in SELECTORS if kind in given},
        )
        assert given.keys() == order.selectors.keys()
        return place_hold(self.context, order, now or self.now)

    def release(self, number: int, now: datetime | None = None) -> None:
        release_hold(self.context, number, "answered", now or self.now)

    # What is seen.

    def status(self, now: datetime | None = None) -> Status:
        return look(self.context, now or self.now)

    def explain(self, message_id: str, now: datetime | None = None) -> Explanation:
        context = self.context
        with context.database.read() as connection:
            names = context.pseudonyms.of_message(connection, message_id)
            return explain(connection, context.schedule, message_id, names, now or self.now)

    def verify(self) -> Verification:
        context = self.context
        with context.database.read() as connection:
            return verify(connection, context.installation.origin, [context.verifier])

    def findings(self, kind: str | None = None, *, open_only: bool = True) -> list[Finding]:
        with self.context.database.read() as connection:
            found = findings.load(connection, open_only=open_only)
        return [one for one in found if kind in {None, one.kind}]

    def entries(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Give the entries of the log, parsed."""
        with self.context.database.read() as connection:
            bodies = [body for _, body in stream(connection)]
        parsed: list[dict[str, Any]] = [json.loads(body) for body in bodies]
        return [one for one in parsed if kind in {None, one["kind"]}]

    def kinds(self) -> Counter[str]:
        return Counter(one["kind"] for one in self.entries())

    def last_run(self) -> Run | None:
        with self.context.database.read() as connection:
            return runs.last(connection)

    def ask(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        with self.context.database.read() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def tell(self, sql: str, **values: object) -> None:
        """Change the database behind the program's back, past its triggers."""
        with self.context.database.write() as connection, guards_put_back(connection):
            connection.execute(text(sql), values)

    def ids(self) -> list[str]:
        """Give the source's identifiers of what is registered, in order of receipt."""
        rows = self.ask("SELECT message_key FROM message ORDER BY received_at, message_key")
        return [key.partition(":")[2] for (key,) in rows]

    def dump(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """Give every row of some tables, or of all."""
        with self.context.database.read() as connection:
            names = tables or tuple(inspect(connection).get_table_names())
        return {name: sorted(self.ask(f'SELECT * FROM "{name}"'), key=repr) for name in names}  # noqa: S608 - our own names

    def files(self) -> list[str]:
        """Give the names of what lies in the landing folder."""
        return sorted(path.name for path in self.office.landing.iterdir())

    def quarantined(self) -> list[Path]:
        folder = self.context.quarantine
        return sorted(folder.iterdir()) if folder.exists() else []


def at(text: str) -> int:
    """Give an instant, spelled in ISO 8601 with its offset, in epoch seconds."""
    return to_epoch(datetime.fromisoformat(text))
