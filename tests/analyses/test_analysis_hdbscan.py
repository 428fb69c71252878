from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from polylens.analyses import GROUNDWORK, Analysis, Outcome
from polylens.analyses.hdbscan import Hdbscan
from polylens.analyses.spanning_tree import SpanningTree
from polylens.errors import DataError


def test_the_partition_carries_its_curve_and_its_subsamples(grouped, find):
    found = find(Hdbscan(on="activation", curve=(5, 10, 60, 1000), subsamples=3), grouped())
    partition = found.partition
    names = [(item.name, item.value) for item in partition.alternatives]
    # 1000 is more than the 100 rows there are; 60 finds nothing, and says so by its labels.
    assert names == [("min_cluster_size", size) for size in (5, 10, 60)] + [
        ("subsample", k) for k in range(3)
    ]
    assert partition.n_clusters == 4
    assert np.array_equal(partition.alternatives[0].labels, partition.labels)
    assert (partition.alternatives[2].labels < 0).all()
    assert [len(item.rows) for item in partition.alternatives[3:]] == [80, 80, 80]


def test_numbers_have_the_range_of_the_subsamples(grouped, find):
    found = find(Hdbscan(on="activation"), grouped())
    assert found.numbers["clusters"].value == 4.0
    assert found.numbers["clusters"].interval.startswith("5 to 95 % of 10 subsamples")
    assert found.numbers["noise_rows"].value == (found.partition.labels < 0).sum()
    assert found.numbers["coverage"].value == found.partition.coverage


def test_the_table_names_each_clusters_exemplar(grouped, find):
    rows = grouped()
    table = find(Hdbscan(on="activation", subsamples=0, curve=()), rows).tables["clusters"]
    assert table["size"].tolist() == sorted(table["size"], reverse=True)
    for line in table.itertuples():
        assert line.exemplar_example == f"example-{line.exemplar_row}"


@pytest.mark.parametrize("analysis", [Hdbscan(on="activation", scale="standardise"), Hdbscan(on="code")])
def test_the_same_rows_and_seed_give_the_same_findings(analysis, grouped, find, same_findings):
    assert same_findings(find(analysis, grouped()), find(analysis, grouped()))


def test_everything_is_cut_from_the_trees_of_the_groundwork(grouped, find, monkeypatch):
    import polylens.clustering.spanning_tree as engine

    rows = grouped()
    analysis = Hdbscan(on="code", min_samples=4, subsamples=3)
    trees = find(analysis.groundwork(), rows)

    def refuse(*_, **__):
        raise AssertionError("a tree is made once")

    monkeypatch.setattr(engine, "hierarchy", refuse)
    found = find(analysis, rows, {GROUNDWORK: trees})
    partition = found.partition
    assert [item.name for item in partition.alternatives].count("subsample") == 3
    for name in ("order", "heights", "core"):
        assert np.array_equal(getattr(partition.hierarchy, name), getattr(trees.hierarchy, name))


@pytest.mark.parametrize(
    "changes",
    [
        {"min_cluster_size": 9},
        {"selection": "leaf"},
        {"max_cluster_size": 30},
        {"epsilon": 0.2},
        {"curve": ()},
        {"metric": "hamming"},
    ],
)
def test_what_only_reads_the_trees_asks_for_the_same_ones(changes):
    one = Hdbscan(on="code", min_samples=5).groundwork()
    other = Hdbscan(on="code", min_samples=5, **changes).groundwork()
    assert one.identity() == other.identity()


def test_the_groundwork_has_the_neighbours_of_the_main_clustering():
    assert Hdbscan(on="code", min_cluster_size=9).groundwork().min_samples == 9
    asked = Hdbscan(on="activation", metric="l1", scale="centre", min_samples=3, subsamples=4).groundwork()
    assert asked == SpanningTree(on="activation", metric="l1", scale="centre", min_samples=3, subsamples=4)
    assert Hdbscan(on="code", ties="library").groundwork() is None


def test_limits_reach_the_clusters(grouped, find):
    rows = grouped()
    options = {"on": "activation", "curve": (), "subsamples": 0}
    assert find(Hdbscan(**options, max_cluster_size=20), rows).partition.n_clusters != 4
    # The groups' centres are 8 times the square root of 2 apart: all splits are below 20, and those into the
    # two parts of everything stay, as everything is never a cluster.
    assert find(Hdbscan(**options, epsilon=20.0), rows).partition.n_clusters == 2
    assert find(Hdbscan(**options, epsilon=1.0), rows).partition.n_clusters == 4


def test_the_librarys_ties_find_clear_groups_as_well_but_say_no_persistence(grouped, find):
    found = find(Hdbscan(on="activation", ties="library", subsamples=2, curve=(10,)), grouped())
    assert found.partition.n_clusters == 4
    assert "ties as in scikit-learn" in found.partition.method
    assert "mean_persistence" not in found.numbers
    assert "persistence" not in found.tables["clusters"]
    assert [item.name for item in found.partition.alternatives] == ["min_cluster_size"] + ["subsample"] * 2


def test_stability_is_one_for_clear_groups_and_low_for_noise(grouped, make_rows, find):
    clear = find(Hdbscan(on="activation", subsamples=4), grouped()).numbers
    points = np.random.default_rng(0).normal(size=(150, 5))
    vague = find(Hdbscan(on="activation", subsamples=4, min_samples=2), make_rows(points)).numbers
    for name in ("stability_adjusted_rand", "stability_adjusted_mutual_information"):
        assert clear[name].value == pytest.approx(1.0)
        # A mean of exchanges scatters around 0 where every row is an example of its own.
        assert abs(clear[name].chance) < 0.05
        assert vague[name].value < 0.8
    assert "stability_adjusted_rand" not in find(Hdbscan(on="activation", subsamples=0), grouped()).numbers


def test_persistence_is_in_the_table_and_its_mean_among_the_numbers(grouped, find):
    found = find(Hdbscan(on="activation", subsamples=0), grouped())
    lasting = found.tables["clusters"]["persistence"]
    assert np.array_equal(lasting, found.partition.persistence)
    assert found.numbers["mean_persistence"].value == pytest.approx(lasting.mean())
    assert lasting.between(0, 1).all()


def test_another_seed_draws_other_subsamples_of_the_same_partition(grouped, find):
    one, other = (find(Hdbscan(on="activation"), grouped(), seed=seed).partition for seed in (0, 1))
    assert np.array_equal(one.labels, other.labels)
    assert not np.array_equal(one.alternatives[-1].rows, other.alternatives[-1].rows)


def test_two_analyses_of_one_kind_draw_the_same_subsamples(grouped, find):
    one, other = (find(Hdbscan(on=on, curve=()), grouped()).partition for on in ("activation", "code"))
    for a, b in zip(one.alternatives, other.alternatives, strict=True):
        assert np.array_equal(a.rows, b.rows)


def test_the_metric_follows_what_is_clustered(grouped, find):
    rows = grouped()
    for on, metric in (("activation", "euclidean"), ("code", "hamming")):
        method = find(Hdbscan(on=on, curve=(), subsamples=0), rows).partition.method
        assert method.startswith(f"HDBSCAN ({metric}, min_cluster_size 5, min_samples 5, eom) of {on}s")


def test_raw_inputs_are_clustered_by_euclidean_distance_with_the_same_sizes():
    inputs = Hdbscan(on="code", metric="jaccard", min_cluster_size=8, epsilon=0.1).on_inputs()
    assert (inputs.on, inputs.metric, inputs.min_cluster_size) == ("activation", "euclidean", 8)
    assert inputs.epsilon == 0.0
    assert Analysis.model_validate(inputs.to_plain()) == inputs


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on": "activation", "metric": "hamming"}, "'on: activation'; use euclidean, cosine or l1"),
        ({"on": "code", "sample": 100, "ties": "library"}, "'sample' needs 'ties: at_once'"),
        ({"on": "code", "min_cluster_size": 9, "max_cluster_size": 8}, "'max_cluster_size' is below"),
        ({"on": "code", "metric": "cosine"}, "does not fit 'on: code'; use hamming, jaccard or l1"),
        ({"on": "code", "scale": "centre"}, "'scale' is for activations"),
        ({"on": "code", "curve": (1, 5)}, "must be 2 or more"),
        ({"on": "code", "min_cluster_size": 1}, "greater than or equal to 2"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Hdbscan(**fields)


def test_too_few_rows_are_an_error_in_words(make_rows, find):
    with pytest.raises(DataError, match="3 rows are too few"):
        find(Hdbscan(on="activation"), make_rows(np.zeros((3, 2))))


def test_rows_without_clusters_are_all_noise_and_say_so(make_rows, find):
    found = find(Hdbscan(on="activation"), make_rows(np.zeros((30, 2)), targets=np.arange(30) % 3))
    assert found.numbers["coverage"].value == 0.0
    assert found.notes == ("No cluster was found: every row is noise.",)
    assert len(found.tables["clusters"]) == 0


def test_pictures_show_sizes_a_map_and_the_codes(grouped, find):
    rows = grouped()
    analysis = Hdbscan(on="activation", curve=(), subsamples=0)
    own = Outcome(rows, find(analysis, rows), {GROUNDWORK: find(analysis.groundwork(), rows)})
    figures = analysis.draw({"network": (own,)}, subject="A subject.")
    assert [figure.name for figure in figures] == [
        "cluster-sizes",
        "condensed-tree",
        "row-map",
        "distances",
        "codes-by-cluster",
        "medoid-codes",
    ]
    for figure in figures:
        assert figure.caption.endswith("A subject.")
        assert figure.png.startswith(b"\x89PNG")
        assert figure.alt


def test_pictures_of_noise_alone_can_be_drawn(make_rows, find):
    rows = make_rows(np.zeros((30, 2)))
    analysis = Hdbscan(on="activation")
    own = Outcome(rows, find(analysis, rows), {GROUNDWORK: find(analysis.groundwork(), rows)})
    assert len(analysis.draw({"network": (own,)}, subject="x")) == 4


def test_without_a_tree_there_is_no_picture_of_one(grouped, find):
    rows = grouped()
    analysis = Hdbscan(on="code", ties="library", curve=(), subsamples=0)
    figures = analysis.draw({"network": (Outcome(rows, find(analysis, rows), {}),)}, subject="x")
    assert [figure.title for figure in figures][:2] == ["Cluster sizes", "Map of the rows"]


@pytest.mark.parametrize("on", ["activation", "code"])
def test_past_a_number_of_rows_a_sample_is_clustered_and_the_others_join_its_clusters(on, grouped, find):
    rows = grouped(size=100)
    analysis = Hdbscan(on=on, sample=200, subsamples=2, curve=(5, 10), min_samples=5)
    trees = find(analysis.groundwork(), rows)
    found = find(analysis, rows, {GROUNDWORK: trees})
    partition = found.partition
    sample = partition.alternatives[0].rows
    assert len(sample) == 200 == len(trees.hierarchy.order)
    assert np.array_equal(sample, np.unique(sample))
    assert partition.n_clusters == 4
    assert partition.coverage > 0.9
    # Every cluster lies in one group of 100 rows, whether a row was sampled or not.
    for cluster in range(4):
        assert len(set(np.flatnonzero(partition.labels == cluster) // 100)) == 1
    for item, sub in zip(partition.alternatives[2:], trees.subhierarchies, strict=True):
        assert np.array_equal(item.rows, sub.rows)
        assert set(item.rows) <= set(sample)
    assert "a sample of 200 of 400 rows" in partition.method
    assert found.numbers["stability_adjusted_rand"].value > 0.8


def test_a_sample_of_all_rows_is_exact(grouped, find):
    rows = grouped()
    exact, sampled = (find(Hdbscan(on="code", sample=n, subsamples=2), rows) for n in (None, 100))
    assert exact.partition.method == sampled.partition.method
    assert np.array_equal(exact.partition.labels, sampled.partition.labels)
    assert dict(exact.numbers) == dict(sampled.numbers)
