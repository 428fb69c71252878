"""Numbers decide a claim by their intervals, or say why they do not."""

from __future__ import annotations

import pytest

from polylens.records import Comparison, Draws, Number, Pair
from polylens.study.results import Result
from polylens.study.verdicts import verdict_of

TERMS = "the strongest rows at the smaller coverage"


def result(name: str, own: Number | None, *, lead: Number | None = None, **controls: Draws) -> Result:
    pairs: tuple[Pair | None, ...] = (Pair(0.9, 0.4, 0.5),) if lead else (None,)
    compared = {control: Comparison(TERMS, pairs, lead, "no clusters") for control in controls}
    return Result(
        "q",
        name,
        {"network": Draws((own,), "no clusters"), **controls},
        headline=True,
        answers=True,
        comparisons=compared if name.startswith("purity") else {},
    )


def control(*values: tuple[float, float, float] | None) -> Draws:
    return Draws(tuple(None if each is None else Number(*each) for each in values), "no clusters")


RESULTS = (
    result("ratio", Number(1.2, 1.1, 1.3, chance=1.0), low=control((0.9, 0.8, 1.0), (1.0, 0.9, 1.05))),
    result("near", Number(1.2, 1.1, 1.3), low=control((0.9, 0.8, 1.0), (1.0, 0.9, 1.15))),
    result("half", Number(1.2, 1.1, 1.3), low=control((0.9, 0.8, 1.0), None)),
    result("purity", Number(0.9), lead=Number(0.5, 0.45, 0.55, chance=0.1), low=control((0.4, 0.4, 0.4))),
    result(
        "purity_small", Number(0.9), lead=Number(0.05, 0.01, 0.09, chance=0.1), low=control((0.8, 0.8, 0.8))
    ),
    result("purity_gone", None, low=control((0.8, 0.8, 0.8))),
    result("stable", Number(0.8, 0.7, 0.9, range_is="stability"), one=Draws((Number(0.7),))),
    result("flips", Number(0.0)),
    result("broken", Number(float("nan"))),
)


@pytest.mark.parametrize(
    ("line", "decision", "why"),
    [
        ("q/ratio <= 1", "supported", "q/ratio 1.20 [1.10, 1.30] lies above 1"),
        ("q/ratio >= 1", "refuted", "q/ratio 1.20 [1.10, 1.30] lies above 1"),
        ("q/ratio <= 1.25", "undecided", "is not told apart from 1.25"),
        ("q/ratio <= q/ratio.chance", "supported", "lies above chance 1.00"),
        # The greatest end of any draw counts: 1.05 is below the network's 1.1, 1.15 is not.
        ("q/ratio <= q/ratio.low", "supported", "lies above low 0.95 [0.80, 1.05] in 2 draws"),
        ("q/near <= q/near.low", "undecided", "is not told apart from low"),
        ("q/half <= q/half.low", "undecided", "q/half.low is not defined in 1 of 2 draws (no clusters)"),
        # On equal terms a lead decides, and it must be above chance as well as above 0.
        ("q/purity <= q/purity.low", "supported", "q/purity, on equal terms, leads low by 0.50 [0.45, 0.55]"),
        (
            "q/purity_small <= q/purity_small.low",
            "undecided",
            "[0.010, 0.090], of one draw, above 0, below chance (0.10)",
        ),
        ("q/purity_small_lead.low <= 0", "supported", "lies above 0"),
        ("q/purity_gone <= q/purity_gone.low", "undecided", "cannot be compared with low: no clusters"),
        ("q/purity_gone <= 1", "undecided", "q/purity_gone is not defined (no clusters)"),
        ("q/stable <= 0.5", "undecided", "has a stability range and no interval"),
        ("q/flips > 0", "undecided", "q/flips 0 has no interval"),
        ("q/flips > 0 exactly", "supported", "q/flips 0 is as much as 0"),
        ("q/flips >= 0 exactly", "refuted", "q/flips 0 is as much as 0"),
        ("q/ratio <= q/stable.one", "undecided", "q/stable.one 0.70 has no interval"),
        ("q/broken < 1", "undecided", "q/broken is not defined"),
        ("q/rato < 1", "undecided", "no number is called q/rato (the nearest is q/ratio)"),
        # All comparisons of a line must hold; one that fails is enough for the line to fail.
        ("q/ratio > 1 and q/flips > 0 exactly", "supported", "q/flips 0 is as much as 0"),
        ("q/ratio > 1 and q/flips >= 0 exactly", "refuted", "lies above 1; q/flips 0"),
    ],
)
def test_the_whole_range_decides(line: str, decision: str, why: str) -> None:
    verdict = verdict_of([line], RESULTS)
    assert verdict is not None
    assert verdict.decision == decision, verdict.why
    assert why in verdict.why
    assert verdict.rule == line


def test_any_line_refutes_and_all_must_fail_to_support() -> None:
    holds, fails, is_open = "q/ratio >= 1", "q/ratio <= 1", "q/ratio <= 1.25"
    decisions = {
        tuple(lines): verdict_of(lines, RESULTS)
        for lines in ([fails, holds, is_open], [fails, is_open], [fails, fails])
    }
    assert [verdict.decision for verdict in decisions.values() if verdict] == [
        "refuted",
        "undecided",
        "supported",
    ]


def test_a_spec_without_a_rule_has_no_verdict() -> None:
    assert verdict_of((), RESULTS) is None
