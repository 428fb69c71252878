from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses.local_affine import LocalAffine
from polylens.errors import DataError


def test_maps_on_a_line_and_across_its_one_boundary() -> None:
    # y = 3x above 0 and 1x below: maps 3 and 1, two values apart over a mean of two.
    net = dense(1, 2, 1)
    net[0].weight.data, net[0].bias.data = torch.tensor([[1.0], [-1.0]]), torch.zeros(2)
    net[2].weight.data, net[2].bias.data = torch.tensor([[3.0, -1.0]]), torch.zeros(1)
    rows, at = probed(net, torch.tensor([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1]))
    found = probe(LocalAffine(pairs=10, resamples=20), rows, at)
    pairs = found.tables["pairs"]
    # Both pairs of one class lie in one polytope; the others cross the boundary, where both units change.
    assert pairs["same_class"].tolist() == [True, True, False, False, False, False]
    assert pairs["ends"].tolist() == pytest.approx([0, 0, 1, 1, 1, 1])
    assert pairs["steps"].tolist() == pytest.approx([0, 0, 1, 1, 1, 1])
    assert pairs["units"].tolist() == pytest.approx([0, 0, 1, 1, 1, 1])
    assert found.numbers["ends_different"].value == pytest.approx(1.0)
    assert found.numbers["steps_different"].chance == found.numbers["ends_random"].value
    assert found.numbers["maps_by_codes"].value == pytest.approx(1.0)
    assert found.numbers["effective_rank"].value == pytest.approx(1.0)
    assert found.numbers["largest_singular_value"].value == pytest.approx(2.0)
    assert any("2 pairs meet no boundary" in note for note in found.notes)


def test_maps_of_a_dead_network_are_zero_and_counted() -> None:
    net = dense(2, 3, 2)
    net[0].weight.data.zero_(), net[0].bias.data.fill_(-1.0)
    rows, at = probed(net, torch.randn(8, 2), np.arange(8) % 2)
    found = probe(LocalAffine(pairs=5, resamples=20), rows, at)
    assert found.numbers["effective_rank"].value == 0.0
    assert "8 maps are zero: their effective rank is 0." in found.notes
    assert "ends_ratio" not in found.numbers


def test_findings_repeat_and_are_drawn_beside_controls() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, at = probed(dense(3, 8, 8, 2), torch.randn(20, 3, generator=generator), np.arange(20) % 2)
    analysis = LocalAffine(points=16, pairs=20, steps=3, bins=3, resamples=20)
    one = probe(analysis, rows, at)
    assert dict(one.numbers) == dict(probe(analysis, rows, at).numbers)
    assert len(one.tables["spectrum"]) == 2
    # Shares of 16 units, exactly: equal ones tie, whatever the distance of the points.
    units = 16 * one.tables["pairs"]["units"].to_numpy()
    np.testing.assert_array_equal(units, units.round())
    outcome = Outcome(rows, one, {})
    figures = analysis.draw({"network": (outcome,), "random_init": (outcome, outcome)}, subject="x")
    assert [figure.name for figure in figures] == ["scores", "spectra", "map-distances", "maps-by-codes"]


def test_what_cannot_be_compared_is_refused_in_words() -> None:
    rows, at = probed(dense(2, 3, 2), torch.randn(4, 2))
    with pytest.raises(DataError, match="no classes"):
        probe(LocalAffine(), rows, at)
    rows, at = probed(dense(2, 3, 2), torch.randn(4, 2), np.arange(4))
    with pytest.raises(DataError, match="no pair of one class"):
        probe(LocalAffine(), rows, at)
    rows, at = probed(dense(2, 3, 2, unit=nn.Tanh), torch.randn(4, 2), np.arange(4) % 2)
    with pytest.raises(DataError, match="piecewise linear"):
        probe(LocalAffine(), rows, at)
