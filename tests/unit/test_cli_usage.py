"""Wrong arguments: exit 2, what was expected is told, and what was typed is not, because it may be an identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.desk import GROUPS, ask, ask_office

if TYPE_CHECKING:
    from tests.kit import Office

VALUE = "qz17841400000000"
HOLD = ("hold", "place", "--reason", "r", "--review-on", "2099-01-01", "--kind")
PLACED = (*HOLD, "foi", "--owner", "o")
FAR = "9" * 30
WRONG = [
    ((VALUE,), "No such command."),
    (("hold", VALUE), "No such command."),
    (("status", VALUE), "more arguments"),
    (("explain", "one", VALUE, VALUE), "more arguments"),
    (("status", "--format", VALUE), "'--format': is not one of text, json, nagios, prometheus."),
    (("status", f"--format={VALUE}"), "is not one of text, json, nagios, prometheus."),
    (("status", "--now", VALUE), "write an instant of the years 1970 to 9000 with its offset"),
    (("status", f"--{VALUE[:2]}={VALUE}"), "No such option"),
    (("status", f"--verbose={VALUE}"), "does not take a value"),
    (("explain",), "Missing argument 'ID'."),
    ((*HOLD, VALUE), "is not one of foi, sar, litigation, inquiry."),
    ((*HOLD, "foi", "--review-on", VALUE, "--everything"), "does not have the form YYYY-MM-DD."),
    ((*PLACED, "--received-from", f"2026-{VALUE}"), "does not have the form YYYY-MM-DD."),
    ((*PLACED,), "or add --everything"),
    ((*PLACED, "--review-on", "2020-01-01", "--everything"), "must lie in the future"),
    ((*PLACED, "--received-from", "2026-02-02", "--received-through", "2026-02-01"), "lies after its last day"),
    ((*PLACED, "--received-through", "9999-12-31"), "days of a hold"),
    ((*PLACED, "--received-from", "0001-01-01"), "days of a hold"),
    ((*PLACED, "--contact", " "), "must not be empty"),
    ((*HOLD, "foi", "--owner", " ", "--everything"), "needs an owner"),
    ((*HOLD, "foi", "--everything", "--reason", " "), "1 to 2000 characters"),
    ((*HOLD, "foi", "--everything", "--reason", VALUE * 200), "1 to 2000 characters"),
    (("hold", "release", VALUE, "--reason", "r"), "is not a whole number"),
    (("hold", "release", FAR, "--reason", "r"), "is not a whole number"),
    (("hold", "release", "7", "--reason", VALUE), "there is no active hold 7"),
    (("findings", "resolve", FAR, "--reason", "r"), "is not a whole number"),
    (("findings", "resolve", "7", "--reason", VALUE), "there is no open finding 7"),
    (("purge", "--plan", VALUE), "no plan has this digest"),
    (("purge", "--reason", VALUE), "--reason goes with --plan"),
    (("purge", "--dry-run", "--plan", VALUE), "--dry-run only makes a plan"),
    (("purge", "--list"), "--list goes with --dry-run"),
    (("ingest", "--source", VALUE), "--source goes with files"),
    (("ingest", "--source", VALUE, "file.csv"), "no source of this name; it has: hootsuite-inbox"),
    (("audit", "export", "--since", VALUE), "does not have the form YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ."),
    (("explain", " "), "name a message by the identifier"),
    (("audit", "export", "--run", VALUE), "is not a whole number"),
    (("audit", "export", "--format", VALUE), "is not one of jsonl, csv."),
    (("scan-residue",), "name at least one identifier"),
    (("init", "--write-config"), "requires an argument"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(one)[:60] for one, _ in WRONG])
def test_wrong_usage_is_told_without_what_was_typed(
    sqlite_office: Office, arguments: tuple[str, ...], words: str
) -> None:
    answer = ask_office(sqlite_office, *arguments) if _may_follow(arguments) else ask(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert VALUE not in answer.err
    assert FAR not in answer.err


def _may_follow(arguments: tuple[str, ...]) -> bool:
    """Tell whether --config and --now can stand where an office puts them."""
    return arguments[0] not in {VALUE, "init"} and not (arguments[0] in GROUPS and arguments[1] == VALUE)


def test_a_slip_of_the_pen_gets_the_nearest_command(sqlite_office: Office) -> None:
    del sqlite_office
    assert "Did you mean 'purge'?" in ask("purgee").err


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "a\udcffb"),
        ("purge", "--plan", "\udc80"),
        ("scan-residue", "\udcff"),
        ("ingest", "\udcff.csv"),
        (*PLACED, "--network", "\udcff"),
        (*HOLD, "foi", "--everything", "--owner", "\udcff"),
    ],
)
def test_bytes_that_are_no_text_are_wrong_usage_wherever_they_stand(
    sqlite_office: Office, arguments: tuple[str, ...]
) -> None:
    answer = ask_office(sqlite_office, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "not text in the encoding of this locale" in answer.err


def test_a_list_of_identifiers_may_hold_any_bytes(sqlite_office: Office) -> None:
    listed = sqlite_office.folder / "ids.txt"
    listed.write_bytes(bytes(range(1, 256)) + b"\nan-identifier\n")
    answer = ask_office(sqlite_office, "scan-residue", "--from", str(listed))
    assert answer.code == 0
    assert "Looked for 3 identifiers" in answer.out
    (sqlite_office.landing / "left.csv").write_bytes(b"\xfd\xfe\xff\n")
    assert ask_office(sqlite_office, "scan-residue", "--from", str(listed)).code == 0, "the last bytes differ"
    assert ask_office(sqlite_office, "scan-residue", "--from", "-", text="an-identifier\n").code == 0
