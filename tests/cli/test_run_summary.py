"""The summary that `polylens run` ends with."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console

from polylens.cli.columns import Column, Row, block, in_columns
from polylens.cli.summary import show_claims, show_result
from polylens.errors import StageError
from polylens.records import ClusterLabel, Comparison, Draws, Labels, Number, Pair, Verdict
from polylens.settings import load_settings
from polylens.study.performing import StageReport
from polylens.study.results import Result
from polylens.study.study_results import ChildResult, StudyResult

NOBODY_SAID_ANYTHING = SimpleNamespace(workshop=SimpleNamespace(store=SimpleNamespace(root=Path("no-store"))))
"""What the summary asks of a walk: where the store is that people's labels lie in."""
SUBSAMPLES = "5 to 95 % of 10 subsamples"


def number(value: float, low: float | None = None, high: float | None = None, **others: Any) -> Number:
    kind: Any = "stability" if low is not None else "interval"
    return Number(value, low, high, interval=SUBSAMPLES if low is not None else "", range_is=kind, **others)


def result_of(stage: str, name: str, *, answers: bool = False, **variants: list[Number | None]) -> Result:
    by_variant = {variant: Draws(tuple(draws), why="no clusters") for variant, draws in variants.items()}
    return Result(stage, name, by_variant, headline=True, answers=answers)


PURITY = result_of(
    "quality",
    "purity",
    answers=True,
    network=[number(0.95, 0.66, 0.88, chance=0.2341)],
    random_init=[number(0.5), number(0.7)],
    raw_inputs=[number(0.99)],
)
CLUSTERS = result_of("quality", "clusters", network=[number(26.0, 11.45, 20.55)], random_init=[number(6.0)])


def child(name: str = "demo", results: tuple[Result, ...] = (PURITY, CLUSTERS), **others: Any) -> ChildResult:
    known: dict[str, Any] = {
        "status": "done",
        "layer": "hidden.3",
        "digest": "d",
        "run_id": "r",
        "study": "demo",
        "walk": NOBODY_SAID_ANYTHING,
    }
    stages = (StageReport("clusters", "ran", 1.25), StageReport("quality", "stored", 0.0))
    return ChildResult(name=name, results=results, **{"stages": stages, **known, **others})


def shown(*children: ChildResult, width: int = 80, height: int = 50) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, height=height)
    show_result(StudyResult(children, load_settings(Path.cwd())), name="demo", console=console)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_run_shows_each_number_with_range_chance_and_controls() -> None:
    assert shown(child()) == [
        "",
        "demo, layer hidden.3; 2 stages: 1 ran in 1.2 s, 1 stored",
        "                                          random     raw",
        "            network        range  chance    init  inputs",
        "quality",
        "  purity       0.95  0.66–0.88 a    0.23    0.60    0.99",
        "  clusters       26      11–21 a               6",
        # A spread of smaller samples need not hold the value: it is not called an interval, and this is said.
        "a stability range, no interval of uncertainty: 5 to 95 % of 10 subsamples; the",
        "  value itself may lie outside",
        "chance: where nothing is related; the report says how it was found; random init:",
        "  mean of 2 draws",
    ]


def test_a_range_that_holds_its_value_needs_no_warning() -> None:
    lines = shown(child(results=(result_of("q", "purity", network=[number(0.7, 0.6, 0.8)]),)))
    assert lines[-1] == "a stability range, no interval of uncertainty: 5 to 95 % of 10 subsamples"
    assert "q: purity     0.70  0.60–0.80 a" in lines


def test_a_mean_says_over_how_many_draws_it_was_taken_where_some_have_no_number() -> None:
    purity = result_of(
        "quality", "purity", network=[number(0.9)], random_init=[number(0.8), None, number(0.1)]
    )
    coverage = result_of(
        "quality", "coverage", network=[number(0.5)], random_init=[number(0.2), number(0.0), number(0.9)]
    )
    lines = shown(child(results=(purity, coverage)))
    assert "  purity       0.90  0.45 2/3" in lines
    assert "  coverage     0.50      0.37" in lines
    assert lines[-1] == "random init: mean of 3 draws; random init: no clusters except in 2 of 3 draws"


def test_a_network_without_the_number_stands_beside_controls_that_have_it() -> None:
    lines = shown(child(results=(result_of("q", "purity", network=[None], raw_inputs=[number(0.9)]),)))
    assert "q: purity        -    0.90" in lines
    assert lines[-1] == "network: no clusters"


def test_comparisons_on_equal_terms_show_both_numbers_and_the_lead() -> None:
    lead = Number(0.25, 0.1, 0.4, "90 % interval", chance=0.01)
    compared = Comparison(
        "as many rows", (Pair(1.0, 0.75, 0.2), None, Pair(0.9, 0.65, 0.6)), lead, "no clusters"
    )
    purity = replace(PURITY, comparisons={"random_init": compared})
    lines = shown(child(results=(purity,)))
    at = lines.index("The network beside its controls on equal terms")
    assert lines[at + 4 :] == [
        "  random init  0.20 to 0.60     0.95     0.70  0.25  0.10–0.40 a    0.01",
        "a 90 % interval",
        "purity: as many rows",
        "random init: no clusters except in 2 of 3 draws",
    ]


def test_several_runs_stand_below_each_other_under_the_number_that_answers() -> None:
    lines = shown(child("demo seed=0"), child("demo seed=1"))
    assert lines[1] == "demo: 2 runs; 4 stages: 2 ran in 2.5 s, 2 stored"
    assert [line.split()[0] for line in lines[4:7]] == ["quality:", "seed=0", "seed=1"]
    assert "clusters" not in " ".join(lines)  # a headline, but no answer


def test_a_failed_run_is_counted_and_the_others_are_shown() -> None:
    failed = child("demo seed=1", results=(), status="failed", error=StageError("train", "it broke"))
    lines = shown(child("demo seed=0"), failed)
    assert lines[1].startswith("demo: 2 runs (1 failed); ")
    assert any("0.95" in line for line in lines)


def test_nothing_is_wider_than_a_narrow_terminal() -> None:
    controls = {f"control_{letter}": [number(0.5)] for letter in "abcdefgh"}
    many = result_of("a_long_name_of_a_stage", "purity", network=[number(0.5, 0.4, 0.6)], **controls)
    lines = shown(child(results=(many,)), width=60)
    assert max(map(len, lines)) <= 60
    for letter in "abcdefgh":
        assert any(letter in line.split() for line in lines), letter


def test_a_verdict_is_said_with_its_reason_and_its_rule() -> None:
    verdict = Verdict("refuted", "a/b <= 0.5", "a/b 0.1 [0.0, 0.2] lies below 0.5")
    lines = shown(child(verdict=verdict))
    assert "The claim is refuted: a/b 0.1 [0.0, 0.2] lies below 0.5" in lines
    assert "refuted if a/b <= 0.5" in lines
    many = Verdict("supported", ", or ".join(["a/b <= 0.5"] * 9), "a/b lies above")
    several = shown(child("demo x=1", verdict=verdict), child("demo x=2", verdict=many))
    assert "  x=2: supported: a/b lies above" in several
    assert "refuted if any of the 9 lines of refuted_if holds" in shown(child(verdict=many))
    assert not any("claim" in line for line in shown(child()))


def test_claims_of_several_specs_are_set_side_by_side() -> None:
    def decided(decision: Any) -> ChildResult:
        return child(verdict=Verdict(decision, "a <= b", "so"))

    failed = child(status="failed", error=StageError("train", "it broke"))
    stream = io.StringIO()
    show_claims(
        {
            "clusters": [decided("supported")],
            "sweep": [decided("undecided"), decided("refuted"), decided("undecided"), failed],
            "open": [child()],
        },
        console=Console(file=stream, width=80),
    )
    assert stream.getvalue().splitlines() == [
        "",
        "Claims of 3 specs: 1 supported, 1 refuted, 2 undecided, 1 no rule, 1 failed",
        "  clusters  supported",
        "  sweep     1 refuted, 2 undecided, 1 failed",
        "  open      no rule",
    ]
    show_claims({"open": [child()], "other": [child()]}, console=Console(file=(silent := io.StringIO())))
    assert not silent.getvalue(), "no spec has a rule"


def test_labels_are_counted_and_shown_in_columns_on_few_lines() -> None:
    entries = tuple(
        ClusterLabel(n, "cat", 100 - n, 0.9 if n > 1 else 0.4, 3.0, 2.0, 0.01, above_chance=n > 0)
        for n in range(40)
    )
    lines = shown(child(labels={"names": Labels(clusters=cast(Any, entries))}), height=24)
    first = lines.index(
        "names: 38 of 40 clusters have a name that most of their held-out rows fit; 1 more is above chance "
        "without a majority"
    )
    assert lines[first + 1].split() == ["no.", "label", "rows", "share"] * 2
    assert lines[first + 2].startswith("   0  no name            100   0.40")
    assert lines[-1] == "and 28 more, in the report"


def test_no_clusters_are_said_to_be_none() -> None:
    assert shown(child(labels={"names": Labels(clusters=())}))[-1] == "names: there are no clusters to label"


def test_text_columns_are_right_aligned_and_split_where_they_do_not_fit() -> None:
    rows = [Row("head", is_heading=True), Row("  x"), Row("  y")]
    columns = [Column(("one",), ("1", "20")), Column(("a", "two"), ("", "3"))]
    assert [line.plain for line in block(rows, columns, width=30)] == [
        "            a",
        "     one  two",
        "head",
        "  x    1",
        "  y   20    3",
    ]
    # The second block leaves out the row about which it has nothing to say.
    assert [line.plain for line in block(rows, columns, width=9)][4:] == [
        "       a",
        "     two",
        "head",
        "  y    3",
    ]


def test_cells_run_downwards() -> None:
    assert [line.plain for line in in_columns(list("abcde"), width=5, most_lines=9)] == ["a  d", "b  e", "c"]
