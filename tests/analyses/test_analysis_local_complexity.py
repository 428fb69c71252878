from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses.local_complexity import LocalComplexity
from polylens.errors import DataError


def _line() -> nn.Module:
    """Boundaries at 0, 1 and 1.5 of a line."""
    net = dense(1, 3, 1)
    net[0].weight.data.fill_(1.0)
    net[0].bias.data = torch.tensor([0.0, -1.0, -1.5])
    return net


def test_boundaries_within_a_radius_of_points_on_a_line() -> None:
    # Within 0.6 of 0.2, 1.2 and 9: one boundary, two, none.
    rows, at = probed(_line(), torch.tensor([[0.2], [1.2], [9.0]]), np.array([0, 0, 1]))
    found = probe(LocalComplexity(radii=(0.6, 2.0), directions=5, resamples=20), rows, at)
    for name in ("sampled", "met", "crossed", "sampled.1"):
        assert found.numbers[name].value == pytest.approx(1.0)
    # Within 2: all three, all three, none.
    assert found.numbers["sampled.r2"].value == pytest.approx(2.0)
    assert found.numbers["sampled_finds"].value == 1.0
    assert found.numbers["exact"].value == 1.0
    assert "The layer has 1 numbers: so many directions were taken." in found.notes
    classes = found.tables["classes"]
    here = classes[(classes["radius"] == 0.6) & (classes["layer"] == "all")].set_index("class")
    assert here["sampled"].to_dict() == {"class 0": 1.5, "class 1": 0.0}


def test_radii_can_be_shares_of_the_distance_between_neighbours() -> None:
    rows, at = probed(_line(), torch.tensor([[0.2], [1.2], [2.2], [3.2]]))
    found = probe(LocalComplexity(radii=(0.6,), radii_in="neighbours", resamples=20), rows, at)
    assert found.numbers["radius_unit"].value == pytest.approx(1.0)
    # Within 0.6: one, two, none (1.5 is 0.7 away), none.
    assert found.numbers["met"].value == pytest.approx(3 / 4)
    rows, at = probed(_line(), torch.zeros(4, 1))
    with pytest.raises(DataError, match="radii_in: space"):
        probe(LocalComplexity(radii_in="neighbours"), rows, at)


def test_a_unit_that_takes_its_crossing_back_is_met_and_not_sampled() -> None:
    net = dense(1, 2, 1, 1)
    net[0].weight.data, net[0].bias.data = torch.tensor([[1.0], [-1.0]]), torch.tensor([-1.0, -1.0])
    # relu(x - 1) + relu(-x - 1) - 1 is above 0 only beyond 2 on either side.
    net[2].weight.data, net[2].bias.data = torch.tensor([[1.0, 1.0]]), torch.tensor([-1.0])
    net.append(nn.ReLU())
    net.append(nn.Linear(1, 1))
    rows, at = probed(net.eval(), torch.tensor([[0.0], [0.1]]))
    found = probe(LocalComplexity(radii=(3.0,), directions=1, resamples=20), rows, at)
    layers = found.tables["layers"]
    deep = layers[(layers["at"] == "example") & (layers["layer"] == "3")].iloc[0]
    assert (deep["sampled"], deep["met"], deep["crossed"]) == (0.0, 1.0, 2.0)


def test_smooth_units_are_sampled_only_and_it_is_said() -> None:
    rows, at = probed(dense(3, 6, 2, unit=nn.GELU), torch.randn(4, 3), np.array([0, 1, 0, 1]))
    analysis = LocalComplexity(radii=(1.0, 0.1), resamples=20, directions=2)
    found = probe(analysis, rows, at)
    assert found.numbers["exact"].value == 0.0
    assert "met" not in found.numbers
    assert found.notes[0].startswith("Nothing exact is known: gelu at '1' is smooth")
    outcomes = {"network": (Outcome(rows, found, {}),)}
    assert len(analysis.draw(outcomes, subject="x")) == 3


def test_the_same_seed_gives_the_same_numbers_and_pictures_stand_beside_controls() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, at = probed(dense(3, 8, 8, 2), torch.randn(12, 3, generator=generator), np.arange(12) % 3)
    analysis = LocalComplexity(points=6, radii=(0.5, 0.1), directions=3, resamples=20)
    one, other = probe(analysis, rows, at), probe(analysis, rows, at)
    assert dict(one.numbers) == dict(other.numbers)
    points = one.tables["points"]
    assert (points["sampled"] <= points["met"]).all()
    outcomes = {"network": (Outcome(rows, one, {}),), "random_init": (Outcome(rows, other, {}),) * 2}
    names = [figure.name for figure in analysis.draw(outcomes, subject="x")]
    assert names == ["radii", "random-points", "classes"]
