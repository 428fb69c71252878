"""What MLflow's pages say first of a run and of a sweep."""

from __future__ import annotations

import pytest

import polylens
from polylens.records import Verdict
from polylens.spec import Experiment
from polylens.study.run_pages import (
    NOTE_TAG,
    answering_names,
    description,
    means_of_children,
    note_tags,
    parent_tags,
    without_edited_note,
)

REFUTED = Verdict("refuted", "a/b <= a/b.random_init", "a/b 0.1 [<0.0>, 0.2] lies *below* random_init")
SUPPORTED = Verdict("supported", REFUTED.rule, "a/b lies above")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return polylens.load_spec("experiments/digits/mlp-clusters.yaml").children[0].experiment


def test_a_description_begins_with_the_verdict_and_the_answer_and_shows_texts_as_they_are(
    experiment: Experiment,
) -> None:
    note = description(experiment, answers=["Purity 0.9."], verdict=REFUTED)
    first, second, third, rule, about = note.split("\n\n")
    assert first == r"**Refuted.** a/b 0.1 \[\<0.0\>, 0.2\] lies \*below\* random\_init."
    assert second == "Purity 0.9."
    assert third.startswith("**Claim.** Clusters of activations")
    assert rule == r"**Refuted if** a/b \<= a/b.random\_init."
    assert about == experiment.about
    assert description(experiment).startswith("**Claim.** ")


def test_a_sweep_says_how_many_of_its_runs_have_which_verdict(experiment: Experiment) -> None:
    tags = parent_tags(experiment, {"layer=a": REFUTED, "layer=b": SUPPORTED, "layer=c": REFUTED})
    assert tags["polylens.verdict"] == "2 refuted, 1 supported"
    assert tags[NOTE_TAG].startswith(
        "**2 refuted, 1 supported.**\n\n- layer=a: refuted\n- layer=b: supported"
    )
    assert parent_tags(experiment, {"a": REFUTED, "b": REFUTED})["polylens.verdict"] == "refuted"
    assert parent_tags(experiment, {"a": None}) == {}


def test_a_sweep_has_the_layers_and_answers_of_its_runs_in_the_table_that_folds_them(
    experiment: Experiment,
) -> None:
    children = {
        "layer=a": {"polylens.layer": "a", "polylens.answer": "Purity 0.9."},
        "layer=b": {"polylens.layer": "b"},
        "layer=a seed=1": {"polylens.layer": "a", "polylens.answer": "Purity 0.8."},
    }
    tags = parent_tags(experiment, {}, children=children)
    assert tags == {
        "polylens.layer": "a, b",
        "polylens.answer": "layer=a: Purity 0.9. layer=a seed=1: Purity 0.8.",
    }


def test_a_sweep_has_means_of_what_all_runs_have_and_none_of_curves() -> None:
    children = [
        {"q/purity": 0.5, "rows": 10.0, "training/loss": 1.0, "q/by_min_cluster_size/purity": 1.0},
        {
            "q/purity": 0.7,
            "rows": 20.0,
            "training/loss": 1.0,
            "q/by_min_cluster_size/purity": 1.0,
            "q/late": 1.0,
        },
    ]
    means = means_of_children(children)
    assert means == pytest.approx({"q/purity": 0.6, "q/purity_deviation": 0.02**0.5, "rows": 15.0})


def test_a_description_that_a_person_edited_stays() -> None:
    ours = note_tags("Ours.")
    new = {**note_tags("Newer."), "polylens.verdict": "refuted"}
    assert without_edited_note(new, before={}) == new
    assert without_edited_note(new, before=ours) == new
    edited = {**ours, NOTE_TAG: "Mine."}
    assert without_edited_note(new, before=edited) == {"polylens.verdict": "refuted"}


def test_the_names_of_answering_metrics_are_known_before_anything_is_computed(experiment: Experiment) -> None:
    names = answering_names(experiment)
    assert names[:3] == ("quality/purity", "quality/coverage", "quality/right_fraction")
    assert "code_quality/right_fraction_lead.raw_inputs" in names
