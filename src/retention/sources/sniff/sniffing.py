"""From a file to a guess: first what kind of file it is, then how it is written, then what reading it so gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.policy.words import say_count
from retention.sources.archive import ARCHIVES
from retention.sources.catalog import build_source
from retention.sources.csv_export import PRESETS
from retention.sources.csv_export.source import WANTED
from retention.sources.files.landing import open_regular
from retention.sources.files.unpack import contents_of
from retention.sources.sniff.columns import CLASS_FIELDS, bare, few_values, map_columns, times_of
from retention.sources.sniff.guess import Guess, count
from retention.sources.sniff.table import read_sample
from retention.sources.sniff.visibility import guess_visibility, kind_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader
    from pathlib import Path

    from retention.sources.csv_export import CsvFormat
    from retention.sources.sniff.columns import Mapping as Columns
    from retention.sources.sniff.dates import DateGuess
    from retention.sources.sniff.guess import Setting
    from retention.sources.sniff.table import Sample

_SHARE = 0.7
_LONGEST_SHOWN = 40
_UNKNOWN = "is not a file that any source reads; names end in .csv, .csv.gz, .zip, .js or .json"
_ZONE = "In which time zone was the export made? Its times do not say; set time_zone to that zone"
_NO_ROWS = "The file has no rows, so nothing could be looked at: all this is by names of columns. Try a full one"
_FORM = "How are times written? No form that is known fits; set date_format where it is not ISO 8601"
_WHICH = "Which rows are private? {} Answer with a line private_when; until then the configuration is refused"
_NO_KINDS = "no column has few and short values either."
_KEEP = "yours to choose: the file stays until its first message is due, and goes at once if one is; delete: at once"
_ORDER = "yours to choose: each purge tells people to delete the tool's own copies; none: it does not"
_OF_NO_READING = frozenset({"path", "kind", "after_ingest", "upstream"})
_OWN = "Which account is yours? Set own_account to its {}; until then nothing tells inbound from outbound"
_ACCOUNT = {"x-archive": "number, which data/account.js names", "linkedin-archive": "profile address"}


def sniff(path: Path, *, time_zone: str | None = None, own_account: str | None = None) -> Guess:
    """Guess how a file has to be read; raises FileRefusedError where it is nothing that can be read."""
    with open_regular(path) as file:
        guess = _archive(file, path, own_account) or _table(file, path, time_zone)
    guess.put("after_ingest", "keep-until-due", _KEEP, certain=False)
    guess.put("upstream", "order", _ORDER, certain=False)
    settings = {key: value for key, value in guess.settings.items() if key not in _OF_NO_READING} | guess.reading
    source = build_source(str(guess.settings["kind"]), path=path.parent, **settings)  # type: ignore[arg-type]  # each key has its own type
    guess.counts = count(source, path)
    return guess


def _archive(file: BufferedReader, path: Path, own_account: str | None) -> Guess | None:
    preset = next((name for name in _archives_like(path) if _holds(file, path, name)), None)
    if preset is None:
        return None
    guess = Guess({})
    is_bare_thread = path.suffix.lower() != ".zip" and preset in {"facebook-archive", "instagram-archive"}
    guess.put("name", preset, "any name", certain=False)
    guess.put("kind", "archive", "a download of the network itself", certain=True)
    guess.put("preset", preset, "by what the file holds", certain=not is_bare_thread)
    guess.put("path", f"var/landing-{preset}", "the folder where such files will arrive", certain=False)
    if is_bare_thread:
        guess.questions.append("Is it from Facebook or from Instagram? One thread alone does not say")
    if own_account is None:
        guess.questions.append(_OWN.format(_ACCOUNT.get(preset, "display name as the download spells it")))
    else:
        guess.put("own_account", own_account, "given with --own-account", certain=True)
    return guess


def _archives_like(path: Path) -> list[str]:
    names = [name for name, one in ARCHIVES.items() if path.name.lower().endswith(one.wanted.suffixes)]
    # A thread by itself names its network at most by the folder it was found in.
    is_instagram = "instagram" in "/".join(path.parts[-6:]).lower()
    return sorted(names, key=lambda name: (name == "instagram-archive") is not is_instagram)


def _holds(file: BufferedReader, path: Path, preset: str) -> bool:
    if path.suffix.lower() in {".csv", ".gz"} and preset == "linkedin-archive":
        return _is_linkedin(file, path)
    if path.suffix.lower() in {".js", ".json", ".gz"}:
        return not path.name.lower().endswith(WANTED.suffixes)
    try:
        with contents_of(file, path.name, ARCHIVES[preset].wanted):
            return preset != "linkedin-archive" or _is_linkedin(file, path)
    except FileRefusedError:
        return False


def _is_linkedin(file: BufferedReader, path: Path) -> bool:
    try:
        with contents_of(file, path.name, ARCHIVES["linkedin-archive"].wanted) as contents:
            header = {name.upper() for name in read_sample(contents.members[0]).header}
    except FileRefusedError:
        return False
    return {"CONVERSATION ID", "FROM", "SENDER PROFILE URL", "DATE"} <= header


def _table(file: BufferedReader, path: Path, time_zone: str | None) -> Guess:
    if not path.name.lower().endswith(WANTED.suffixes):
        raise FileRefusedError(_UNKNOWN)
    with contents_of(file, path.name, WANTED) as contents:
        sample = read_sample(contents.members[0])
    mapping = map_columns(sample)
    guess = Guess({}, columns=[name for name in sample.header if name])
    if not sample.rows:
        guess.questions.append(_NO_ROWS)
    preset = _preset_of(sample)
    name = preset or "export"
    guess.put("name", name, "any name", certain=False)
    guess.put("kind", "csv-export", "a table, one message a row", certain=True)
    guess.put("path", f"var/landing-{name}", "the folder where such files will arrive", certain=False)
    if preset is not None:
        guess.put("preset", preset, "the columns are those of this tool", certain=True)
        columns, dates = dict(PRESETS[preset].columns), map_columns(sample).dates
        dates = _dates_of(sample, columns["received_at"]) or dates
    else:
        _put_columns(guess, sample, mapping)
        columns, dates = mapping.columns, mapping.dates
    _put_writing(guess, sample, dates, time_zone)
    guess.class_values = _class_values(sample, columns)
    return guess


def _preset_of(sample: Sample) -> str | None:
    header = {name.casefold() for name in sample.header}

    def share(preset: CsvFormat) -> float:
        named = [name.casefold() for name in preset.columns.values()]
        needed = {preset.columns[field].casefold() for field in preset.required} | {
            preset.private_when.column.casefold()
        }
        return sum(name in header for name in named) / len(named) if needed <= header else 0.0

    best = max(PRESETS, key=lambda name: share(PRESETS[name]))
    return best if share(PRESETS[best]) >= _SHARE else None


def _dates_of(sample: Sample, column: str) -> DateGuess | None:
    name = next((name for name in sample.header if name.casefold() == column.casefold()), None)
    return times_of(sample, name) if name else None


def _put_columns(guess: Guess, sample: Sample, mapping: Columns) -> None:
    missing = [field for field in ("message_id", "received_at") if field not in mapping.columns]
    if missing:
        wanted = {"message_id": "an identifier of each message", "received_at": "the date and time of each message"}
        reason = f"has no column that looks like {' or '.join(wanted[field] for field in missing)}"
        reason = reason if sample.rows else f"has no rows, so nothing could be looked at, and {reason}"
        raise FileRefusedError(reason, line=1)
    by_guess = [name for field, name in mapping.columns.items() if field not in mapping.by_name]
    note = f"guessed: {', '.join(by_guess)}" if by_guess else "by their names"
    guess.put("columns", {**mapping.columns}, note, certain=False)
    guess.questions.append("Does every name in columns stand for what its key says? The text column is never needed")
    visibility = guess_visibility(sample, mapping)
    if visibility is None:
        _ask_visibility(guess, sample, mapping)
        return
    guess.put("private_when", _settled(visibility.private_when), visibility.note, certain=False)
    guess.put("public_when", _settled(visibility.public_when), "what neither knows is private", certain=False)
    if visibility.unknown:
        kinds = say_count(visibility.unknown, "kind")
        guess.questions.append(
            f"Private or not: {kinds} of rows that neither private_when nor public_when knows? "
            "Until then such rows count as private"
        )
    else:
        guess.questions.append("Do the words in private_when name every private kind of message?")


def _ask_visibility(guess: Guess, sample: Sample, mapping: Columns) -> None:
    shown = {mapping.columns[field]: values for field, values in _class_values(sample, mapping.columns).items()}
    said = []
    for name, number in kind_columns(sample, mapping).items():
        values = sample.column(name)
        counted = ", ".join(f"{value}: {values.count(value)}" for value in shown.get(name, []))
        said.append(f"{name} ({counted or say_count(number, 'value')})")
    candidates = f"candidates: {', '.join(said)}." if said else _NO_KINDS
    found = (
        f"Nothing in the file tells private from public; {candidates}" if sample.rows else "Nothing could be looked at."
    )
    guess.questions.append(_WHICH.format(found))
    column = json.dumps(mapping.columns["received_at"], ensure_ascii=False).replace("\x7f", "\\u007f")
    guess.reading["private_when"] = {"column": mapping.columns["received_at"], "any": True}
    guess.open["private_when"] = (
        'private_when = { column = "...", contains = ["..."] }'
        f"  # ASKED; where all are private: {{ column = {column}, any = true }}"
    )


def _settled(test: Mapping[str, Setting]) -> Setting:
    return {key: value for key, value in test.items() if not isinstance(value, dict)}


def _put_writing(guess: Guess, sample: Sample, dates: DateGuess | None, time_zone: str | None) -> None:
    if time_zone is not None:
        guess.put("time_zone", time_zone, "given with --time-zone", certain=True)
    elif dates is not None and dates.has_offset:
        guess.put("time_zone", "UTC", "of no weight: the times say it themselves", certain=True)
    else:
        guess.put("time_zone", "UTC", "ASKED: the zone in which the export was made", certain=False)
        guess.questions.append(_ZONE)
    if dates is not None and dates.form is not None:
        note = "every value looked at fits" if dates.other is None else f"ASKED: {dates.other} fits as well"
        guess.put("date_format", dates.form, note, certain=dates.other is None)
        if dates.other is not None:
            guess.questions.append("Does the day or the month come first in the dates? Both fit every value looked at")
    elif dates is None:
        guess.questions.append(_FORM if sample.rows else "How are times written? Set date_format where not in ISO 8601")
    if sample.delimiter != ",":
        guess.put("delimiter", sample.delimiter, "by the header and the rows", certain=True)
    if sample.encoding not in {"utf-8", "utf-8-sig", "utf-16"}:
        guess.put("encoding", sample.encoding, sample.encoding_note, certain=sample.encoding_certain)
        guess.questions.append("Do letters with accents look right in this encoding? Nothing in the file says")


def _class_values(sample: Sample, columns: Mapping[str, str]) -> dict[str, list[str]]:
    """Give the values of columns whose very name says that they hold kinds; a channel can be named after a person."""
    shown = {}
    for field in CLASS_FIELDS:
        name = next((one for one in sample.header if bare(one) == bare(columns.get(field, ""))), None)
        if field != "channel" and name and (values := few_values(sample, name)):
            plain = [value for value in values if len(value) <= _LONGEST_SHOWN and value.isprintable()]
            shown[field] = [value for value in plain if "@" not in value]
    return shown
