from __future__ import annotations

import numpy as np
import pytest

from polylens.analyses import Outcome
from polylens.analyses.hdbscan import Hdbscan
from polylens.analyses.partition_agreement import PartitionAgreement
from polylens.errors import DataError
from polylens.records import Findings, Partition


def _given(**labels: np.ndarray) -> dict[str, Findings]:
    return {
        name: Findings(
            partition=Partition(each, np.ones(len(each), np.float32), np.zeros(int(each.max()) + 1, np.int64))
        )
        for name, each in labels.items()
    }


ANALYSIS = PartitionAgreement(of=("a", "b"))


def test_a_partition_agrees_with_itself_under_other_names(make_rows, find):
    labels = np.repeat([0, 1, 2, -1], [20, 15, 10, 5])
    renamed = np.repeat([2, 0, 1, -1], [20, 15, 10, 5])
    found = find(ANALYSIS, make_rows(np.zeros((50, 1))), _given(a=labels, b=renamed)).numbers
    assert found["adjusted_mutual_information"].value == pytest.approx(1.0)
    assert found["adjusted_rand"].value == pytest.approx(1.0)
    assert found["clustered_by_both"].value == 0.9
    assert found["adjusted_rand"].chance == pytest.approx(0.0, abs=0.05)


def test_unrelated_partitions_agree_at_chance(make_rows, find):
    rng = np.random.default_rng(0)
    pair = {name: rng.integers(-1, 5, 300) for name in ("a", "b")}
    found = find(ANALYSIS, make_rows(np.zeros((300, 1))), _given(**pair)).numbers
    for name in ("adjusted_mutual_information", "adjusted_rand_clustered"):
        assert found[name].value == pytest.approx(0.0, abs=0.03)
        assert found[name].low <= found[name].high


def test_leaving_out_the_same_rows_is_no_agreement(make_rows, find):
    rng = np.random.default_rng(0)
    noise = rng.random(400) < 0.5
    pair = {name: np.where(noise, -1, rng.integers(0, 4, 400)) for name in ("a", "b")}
    found = find(ANALYSIS, make_rows(np.zeros((400, 1))), _given(**pair)).numbers
    for name in ("adjusted_mutual_information", "adjusted_mutual_information_clustered"):
        assert found[name].value == pytest.approx(0.0, abs=0.03)


def test_the_table_counts_rows_with_noise_last(make_rows, find):
    pair = _given(a=np.array([0, 0, 1, -1]), b=np.array([0, 1, 1, 1]))
    table = find(ANALYSIS, make_rows(np.zeros((4, 1))), pair).tables["contingency"]
    assert table.columns.tolist() == ["a / b", "0", "1"]
    assert table.to_numpy().tolist() == [["0", 1, 1], ["1", 0, 1], ["noise", 0, 1]]


def test_common_subsamples_give_the_interval_of_two_clusterings(grouped, find):
    rows = grouped()
    pair = {"a": find(Hdbscan(on="activation"), rows), "b": find(Hdbscan(on="code"), rows)}
    number = find(ANALYSIS, rows, pair).numbers["adjusted_mutual_information"]
    assert number.interval.startswith("5 to 95 % of 10 subsamples")
    assert number.value > 0.8


def test_partitions_without_common_subsamples_say_what_their_interval_is(make_rows, find):
    labels = np.arange(60) % 3
    number = find(ANALYSIS, make_rows(np.zeros((60, 1))), _given(a=labels, b=labels)).numbers["adjusted_rand"]
    assert number.interval == "5 to 95 % of 50 draws of 80 % of the examples, the partitions as they are"


def test_rows_that_cannot_be_exchanged_are_counted(make_rows, find):
    example = np.repeat(np.arange(4), [1, 1, 2, 3])
    labels = np.arange(7) % 2
    found = find(ANALYSIS, make_rows(np.zeros((7, 1)), example=example), _given(a=labels, b=labels))
    assert found.notes == ("5 rows are of examples with a row count of their own and stay.",)


def test_an_upstream_without_clusters_is_named(make_rows, find):
    upstream = {**_given(a=np.zeros(3, np.int64)), "b": Findings()}
    with pytest.raises(DataError, match="'b' gives no clusters"):
        find(ANALYSIS, make_rows(np.zeros((3, 1))), upstream)


def test_pictures_show_the_table_and_the_scores(grouped, find):
    rows = grouped()
    pair = {
        "a": find(Hdbscan(on="activation", curve=()), rows),
        "b": find(Hdbscan(on="code", curve=()), rows),
    }
    own = Outcome(rows, find(ANALYSIS, rows, pair), pair)
    names = [figure.name for figure in ANALYSIS.draw({"network": (own,)}, subject="x")]
    assert names == ["contingency", "agreement"]
