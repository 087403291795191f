"""An order to dispose of the source's own copies, through the command line: issued, taken, attested, shown."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.desk import ask_office, told
from tests.acceptance.shapes import ORDERS, SHOWN_ORDER, STATUS, misfits
from tests.kit import Office, row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.desk import Answer

SPRING = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 9, 2, 6, 0, tzinfo=UTC)
DUE = [row(f"spring-{number}", "2026-05-20 10:00:00") for number in range(3)]
CHECK = "[770][message][01052026000000][12092026000000][c0ffee].csv"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give an office whose purge has issued an order of three messages."""
    made = Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}", now=SPRING).found()
    made.drop("spring.csv", DUE)
    assert ask_office(made, "ingest").code == 0
    made.now = AUTUMN
    assert ask_office(made, "purge").code == 0
    return made


def upstream(office: Office, *arguments: str) -> Answer:
    return ask_office(office, "upstream", *arguments)


def json_of(office: Office, *arguments: str) -> dict[str, Any]:
    return told(ask_office, office, *arguments)


def test_order_goes_from_the_purge_to_the_export_that_shows_it_carried_out(office: Office, tmp_path: Path) -> None:
    assert "ORDERED, due by 2026-09-09, 3 messages" in upstream(office, "list").out
    shown = upstream(office, "show", "1").out
    assert "received on 2026-05-20: 3 left" in shown
    assert "spring-0" not in shown
    path = tmp_path / "order.csv"
    assert "Wrote 3 messages" in upstream(office, "export", "1", "--output", str(path)).out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "spring-2" in path.read_text(encoding="utf-8")
    said = upstream(office, "attest", "1", "--by", "Ann", "--reference", "ticket 4711")
    assert "it is attested" in said.out
    assert "by Ann, ticket 4711" in upstream(office, "show", "1").out
    assert "4711" not in ask_office(office, "audit", "export").out
    office.now = AUTUMN + timedelta(days=10)
    office.drop(CHECK, [])
    assert ask_office(office, "ingest").code == 0
    assert "ABSENT" in upstream(office, "list").out
    assert "Closed" in upstream(office, "show", "1").out
    assert not path.exists()
    assert ask_office(office, "status").code == 0


def test_message_that_is_still_there_breaks_the_promise(office: Office) -> None:
    upstream(office, "attest", "1", "--by", "Ann", "--reference", "x")
    office.now = AUTUMN + timedelta(days=10)
    office.drop(CHECK, DUE[:1])
    assert ask_office(office, "ingest").code == 0
    shown = upstream(office, "show", "1").out
    assert "1 shown present" in shown
    assert "shows otherwise" in shown
    assert "delete them at the source" in shown
    answer = ask_office(office, "status")
    assert answer.code == 5
    assert "still holds 1 message of order 1" in answer.out
    assert "it is present" in upstream(office, "attest", "1", "--by", "Bo", "--reference", "y").out
    assert json_of(office, "explain", "spring-0")["upstream"] == "present"


def test_scripts_get_every_answer_as_json_of_its_shape(office: Office, tmp_path: Path) -> None:
    assert misfits(json_of(office, "upstream", "list"), ORDERS) == []
    assert misfits(json_of(office, "upstream", "show", "1"), SHOWN_ORDER) == []
    attested = json_of(office, "upstream", "attest", "1", "--by", "Ann", "--reference", "x")
    assert attested == {"order": 1, "state": "attested", "drill": True}
    written = json_of(office, "upstream", "export", "1", "--output", str(tmp_path / "o.html"))
    assert (written["order"], written["messages"]) == (1, 3)
    assert misfits(json_of(office, "status"), STATUS) == []
    assert json_of(office, "scan-residue", "spring-0")["excepted"] == 1
    assert "1 of them stands in open disposal orders" in ask_office(office, "scan-residue", "spring-1").out


def test_second_person_is_asked_for(office: Office) -> None:
    office.configure(("[purge]", "[upstream]\nattestations = 2\n[purge]"))
    office.drop("more.csv", [row("more-1", "2026-06-02 10:00:00")])
    assert ask_office(office, "ingest").code == 0
    office.now = AUTUMN + timedelta(days=2)
    assert ask_office(office, "purge").code == 0
    assert "Another person" in upstream(office, "attest", "2", "--by", "Ann", "--reference", "x").out
    answer = upstream(office, "attest", "2", "--by", "ANN", "--reference", "x")
    assert (answer.code, "the same person" in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "9"), "there is no order 9"),
        (("export", "1", "--output", "order.pdf"), ".csv"),
        (("attest", "1", "--by", " ", "--reference", "x"), "characters"),
    ],
)
def test_wrong_use_is_told(office: Office, arguments: tuple[str, ...], said: str) -> None:
    answer = upstream(office, *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_office_without_orders_says_so_and_check_says_what_becomes_of_copies(tmp_path: Path) -> None:
    office = Office(tmp_path, f"sqlite:///{tmp_path / 'register.db'}", 'expect_every = "P2D"').found()
    assert "No orders." in upstream(office, "list").out
    said = ask_office(office, "check").out
    assert "an order to delete them within 7 days, which one person must attest" in said
    assert "silent when nothing arrives for 2 days" in said
    office.configure(('expect_every = "P2D"', 'upstream = "none"'))
    assert "nothing is ordered" in ask_office(office, "check").out
    assert json.loads(ask_office(office, "status", "--format", "json").out)["upstream"]["ordered"] == 0
