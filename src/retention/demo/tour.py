"""The narrated demo: seven months of an office's life in under a minute, in drill time, on real files.

The tour only writes exports and runs commands, the same that a person would type; it shows each before it runs it. How
a command is run is handed in, because the command line lies above this room.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from retention.demo.exports import ExportFile, checking_export, seven_months
from retention.errors import RetentionError, UsageError
from retention.resources import resource

if TYPE_CHECKING:
    from pathlib import Path

RunCommand = Callable[[list[str]], tuple[int, str]]
"""Runs a command; gives its exit code and what it wrote on stdout."""

Show = Callable[[str], None]

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

    folder: Path
    run: RunCommand
    show: Show
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
        self._say("A new office. Its notice promises: direct messages are stored for three months.")
        prepare(self.folder)
        self._exports = seven_months(self.folder / "var/landing", today=TODAY, seed=self.seed)
        first = _at(_MONTHS_WITHOUT_PURGE[0] - timedelta(days=30))
        self._step(["init", "--drill"], first)
        self._step(["check"], first)

    def _months_without_purge(self) -> None:
        self._say(
            "Every week an export of Hootsuite Inbox arrives: private and public messages, six networks, windows that "
            "overlap. Only private ones are registered; text and names never are. Some rows of one file are bad: they "
            "become findings (exit 3) and the rest goes on."
        )
        for day in _MONTHS_WITHOUT_PURGE:
            self._arrive(_at(day))
            self._step(["ingest"], _at(day), expected={0, 3})
        self._say("The first bad rows, by file, line, column and reason, never by value:")
        self._step(["findings", "list"], _at(day))
        self._say("In all this time nobody has purged. Is the promise kept? (exit 5 says: broken)")
        self._step(["status"], _at(day), expected={5})

    def _first_purge(self) -> None:
        now = _at(_MONTHS_WITHOUT_PURGE[-1])
        self._say("What would a purge do? The dry run makes the very plan that a purge carries out:")
        self._step(["purge", "--dry-run"], now)
        self._say("A backlog is more than the safety belt lets pass in one run (exit 12):")
        self._step(["purge"], now, expected={12})
        digest = self._ask(["purge", "--dry-run"], now)["plan"]["digest"]
        self._say("So a person looks at the plan, and passes the belt for exactly this plan, with a reason:")
        self._step(["purge", "--plan", digest, "--reason", "first purge after go-live, plan checked by the DPO"], now)
        self._say("The bad rows were asked for anew, so their findings can be resolved. Then the promise is kept:")
        self._resolve_findings(now)
        self._step(["status"], now)
        self._first_order(now)

    def _first_order(self, now: datetime) -> None:
        self._say(
            "Hootsuite keeps a copy of its own and has no call that deletes it. So the purge issued an order: a person "
            "takes the list, deletes there, and attests it. That is a word, not evidence."
        )
        self._step(["upstream", "export", "1", "--output", str(self.folder / "order-1.csv")], now)
        by = ["--by", "Records officer", "--reference", "ticket 4711"]
        self._step(["upstream", "attest", "1", *by], now)

    def _week_after_week(self) -> None:
        self._say("From now on `retention run` does the whole job every week, as a timer or cron would:")
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
        for order in self._ask(["upstream", "list"], now)["orders"]:
            if order["state"] == "ordered":
                by = ["--by", "Records officer", "--reference", "weekly ticket"]
                self._quietly(["upstream", "attest", str(order["order"]), *by], now)

    def _place_hold(self, now: datetime) -> None:
        self._say("A request under freedom of information comes in: what it covers must not go while it is answered.")
        review = (now.date() + timedelta(weeks=9)).isoformat()
        hold = ["hold", "place", "--kind", "foi", "--reason", "FOI 2026/118", "--owner", "Information rights"]
        self._step([*hold, "--review-on", review, "--network", "linkedin"], now)

    def _release_hold(self, now: datetime) -> None:
        self._say("The request is answered. What the hold kept goes with the next run, counted apart:")
        self._step(["hold", "release", "1", "--reason", "answered"], now)
        self._step(["purge", "--dry-run"], now)

    def _one_week(self, now: datetime) -> None:
        told = self._ask(["run"], now, expected={0, 3})
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
        self.show(
            f"  {now.date()}: {registered:4} registered, {run['disposed']:4} disposed of, {plan['held']:4} held{aside}"
        )

    def _ending(self) -> None:
        now = _at(TODAY)
        self._resolve_findings(now)
        self._say("Seven months later. Is the promise kept?")
        self._step(["status"], now)
        self._say("Can it be proven? The log is verified from its first entry to its last, and exported:")
        self._step(["audit", "verify"], now)
        self._step(["audit", "export", "--output", str(self.folder / "entries.jsonl")], now)
        self._step(["audit", "export", "--format", "csv", "--output", str(self.folder / "deletion-log.csv")], now)

    def _what_the_source_holds(self) -> None:
        now = _at(TODAY) + timedelta(hours=1)
        self._say(
            "And at Hootsuite? Somebody exports the seven months once more and drops the file. What is not in it is "
            "gone, and its identifiers are forgotten here; three messages were overlooked, and break the promise:"
        )
        landing = self.folder / "var/landing"
        checking_export(landing, today=TODAY, seed=self.seed, still_there=_STILL_THERE)
        self._step(["ingest"], now)
        self._step(["upstream", "list"], now)
        self._step(["status"], now, expected={5})

    def _resolve_findings(self, now: datetime) -> None:
        for finding in self._ask(["findings", "list"], now)["findings"]:
            self._quietly(["findings", "resolve", str(finding["id"]), "--reason", "asked for a new export"], now)

    def _arrive(self, now: datetime) -> None:
        for export in self._exports:
            if export.arrives_at <= now:
                export.write()
        self._exports = [export for export in self._exports if export.arrives_at > now]

    def _say(self, text: str) -> None:
        self.show(f"\n# {text}")

    def _step(self, command: list[str], now: datetime, expected: set[int] | None = None) -> None:
        full = self._full(command, now)
        self.show("$ retention " + " ".join(_quoted(word) for word in full))
        code, told = self._run(full, expected or {0})
        self.show("\n".join(f"  {line}" for line in told.rstrip().splitlines()))
        if code:
            self.show(f"  [exit {code}]")

    def _ask(self, command: list[str], now: datetime, expected: set[int] | None = None) -> dict[str, Any]:
        _, told = self._run([*self._full(command, now), "--format", "json"], expected or {0})
        answer: dict[str, Any] = json.loads(told)
        return answer

    def _quietly(self, command: list[str], now: datetime) -> None:
        self._run(self._full(command, now), {0})

    def _run(self, command: list[str], expected: set[int]) -> tuple[int, str]:
        code, told = self.run(command)
        if code not in expected:
            msg = f"the demo expected `retention {command[0]}` to end otherwise than with exit {code}: {told}"
            raise RetentionError(msg)
        return code, told

    def _full(self, command: list[str], now: datetime) -> list[str]:
        return [*command, "--config", str(self.folder / "retention.toml"), "--now", now.strftime("%Y-%m-%dT%H:%MZ")]


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


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word
