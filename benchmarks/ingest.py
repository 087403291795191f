"""Ingest: one export through ``retention ingest``, beside a plain load of the same file into the same table.

The plain load keeps identifiers as they are, takes local times for UTC where the database knows no zones, and asks
nothing of a row but its type. It registers the same rows and proves nothing.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from benchmarks.databases import POSTGRES, SQLITE
from benchmarks.measure import Contender, race
from benchmarks.office import INGESTED_AT
from benchmarks.table import Heading, show

if TYPE_CHECKING:
    from benchmarks.measure import Cost
    from benchmarks.stock import Stock

_CLASSES = """
INSERT INTO message_class (source, network, channel, channel_folded, direction, visibility, message_type)
SELECT DISTINCT 'plain', lower("Medium"), "Channel", lower("Channel"), lower("Direction"), 'private',
  lower("Message Type") FROM staging WHERE lower("Message Type") LIKE '%private%' OR lower("Message Type") LIKE '%dm%';
"""
_MESSAGES = """
INSERT INTO message
SELECT {instant}, '1:' || s."Message ID", c.id, '', s."Conversation ID", s."Contact Profile ID", 1, 0
FROM staging s JOIN message_class c ON c.source = 'plain' AND c.network = lower(s."Medium")
  AND c.channel = s."Channel" AND c.direction = lower(s."Direction") AND c.visibility = 'private'
  AND c.message_type = lower(s."Message Type")
WHERE true ON CONFLICT DO NOTHING;
COMMIT;
"""
_STAGE = {
    SQLITE: '.import --csv --schema temp "{export}" staging\nBEGIN IMMEDIATE;\n',
    POSTGRES: "BEGIN;\nCREATE TEMPORARY TABLE staging ({columns});\n"
    "\\copy staging FROM '{export}' WITH (FORMAT csv, HEADER true)\n",
}
_INSTANT = {
    SQLITE: "CAST(strftime('%s', s.\"Created at\") AS INTEGER)",
    POSTGRES: "extract(epoch FROM s.\"Created at\"::timestamp AT TIME ZONE 'Europe/London')::bigint",
}
_LABEL = {SQLITE: ".import + INSERT SELECT", POSTGRES: "\\copy + INSERT SELECT"}


def bench(stock: Stock, runs: int) -> None:
    """Measure and print."""
    megabytes = stock.export.stat().st_size / 1_000_000
    contenders = [
        Contender("retention ingest", lambda: _ours(stock)),
        Contender(f"{stock.kind.tool}: {_LABEL[stock.kind.name]}", lambda: _plain(stock)),
    ]
    heading = Heading(f"ingest, {stock.kind.title}", stock.rows, f"rows of CSV ({megabytes:,.0f} MB, 60 % private)")
    show(heading, contenders, race(contenders, runs), runs)


def _ours(stock: Stock) -> Cost:
    with stock.founded.copied() as office:
        export = shutil.copyfile(stock.export, office.landing / stock.export.name)
        handle = os.open(export, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return office.retention("ingest", now=INGESTED_AT)[0]


def _plain(stock: Stock) -> Cost:
    name = stock.kind.name
    with stock.export.open(encoding="utf-8") as file:
        columns = ", ".join(f'"{column}" text' for column in file.readline().strip().split(","))
    stage = _STAGE[name].format(export=stock.export, columns=columns)
    with stock.founded.copied() as office:
        return stock.kind.script(office.folder, stage + _CLASSES + _MESSAGES.format(instant=_INSTANT[name]))
