"""What entries say, and that nothing personal can get into them."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.audit import entry as entry_module
from retention.audit.canonical import canonical
from retention.audit.entry import (
    KINDS,
    SALT_BYTES,
    ascii_text,
    commitment,
    disposal_template,
    entry,
    safe_network,
)

NOON = datetime(2026, 11, 22, 12, 0, 0, 999_999, tzinfo=UTC)
DIGEST = "sha256:" + "0" * 64
PSEUDONYM = "AbCdEfGhIjKlMnOpQrSt-_"

base64url = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=22, max_size=22)


@given(st.integers(0, 2**53 - 1), st.text(), base64url, st.dates())
def test_template_spells_a_disposal_as_canonical_json_does(batch: int, name: str, pseudonym: str, day: date) -> None:
    network = safe_network(name)
    expected: dict[str, Any] = {
        "batch": batch,
        "kind": "disposal",
        "network": network,
        "pseudonym": pseudonym,
        "received_on": day.isoformat(),
        "v": 1,
    }
    assert disposal_template(batch)(network, pseudonym, day.isoformat()) == canonical(expected)


def test_disposal_says_exactly_six_things() -> None:
    disposal = disposal_template(7)
    body = disposal("twitter", PSEUDONYM, "2026-08-21")
    assert body == (
        b'{"batch":7,"kind":"disposal","network":"twitter","pseudonym":"AbCdEfGhIjKlMnOpQrSt-_",'
        b'"received_on":"2026-08-21","v":1}'
    )
    assert disposal("twitter", PSEUDONYM, "2026-08-21") == body


@pytest.mark.parametrize("network", ["Twitter", "", "a b", 'x","v":2', "x" * 65, "ä", "x\n"])
def test_disposal_refuses_a_network_that_was_not_made_safe(network: str) -> None:
    with pytest.raises(ValueError, match="safe_network"):
        disposal_template(1)(network, PSEUDONYM, "2026-08-21")


@pytest.mark.parametrize("pseudonym", ["", PSEUDONYM[1:], PSEUDONYM + "a", PSEUDONYM[:-1] + '"', PSEUDONYM[:-1] + "ä"])
def test_disposal_refuses_what_is_no_pseudonym(pseudonym: str) -> None:
    with pytest.raises(ValueError, match="22 characters"):
        disposal_template(1)("fb", pseudonym, "2026-08-21")


@pytest.mark.parametrize("day", ["", "2026-8-21", "20260821", "2026-W34-5", "2026-02-29", "2026-08-21\n", '2026-08-2"'])
def test_disposal_refuses_what_is_no_day(day: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        disposal_template(1)("fb", PSEUDONYM, day)


def test_batch_number_must_fit_an_entry() -> None:
    with pytest.raises(ValueError, match="2\\*\\*53"):
        disposal_template(2**53)


@given(st.text())
def test_safe_network_is_always_a_token_and_stays_what_it_is(text: str) -> None:
    token = safe_network(text)
    assert re.fullmatch(r"[a-z0-9._-]{1,64}", token)
    assert safe_network(token) == token


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("fb", "fb"),
        ("Facebook", "facebook"),
        ("x.com", "x.com"),
        ("", "other"),
        ("face book", "other"),
        ("fb\n", "other"),
        ("\u212aakao", "other"),  # the Kelvin sign is a k in lower case
        ("x" * 64, "x" * 64),
        ("x" * 65, "other"),
    ],
)
def test_network_from_input_becomes_a_token_or_other(text: str, token: str) -> None:
    assert safe_network(text) == token


def test_entry_carries_time_kind_and_version_besides_its_fields() -> None:
    body = entry("key_created", NOON, month="2026-11", commitment=DIGEST)
    assert json.loads(body) == {
        "at": "2026-11-22T12:00:00Z",
        "commitment": DIGEST,
        "kind": "key_created",
        "month": "2026-11",
        "v": 1,
    }
    assert body == canonical(json.loads(body))


def test_entry_time_is_written_in_utc_whatever_the_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert entry("viewed", elsewhere, what="status") == entry("viewed", NOON, what="status")


def test_entry_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        entry("viewed", NOON.replace(tzinfo=None), what="status")


@pytest.mark.parametrize("kind", ["disposal", "", "Heartbeat", "upstream_", "upstream_guessed"])
def test_entry_of_an_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        entry(kind, NOON)


def test_missing_fields_are_named() -> None:
    with pytest.raises(ValueError, match="key_created must carry commitment, month"):
        entry("key_created", NOON)


@pytest.mark.parametrize("field", ["contact", "message_text", "v"])
def test_field_that_the_table_does_not_know_is_refused(field: str) -> None:
    extra: dict[str, Any] = {field: 1}
    with pytest.raises(ValueError, match=f"viewed does not carry {field}"):
        entry("viewed", NOON, what="status", **extra)


@pytest.mark.parametrize("field", ["by", "reason", "reference"])
def test_what_an_operator_wrote_is_refused_unless_it_is_a_commitment(field: str) -> None:
    written: dict[str, Any] = {field: "asked for by Zoe Example"}
    with pytest.raises(ValueError, match=f"{field} of a hold_placed entry must be a commitment") as caught:
        entry("hold_placed", NOON, hold=1, **written)
    assert "Zoe" not in str(caught.value)
    committed: dict[str, Any] = {field: commitment("asked for by Zoe Example", bytes(SALT_BYTES))}
    assert entry("hold_placed", NOON, hold=1, **committed)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_every_kind_accepts_all_that_it_must_carry_and_any_of_what_it_may(kind: str, data: st.DataObject) -> None:
    fields = KINDS[kind]
    chosen = fields.required | data.draw(st.sets(st.sampled_from(sorted(fields.optional) or ["v"]))) & fields.optional
    values: dict[str, Any] = dict.fromkeys(chosen, DIGEST)
    assert json.loads(entry(kind, NOON, **values)).keys() == chosen | {"at", "kind", "v"}


def test_header_of_the_module_lists_what_every_kind_carries() -> None:
    listed: dict[str, list[str]] = {}
    kind = ""
    for line in (entry_module.__doc__ or "").splitlines():
        if row := re.fullmatch(r"    (\S+)?\s+(\S.*)", line):
            kind = row[1] or kind
            listed.setdefault(kind, []).extend(re.split(r", ?", row[2].rstrip(",")))
    outcomes = [kind for kind in KINDS if kind.startswith("upstream_")]
    assert {KINDS[kind] for kind in outcomes} == {KINDS["upstream_ordered"]}
    sentence = re.search(r"``upstream_`` and (.+)\.", entry_module.__doc__ or "")
    assert sentence is not None
    assert [f"upstream_{word}" for word in re.split(r", | or ", sentence[1])] == outcomes
    expected = {kind: fields for kind, fields in KINDS.items() if kind not in outcomes}
    expected["upstream_*"] = KINDS["upstream_ordered"]
    assert {kind: sorted(names) for kind, names in listed.items()} == {
        kind: sorted([*fields.required, *(f"[{name}]" for name in fields.optional)])
        for kind, fields in expected.items()
    }


@given(st.text(), st.text())
def test_configured_text_is_spelled_in_ascii_and_never_like_another(one: str, other: str) -> None:
    assert ascii_text(one).isascii()
    assert (ascii_text(one) == ascii_text(other)) == (one == other)
    assert ascii_text(one).encode("ascii").decode("unicode_escape") == one


def test_plain_text_is_spelled_as_it_is() -> None:
    authority = "Privacy notice: people who contact us via social media"
    assert ascii_text(authority) == authority


def test_commitment_is_the_digest_that_anyone_can_compute_from_text_and_salt() -> None:
    salt = bytes(range(16))
    data = b"retention text commitment\0" + salt + b"\0" + "Anfrage 7/ä".encode()
    assert commitment("Anfrage 7/ä", salt) == "sha256:" + hashlib.sha256(data).hexdigest()


@given(st.text(), st.text(), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_commitment_fits_no_other_text_and_no_other_salt(one: str, other: str, salt: bytes, pepper: bytes) -> None:
    if (one, salt) != (other, pepper):
        assert commitment(one, salt) != commitment(other, pepper)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_commitment_refuses_a_salt_of_another_length(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        commitment("x", bytes(length))


def test_commitment_refuses_broken_text_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="not valid Unicode") as caught:
        commitment("Zoe\udcff", bytes(16))
    assert "Zoe" not in str(caught.value)
    assert caught.value.__cause__ is None
