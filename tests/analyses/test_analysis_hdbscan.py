from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from polylens.analyses import Analysis, Outcome
from polylens.analyses.hdbscan import Hdbscan
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
    inputs = Hdbscan(on="code", metric="jaccard", min_cluster_size=8).on_inputs()
    assert (inputs.on, inputs.metric, inputs.min_cluster_size) == ("activation", "euclidean", 8)
    assert Analysis.model_validate(inputs.to_plain()) == inputs


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on": "activation", "metric": "hamming"}, "does not fit 'on: activation'; use euclidean or cosine"),
        ({"on": "code", "metric": "cosine"}, "does not fit 'on: code'; use hamming or jaccard"),
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
    own = Outcome(rows, find(analysis, rows), {})
    figures = analysis.draw({"network": (own,)}, subject="A subject.")
    assert [figure.name for figure in figures] == ["cluster-sizes", "row-map", "codes-by-cluster"]
    for figure in figures:
        assert figure.caption.endswith("A subject.")
        assert figure.png.startswith(b"\x89PNG")
        assert figure.alt


def test_pictures_of_noise_alone_can_be_drawn(make_rows, find):
    rows = make_rows(np.zeros((30, 2)))
    analysis = Hdbscan(on="activation")
    own = Outcome(rows, find(analysis, rows), {})
    assert len(analysis.draw({"network": (own,)}, subject="x")) == 2
