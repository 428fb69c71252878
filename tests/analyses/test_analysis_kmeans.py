from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from polylens.analyses import Outcome
from polylens.analyses.kmeans import Kmeans
from polylens.errors import DataError


@pytest.mark.parametrize("on", ["activation", "code"])
def test_groups_are_found_and_findings_repeat(on, grouped, find, same_findings):
    analysis = Kmeans(on=on, clusters=4, subsamples=3)
    rows = grouped()
    found = find(analysis, rows)
    assert np.bincount(found.partition.labels).tolist() == [25, 25, 25, 25]
    assert found.numbers["coverage"].value == 1.0
    assert found.numbers["mean_strength"].interval.startswith("5 to 95 % of 3 subsamples")
    assert same_findings(found, find(analysis, rows))


def test_a_subsample_with_too_few_distinct_rows_is_left_out_and_named(make_rows, find):
    points = np.zeros((20, 1))
    points[:2, 0] = [1.0, 2.0]  # three distinct rows, two of them single
    found = find(Kmeans(on="activation", clusters=3), make_rows(points))
    kept = [item for item in found.partition.alternatives if item.name == "subsample"]
    assert 0 < len(found.notes) == 10 - len(kept)
    assert "distinct rows cannot make 3 clusters" in found.notes[0]


def test_too_few_distinct_rows_are_an_error(make_rows, find):
    with pytest.raises(DataError, match="1 distinct rows cannot make 2 clusters"):
        find(Kmeans(on="activation", clusters=2), make_rows(np.zeros((20, 1))))


def test_bits_have_no_scale():
    with pytest.raises(ValidationError, match="'scale' is for activations"):
        Kmeans(on="code", clusters=3, scale="centre")


def test_pictures_can_be_drawn(grouped, find):
    rows = grouped()
    analysis = Kmeans(on="code", clusters=3, subsamples=0)
    figures = analysis.draw({"network": (Outcome(rows, find(analysis, rows), {}),)}, subject="x")
    assert [figure.name for figure in figures] == ["cluster-sizes", "row-map", "codes-by-cluster"]
