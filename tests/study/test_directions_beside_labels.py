"""Clusters beside directions, from a spec to a verdict, a table and a picture."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import undrawn
from tests.projects import Project

import polylens
from polylens.spec import load, spec_digest
from polylens.study.study_results import ChildResult

BESIDE: dict[str, Any] = {
    "code": None,
    "controls": None,
    "refuted_if": "detect/least_lead.digits <= 0",
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16], "classes": 10},
    "layer": "hidden.1",
    "analyses": {
        "clusters": {"kind": "kmeans", "on": "activation", "clusters": 6, "restarts": 1, "subsamples": 0},
        "directions": {
            "kind": "directions",
            "of": "clusters",
            "families": ["neurons", "pca"],
            "permutations": 20,
            "resamples": 20,
        },
    },
    "scores": {
        "detect": {"kind": "detection", "of": "clusters", "beside": "directions"},
        "tell": {"kind": "match", "of": "clusters"},
    },
}


@pytest.mark.slow
def test_clusters_are_set_beside_directions_in_a_table_a_picture_and_a_verdict(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    with undrawn():  # but for scores, of which the picture below is
        run = polylens.run(project.spec(**BESIDE), limit=200).children[0]
    assert isinstance(run, ChildResult), run.error
    numbers = run.numbers_by_name()
    own = numbers["detect/detection.digits"].value
    for family in ("neurons", "pca", "random"):
        for control in ("", ".raw_inputs"):
            lead = numbers[f"detect/lead_over_{family}.digits{control}"]
            assert lead.low <= lead.value <= lead.high
        value = numbers[f"detect/directions.{family}.digits"].value
        assert numbers[f"detect/lead_over_{family}.digits"].value == pytest.approx(own - value)
    least = min(numbers[f"detect/lead_over_{family}.digits"].value for family in ("neurons", "pca"))
    assert numbers["detect/least_lead.digits"].value == least
    assert not [name for name in numbers if name.startswith("tell/") and "lead" in name]
    table = run.table("detect.beside")
    assert table["row_sets"].tolist() == ["clusters", "random rows", "neurons", "pca", "random"]
    assert run.table("raw_inputs/detect.beside")["row_sets"].tolist() == table["row_sets"].tolist()
    assert set(run.table("detect.items")["group"]) == set(table["row_sets"])
    assert run.verdict is not None
    assert "detect/least_lead.digits" in run.verdict.why
    figure = run.figure("detect-directions-digits")
    assert "hidden.1" in figure.caption
    titles = [axes.get_title(loc="left") for axes in run.redraw("detect-directions-digits").axes]
    assert titles[-2:] == ["detection", "lead of clusters"]
    assert not [name for name in run.figure_names() if name.startswith("tell")]


def test_what_directions_are_counts_and_what_they_are_called_does_not(project: Project) -> None:
    def digest(**changes: Any) -> str:
        return spec_digest(load(project.spec(**(BESIDE | changes))).children[0])

    analyses = BESIDE["analyses"]
    more = {**analyses["directions"], "families": ["neurons"]}
    alone = {"detect": {"kind": "detection", "of": "clusters"}, "tell": BESIDE["scores"]["tell"]}
    different = {
        digest(),
        digest(analyses={**analyses, "directions": more}),
        digest(scores=alone, refuted_if=None),
    }
    assert len(different) == 3


def test_mistakes_of_what_stands_beside_are_told_with_their_place(project: Project) -> None:
    others = {**BESIDE["analyses"], "more": {"kind": "kmeans", "on": "activation", "clusters": 3}}
    scores = {
        "missing": {"kind": "detection", "of": "clusters", "beside": "direktions"},
        "wrong": {"kind": "detection", "of": "clusters", "beside": "more"},
        "elsewhere": {"kind": "match", "of": "more", "labels": ["few"], "beside": "directions"},
    }
    labels = {
        name: {"kind": "class_enrichment", "of": of} for name, of in (("digits", "clusters"), ("few", "more"))
    }
    rule = "missing/lead_over_pca.digits <= 0"
    done = project.call(
        "validate",
        project.spec(
            **(BESIDE | {"analyses": others, "scores": scores, "labels": labels, "refuted_if": rule})
        ),
    )
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "no analysis is called 'direktions'" in said
    assert "did you mean 'directions'" in said
    assert "'more' (kmeans) gives no row sets to score beside clusters" in said
    assert (
        "'directions' (directions) stands on the clusters of 'clusters', and the score is of 'more'" in said
    )
    alone = {"detect": {"kind": "detection", "of": "clusters"}}
    done = project.call("validate", project.spec(**(BESIDE | {"scores": alone})))
    assert "detect (detection) has no number 'least_lead.digits'" in done.stdout + done.stderr
    assert "adds leads of clusters over directions" in done.stdout + done.stderr
