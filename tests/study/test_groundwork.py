"""Spanning trees are stages of their own: made once for all that ask for the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import undrawn
from tests.projects import Project

import polylens
from polylens.store import Store
from polylens.study.outlook import Outlook
from polylens.study.study_results import ChildResult

# Nothing is trained: 270 images, 8 units, 8 bits.
SPEC: dict[str, Any] = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [8, 8], "classes": 10},
    "controls": None,
    "labels": None,
    "layer": "hidden.2",
    "analyses": {
        "clusters": {"kind": "hdbscan", "on": "activation", "min_samples": 5, "subsamples": 2},
        "fine": {
            "kind": "hdbscan",
            "on": "activation",
            "min_cluster_size": 3,
            "min_samples": 5,
            "selection": "leaf",
            "subsamples": 2,
        },
    },
}
TREES = {"clusters.spanning_tree", "clusters.spanning_tree.raw_inputs"}


def names(outlook: Outlook) -> list[str]:
    return [stage.name for stage in outlook.children[0].stages]


def trees_made(children: Iterable[ChildResult]) -> list[str]:
    """Names of the spanning trees that were computed, over all children."""
    stages = [stage for child in children for stage in child.stages]
    return [stage.name for stage in stages if "spanning_tree" in stage.name and stage.status == "ran"]


@pytest.fixture
def make_spec(make_project: Callable[[str], Project]) -> Callable[..., Path]:
    project = make_project("project")

    def make(**changes: Any) -> Path:
        return project.spec(**SPEC | changes)

    return make


def test_a_plan_lists_groundwork_once_before_what_stands_on_it(make_spec: Callable[..., Path]) -> None:
    outlook = polylens.plan(make_spec())
    assert names(outlook) == [
        "harvest",
        "clusters.spanning_tree",
        "clusters",
        "fine",
        "harvest.raw_inputs",
        "clusters.spanning_tree.raw_inputs",
        "clusters.raw_inputs",
        "fine.raw_inputs",
        "clusters.figures",
        "fine.figures",
        "report",
    ]
    why = {stage.name: stage.why for stage in outlook.children[0].stages}
    assert why["clusters.spanning_tree"] == "stands on harvest"
    assert why["fine"] == "stands on harvest, clusters.spanning_tree"


@pytest.mark.parametrize(
    ("change", "n_trees"),
    [
        ({"min_cluster_size": 9, "min_samples": 5}, 1),
        ({"epsilon": 0.1, "max_cluster_size": 300, "min_samples": 5}, 1),
        ({"min_samples": 4}, 2),
        ({"min_samples": 5, "metric": "l1"}, 2),
        ({"min_samples": 5, "scale": "centre"}, 2),
        ({"min_samples": 5, "subsamples": 3}, 2),
        ({"min_samples": 5, "ties": "library"}, 1),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_only_what_changes_a_tree_asks_for_another(
    make_spec: Callable[..., Path], change: dict[str, Any], n_trees: int
) -> None:
    other = {"kind": "hdbscan", "on": "activation", "subsamples": 2} | change
    first = SPEC["analyses"]["clusters"]
    found = names(polylens.plan(make_spec(analyses={"clusters": first, "other": other})))
    trees = [name for name in found if "spanning_tree" in name and "raw_inputs" not in name]
    assert len(trees) == n_trees


def test_a_tree_that_the_spec_names_is_the_one_that_is_asked_for(make_spec: Callable[..., Path]) -> None:
    tree = {"kind": "spanning_tree", "on": "activation", "subsamples": 2}
    spec = make_spec(analyses={"tree": tree, "clusters": SPEC["analyses"]["clusters"]})
    assert names(polylens.plan(spec))[:3] == ["harvest", "tree", "clusters"]


@pytest.mark.slow
def test_changed_sizes_and_sweeps_over_sizes_make_no_new_tree(make_spec: Callable[..., Path]) -> None:
    swept = make_spec(sweep={"analyses.clusters.min_cluster_size": [5, 8, 12]})
    with undrawn():
        first = polylens.run(swept).children
    assert [child.status for child in first] == ["done"] * 3
    assert sorted(trees_made(first)) == sorted(TREES)
    sizes = [polylens.load_partition(child, "clusters").method for child in first]
    assert ["min_cluster_size 5, min_samples 5" in text for text in sizes] == [True, False, False]

    with undrawn():
        changed = polylens.run(
            polylens.load_spec(make_spec(), overrides=["analyses.clusters.min_cluster_size=9"])
        )
    ran = {stage.name for stage in changed.children[0].stages if stage.status == "ran"}
    assert {name for name in ran if "." not in name} == {"clusters", "report"}
    assert trees_made(changed.children) == []
    reported = {stage.name for stage in changed.children[0].stages}
    assert reported >= TREES


@pytest.mark.slow
def test_a_damaged_tree_is_made_again_and_is_the_same(make_spec: Callable[..., Path]) -> None:
    spec = make_spec()
    with undrawn():
        first = polylens.run(spec)
    before = polylens.load_partition(first, "clusters")
    store = Store(first.settings.store)
    (stage,) = [s for s in first.children[0].walk.plan.own.stages() if s.name == "clusters.spanning_tree"]
    (store.open(stage.kind, stage.digest) / "hierarchy-heights.npy").write_bytes(b"damaged")
    changed = polylens.run(polylens.load_spec(spec, overrides=["analyses.clusters.curve=[7]"]))
    assert changed.children[0].status == "done"
    assert trees_made(changed.children) == ["clusters.spanning_tree"]
    after = polylens.load_partition(changed, "clusters")
    assert np.array_equal(before.labels, after.labels)
    assert before.hierarchy is not None
    assert after.hierarchy is not None
    assert np.array_equal(before.hierarchy.heights, after.hierarchy.heights)
