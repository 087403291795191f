"""The published notice is held against the schedule: wording may vary, meaning may not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.errors import RetentionError, UsageError
from retention.model import Period
from retention.notice.compare import Comparison, compare
from retention.notice.periods import say_period_in_words
from retention.notice.promise import promise_of, render
from retention.notice.reading import LONGEST, read_notice
from retention.policy.schedule import Rule, Schedule
from retention.settings import NoticeSettings
from tests.depth import deep
from tests.unit.golden.frozen import FOLDER
from tests.unit.public_kit import NOTICE, REFERENCE, promise

_NOTICES = json.loads((FOLDER / "notices.json").read_text(encoding="utf-8"))
SAME: list[str] = _NOTICES["same"]
"""The same promise in other words."""
OTHER: dict[str, tuple[str, str]] = {name: (state, text) for name, (state, text) in _NOTICES["other"].items()}
"""Another promise, or none, and what is said of it."""


FACEBOOK = (
    "If you send us a message via Facebook or X in the channel \u201cPress\u201d, the message will be stored by "
    "Hootsuite for one month."
)


def checked(text: str, kind: str = "") -> Comparison:
    return compare(promise(), read_notice(text.encode(), kind=kind))


def states(found: Comparison) -> dict[str, str]:
    return {one.item: one.state for one in found.items}


def schedule(*rules: tuple[str, str, dict[str, tuple[str, ...]]]) -> Schedule:
    return Schedule("UTC", tuple(Rule(name, match, Period.parse(keep), "a") for name, keep, match in rules))


def test_the_reference_case_is_written_word_for_word() -> None:
    assert render(promise(), "text") == REFERENCE
    assert render(promise(), "markdown") == REFERENCE
    assert render(promise(), "html") == f"<p>{REFERENCE}</p>"


@pytest.mark.parametrize("text", SAME)
def test_same_promise_in_other_words_is_recognised(text: str) -> None:
    found = checked(text)
    assert states(found) == {"period": "ok", "provider": "ok", "sharing": "ok"}, found
    assert found.reasons == []
    assert all(one.sentences for one in found.items)


@pytest.mark.parametrize(("state", "text"), OTHER.values(), ids=OTHER)
def test_other_promise_is_told(state: str, text: str) -> None:
    assert checked(text).state == state


@given(st.integers(1, 40), st.sampled_from(["month", "day", "week", "year"]))
def test_only_the_period_of_the_schedule_is_in_order(count: int, unit: str) -> None:
    text = REFERENCE.replace("three months", f"{count} {unit}{'' if count == 1 else 's'}")
    assert states(checked(text))["period"] == ("ok" if (count, unit) == (3, "month") else "differs")


def test_what_is_quoted_is_the_public_sentence_and_what_is_told_quotes_nothing() -> None:
    found = checked(OTHER["two sentences that contradict each other"][1])
    [period] = [one for one in found.items if one.item == "period"]
    assert period.sentences[0] == "Private messages are deleted after six months."
    assert period.reason == "the notice says six months, and elsewhere the right one; the schedule says three months"
    assert checked(OTHER["another provider"][1]).reasons == ["provider: the notice names another than Hootsuite"]


def test_rules_are_told_apart_by_their_words() -> None:
    two = schedule(
        ("complaints", "P1Y6M", {"visibility": ("private",), "message_type": ("complaint",)}),
        ("rest", "P3M", {"visibility": ("private",)}),
    )
    made = promise_of(two, NOTICE)
    text = render(made, "text")
    assert text == (
        "If you send us a private or direct message of the type \u201ccomplaint\u201d via social media, the message "
        "will be stored by Hootsuite for one year and six months. If you send us any other private or direct message "
        "via social media, the message will be stored by Hootsuite for three months. They will not be shared with any "
        "other organisations."
    )
    assert compare(made, read_notice(text.encode())).state == "ok"
    swapped = text.replace("three months", "X").replace("one year and six months", "three months")
    found = compare(made, read_notice(swapped.replace("X", "one year and six months").encode()))
    assert [(one.rule, one.state) for one in found.items[:2]] == [("complaints", "differs"), ("rest", "differs")]


@given(
    st.sampled_from(["P3M", "P90D", "P1Y6M", "P2W", "P1D"]),
    st.booleans(),
    st.sampled_from(["Hootsuite", "Sprout Social", "A&B (UK), Ltd", "hoot-suite"]),
)
def test_what_is_rendered_passes_its_own_check(keep: str, shared: bool, provider: str) -> None:  # noqa: FBT001  # drawn
    made = promise_of(
        schedule(("one", keep, {"visibility": ("private",)})),
        NoticeSettings(organisation="Office", provider=provider, shared=shared),
    )
    for form in ("text", "html", "markdown"):
        found = compare(made, read_notice(render(made, form).encode(), kind=form))
        assert found.state == "ok", (form, found)
    assert say_period_in_words(Period.parse(keep)) in render(made, "text")


def test_matches_are_said_as_the_public_would() -> None:
    rules = schedule(
        ("a", "P1M", {"network": ("Facebook", "X"), "channel": ("Press",)}),
        ("b", "P2M", {"direction": ("outbound",), "visibility": ("public",)}),
    )
    said = [clause.sentence for clause in promise_of(rules, NOTICE).clauses]
    assert said == [
        FACEBOOK,
        FACEBOOK.replace("If you send us a", "If we send you any other public")
        .replace("Facebook or X in the channel \u201cPress\u201d", "social media")
        .replace("one month", "two months"),
    ]


def test_rules_that_only_people_inside_tell_apart_are_refused() -> None:
    rules = schedule(("a", "P1M", {"source": ("one",)}), ("b", "P2M", {"source": ("two",)}))
    with pytest.raises(UsageError, match="rules a and b promise different periods"):
        promise_of(rules, NOTICE)
    chosen = NOTICE.model_copy(update={"rule": "b"})
    assert [clause.rule for clause in promise_of(rules, chosen).clauses] == ["b"]


def test_without_a_table_there_is_no_promise() -> None:
    with pytest.raises(UsageError, match="no table"):
        promise_of(schedule(("a", "P1M", {})), None)


ENCODED = {
    "utf-8": ("<meta charset='utf-8'>", "utf-8"),
    "windows": ("<meta charset='windows-1252'>", "cp1252"),
    "declared wrongly as utf-8": ("<meta charset='utf-8'>", "cp1252"),
    "declared wrongly as latin": ("<meta charset='iso-8859-1'>", "utf-8"),
    "declared as nothing known": ("<meta charset='klingon'>", "cp1252"),
    "declared as an archive": ("<meta charset='zlib'>", "cp1252"),
    "utf-16 with a mark": ("", "utf-16"),
    "utf-16 without a mark": ("", "utf-16-le"),
    "utf-8 with a mark": ("", "utf-8-sig"),
}


@pytest.mark.parametrize(("head", "codec"), ENCODED.values(), ids=ENCODED)
def test_encodings_are_seen_through(head: str, codec: str) -> None:
    words = REFERENCE.replace("three months", "three\u00a0months")
    text = f"<html>{head}<p>{words}</p><p>caf\u00e9 \u2019</p></html>"
    assert compare(promise(), read_notice(text.encode(codec))).state == "ok"


def test_server_names_the_encoding_that_a_page_does_not() -> None:
    data = REFERENCE.replace("Hootsuite", "\u0425\u0443\u0442").encode("koi8-r")
    [block] = read_notice(data, kind="text", charset="koi8-r")
    assert "\u0425\u0443\u0442" in block.sentences[0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7\n...", "is a PDF"),
        (b"PK\x03\x04rest", "is not text"),
        (b"\xff\xd8\xff\xe0 a\0b\0\0\0", "is not text"),
        (b"a" * (LONGEST + 1), "longer than 2 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_give(data: bytes, said: str) -> None:
    with pytest.raises(RetentionError, match=said):
        read_notice(data)


UNSEEN = [
    "<script>{}</script>",
    "<style>{}</style>",
    "<!-- {} -->",
    "<p hidden>{}</p>",
    "<p hidden>{}<p>seen",
    "<div style='display: none'><div>a</div>{}</div>",
    "<del><p>{}</p></del>",
    "<template><p>{}</p></template>",
    "<textarea>{}</textarea>",
]


@pytest.mark.parametrize("around", UNSEEN)
def test_what_no_reader_sees_is_not_read(around: str) -> None:
    assert states(checked(f"<html>{around.format(REFERENCE)}</html>", "html"))["period"] == "not_found"
    assert checked(f"<html>{around.format('x')}<p>{REFERENCE}</p></html>", "html").state == "ok"


HUGE = [
    "a ",
    "<",
    "<p>",
    "</p>",
    "<!--",
    "- ",
    "one ",
    "# ",
    "|",
    "[x](",
    "Private message. ",
    "not ",
    "\n",
    "&#",
    "<!",
    "<?",
    "</",
    "<![",
    "<a ",
    "<a>",
    "&",
    "1-",
]


@pytest.mark.parametrize("piece", HUGE)
@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_large_notice_comes_to_an_end(piece: str, kind: str) -> None:
    data = (piece * (deep(150_000, 40_000) // len(piece))).encode() + b"\n\n" + REFERENCE.encode()
    compare(promise(), read_notice(data, kind=kind))


@given(
    st.binary(max_size=400),
    st.sampled_from(["html", "markdown", "text", ""]),
    st.sampled_from(["", "utf-8", "nonsense", "rot13", "idna"]),
)
def test_any_bytes_are_read_or_refused(data: bytes, kind: str, charset: str) -> None:
    try:
        blocks = read_notice(data, kind=kind, charset=charset)
    except RetentionError:
        return
    assert compare(promise(), blocks).items


HELD = "Direct messages are stored by Hootsuite for three months"
NOT_SHARED = "We do not share them with other organisations."
DOUBTED = [
    f"{HELD.replace('for three', 'for no less than three')}. {NOT_SHARED}",
    f"{HELD.replace('for three', 'for no fewer than three')}. {NOT_SHARED}",
    f"{HELD} for staff and twelve for the public. {NOT_SHARED}",
    f"{HELD}, renewable. {NOT_SHARED}",
    f"{HELD}, or longer where we see fit. {NOT_SHARED}",
    *(
        f"{HELD}. {beside} {NOT_SHARED}"
        for beside in (
            "A transcript is preserved for 10 years.",
            "Copies live on in our backups for two years.",
            "Our archive has them for ten years.",
            "We extend this to ten years where we see fit.",
            "This was so until 2024; now it is a year.",
            "Copies live on for several years.",
        )
    ),
    f"{HELD}. {NOT_SHARED} A transcript is preserved for 10 years.",
    f"Everything is written down and preserved for 10 years. {HELD}. {NOT_SHARED}",
]


@pytest.mark.parametrize("text", DOUBTED)
def test_another_period_that_may_be_of_messages_is_a_doubt(text: str) -> None:
    assert states(checked(text))["period"] == "unsure", checked(text)


@pytest.mark.parametrize(
    "beside",
    [
        "We answer within five working days.",
        "E-mails are kept for two years. We keep them for a year more where a case is open.",
        "This three-month period is the same for everybody.",
        "This notice is reviewed every year.",
        "Our staff read messages 24 hours a day.",
        "Surveys have a period of ten years.",
        "After that time they are no longer kept.",
    ],
)
def test_period_of_something_else_is_no_doubt(beside: str) -> None:
    for text in (f"{HELD}. {NOT_SHARED} {beside}", f"{HELD}. {NOT_SHARED}\n\nA transcript is preserved for 10 years."):
        assert checked(text).state == "ok", checked(text)


REFERENCES = [
    "&#" + 5000 * "9" + ";",
    "&#" + 5000 * "0" + "32;",
    "&#x" + 5000 * "f" + ";",
    "<a title='&#" + 5000 * "9" + ";'>x</a>",
]


@pytest.mark.parametrize("odd", REFERENCES)
def test_character_reference_of_any_length_is_read(odd: str) -> None:
    assert checked(f"<p>{odd}</p><p>{REFERENCE}</p>", "html").state == "ok"


@given(
    st.lists(
        st.sampled_from(
            [b"&#", b"9" * 5000, b"&#x", b"<![", b"<!DOCTYPE [", b"<?", b"<p ", b"]]>", b"='", b"\xff", b">"]
        )
        | st.binary(max_size=20),
        max_size=12,
    ).map(b"".join),
    st.sampled_from(["html", "markdown", ""]),
    st.sampled_from(["", "utf-7", "punycode", "undefined", "a\0b", "hex"]),
)
def test_any_pieces_of_markup_are_read_or_refused(data: bytes, kind: str, charset: str) -> None:
    try:
        blocks = read_notice(data, kind=kind, charset=charset)
    except RetentionError:
        return
    assert compare(promise(), blocks).items
