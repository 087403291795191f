"""An office in which every value that goes in is marked, and every answer that comes out is searched for marks."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.acceptance.desk import Answer, ask_office
from tests.acceptance.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.kit import Office

SECOND_SOURCE = """
[[source]]
name = "other-tool"
kind = "csv-export"
path = "landing-2"
time_zone = "Europe/London"
settle_seconds = 0
delimiter = ";"
encoding = "cp1252"
date_format = "%d/%m/%Y %H:%M"
columns = { message_id = "id", conversation_id = "thread", contact = "author", network = "net", received_at = "at" }
private_when = { column = "kind", contains = ["dm"] }
"""
COLUMNS = {
    "Message ID": "message id",
    "Conversation ID": "conversation",
    "Medium": "network",
    "Channel": "channel",
    "Channel Display Name": "name",
    "Contact Profile ID": "contact",
    "Contact Primary Identifier": "contact",
    "Contact Secondary Identifier": "contact",
    "Created at": "",
    "Direction": "direction",
    "Message Type": "message type",
    "Content": "text",
    "Sentiment": "text",
    "Post URL": "text",
    "Agent ID": "name",
    "Agent Name": "name",
    "Tags": "text",
}
HEADER = [*COLUMNS]
ID, CONVERSATION, MEDIUM, CHANNEL, CONTACT = (HEADER.index(name) for name in (
    "Message ID", "Conversation ID", "Medium", "Channel", "Contact Profile ID"))  # fmt: skip
CREATED, TYPE = HEADER.index("Created at"), HEADER.index("Message Type")

IN_TABLES = {
    "message id": {"message.message_key", "upstream_item.message_id"},
    "network": {"message_class.network", "plan.body", "audit_entry.body", "hold_selector.value"},
    "channel": {"message_class.channel", "message_class.channel_folded", "hold_selector.value"},
    "direction": {"message_class.direction"},
    "message type": {"message_class.message_type"},
    "file name": {"import.name", "finding.file", "finding.reason", "kept_file.path"},
    "remark": {"remark.body"},
    "owner": {"hold.owner"},
}
ALLOWED_IN_TABLES = {(kind, column) for kind, columns in IN_TABLES.items() for column in columns}


@dataclass
class Watched:
    """An office whose every answer is searched for marks."""

    office: Office
    marks: Marks = field(default_factory=Marks)

    @property
    def second_landing(self) -> Path:
        """The landing folder of the second source."""
        return self.office.folder / "landing-2"

    def do(self, *arguments: str, shows: Iterable[str] = (), code: int | None = None) -> Answer:
        """Run a command; what it writes may hold names of files and the kinds in ``shows``."""
        return self.look(ask_office(self.office, *arguments), shows, code)

    def look(self, answer: Answer, shows: Iterable[str] = (), code: int | None = None) -> Answer:
        """Search an answer. Logs are for nobody in particular, so they never hold more than names of files."""
        assert code is None or answer.code == code, answer.err
        assert self.marks.kinds_in(answer.out) <= {"file name", *shows}
        assert self.marks.kinds_in(answer.err) <= {"file name"}, answer.err
        assert "not foreseen" not in answer.err
        return answer

    def search(self) -> None:
        """Search the database, and every file of the installation but those that a person put there."""
        assert self.marks.kinds_in_tables(self.office.url) - ALLOWED_IN_TABLES == set()
        inputs = [
            self.office.landing,
            self.second_landing,
            self.office.folder / "var" / "quarantine",
            self.office.config,
        ]
        found = self.marks.kinds_in_files([self.office.folder], but=inputs)
        exports = {(kind, name) for kind, name in found if name.startswith("deletion-log")}
        database = {(kind, name) for kind, name in found if name.startswith("register.db")}
        assert {kind for kind, _ in database} <= set(IN_TABLES)
        assert {kind for kind, _ in exports} <= {"network"}
        assert found - database - exports == set()
        if server := parse_qs(urlsplit(self.office.url).query).get("host"):
            assert self.marks.kinds_in((Path(server[0]) / "log").read_bytes()) == set(), "the server logs what fails"

    def row(self, *, kind: str = "", created: str = "2026-11-01 09:00:00", message_type: str = "private") -> list[str]:
        """Make a row in which every value is marked, as of its column or all of one kind."""
        cells = [self.marks.new(kind or of_column) if of_column else created for of_column in COLUMNS.values()]
        cells[TYPE] = f"{message_type} {cells[TYPE]}"
        return cells

    def export(self, header: list[str], rows: list[list[str]]) -> str:
        """Spell an export."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows([header, *rows])
        return out.getvalue()

    def name(self, ending: str) -> str:
        """Make the name of a file, marked too."""
        return f"export-{self.marks.new('file name')}{ending}"


def put(folder: Path, name: str, data: str | bytes) -> None:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def damaged(watched: Watched) -> list[list[str]]:
    """Make one row for each way in which a row can be unfit, for a file with one column more than the usual ones."""

    def bad(place: int, text: str) -> list[str]:
        cells = watched.row(kind="rejected")
        cells[place] = text.format(watched.marks.new("rejected"))
        return [*cells, watched.marks.new("rejected")]

    return [
        bad(ID, ""),
        bad(ID, "{}\x07"),
        bad(ID, "{}" + "9" * 600),
        bad(CONVERSATION, "{}" + "9" * 600),
        bad(CONTACT, "{}\x1b"),
        bad(MEDIUM, "{}" + "n" * 300),
        bad(CHANNEL, "{}\x00"),
        bad(CREATED, ""),
        bad(CREATED, "{}"),
        bad(CREATED, "2026-02-30 25:61:00 {}"),
        bad(CREATED, "2026-11-01"),
        bad(CREATED, "1066-10-14 09:00:00"),
        bad(CREATED, "2031-01-01 09:00:00"),
        watched.row(kind="rejected")[:5],
        [*bad(ID, "{}"), watched.marks.new("rejected")],
    ]


def drop_everything(watched: Watched) -> None:
    """Put files of every sort, good and bad, into both landing folders."""
    marks, landing = watched.marks, watched.office.landing
    good = [watched.row() for _ in range(5)]
    good[0][HEADER.index("Content")] += ' says "hello,\r\nworld" \U0001f600'
    unstored = [
        watched.row(kind="public", message_type="comment"),
        watched.row(kind="expired", created="2026-01-02 09:00:00"),
        watched.row(kind="expired", created="2026-08-21 23:59:59"),
    ]
    header = [*HEADER, f"Custom: {marks.new('text')}"]
    rows = [[*cells, marks.new("text")] for cells in [*good, *unstored, watched.row(message_type="unheard-of")]]
    torn = watched.export(header, rows + damaged(watched)) + f'"{marks.new("rejected")},{marks.new("rejected")}\r\n'
    put(landing, watched.name(".csv"), torn)
    broken = watched.row(kind="rejected")
    broken[ID] += "BYTES"
    put(landing, watched.name(".csv"), watched.export(HEADER, [broken]).encode().replace(b"BYTES", b"\xff\xfe"))
    put(landing, watched.name(".csv"), watched.export(HEADER, [watched.row(), watched.row()]).encode("utf-16"))
    again = [*good[1]]
    again[CREATED] = "2026-11-03 09:00:00"
    put(landing, watched.name(".csv"), watched.export(HEADER, [again]))
    _drop_refused(watched)
    _drop_archives(watched)
    _drop_other_tool(watched)


def _drop_refused(watched: Watched) -> None:
    marks, landing = watched.marks, watched.office.landing
    incomplete = [f"{name} {marks.new('refused')}" if name == "Message Type" else name for name in HEADER]
    put(landing, watched.name(".csv"), watched.export(incomplete, [watched.row(kind="refused")]))
    put(landing, watched.name(".csv"), watched.export([*HEADER, "Channel"], [watched.row(kind="refused")]))
    put(landing, watched.name(".csv"), watched.export([marks.new("refused")], [[marks.new("refused")]]))
    put(landing, watched.name(".csv"), f'"{marks.new("refused")}')
    put(landing, watched.name(".csv"), "")
    put(landing, watched.name(".txt"), marks.new("refused"))
    (landing / watched.name("")).mkdir()


def _drop_archives(watched: Watched) -> None:
    marks, landing = watched.marks, watched.office.landing
    packed = gzip.compress(watched.export(HEADER, [watched.row(), watched.row()]).encode())
    put(landing, watched.name(".csv.gz"), packed)
    put(landing, watched.name(".csv.gz"), gzip.compress(marks.new("refused").encode() * 99)[:40])
    put(landing, watched.name(".zip"), f"PK {marks.new('refused')}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(watched.name(".csv"), watched.export(HEADER, [watched.row(), ["too", marks.new("rejected")]]))
        archive.writestr(watched.name(".txt"), marks.new("refused"))
    put(landing, watched.name(".zip"), out.getvalue())


def _drop_other_tool(watched: Watched) -> None:
    marks = watched.marks

    def line(kind: str, at: str = "01/11/2026 09:00", what: str = "DM") -> str:
        kinds = [kind or name for name in ("message id", "conversation", "contact", "network")]
        return ";".join([*map(marks.new, kinds), at, f"{what} {marks.new('text')}", f"é {marks.new('text')}"])

    lines = ["id;thread;author;net;at;kind;text", line(""), line(""), line("public", what="wall")]
    lines += [line("rejected", at="2026-11-01 09:00"), line("rejected", at=marks.new("rejected"))]
    put(watched.second_landing, watched.name(".csv"), "\n".join(lines).encode("cp1252"))
    put(watched.second_landing, watched.name(".csv"), watched.export(HEADER, [watched.row(kind="refused")]))
