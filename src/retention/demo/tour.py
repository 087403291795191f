"""The narrated demo: seven months of an office's life in under a minute, in drill time, on real files.

The tour only writes exports and runs commands, the same that a person would type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from retention.demo.exports import ExportFile, checking_export, seven_months
from retention.errors import UsageError
from retention.resources import resource

if TYPE_CHECKING:
    from pathlib import Path

    from retention.demo.narration import Narrator

TODAY = date(2026, 11, 23)
_MORNING = time(6, 0, tzinfo=UTC)
_MONTHS_WITHOUT_PURGE = (date(2026, 5, 23), date(2026, 6, 23), date(2026, 7, 23), date(2026, 8, 24))
_HOLD_WEEK, _RELEASE_WEEK = 3, 8
_STILL_THERE = date(2026, 8, 5)
_WEEK = timedelta(weeks=1)


@dataclass
class Week:
    """One row of the closing table."""

    day: str
    registered: int
    disposed: int
    held: int
    left: int
    due_after: int


@dataclass
class Tour:
    """One demo under way."""

    tell: Narrator
    seed: int
    weeks: list[Week] = field(default_factory=list)
    _exports: list[ExportFile] = field(default_factory=list)

    def guide(self) -> list[Week]:
        """Tell the whole story and give the rows of the closing table.

        Raises:
            RetentionError: a command did not end as the story says.

        """
        self._found()
        self._months_without_purge()
        self._first_purge()
        self._week_after_week()
        self._ending()
        self._what_the_source_holds()
        return self.weeks

    def _found(self) -> None:
        self.tell.say("A new office. Its notice promises: direct messages are stored for three months.")
        prepare(self.tell.folder)
        self._exports = seven_months(self.tell.folder / "var/landing", today=TODAY, seed=self.seed)
        first = _at(_MONTHS_WITHOUT_PURGE[0] - timedelta(days=30))
        self.tell.step(["init", "--drill"], first)
        self.tell.step(["check"], first)

    def _months_without_purge(self) -> None:
        self.tell.say(
            "Every week an export of Hootsuite Inbox arrives: private and public messages, six networks, windows that "
            "overlap. Only private ones are registered; text and names never are. Some rows of one file are bad: they "
            "become findings (exit 3) and the rest goes on."
        )
        for day in _MONTHS_WITHOUT_PURGE:
            self._arrive(_at(day))
            self.tell.step(["ingest"], _at(day), expected={0, 3})
        self.tell.say("The first bad rows, by file, line, column and reason, never by value:")
        self.tell.step(["findings", "list"], _at(day))
        self.tell.say("In all this time nobody has purged. Is the promise kept? (exit 5 says: broken)")
        self.tell.step(["status"], _at(day), expected={5})

    def _first_purge(self) -> None:
        now = _at(_MONTHS_WITHOUT_PURGE[-1])
        self.tell.say("What would a purge do? The dry run makes the very plan that a purge carries out:")
        self.tell.step(["purge", "--dry-run"], now)
        self.tell.say("A backlog is more than the safety belt lets pass in one run (exit 12):")
        self.tell.step(["purge"], now, expected={12})
        digest = self.tell.ask(["purge", "--dry-run"], now)["plan"]["digest"]
        self.tell.say("So a person looks at the plan, and passes the belt for exactly this plan, with a reason:")
        reason = "first purge after go-live, plan checked by the DPO"
        self.tell.step(["purge", "--plan", digest, "--reason", reason], now)
        self.tell.say("The bad rows were asked for anew, so their findings can be resolved. Then the promise is kept:")
        self._resolve_findings(now)
        self.tell.step(["status"], now)
        self._first_order(now)

    def _first_order(self, now: datetime) -> None:
        self.tell.say(
            "Hootsuite keeps a copy of its own and has no call that deletes it. So the purge issued an order: a person "
            "takes the list, deletes there, and attests it. That is a word, not evidence."
        )
        self.tell.step(["upstream", "export", "1", "--output", str(self.tell.folder / "order-1.csv")], now)
        by = ["--by", "Records officer", "--reference", "ticket 4711"]
        self.tell.step(["upstream", "attest", "1", *by], now)

    def _week_after_week(self) -> None:
        self.tell.say("From now on `retention run` does the whole job every week, as a timer or cron would:")
        day, number = _MONTHS_WITHOUT_PURGE[-1] + _WEEK, 1
        while day <= TODAY:
            now = _at(day)
            self._arrive(now)
            if number == _HOLD_WEEK:
                self._place_hold(now)
            if number == _RELEASE_WEEK:
                self._release_hold(now)
            self._one_week(now)
            if day < TODAY:
                self._attest_orders(now)
            day, number = day + _WEEK, number + 1

    def _attest_orders(self, now: datetime) -> None:
        for order in self.tell.ask(["upstream", "list"], now)["orders"]:
            if order["state"] == "ordered":
                by = ["--by", "Records officer", "--reference", "weekly ticket"]
                self.tell.quietly(["upstream", "attest", str(order["order"]), *by], now)

    def _place_hold(self, now: datetime) -> None:
        self.tell.say("A request under freedom of information comes in: what it covers must stay while it is answered.")
        review = (now.date() + timedelta(weeks=9)).isoformat()
        hold = ["hold", "place", "--kind", "foi", "--reason", "FOI 2026/118", "--owner", "Information rights"]
        self.tell.step([*hold, "--review-on", review, "--network", "linkedin"], now)

    def _release_hold(self, now: datetime) -> None:
        self.tell.say("The request is answered. What the hold kept goes with the next run, counted apart:")
        self.tell.step(["hold", "release", "1", "--reason", "answered"], now)
        self.tell.step(["purge", "--dry-run"], now)

    def _one_week(self, now: datetime) -> None:
        told = self.tell.ask(["run"], now, expected={0, 3})
        run, plan, imports = told["run"], told["plan"], told["imports"]
        registered = sum(one["registered"] for one in imports)
        again = sum(one["already_imported"] for one in imports)
        rejected = sum(one["rejected"] for one in imports)
        left = plan["total"] - run["disposed"]
        self.weeks.append(
            Week(now.date().isoformat(), registered, run["disposed"], plan["held"], left, run["due_after"])
        )
        notes = [f"{rejected} bad rows"] if rejected else []
        notes += ["an old export was dropped again: nothing changed"] if again else []
        aside = f" ({'; '.join(notes)})" if notes else ""
        self.tell.show(
            f"  {now.date()}: {registered:4} registered, {run['disposed']:4} disposed of, {plan['held']:4} held{aside}"
        )

    def _ending(self) -> None:
        now = _at(TODAY)
        self._resolve_findings(now)
        self.tell.say("Seven months later. Is the promise kept?")
        self.tell.step(["status"], now)
        self.tell.say("Can it be proven? The log is verified from its first entry to its last, and exported:")
        self.tell.step(["audit", "verify"], now)
        entries, table = str(self.tell.folder / "entries.jsonl"), str(self.tell.folder / "deletion-log.csv")
        self.tell.step(["audit", "export", "--output", entries], now)
        self.tell.step(["audit", "export", "--format", "csv", "--output", table], now)

    def _what_the_source_holds(self) -> None:
        now = _at(TODAY) + timedelta(hours=1)
        self.tell.say(
            "And at Hootsuite? Somebody exports the seven months once more and drops the file. What is not in it is "
            "gone, and its identifiers are forgotten here; three messages were overlooked, and break the promise:"
        )
        landing = self.tell.folder / "var/landing"
        checking_export(landing, today=TODAY, seed=self.seed, still_there=_STILL_THERE)
        self.tell.step(["ingest"], now)
        self.tell.step(["upstream", "list"], now)
        self.tell.step(["status"], now, expected={5})

    def _resolve_findings(self, now: datetime) -> None:
        for finding in self.tell.ask(["findings", "list"], now)["findings"]:
            self.tell.quietly(["findings", "resolve", str(finding["id"]), "--reason", "asked for a new export"], now)

    def _arrive(self, now: datetime) -> None:
        for export in self._exports:
            if export.arrives_at <= now:
                export.write()
        self._exports = [export for export in self._exports if export.arrives_at > now]


def prepare(folder: Path) -> None:
    """Make the demo's folder with the example configuration, changed only in that files need not settle.

    Raises:
        UsageError: the folder exists and is not empty, or cannot be made.

    """
    example = (resource("config") / "retention.toml").read_text(encoding="utf-8")
    try:
        if folder.exists() and any(folder.iterdir()):
            msg = f"{folder} is not empty; name a new folder, or remove it"
            raise UsageError(msg)
        folder.mkdir(parents=True, exist_ok=True)
        settled = example.replace("# settle_seconds = 60 ", "settle_seconds = 0    ")
        (folder / "retention.toml").write_text(settled, encoding="utf-8")
    except OSError as error:
        msg = f"{folder} cannot be made ({error.strerror}); name another folder"
        raise UsageError(msg) from None


def _at(day: date) -> datetime:
    return datetime.combine(day, _MORNING)
