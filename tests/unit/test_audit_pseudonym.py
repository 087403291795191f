"""Pseudonyms are HMAC-SHA-256 under the month's key and nothing that could be computed without it."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.pseudonym import Domain, Pseudonymiser, is_pseudonym, month_of

KEY = bytes(range(32))
keys = st.binary(min_size=32, max_size=32)
sources = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
domains: st.SearchStrategy[Domain] = st.sampled_from([b"message", b"conversation", b"contact"])


@given(keys, domains, sources, st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_pseudonym_is_that_of_the_standard_library(
    key: bytes, domain: Domain, source: str, identifiers: list[str]
) -> None:
    make = Pseudonymiser(key).maker(domain, source)
    for identifier in identifiers:
        message = b"\0".join((domain, source.encode(), identifier.encode()))
        expected = base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")[:16]).rstrip(b"=").decode()
        assert make(identifier) == expected
        assert len(expected) == 22


def test_pseudonym_stays_what_it_was_in_the_first_version() -> None:
    assert Pseudonymiser(KEY).message("hootsuite-inbox", "17841400000000000_m1") == "IL73jaR84Zwj_qf3OX3MOw"


def test_one_identifier_has_another_pseudonym_in_every_domain_source_and_month() -> None:
    first, second = Pseudonymiser(KEY), Pseudonymiser(KEY[::-1])
    names = {
        make(source, "42")
        for month in (first, second)
        for make in (month.message, month.conversation, month.contact)
        for source in ("inbox", "archive")
    }
    assert len(names) == 12


def test_short_names_are_those_of_the_prepared_makers() -> None:
    month = Pseudonymiser(KEY)
    assert month.message("inbox", "42") == month.maker(b"message", "inbox")("42")
    assert month.conversation("inbox", "42") == month.maker(b"conversation", "inbox")("42")
    assert month.contact("inbox", "42") == month.maker(b"contact", "inbox")("42")


def test_source_and_identifier_cannot_run_into_each_other() -> None:
    month = Pseudonymiser(KEY)
    assert month.message("a", "bc") != month.message("ab", "c")
    with pytest.raises(ValueError, match="zero byte"):
        month.maker(b"message", "a\0b")


def test_nothing_to_name_has_no_pseudonym() -> None:
    month = Pseudonymiser(KEY)
    assert [month.message("inbox", ""), month.conversation("inbox", ""), month.contact("inbox", "")] == ["", "", ""]


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_has_a_pseudonym_of_its_own_even_half_a_surrogate_pair(one: str, other: str) -> None:
    make = Pseudonymiser(KEY).maker(b"contact", "inbox")
    assert (make(one) == make(other)) == (one == other)


@pytest.mark.parametrize("length", [0, 31, 33, 64, 65])
def test_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonymiser(bytes(length))


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)))  # noqa: DTZ001  # hypothesis adds no zone to bounds
def test_month_is_that_of_the_calendar_in_utc(moment: datetime) -> None:
    seconds = (moment - datetime(1970, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001  # both are UTC without saying so
    assert month_of(seconds) == f"{moment.year:04}-{moment.month:02}"


@given(keys, domains, sources, st.text(st.characters(codec="utf-8")))
def test_every_pseudonym_has_its_form(key: bytes, domain: Domain, source: str, identifier: str) -> None:
    assert is_pseudonym(Pseudonymiser(key).maker(domain, source)(identifier))


@pytest.mark.parametrize(
    "text", ["Jane", "c" * 21, "c" * 23, "c" * 21 + "=", "c" * 22 + "\n", "+44 1632 960001 office"]
)
def test_what_has_another_form_is_no_pseudonym(text: str) -> None:
    assert not is_pseudonym(text)


def test_month_ends_at_midnight_in_utc() -> None:
    midnight = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert [month_of(midnight - 1), month_of(midnight)] == ["2026-10", "2026-11"]
    assert month_of(-1) == "1969-12"


@pytest.mark.parametrize("seconds", [10**12, -(10**12)])
def test_instant_outside_the_calendar_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match=r"ordinal|year"):
        month_of(seconds)
