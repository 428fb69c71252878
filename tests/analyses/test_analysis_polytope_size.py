from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses.polytope_size import PolytopeSize
from polylens.errors import DataError


def _grid() -> tuple[nn.Module, torch.Tensor, np.ndarray]:
    """Boundaries at 0.5, 1.5 and 2.5 of a line; points at 0, 0.4, 1, 2.2 and 2.3."""
    net = dense(1, 3, 2)
    net[0].weight.data.fill_(1.0)
    net[0].bias.data = torch.tensor([-0.5, -1.5, -2.5])
    return net, torch.tensor([[0.0], [0.4], [1.0], [2.2], [2.3]]), np.array([0, 0, 1, 1, 0])


def test_boundaries_and_neighbours_of_points_on_a_line() -> None:
    net, points, targets = _grid()
    rows, at = probed(net, points, targets)
    found = probe(PolytopeSize(resamples=20), rows, at)
    table = found.tables["points"]
    np.testing.assert_allclose(table["boundary_distance"], [0.5, 0.1, 0.5, 0.3, 0.2], atol=1e-6)
    np.testing.assert_allclose(table["neighbour_distance"], [0.4, 0.4, 0.6, 0.1, 0.1], atol=1e-6)
    np.testing.assert_allclose(table["same_class_distance"], [0.4, 0.4, 1.2, 1.2, 1.9], atol=1e-6)
    np.testing.assert_allclose(table["other_class_distance"], [1.0, 0.6, 0.6, 0.1, 0.1], atol=1e-6)
    # 0 and 0.4 share a polytope, 2.2 and 2.3 another, and 1 lies alone.
    assert table["same_polytope"].tolist() == [True, True, False, True, True]
    assert found.numbers["same_polytope"].value == pytest.approx(4 / 5)
    assert found.numbers["distinct_polytopes"].value == pytest.approx(3 / 5)
    # From 1 to 0.4 and 2.2 one boundary is passed, to the others of their class one or two.
    assert table["neighbour_units"].tolist() == [0, 0, 1, 0, 0]
    assert table["same_class_units"].tolist() == [0, 0, 1, 1, 2]
    # 0.8, 4, 1.2, 1/3, 0.5
    assert found.numbers["neighbour_over_boundary"].value == pytest.approx(0.8, rel=1e-5)
    assert found.numbers["boundary_of.1"].value == 1.0
    layers = found.tables["layers"].set_index("layer")
    assert layers.loc["all", "examples_sharing"] == pytest.approx(4 / 5)
    # Of the two pairs that share a polytope, one is of one class.
    assert layers.loc["all", "sharing_same_class"] == pytest.approx(1 / 2)
    assert found.tables["classes"].set_index("class").loc["class 1", "points"] == 2


def test_equal_points_and_cells_without_end_are_defined_and_counted() -> None:
    net, _, targets = _grid()
    net[0].weight.data.zero_()
    points = torch.tensor([[1.0], [1.0], [2.0], [3.0], [4.0]])
    rows, at = probed(net, points, targets)
    found = probe(PolytopeSize(resamples=20), rows, at)
    assert found.numbers["unbounded_points"].value == 5
    assert found.numbers["neighbour_over_boundary"].value == 0.0
    assert "boundary_distance" not in found.numbers
    assert any("without any boundary" in note for note in found.notes)
    assert any("equal their nearest neighbour" in note for note in found.notes)


def test_fewer_points_are_drawn_evenly_from_the_classes_and_found_again() -> None:
    targets = np.repeat([0, 1], [30, 6])
    generator = torch.Generator().manual_seed(0)
    rows, at = probed(dense(3, 8, 8, 2), torch.randn(36, 3, generator=generator), targets)
    analysis = PolytopeSize(points=10, resamples=20)
    found = probe(analysis, rows, at)
    assert found.tables["points"]["class"].value_counts().to_dict() == {"class 0": 5, "class 1": 5}
    again = probe(analysis, rows, at)
    assert dict(again.numbers) == dict(found.numbers)
    assert sum(found.numbers[f"boundary_of.{layer}"].value for layer in (1, 3)) == pytest.approx(1)


def test_smooth_networks_and_single_positions_are_refused_in_words(make_rows) -> None:
    rows, at = probed(dense(2, 3, 2, unit=nn.GELU), torch.zeros(4, 2))
    with pytest.raises(DataError, match="smooth"):
        probe(PolytopeSize(), rows, at)
    _, at = probed(dense(2, 3, 2), torch.zeros(4, 2))
    positions = make_rows(np.zeros((4, 2)), grid=(2, 2))
    with pytest.raises(DataError, match="single positions") as caught:
        probe(PolytopeSize(), positions, at)
    assert "positions: all" in str(caught.value)
    rows, at = probed(dense(2, 3, 2), torch.zeros(1, 2))
    with pytest.raises(DataError, match="no neighbour"):
        probe(PolytopeSize(), rows, at)


@pytest.mark.parametrize("with_classes", [True, False])
def test_pictures_can_be_drawn_beside_controls_and_without_classes(with_classes: bool) -> None:
    net, points, targets = _grid()
    rows, at = probed(net, points, targets if with_classes else None)
    analysis = PolytopeSize(resamples=20)
    outcome = Outcome(rows, probe(analysis, rows, at), {})
    figures = analysis.draw({"network": (outcome,), "random_init": (outcome, outcome)}, subject="x")
    assert [figure.name for figure in figures] == ["sizes", "scores", "classes"][: 3 if with_classes else 2]
