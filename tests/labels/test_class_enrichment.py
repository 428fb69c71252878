from __future__ import annotations

import numpy as np
import pytest

from polylens.errors import DataError
from polylens.labels.class_enrichment import ClassEnrichment
from polylens.records import Origins, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work


def _rows(targets: np.ndarray, *, example: np.ndarray | None = None) -> Rows:
    example = np.arange(len(targets)) if example is None else example
    ids = tuple(f"example-{index}" for index in range(int(example.max()) + 1))
    return Rows(
        "layer",
        Origins(example, np.zeros(len(targets), np.int64), (), ids),
        targets=targets,
        classes=tuple("abcdefgh"[: int(targets.max()) + 1]),
    )


def _partition(labels: np.ndarray) -> Partition:
    first = [int(np.flatnonzero(labels == k)[0]) for k in range(int(labels.max(initial=-1)) + 1)]
    return Partition(labels, (labels >= 0).astype(np.float32), np.array(first, dtype=np.int64))


def _label(rows: Rows, labels: np.ndarray, seed: int = 0, **fields):
    label = ClassEnrichment(of="clusters", **fields)
    return label.label(rows, _partition(labels), Work(Streams(seed)))


@pytest.fixture(scope="module")
def planted():
    """Cluster 0 is class c; cluster 1 is nearly half class a; cluster 2 is anything; the rest is noise."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 6, 900)
    labels = np.full(900, -1)
    labels[np.flatnonzero(targets == 2)[:100]] = 0
    free = np.flatnonzero((labels < 0) & (targets != 0))
    labels[np.flatnonzero(targets == 0)[:40]] = 1
    labels[rng.choice(free, 50, replace=False)] = 1
    labels[rng.choice(np.flatnonzero(labels < 0), 60, replace=False)] = 2
    return _label(_rows(targets), labels)


def test_a_cluster_of_one_class_is_named_by_it(planted):
    label = planted.clusters[0]
    assert (label.text, label.named, label.share) == ("c", True, 1.0)
    assert label.lift > 4 > label.chance_lift > 1


def test_above_chance_without_a_majority_is_no_name(planted):
    label = planted.clusters[1]
    assert (label.text, label.above_chance, label.named) == ("mixed, more a", True, False)
    assert 0.2 < label.share <= 0.5


def test_a_cluster_of_anything_has_a_guess_and_no_name(planted):
    label = planted.clusters[2]
    assert label.text == "no name"
    assert label.guess in "abcdef"
    assert not label.above_chance
    assert label.p_value > 0.05


def test_numbers_sum_up_the_labels_beside_chance(planted):
    numbers = planted.numbers
    assert numbers["named_fraction"].value == pytest.approx(1 / 3)
    assert numbers["named_coverage"].value == pytest.approx(100 / 900)
    assert numbers["above_chance_coverage"].value == pytest.approx(190 / 900)
    assert numbers["named_coverage"].chance <= numbers["above_chance_coverage"].chance < 0.01
    assert numbers["named_fraction"].chance < 0.1
    assert numbers["held_out_share"].chance == pytest.approx(1 / 6, abs=0.03)
    assert numbers["held_out_share"].low < numbers["held_out_share"].value < numbers["held_out_share"].high
    assert numbers["median_lift"].chance == pytest.approx(1.0, abs=0.1)
    assert numbers["median_lift"].interval == "medians of the clusters' own 90 % limits"


def test_tables_hold_the_evidence_and_the_runners_up(planted):
    table = planted.tables["clusters"]
    assert table["label"].tolist() == [label.text for label in planted.clusters]
    assert (table["share_low"] <= table["share"]).all()
    assert (table["naming_rows"] + table["held_out_rows"]).tolist() == table["size"].tolist()
    runners = planted.tables["runners_up"]
    assert runners.groupby("cluster")["rank"].max().tolist() == [1, 3, 3]
    assert runners["class"][0] == "c"


def test_lift_is_over_the_share_of_all_held_out_rows_noise_included():
    # Half of the rows are class b; the cluster is class b alone: share 1, lift 2.
    targets = np.arange(200) % 2
    found = _label(_rows(targets), np.where((targets == 1) & (np.arange(200) < 100), 0, -1))
    assert found.clusters[0].share == 1.0
    assert found.clusters[0].lift == pytest.approx(2.0)


def test_rows_of_one_example_are_one_piece_of_evidence():
    # Ten rows of each of four examples, all of class b: forty rows, four examples of a class that half have.
    example = np.repeat(np.arange(40), 10)
    targets = (np.arange(40) % 2)[example]
    labels = np.where(np.isin(example, [1, 3, 5, 7]), 0, -1)
    blocked = _label(_rows(targets, example=example), labels).clusters[0]
    loose = _label(_rows(targets), labels).clusters[0]
    assert loose.above_chance
    assert not blocked.above_chance


def test_clusters_without_held_out_rows_have_no_name_and_are_counted():
    targets = np.arange(60) % 3
    labels = np.full(60, -1)
    labels[5] = 0
    found = _label(_rows(targets), labels)
    label = found.clusters[0]
    assert label.text == "no name"
    assert not label.above_chance
    assert found.notes == ("1 clusters have no held-out rows and get no name.",) or label.guess == ""
    assert np.isfinite([label.share, label.lift, label.chance_lift, label.p_value]).all()


def test_noise_alone_gives_no_labels():
    found = _label(_rows(np.arange(30) % 3), np.full(30, -1))
    assert found.clusters == ()
    assert found.notes == ("There are no clusters to name.",)
    assert len(found.tables["clusters"]) == 0
    assert "label" in found.tables["clusters"].columns


def test_labels_repeat_for_a_seed(planted):
    targets, labels = np.arange(300) % 3, np.arange(300) % 5
    one, other = (_label(_rows(targets), labels) for _ in range(2))
    assert one.clusters == other.clusters
    assert all(one.tables[name].equals(other.tables[name]) for name in one.tables)


def test_rows_without_classes_are_an_error_in_words():
    rows = Rows("layer", Origins(np.arange(3), np.zeros(3, np.int64), (), ("a", "b", "c")))
    with pytest.raises(DataError, match="no classes to name clusters by"):
        _label(rows, np.zeros(3, np.int64))


def test_a_level_is_of_all_partitions_that_a_spec_labels_together():
    targets = np.arange(200) % 4
    labels = np.where(np.random.default_rng(1).random(200) < 0.5, targets, 3)
    rows, label = _rows(targets), ClassEnrichment(of="clusters", permutations=480)
    alone, one_of_twelve = (
        label.label(rows, _partition(labels), Work(Streams(0), among=among)) for among in (1, 12)
    )
    for one, other in zip(alone.clusters, one_of_twelve.clusters, strict=True):
        assert other.p_value == pytest.approx(min(12 * one.p_value, 1.0))
        assert other.chance_lift >= one.chance_lift
        assert other.above_chance == (other.p_value <= 0.05)
    assert not any("partitions" in note for note in alone.notes)
    assert any("12 partitions are labelled, of all layers together" in note for note in one_of_twelve.notes)


def test_there_are_as_many_rounds_as_a_level_needs():
    targets = np.arange(40) % 2
    label = ClassEnrichment(of="clusters", permutations=100)
    found = label.label(_rows(targets), _partition(targets.copy()), Work(Streams(0), among=6))
    assert found.numbers["named_fraction"].chance_is.startswith("mean of 240 rounds")
    assert found.numbers["named_fraction"].value == 1.0
