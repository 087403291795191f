"""What every source promises, tried on every source: see ``retention.sources.interface``."""

from __future__ import annotations

import tracemalloc
from collections import deque
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention import arrivals, cycle
from retention.errors import FileRefusedError, StoppedError
from retention.ingest.importing import Terms
from retention.model import IncomingMessage, RowNotice, RowProblem
from retention.watcher import Watcher
from tests import tracing
from tests.conformance.adapters import ADAPTERS, SECRET, Adapter, Sent
from tests.depth import tries
from tests.kit import Office

if TYPE_CHECKING:
    from retention.sources.interface import Source, SourceItem

Element = IncomingMessage | RowProblem | RowNotice

MEBIBYTE = 1024 * 1024
FITNESS = (True, True, False, True, False, True)

every_source = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
# Where a source is fed by a door, what is unfit is turned away there, and nothing that was let in changes any more.
every_source_of_files = pytest.mark.parametrize(
    "adapter", [one for one in ADAPTERS if one.takes_unfit], ids=lambda adapter: adapter.name
)
# The presets of tables differ in names only, so one of them stands for all where it costs time.
CODES = {"hootsuite-inbox", "x-archive", "facebook-archive", "linkedin-archive", "hootsuite-api"}
every_code = pytest.mark.parametrize(
    "adapter", [one for one in ADAPTERS if one.name in CODES], ids=lambda adapter: adapter.name
)
every_code_and_the_inbox = pytest.mark.parametrize(
    "adapter",
    [one for one in ADAPTERS if one.name in CODES or not one.takes_unfit],
    ids=lambda adapter: adapter.name,
)
every_code_for_text = pytest.mark.parametrize(
    "adapter",
    [one for one in ADAPTERS if one.name in CODES and one.holds_text],
    ids=lambda adapter: adapter.name,
)


def mixed() -> list[Sent]:
    return [Sent(number, fit=fit) for number, fit in enumerate(FITNESS)]


def items_of(adapter: Adapter, folder: Path, messages: list[Sent]) -> tuple[Source, SourceItem]:
    adapter.put(folder, messages)
    source = adapter.source(folder)
    return source, adapter.item(source)


def told_by(element: Element) -> str:
    return "" if isinstance(element, IncomingMessage) else f"{element.reason} {element.column} {element.member}"


@every_source
def test_every_message_comes_out_once_in_order_with_its_instant(adapter: Adapter, tmp_path: Path) -> None:
    source, item = items_of(adapter, tmp_path, [Sent(number) for number in range(30)])
    elements = list(source.read(item))
    assert all(isinstance(element, IncomingMessage) for element in elements)
    messages = [element for element in elements if isinstance(element, IncomingMessage)]
    assert [message.received_at for message in messages] == [Sent(number).seconds for number in range(30)]
    assert len({message.message_id for message in messages}) == 30
    assert {message.message_class.visibility for message in messages} == {adapter.visibility}
    assert {message.message_class.source for message in messages} == {"tested"}
    assert [message.line for message in messages] == sorted(message.line for message in messages)


@every_source_of_files
def test_an_unfit_record_is_one_problem_and_hides_none_of_its_neighbours(adapter: Adapter, tmp_path: Path) -> None:
    source, item = items_of(adapter, tmp_path, mixed())
    elements = [element for element in source.read(item) if not isinstance(element, RowNotice)]
    assert [isinstance(element, IncomingMessage) for element in elements] == list(FITNESS)
    problems = [element for element in elements if isinstance(element, RowProblem)]
    assert all(problem.line > 0 and problem.column for problem in problems)


@every_source
def test_reading_again_gives_the_same_stream_also_from_its_middle(adapter: Adapter, tmp_path: Path) -> None:
    source, item = items_of(adapter, tmp_path, mixed())
    whole = list(source.read(item))
    again = adapter.source(tmp_path)
    assert adapter.item(again) == item
    for done in range(len(whole) + 1):
        abandoned = source.read(item)
        deque(islice(abandoned, done), maxlen=0)
        del abandoned  # as a killed process does
        assert list(islice(again.read(item), done, None)) == whole[done:]


@every_source
def test_the_same_content_is_the_same_item_and_other_content_is_another(adapter: Adapter, tmp_path: Path) -> None:
    digests = []
    for name, messages in (("a", mixed()), ("b", mixed()), ("c", mixed()[:-1])):
        folder = tmp_path / name
        folder.mkdir()
        digests.append(items_of(adapter, folder, messages)[1].digest)
    assert digests[0] == digests[1] != digests[2]


@every_source
def test_a_message_that_a_later_export_has_again_keeps_its_identifier(adapter: Adapter, tmp_path: Path) -> None:
    found = []
    for name, count in (("a", 5), ("b", 8)):
        folder = tmp_path / name
        folder.mkdir()
        source, item = items_of(adapter, folder, [Sent(number) for number in reversed(range(count))])
        found.append({e.message_id: e.received_at for e in source.read(item) if isinstance(e, IncomingMessage)})
    assert found[0].items() <= found[1].items()


@every_source
def test_no_value_stands_in_what_is_told(adapter: Adapter, tmp_path: Path) -> None:
    source, item = items_of(adapter, tmp_path, mixed())
    assert not any(SECRET in told_by(element) for element in source.read(item))


@every_source_of_files
def test_an_item_that_changed_since_it_was_listed_is_refused(adapter: Adapter, tmp_path: Path) -> None:
    source, item = items_of(adapter, tmp_path, mixed())
    adapter.put(tmp_path, [*mixed(), Sent(99)])
    assert not source.is_unchanged(item)
    with pytest.raises(FileRefusedError):
        list(source.read(item))


@every_code
@settings(max_examples=tries(25))
@given(data=st.data())
def test_content_that_is_cut_or_changed_anywhere_ends_in_clear_words(adapter: Adapter, data: st.DataObject) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        adapter.put(folder, mixed())
        (path,) = folder.iterdir()
        content = bytearray(path.read_bytes())
        del content[data.draw(st.integers(0, len(content))) :]
        for _ in range(data.draw(st.integers(0, 4)) if content else 0):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from(b'\0"{}[],:\\\n\xff9'))
        path.write_bytes(content)
        source = adapter.source(folder)
        told = []
        try:
            told += [told_by(element) for element in source.read(adapter.item(source))]
        except FileRefusedError as refusal:
            told.append(f"{refusal} {refusal.reason} {refusal.column}")
        assert SECRET not in " ".join(told)


@every_code_and_the_inbox
def test_an_import_killed_after_every_record_comes_to_the_end_of_an_undisturbed_one(
    adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}")
    text = office.config.read_text()
    begin, end = text.index("[[source]]"), text.index("[purge]")
    rules = text[:begin].replace('visibility = "private"', f'visibility = "{adapter.visibility}"')
    office.config.write_text(rules + adapter.block() + text[end:])
    context = office.found().open()
    monkeypatch.setattr(arrivals, "Terms", partial(Terms, batch_size=1))
    adapter.hand_in(context, office.landing, mixed())
    taken = [sent for sent in mixed() if sent.fit or adapter.takes_unfit]

    def stop() -> None:
        raise StoppedError

    for _ in taken:
        with pytest.raises(StoppedError):
            cycle.ingest(context, office.now, Watcher(stop=stop))
    [result] = cycle.ingest(context, office.now, Watcher())
    counts = result.progress.counts()
    context.database.close()
    fit = FITNESS.count(True)
    assert (counts["registered"], counts["rejected"]) == (fit, len(taken) - fit)
    assert counts["rows"] == len(taken)


@every_code_for_text
def test_memory_does_not_grow_with_the_item(adapter: Adapter, tmp_path: Path) -> None:
    text = SECRET * 2500
    adapter.put(tmp_path, (Sent(number, text=text) for number in range(3_400)))
    source = adapter.source(tmp_path)
    item = adapter.item(source)
    assert item.path.stat().st_size > 48 * MEBIBYTE
    tracing.start()
    count = sum(isinstance(element, IncomingMessage) for element in source.read(item))
    peak = tracemalloc.get_traced_memory()[1]
    tracing.stop()
    assert count == 3_400
    assert peak < 4 * MEBIBYTE
