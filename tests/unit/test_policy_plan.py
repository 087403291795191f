"""A plan is bound by its digest and reads back from its canonical form."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.policy.plan import Plan, RulePlan, Tally, load_plan
from tests.unit.golden.frozen import golden, readable

counts = st.integers(0, 10**9)
texts = st.text(max_size=8)
tallies = st.builds(Tally, texts, st.dates().map(str), counts, counts, counts)
rule_plans = st.builds(
    RulePlan,
    rule=texts,
    keep=st.sampled_from(["P3M", "P90D", "P1Y6M"]),
    authority=texts,
    cutoff=st.integers(-(10**11), 10**11),
    class_ids=st.lists(counts, max_size=3).map(tuple),
    tallies=st.lists(tallies, max_size=3).map(tuple),
)
plans = st.builds(
    Plan,
    now=st.integers(0, 10**11),
    schedule_digest=texts,
    log_size=counts,
    total=counts,
    holds=st.lists(counts, max_size=3).map(tuple),
    rules=st.lists(rule_plans, max_size=3).map(tuple),
)

TALLIES = (
    Tally("facebook", "2026-11-29", due=2, held=0, released=0),
    Tally("facebook", "2026-11-30", due=3, held=1, released=2),
    Tally("twitter", "2026-11-30", due=40, held=5, released=1),
)
PROMISE = RulePlan("direct-messages", "P3M", "Privacy notice", 1_796_083_200, (1, 4), TALLIES)
COMPLAINTS = RulePlan(
    "complaints", "P1Y6M", "Complaints procedure (Beschwerden über Löschung)", 1_756_684_800, (2,), TALLIES[:1]
)
PLAN = Plan(
    now=1_803_859_200,
    schedule_digest="sha256:" + "5a" * 32,
    log_size=17,
    total=1200,
    holds=(1, 3),
    rules=(COMPLAINTS, PROMISE),
)


@given(plans)
def test_every_plan_reads_back_from_its_canonical_form(plan: Plan) -> None:
    again = load_plan(plan.canonical())
    assert again == plan
    assert again.canonical() == plan.canonical()
    assert again.digest == plan.digest


@given(plans, plans)
def test_two_plans_have_one_digest_only_where_they_are_equal(one: Plan, two: Plan) -> None:
    assert (one.digest == two.digest) == (one == two)


@given(plans)
def test_the_canonical_form_is_ascii_json_with_sorted_keys_and_no_white_space(plan: Plan) -> None:
    text = plan.canonical()
    assert text.isascii()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@given(plans)
def test_the_digest_is_the_plain_sha_256_of_the_canonical_form(plan: Plan) -> None:
    assert plan.digest == "sha256:" + hashlib.sha256(plan.canonical().encode()).hexdigest()


@given(plans)
def test_the_counts_of_a_plan_are_the_sums_of_its_tallies(plan: Plan) -> None:
    every = [tally for rule in plan.rules for tally in rule.tallies]
    assert plan.due == sum(tally.due for tally in every)
    assert plan.held == sum(tally.held for tally in every)
    assert plan.released == sum(tally.released for tally in every)


def test_what_a_hold_keeps_is_not_counted_as_due() -> None:
    assert (PROMISE.due, PROMISE.held, PROMISE.released) == (45, 6, 3)
    assert (PLAN.due, PLAN.held, PLAN.released) == (47, 6, 3)


def variants_of(value: Any) -> list[Any]:  # noqa: ANN401  # every kind of field is varied
    """Give the value with one thing changed, once for each thing that can be changed in it."""
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, str):
        return [value + "x"]
    if isinstance(value, tuple):
        changed = [(*value[:n], other, *value[n + 1 :]) for n in range(len(value)) for other in variants_of(value[n])]
        return [*changed, value[:-1], value[::-1]] if len(value) > 1 else [*changed, value[:-1]]
    return [
        dataclasses.replace(value, **{field.name: other})
        for field in dataclasses.fields(value)
        for other in variants_of(getattr(value, field.name))
    ]


def test_a_change_of_any_field_at_any_depth_changes_the_digest() -> None:
    variants = variants_of(PLAN)
    digests = {variant.digest for variant in variants}
    assert len(variants) > 40
    assert len(digests) == len(variants)
    assert PLAN.digest not in digests


def test_a_plan_made_again_from_the_same_figures_has_the_same_digest() -> None:
    again = dataclasses.replace(PLAN, rules=tuple(dataclasses.replace(rule) for rule in PLAN.rules))
    assert again is not PLAN
    assert again.digest == PLAN.digest


def test_two_plans_of_one_instant_differ_once_the_log_has_grown() -> None:
    assert dataclasses.replace(PLAN, log_size=PLAN.log_size + 1).digest != PLAN.digest


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "[]", "{}", "1", "NaN", '"plan"', "\ufeff{}"),
        PLAN.canonical()[:-1],
        PLAN.canonical() + "}",
        PLAN.canonical().replace('"now"', '"then"'),
        PLAN.canonical().replace('"log_size":17,', ""),
        PLAN.canonical().replace('{"due":2,', '{"due":2,"more":1,'),
        PLAN.canonical().replace('"class_ids":[2]', '"class_ids":2'),
        PLAN.canonical().replace('"holds":[1,3]', '"holds":null'),
        '{"rules":[[]],"holds":[]}',
        '{"rules":null,"holds":[]}',
        '{"rules":["x"],"holds":[]}',
    ],
)
def test_what_is_not_a_plan_is_refused(text: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        load_plan(text)


json_values = st.recursive(
    st.none() | st.booleans() | counts | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(plans, st.data())
def test_a_spoiled_plan_is_refused_or_has_another_digest(plan: Plan, data: st.DataObject) -> None:
    spoiled: dict[str, Any] = json.loads(plan.canonical())
    spoiled[data.draw(st.sampled_from(sorted(spoiled)))] = data.draw(json_values)
    text = json.dumps(spoiled, sort_keys=True, separators=(",", ":"))
    try:
        again = load_plan(text)
    except (KeyError, TypeError, ValueError):
        return
    assert again.digest != plan.digest or again == plan


def test_plans_are_stored_as_they_always_were() -> None:
    empty = Plan(now=0, schedule_digest="sha256:" + "00" * 32, log_size=0, total=0, holds=(), rules=())
    named = {"nothing to do": empty, "two rules, two holds, one of them released lately": PLAN}
    text = readable(
        {
            name: {
                "digest": plan.digest,
                "due": plan.due,
                "held": plan.held,
                "released": plan.released,
                "canonical": json.loads(plan.canonical()),
            }
            for name, plan in named.items()
        }
    )
    assert text == golden("plans.json", text)
