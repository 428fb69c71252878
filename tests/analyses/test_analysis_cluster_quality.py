from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from polylens.analyses import Outcome
from polylens.analyses.cluster_quality import ClusterQuality
from polylens.analyses.cluster_quality.comparison import _relaid_by_row
from polylens.analyses.hdbscan import Hdbscan
from polylens.analyses.kmeans import Kmeans
from polylens.errors import DataError
from polylens.records import Findings, Partition


def _given(labels: np.ndarray) -> dict[str, Findings]:
    exemplars = np.zeros(int(labels.max(initial=-1)) + 1, np.int64)
    return {"c": Findings(partition=Partition(labels, np.ones(len(labels), np.float32), exemplars))}


def test_scores_of_a_partition_by_hand(make_rows, find):
    labels = np.array([0, 0, 0, 1, 1, -1])
    rows = make_rows(targets=np.array([2, 2, 1, 0, 0, 1]))
    found = find(ClusterQuality(of="c"), rows, _given(labels))
    assert found.numbers["purity"].value == 0.8
    assert found.numbers["coverage"].value == pytest.approx(5 / 6)
    assert found.numbers["clusters"].value == 2.0
    assert found.numbers["best_cluster_purity"].value == 1.0
    table = found.tables["clusters"]
    assert table["majority_class"].tolist() == ["class 2", "class 0"]
    assert table["class_share_of_rows"].tolist() == pytest.approx([1 / 3, 1 / 3])


def test_clusters_that_are_classes_are_far_above_chance(grouped, find):
    rows = grouped()
    clusters = find(Hdbscan(on="activation"), rows)
    found = find(ClusterQuality(of="c"), rows, {"c": clusters})
    assert found.numbers["purity"].value == 1.0
    assert found.numbers["purity"].chance < 0.5
    assert found.numbers["adjusted_mutual_information"].chance == pytest.approx(0, abs=0.02)
    assert found.numbers["purity"].interval.startswith("5 to 95 % of 10 subsamples")
    assert found.tables["chance"]["p_value"].max() < 0.01
    assert found.tables["curve"]["min_cluster_size"].tolist() == [5, 10, 20, 50]


def test_clusters_of_nothing_are_at_chance(make_rows, find):
    rng = np.random.default_rng(0)
    rows = make_rows(targets=rng.integers(0, 5, 400))
    found = find(ClusterQuality(of="c"), rows, _given(rng.integers(-1, 8, 400)))
    assert found.numbers["purity"].value == pytest.approx(found.numbers["purity"].chance, abs=0.05)
    assert found.tables["chance"]["p_value"].min() > 0.02
    assert found.tables["clusters"]["family_wise_p_value"].min() > 0.02


def test_rows_of_one_example_are_shuffled_together(make_rows, find):
    # Ten examples of twenty rows, each a cluster of its own: pure, and pure under any exchange of examples.
    example = np.repeat(np.arange(10), 20)
    rows = make_rows(targets=(np.arange(10) % 2)[example], example=example)
    found = find(ClusterQuality(of="c"), rows, _given(example.astype(np.int64)))
    assert found.numbers["purity"].value == found.numbers["purity"].chance == 1.0


def test_position_is_tested_where_it_varies(make_rows, find):
    example, position = np.repeat(np.arange(40), 3), np.tile(np.arange(3), 40)
    rows = make_rows(targets=(np.arange(40) % 4)[example], example=example, position=position, grid=(9,))
    by_position = find(ClusterQuality(of="c"), rows, _given(position.astype(np.int64)))
    number = by_position.numbers["position_information"]
    assert number.value == pytest.approx(1.0)
    assert number.chance == pytest.approx(0.0, abs=0.02)
    assert number.chance_is == "mean of 200 shuffles of positions within examples"
    by_class = find(ClusterQuality(of="c"), rows, _given(rows.targets))
    assert by_class.numbers["position_information"].value == pytest.approx(0.0, abs=0.05)


def test_one_position_has_no_position_score(make_rows, find):
    rows = make_rows(targets=np.arange(20) % 2, position=np.full(20, 4), grid=(3, 3))
    found = find(ClusterQuality(of="c"), rows, _given(np.arange(20) % 2))
    assert "position_information" not in found.numbers


def test_one_row_an_example_at_different_positions_is_exchanged_between_examples(make_rows, find):
    rows = make_rows(targets=np.arange(40) % 2, position=np.arange(40) % 4, grid=(9,))
    found = find(ClusterQuality(of="c"), rows, _given(np.arange(40) % 4))
    assert found.numbers["position_information"].value == pytest.approx(1.0)
    assert found.numbers["position_information"].chance_is.endswith("over examples")


def test_noise_alone_has_no_purity_and_the_rest_says_nothing(make_rows, find):
    rows = make_rows(targets=np.arange(30) % 3)
    found = find(ClusterQuality(of="c"), rows, _given(np.full(30, -1)))
    assert "purity" not in found.numbers
    assert found.numbers["adjusted_mutual_information"].value == 0.0
    assert found.notes == ("No cluster was found: purity is not defined.",)
    assert len(found.tables["clusters"]) == 0


def test_rows_without_classes_are_an_error_in_words(make_rows, find):
    with pytest.raises(DataError, match="no classes"):
        find(ClusterQuality(of="c"), make_rows(np.zeros((5, 1))), _given(np.zeros(5, np.int64)))


def test_an_upstream_without_clusters_is_named(make_rows, find):
    with pytest.raises(DataError, match="'c' gives no clusters"):
        find(ClusterQuality(of="c"), make_rows(targets=np.arange(3)), {"c": Findings()})


def test_fewer_than_two_hundred_permutations_are_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 200"):
        ClusterQuality(of="c", permutations=100)


def _outcome(rows, clusters: Findings, found: Findings) -> Outcome:
    return Outcome(rows, found, {"c": clusters})


def test_pictures_put_the_network_beside_its_controls_even_where_one_found_nothing(grouped, make_rows, find):
    analysis, outcomes = ClusterQuality(of="c"), {}
    for variant, rows in {
        "network": grouped(),
        "random_init": make_rows(np.zeros((40, 2)), targets=np.arange(40) % 4),
        "raw_inputs": grouped(mistakes=0.3),
    }.items():
        clusters = find(Hdbscan(on="activation", subsamples=2), rows)
        outcomes[variant] = (_outcome(rows, clusters, find(analysis, rows, {"c": clusters})),)
    names = [figure.name for figure in analysis.draw(outcomes, subject="x")]
    assert names == ["scores", "purity-coverage", "clusters-by-class"]


def test_a_partition_without_a_curve_has_no_picture_of_one(grouped, find):
    rows, analysis = grouped(), ClusterQuality(of="c")
    clusters = find(Kmeans(on="activation", clusters=4, subsamples=2), rows)
    own = _outcome(rows, clusters, find(analysis, rows, {"c": clusters}))
    names = [figure.name for figure in analysis.draw({"network": (own,)}, subject="x")]
    assert names == ["scores", "clusters-by-class"]


def test_the_same_partition_gives_the_same_findings(grouped, find, same_findings):
    rows = grouped(mistakes=0.2)
    clusters = {"c": find(Hdbscan(on="code"), rows)}
    assert same_findings(*(find(ClusterQuality(of="c"), rows, clusters) for _ in range(2)))


def test_classes_of_rows_are_laid_over_rows_of_other_examples_for_chance(make_rows, find):
    # Every example has its tags in one order: whole examples laid over others change nothing.
    example, tag = np.repeat(np.arange(40), 4), np.tile(np.arange(4), 40)
    rows = replace(make_rows(targets=tag, example=example, position=tag, grid=(4,)), by_row=True)
    found = find(ClusterQuality(of="c"), rows, _given(tag.astype(np.int64)))
    assert found.numbers["purity"].value == 1.0
    assert found.numbers["purity"].chance == 1.0
    # In an order of each example's own they do.
    mixed = np.random.default_rng(0).permuted(tag.reshape(40, 4), axis=1).ravel()
    rows = replace(make_rows(targets=mixed, example=example, position=tag, grid=(4,)), by_row=True)
    found = find(ClusterQuality(of="c"), rows, _given(mixed.astype(np.int64)))
    assert found.numbers["purity"].chance < 0.4
    assert "laid over other rows" in found.numbers["purity"].chance_is


def test_leads_by_chance_exchange_classes_of_rows_place_by_place(make_rows):
    example, position = np.repeat(np.arange(12), 3), np.tile(np.arange(3), 12)
    targets = np.random.default_rng(1).integers(0, 4, 36)
    own = replace(make_rows(targets=targets, example=example, position=position, grid=(3,)), by_row=True)
    classes_of = _relaid_by_row(own, np.random.default_rng(2))
    exchanged = classes_of(own)
    assert np.bincount(exchanged, minlength=4).tolist() == np.bincount(targets, minlength=4).tolist()
    # Every example has the classes of one example, in their order.
    kept = {tuple(each) for each in targets.reshape(12, 3).tolist()}
    assert {tuple(each) for each in exchanged.reshape(12, 3).tolist()} == kept
    other = own.take(np.array([5, 3, 30]))
    elsewhere = replace(other, origins=replace(other.origins, position=np.array([2, 0, 9])))
    assert classes_of(other).tolist() == exchanged[[5, 3, 30]].tolist()
    assert classes_of(elsewhere).tolist() == [exchanged[5], exchanged[3], targets[30]]
