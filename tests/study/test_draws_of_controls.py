"""A control's numbers are paired within each draw, from the analyses to the metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.projects import SPEC

import polylens
from polylens.devices import Options
from polylens.progress import Silent
from polylens.records import Comparison, Draws, Number, Pair
from polylens.settings import load_settings
from polylens.store import Store
from polylens.study.metrics import comparisons_table, draws_table, metrics_of
from polylens.study.planning import plan_study
from polylens.study.results import Result, results_of
from polylens.study.walk import Walk, Workshop

# 200 images, nothing trained; at this size the network and two of the four draws have clusters.
CHANGES = {
    "seed": 2,
    "model": {"kind": "mlp", "inputs": 64, "hidden": [8], "classes": 10},
    "layer": "hidden.1",
    "dataset": {"kind": "digits", "split": "test"},
    "code": None,
    "controls": [{"use": "random_init", "draws": 4}],
    "analyses": {
        "clusters": {
            "kind": "hdbscan",
            "on": "activation",
            "min_cluster_size": 12,
            "min_samples": 5,
            "subsamples": 0,
        },
        "quality": {"kind": "cluster_quality", "of": "clusters"},
    },
    "labels": {"digits": {"kind": "class_enrichment", "of": "clusters", "permutations": 100}},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    folder = tmp_path_factory.mktemp("draws")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    study = polylens.load_spec({key: value for key, value in (SPEC | CHANGES).items() if value is not None})
    place, options = load_settings(folder / "spec.yaml"), Options()
    plans = plan_study(study, settings=place, options=options, limit=200, progress=Silent())
    store = Store(place.store)
    store.prepare()
    walk = Walk(plans[0], Workshop(store, Path(folder), options, Silent(), plans))
    for variant in walk.plan.variants:
        walk.walk(variant)
    return {f"{result.source}/{result.name}": result for result in results_of(walk)}


def test_a_draw_without_clusters_has_zeros_and_no_purity_in_its_own_place(results: dict[str, Result]) -> None:
    purity, coverage = (results[f"quality/{name}"].controls["random_init"] for name in ("purity", "coverage"))
    zeros = [results[f"{name}"].controls["random_init"] for name in ("quality/right_fraction",)]
    zeros += [
        results[name].controls["random_init"] for name in ("clusters/clusters", "digits/named_coverage")
    ]
    none = [value is None for value in purity.values]
    assert 0 < sum(none) < 4, "the test wants both kinds of draws"
    assert purity.why == "no clusters"
    assert [value == 0 for value in coverage.values] == none
    for draws in zeros:
        assert draws.is_whole
        assert all(value == 0 for value, lacks in zip(draws.values, none, strict=True) if lacks)
    assert [
        value is None for value in results["digits/held_out_share"].controls["random_init"].values
    ] == none


def test_the_share_of_all_rows_right_is_coverage_times_purity_in_every_draw(
    results: dict[str, Result],
) -> None:
    for variant in ("network", "random_init", "raw_inputs"):
        purity, coverage, right = (
            results[f"quality/{name}"].by_variant[variant].values
            for name in ("purity", "coverage", "right_fraction")
        )
        expected = [(one or 0.0) * (other or 0.0) for one, other in zip(purity, coverage, strict=True)]
        np.testing.assert_allclose(np.array(right, float), expected, rtol=1e-12)


def test_draws_are_compared_at_the_smaller_coverage_of_the_network_and_that_draw(
    results: dict[str, Result],
) -> None:
    purity, coverage = results["quality/purity"], results["quality/coverage"]
    own = coverage.by_variant["network"].values[0]
    for control in ("random_init", "raw_inputs"):
        comparison = purity.comparisons[control]
        for pair, value in zip(comparison.pairs, coverage.controls[control].values, strict=True):
            shared = min(own, value)
            assert (pair is None) == (shared == 0)
            assert pair is None or pair.coverage == pytest.approx(shared)
        right = results["quality/right_fraction"]
        beside = right.comparisons[control]
        assert [pair.other for pair in beside.pairs] == pytest.approx(list(right.controls[control].values))
        assert beside.lead.value == pytest.approx(
            np.mean(
                [right.by_variant["network"].values[0] - value for value in right.controls[control].values]
            )
        )


def test_a_mean_over_some_draws_is_no_metric_and_every_draw_stands_in_a_table(
    results: dict[str, Result],
) -> None:
    metrics = metrics_of(results.values())
    assert "quality/purity.random_init" not in metrics
    assert "quality/purity_lead.random_init" not in metrics
    assert metrics["quality/coverage.random_init"].range_is == "draws"
    assert metrics["quality/right_fraction_lead.random_init"].range_is == "interval"
    assert "quality/purity.raw_inputs" in metrics
    table = (
        draws_table(results.values())
        .set_index(["number", "control"])
        .sort_index(kind="stable")
        .loc["quality/purity", "random_init"]
    )
    assert table["draw"].tolist() == [1, 2, 3, 4]
    lacking = table["value"].isna()
    assert (table["undefined"] == "no clusters").tolist() == lacking.tolist()
    compared = comparisons_table(results.values()).set_index(["number", "control"]).sort_index(kind="stable")
    assert compared.loc["quality/purity", "random_init"]["network"].isna().tolist() == lacking.tolist()


def test_numbers_of_draws_are_summed_up_only_where_all_have_them() -> None:
    whole = Draws((Number(0.2, chance=0.1), Number(0.4, chance=0.3)))
    number = whole.summary()
    assert number is not None
    assert (number.value, number.low, number.high, number.chance) == pytest.approx((0.3, 0.2, 0.4, 0.2))
    assert Draws((Number(0.2), None), "no clusters").summary() is None
    lead = Number(0.1, 0.0, 0.2)
    part = Result(
        "quality",
        "purity",
        {"network": Draws((Number(0.9),)), "random_init": Draws((Number(0.8), None), "no clusters")},
        headline=True,
        answers=True,
        comparisons={"random_init": Comparison("x", (Pair(0.9, 0.8, 0.5), None), lead, "no clusters")},
    )
    assert metrics_of([part]).keys() == {"quality/purity"}
