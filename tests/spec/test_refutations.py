"""`refuted_if`: what it may say, and what is wrong with it before anything is computed."""

from __future__ import annotations

from typing import Any

import click
import pytest

from polylens.cli.complaints import problem_lines
from polylens.errors import SpecError
from polylens.spec import loads, spec_digest
from polylens.spec.refutation import RefutationError, read_conditions

SPEC: dict[str, Any] = {
    "about": "A test.",
    "claim": "None.",
    "seed": 0,
    "model": "digits-mlp",
    "layer": "hidden.3",
    "dataset": "digits",
    "code": "own-signs",
    "controls": ["random_init"],
    "analyses": {
        "clusters": {"kind": "hdbscan", "on": "activation"},
        "quality": {"kind": "cluster_quality", "of": "clusters"},
        "density": {"kind": "pair_density"},
    },
    "labels": {"digits": {"kind": "class_enrichment", "of": "clusters"}},
}
GOOD = "quality/purity <= quality/purity.random_init"


def said_of(rule: Any) -> str:
    """What `validate` prints of a spec with this `refuted_if`; empty where nothing is wrong."""
    try:
        loads(SPEC | {"refuted_if": rule})
    except SpecError as error:
        return click.unstyle("\n".join(line for each in error.problems for line in problem_lines(each)))
    return ""


@pytest.mark.parametrize(
    "rule",
    [
        GOOD,
        [GOOD, "quality/right_fraction_lead.raw_inputs <= 0"],
        "quality/purity < quality/purity.chance and digits/named_coverage <= 0.5",
        "density/matched_ratio.hidden.1.activation > 1.5e-1 exactly",
        "model/accuracy < .5",
        "code/explained_variance.random_init < 1",
    ],
)
def test_comparisons_of_numbers_that_the_spec_gives_are_fine(rule: str | list[str]) -> None:
    assert said_of(rule) == ""


@pytest.mark.parametrize(
    ("rule", "under", "says"),
    [
        ("quality/purity", "y", "the line ends where <=, <, >= or > is needed"),
        ("0.5 >= quality/purity", "0.5", "'0.5' is no name of a number"),
        ("quality/purity =< 0.5", "=<", "did you mean '<='?"),
        ("quality/purity == 0.5", "==", "'==' compares nothing"),
        ("quality/purity <= half", "half", "neither a number nor the name of one"),
        ("quality/purity <= nan", "nan", "neither a number nor the name of one"),
        (
            "quality/purity <= 1 or quality/coverage <= 1",
            "or",
            "a list of lines means that any of them refutes",
        ),
        ("quality/purity <= quality/purity", "quality/purity", "is compared with itself"),
        ("qualty/purity <= 1", "qualty/purity", "did you mean 'quality/purity'?"),
        ("quality/purty <= 1", "quality/purty", "did you mean 'quality/purity'?"),
        ("quality/purity.random_int <= 1", "quality/purity.random_int", "'quality/purity.random_init'?"),
        ("quality/coverage_lead.random_init <= 1", "quality/coverage_lead.random_init", "compares purity"),
        (
            "density/matched_ratio_lead.random_init <= 1",
            "density/matched_ratio_lead.random_init",
            "no number",
        ),
        ("model/acuracy <= 1", "model/acuracy", "did you mean 'model/accuracy'?"),
        ("digits/named_coverag <= 1", "digits/named_coverag", "did you mean 'digits/named_coverage'?"),
    ],
)
def test_a_mistake_is_said_with_a_caret_under_it(rule: str, under: str, says: str) -> None:
    message = said_of(rule)
    assert says in message
    excerpt, pointer = message.splitlines()[1:3]
    first, last = pointer.index("^"), pointer.rindex("^")
    assert excerpt[first : last + 1] == under


def test_a_mistake_in_a_list_is_said_at_its_item() -> None:
    with pytest.raises(SpecError) as caught:
        loads(SPEC | {"refuted_if": [GOOD, "quality/purty < 1"]})
    (problem,) = caught.value.problems
    assert problem.path == "refuted_if.1"


def test_what_is_neither_a_line_nor_lines_is_refused() -> None:
    assert "refuted_if must be" in said_of(3)
    assert "refuted_if" in said_of([""])


def test_what_would_refute_a_claim_is_written_back_and_changes_no_digest() -> None:
    plain = loads(SPEC)
    assert "refuted_if" not in plain.resolved
    for rule in (GOOD, [GOOD, "quality/purity <= 0.5"]):
        study = loads(SPEC | {"refuted_if": rule})
        assert study.resolved["refuted_if"] == rule
        again = loads(study.children[0].experiment.to_plain())
        assert again.children[0].experiment == study.children[0].experiment
        assert spec_digest(study.children[0]) == spec_digest(plain.children[0])


def test_names_are_read_as_they_stand_whatever_is_in_them() -> None:
    (condition,) = read_conditions("density/matched_ratio.relu#2<=density/matched_ratio.relu#2.random_init")
    assert (condition.left.text, condition.operator) == ("density/matched_ratio.relu#2", "<=")
    with pytest.raises(RefutationError):
        read_conditions("__import__('os').system('true') <= 1")
