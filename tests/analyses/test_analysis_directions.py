from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polylens.analyses import Outcome
from polylens.analyses.directions import Directions
from polylens.errors import DataError
from polylens.records import Findings, Partition, RowTokens
from polylens.work import Work


def _given(labels: np.ndarray) -> dict[str, Findings]:
    exemplars = np.zeros(int(labels.max(initial=-1)) + 1, np.int64)
    return {
        "c": Findings(
            partition=Partition(labels.astype(np.int64), np.ones(len(labels), np.float32), exemplars)
        )
    }


def _small(**fields: object) -> Directions:
    return Directions(**{"of": "c", "permutations": 20, "resamples": 20, **fields})


def test_directions_that_are_classes_are_as_pure_as_clusters_that_are(grouped, find):
    # Each of four groups lies out along an axis of its own: neurons are as good as clusters.
    rows = grouped()
    found = find(_small(families=("neurons", "pca", "nmf", "ica")), rows, _given(rows.targets))
    numbers = found.numbers
    assert numbers["purity.clusters"].value == numbers["purity.neurons"].value == 1.0
    assert numbers["purity_lead.neurons"].value == 0.0
    assert numbers["least_purity_lead"].value == 0.0
    assert numbers["purity.neurons"].chance < 0.5
    assert numbers["adjusted_mutual_information.neurons"].value == pytest.approx(1.0)
    assert numbers["held_out_share.neurons"].value == 1.0
    assert numbers["distinct_meanings.neurons"].value == numbers["distinct_meanings.clusters"].value == 4
    assert numbers["top_coverage.clusters"].value == numbers["coverage"].value == 1.0
    # No cluster but its own lies at the top of a neuron, where eight in ten of its members are.
    assert numbers["top_overlap.neurons"].value == pytest.approx(0.8, abs=0.05)
    assert numbers["top_overlap.neurons"].chance == numbers["top_overlap.random"].value
    assert numbers["overlap.random"].chance is None


def test_one_direction_through_two_classes_is_less_pure_than_clusters(make_rows, find):
    # Four groups at the corners of a square around nothing: along each axis two of them are equally far out.
    group = np.repeat(np.arange(4), 30)
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * 8.0
    points = corners[group] + np.random.default_rng(0).normal(size=(120, 2))
    rows = make_rows(points, targets=group)
    found = find(_small(families=("neurons",)), rows, _given(group))
    assert found.numbers["compared_clusters"].value == 4
    assert found.numbers["purity_lead.neurons"].low > 0.2
    assert found.numbers["overlap.neurons"].value == pytest.approx(2 * 0.8, abs=0.1)


def test_directions_that_mean_the_same_share_its_rows_out_and_cover_few(make_rows, find):
    # Two neurons that say the same of the first group: their top rows are those of one cluster.
    group = np.repeat(np.arange(2), 30)
    points = np.stack([np.where(group == 0, 9.0, 0.0)] * 2, axis=1)
    points += np.random.default_rng(0).uniform(0, 1, points.shape)
    found = find(_small(families=("neurons",)), make_rows(points, targets=group), _given(group)).numbers
    assert found["top_purity.neurons"].value == 1.0
    assert found["top_coverage.neurons"].value == 0.5
    assert found["purity.neurons"].value < 0.9
    assert found["purity.neurons"].low <= found["purity.neurons"].value <= found["purity.neurons"].high


def test_sizes_and_coverage_of_every_family_are_those_of_the_clusters(make_rows, find):
    rng = np.random.default_rng(0)
    labels = np.repeat([-1, 0, 1, 2], [20, 30, 7, 3])
    rows = make_rows(rng.normal(size=(60, 8)), targets=rng.integers(0, 3, 60))
    found = find(_small(families=("neurons", "pca", "nmf", "ica")), rows, _given(labels))
    table = found.tables["directions"]
    assert set(table["family"]) == {"clusters", "neurons", "pca", "nmf", "ica", "random"}
    for _, own in table.groupby("family"):
        assert sorted(own["members"]) == [3, 7, 30]
    assert found.numbers["coverage"].value == pytest.approx(40 / 60)
    assert any("negative part" in note for note in found.notes)


def test_where_there_are_fewer_directions_only_the_largest_clusters_are_compared(make_rows, find):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), [9, 8, 7, 6, 5])
    rows = make_rows(np.abs(rng.normal(size=(35, 3))), targets=labels)
    found = find(_small(families=("neurons",)), rows, _given(labels))
    assert found.numbers["compared_clusters"].value == 3
    assert found.numbers["coverage"].value == pytest.approx(24 / 35)
    assert "Only the 3 largest of 5 clusters are compared." in found.notes
    limited = find(_small(families=("pca",), most=2), rows, _given(labels))
    assert limited.numbers["compared_clusters"].value == 2


def test_neurons_are_chosen_by_variance_or_by_how_far_their_top_rows_stand_out(make_rows, find):
    rng = np.random.default_rng(0)
    wide, rare = rng.normal(0, 9, 100), np.where(np.arange(100) < 10, 5.0, 0.0)
    points = np.stack([wide - wide.min(), rare], axis=1)
    labels = np.where(np.arange(100) < 10, 0, -1)
    rows = make_rows(points, targets=(np.arange(100) < 10).astype(int))
    taken = {
        chosen: find(_small(families=("neurons",), chosen=chosen), rows, _given(labels)).tables["directions"]
        for chosen in ("variance", "peak")
    }
    units = {name: table[table["family"] == "neurons"]["unit"].tolist() for name, table in taken.items()}
    assert units == {"variance": [0], "peak": [1]}


def test_rows_without_classes_mean_the_token_they_stand_at(make_rows, find):
    token = np.tile(np.arange(4), 30)
    points = 6.0 * np.eye(4)[token] + np.random.default_rng(0).normal(size=(120, 4))
    rows = make_rows(
        points, example=np.repeat(np.arange(30), 4), position=np.tile(np.arange(4), 30), grid=(4,)
    )
    tokens = RowTokens(["a", "b", "c", "d"], token, np.roll(token, 1), np.roll(token, -1))
    found = find(_small(families=("neurons",)), replace(rows, tokens=tokens), _given(token))
    assert found.numbers["purity.neurons"].value > 0.95
    assert "tokens of whole documents" in found.numbers["purity.neurons"].chance_is
    assert set(found.tables["examples"]["meaning"]) <= {'"a"', '"b"', '"c"', '"d"'}
    with pytest.raises(DataError, match="nothing says what they mean"):
        find(_small(), rows, _given(token))


def test_no_cluster_is_nothing_to_match_and_no_error(make_rows, find):
    rows = make_rows(np.ones((20, 3)), targets=np.arange(20) % 2)
    found = find(_small(), rows, _given(np.full(20, -1)))
    assert found.numbers["compared_clusters"].value == 0
    assert found.notes == ("No cluster was found: there is nothing to match.",)


def test_an_upstream_without_clusters_is_named(make_rows, find):
    with pytest.raises(DataError, match="'c' gives no clusters"):
        find(_small(), make_rows(np.ones((5, 1)), targets=np.arange(5)), {"c": Findings()})


def test_what_was_kept_of_an_interrupted_run_is_used(grouped, same_findings):
    from polylens.streams import Streams

    kept: dict[str, dict[str, np.ndarray]] = {}

    class Drawer:
        def part(self, name):
            raise AssertionError(name)

        def load(self, name):
            return kept.get(name)

        def save(self, name, arrays):
            kept[name] = dict(arrays)

    rows, analysis = grouped(), _small(families=("pca", "nmf"))
    first, second = (
        analysis.run(rows, Work(Streams(0), _given(rows.targets), keeper=Drawer())) for _ in range(2)
    )
    assert set(kept) == {"pca", "nmf", "random"}
    assert same_findings(first, second)


def test_pictures_put_the_families_of_the_network_beside_those_of_its_controls(grouped, make_rows, find):
    analysis = _small(families=("neurons", "ica"))
    outcomes = {}
    for variant, rows, labels in (
        ("network", grouped(), np.repeat(np.arange(4), 25)),
        ("random_init", make_rows(np.ones((20, 3)), targets=np.arange(20) % 2), np.full(20, -1)),
    ):
        given = _given(labels)
        outcomes[variant] = (Outcome(rows, find(analysis, rows, given), given),)
    names = [figure.name for figure in analysis.draw(outcomes, subject="x")]
    assert names == ["meaning", "top-rows", "overlap", "stretches"]
    assert analysis.draw({"network": outcomes["random_init"]}, subject="x") == ()
