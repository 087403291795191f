"""One big export, for measurements: the same bytes as the plain writer's, joined from text that is quoted once."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from retention.demo.history import HistorySpec, tell
from retention.demo.rhythm import zone_of
from retention.demo.writer import COLUMNS, ExportFacts, export_file, sum_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from retention.demo.conversations import Talk, Turn

_BATCH = 1000
_SECONDS = tuple(f"{second:02d}" for second in range(60))


def bulk(path: Path, rows: int, *, seed: int, last_on: date, days: int, zone: str = "Europe/London") -> ExportFacts:
    """Write one export of exactly ``rows`` messages over the ``days`` local days that end with ``last_on``."""
    spec = HistorySpec(seed=seed, zone=zone, first_on=last_on - timedelta(days=days - 1), last_on=last_on)
    lines = _Lines(zone_of(zone))
    with export_file(path) as text:
        text.write(",".join(COLUMNS) + "\r\n")
        told = lines.of(tell(spec, total=rows))
        while batch := "".join(islice(told, _BATCH)):
            text.write(batch)
    return lines.facts()


class _Lines:
    """Joins turns into lines and counts them as they pass."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._counts: Counter[tuple[str, str]] = Counter()
        self._ends: list[int] = []

    def of(self, turns: Iterable[Turn]) -> Iterator[str]:
        quoted, counts, zone = _Quoted(), self._counts, self._zone
        this_minute, local, second = -1, "", -1
        for message_id, talk, second, direction, content, sentiment, agent in turns:
            minute, rest = divmod(second, 60)
            if minute != this_minute:
                this_minute, local = minute, datetime.fromtimestamp(second, zone).isoformat(" ")[:17]
            if not self._ends:
                self._ends.append(second)
            head = talk.rendered or _render(talk)
            counts[talk.head[1], talk.visibility] += 1
            name = f'"{message_id}"' if "," in message_id else message_id
            yield (
                f"{name},{head},{local}{_SECONDS[rest]},{direction},{talk.message_type},{quoted[content]},{sentiment},"
                f"{talk.post_url},{agent.agent_id},{agent.name},{quoted[talk.theme.tags]},{talk.case}\r\n"
            )
        self._ends.append(second)

    def facts(self) -> ExportFacts:
        first, last = (datetime.fromtimestamp(s, UTC) for s in self._ends) if self._counts else (None, None)
        return sum_up(self._counts, bad_rows=0, first=first, last=last)


class _Quoted(dict[str, str]):
    """Each text of the story as a CSV field, quoted on first sight by the plain writer's own rule."""

    def __missing__(self, text: str) -> str:
        self[text] = _fields(text, "").removesuffix(",")
        return self[text]


def _render(talk: Talk) -> str:
    talk.rendered = _fields(*talk.head)
    return talk.rendered


def _fields(*texts: str) -> str:
    joined = ",".join(texts)
    if joined.count(",") == len(texts) - 1 and '"' not in joined and "\n" not in joined:
        return joined
    line = io.StringIO(newline="")
    csv.writer(line).writerow(texts)
    return line.getvalue().removesuffix("\r\n")
