"""The states of an order follow from its figures, and lead nowhere that the table does not allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.upstream.states import MOVES, Figures, State, attestation_problem, state_of

LISTED = 5


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        (Figures(issued=False, listed=3), State.LISTING),
        (Figures(issued=True, listed=3), State.ORDERED),
        (Figures(issued=True, listed=3, attested=1), State.ATTESTED),
        (Figures(issued=True, listed=3, attested=1, needed=2), State.ORDERED),
        (Figures(issued=True, listed=3, attested=2, needed=2), State.ATTESTED),
        (Figures(issued=True, listed=3, absent=2), State.ORDERED),
        (Figures(issued=True, listed=3, absent=2, attested=1), State.ATTESTED),
        (Figures(issued=True, listed=3, absent=2, present=1, attested=1), State.PRESENT),
        (Figures(issued=True, listed=3, absent=3), State.ABSENT),
        (Figures(issued=True, listed=3, absent=2, unknown=1), State.UNKNOWN),
        (Figures(issued=True, listed=3, unknown=3), State.UNKNOWN),
    ],
)
def test_state_follows_from_the_figures(figures: Figures, state: State) -> None:
    assert state_of(figures) is state


@st.composite
def _steps(draw: st.DrawFn) -> tuple[Figures, Figures]:
    """Give the figures of an order before and after one thing that can happen to it."""
    absent = draw(st.integers(0, LISTED))
    unknown = LISTED - absent if draw(st.booleans()) and draw(st.booleans()) else 0
    left = LISTED - absent - unknown
    present = draw(st.integers(0, left))
    attested = draw(st.integers(0, 2))
    before = Figures(issued=True, listed=LISTED, absent=absent, present=present, unknown=unknown)
    before = before._replace(attested=attested, needed=draw(st.sampled_from([1, 2])))
    if not left:
        return before, before
    seen = draw(st.integers(0, left))
    gone = draw(st.integers(0, left - seen))
    after = draw(
        st.sampled_from(
            [
                before._replace(attested=attested + 1),
                before._replace(present=0, unknown=left),
                before._replace(absent=absent + gone, present=max(seen, min(present, left - gone)), attested=0),
            ]
        )
    )
    return before, after


@given(_steps())
def test_every_step_is_one_that_the_table_allows(step: tuple[Figures, Figures]) -> None:
    before, after = (state_of(figures) for figures in step)
    assert after is before or after in MOVES[before]


@given(_steps())
def test_only_an_export_ends_an_order_well_and_presence_outweighs_every_word(step: tuple[Figures, Figures]) -> None:
    figures = step[1]
    assert (state_of(figures) is State.ABSENT) == (figures.absent == figures.listed)
    if figures.present:
        assert state_of(figures._replace(attested=figures.needed)) is State.PRESENT


def test_ends_lead_nowhere() -> None:
    assert {state for state, following in MOVES.items() if not following} == {State.ABSENT, State.UNKNOWN}
    assert set(MOVES) == set(State)


@pytest.mark.parametrize(
    ("state", "earlier", "said"),
    [
        (State.LISTING, [], "not issued yet"),
        (State.ABSENT, [], "closed"),
        (State.UNKNOWN, [], "closed"),
        (State.ATTESTED, ["Bo"], "attested already"),
        (State.ORDERED, [None], "erased"),
        (State.ORDERED, ["  a.  OFFICER "], "the same person"),
        (State.PRESENT, ["Bo", "A. Officer"], "the same person"),
    ],
)
def test_word_that_cannot_be_taken_has_its_reason(state: State, earlier: list[str | None], said: str) -> None:
    assert said in str(attestation_problem(state, "A. Officer", earlier))


@pytest.mark.parametrize("state", [State.ORDERED, State.PRESENT])
def test_word_of_another_person_is_taken(state: State) -> None:
    assert attestation_problem(state, "A. Officer", ["Bo"]) is None
