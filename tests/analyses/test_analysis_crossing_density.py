from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses.crossing_density import CrossingDensity
from polylens.errors import DataError
from polylens.records import Findings


def _folded() -> nn.Module:
    """On a line: units that change at 0, 1, 2 and 3, then one that is on from 0.5 to 1.5 and 2.5 to 3.5."""
    net = dense(1, 4, 1, 2)
    net[0].weight.data = torch.ones(4, 1)
    net[0].bias.data = torch.tensor([0.0, -1.0, -2.0, -3.0])
    # 0 up to 0, rising to 1 at 1, falling to 0 at 2, rising to 1 at 3, falling after; its kink is at 1/2.
    net[2].weight.data = torch.tensor([[1.0, -2.0, 2.0, -2.0]])
    net[2].bias.data = torch.tensor([-0.5])
    return net


def test_crossings_are_counted_along_the_segment_and_their_ends_beside_them() -> None:
    # Classes by parity: same-class pairs are (-1, 4) and (-0.9, 1.8); crossings by hand.
    inputs = torch.tensor([[-1.0], [4.0], [-0.9], [1.8]])
    rows, at = probed(_folded(), inputs, np.array([0, 0, 1, 1]))
    found = probe(CrossingDensity(pairs=10, bins=1, resamples=20), rows, at)
    table = found.tables["pairs"].set_index(["left", "right"])
    # From -1 to 4: all 4 units of the first layer; the second's at 0.5, 1.5, 2.5 and 3.5.
    whole = table.loc[("example-0", "example-1")]
    assert whole["crossed_share"] == pytest.approx((4 / 4 + 4 / 1) / 2)
    assert whole["distance"] == 5.0
    # From -0.9 to 1.8: 0 and 1; 0.5 and 1.5.
    assert table.loc[("example-2", "example-3"), "crossed_share"] == pytest.approx(
        (2 / 4 + 2 / 1) / 2, rel=1e-6
    )
    assert found.numbers["crossings_per_length_same"].value == pytest.approx((8 + 4) / (5 + 2.7), rel=1e-6)
    assert found.numbers["endpoint_share.1"].value == 1.0
    # Of the second layer the ends show nothing on either: it is off at -1, 4, -0.9 and 1.8.
    assert found.numbers["endpoint_share.3"].value == 0.0
    assert 0 < found.numbers["endpoint_share"].value < 1
    assert found.numbers["exact"].value == 1.0
    assert found.numbers["pairs_different"].value == 4


def _clouds(n: int = 40) -> tuple[torch.Tensor, np.ndarray]:
    targets = np.arange(n) % 2
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(n, 4, generator=generator)
    points[:, 0] += 2.0 * torch.from_numpy(targets)
    return points, targets


def _findings(unit: type[nn.Module] = nn.ReLU, seed: int = 0) -> tuple[Outcome, Findings]:
    rows, at = probed(dense(4, 8, 8, 3, unit=unit), *_clouds())
    found = probe(CrossingDensity(pairs=60, resamples=20), rows, at, seed=seed)
    return Outcome(rows, found, {}), found


def test_ratios_have_intervals_chance_levels_and_pictures() -> None:
    outcome, found = _findings()
    number = found.numbers["matched_ratio"]
    assert number.low <= number.value <= number.high
    assert number.chance_is == "mean of 20 shuffles of classes over examples"
    assert found.numbers["endpoint_share.1"].value == 1.0
    assert found.numbers["crossings_per_length_same"].interval
    analysis = CrossingDensity(pairs=60, resamples=20)
    figures = analysis.draw({"network": (outcome,), "random_init": (outcome,)}, subject="x")
    assert [figure.name for figure in figures][-2:] == ["class-matrix", "endpoints"]
    assert all("Crossings are exact." in figure.caption for figure in figures)
    assert dict(_findings()[1].numbers) == dict(found.numbers)
    assert dict(_findings(seed=1)[1].numbers) != dict(found.numbers)


def test_a_smooth_network_is_sampled_and_called_inexact() -> None:
    inputs, targets = _clouds(8)
    rows, at = probed(dense(4, 5, 2, unit=nn.GELU), inputs, targets)
    analysis = CrossingDensity(pairs=10, bins=2, resamples=20)
    found = probe(analysis, rows, at)
    assert found.numbers["exact"].value == 0.0
    assert any("sampled" in note and "smooth" in note for note in found.notes)
    figures = analysis.draw({"network": (Outcome(rows, found, {}),)}, subject="x")
    assert all("not exact" in figure.caption for figure in figures)


def test_positions_equal_points_and_missing_classes_are_errors_or_counted(make_rows) -> None:
    _, at = probed(dense(2, 3, 2), torch.zeros(4, 2))
    with pytest.raises(DataError, match="single positions"):
        probe(CrossingDensity(), make_rows(np.zeros((4, 2)), targets=np.arange(4) % 2, grid=(2, 2)), at)
    rows, at = probed(dense(2, 3, 2), torch.eye(2))
    with pytest.raises(DataError, match="no classes"):
        probe(CrossingDensity(), rows, at)
    inputs = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0], [2.0, 1.0], [3.0, 3.0]])
    rows, at = probed(dense(2, 3, 2), inputs, np.array([0, 0, 0, 1, 1]))
    found = probe(CrossingDensity(pairs=10, bins=2, resamples=20), rows, at)
    assert found.numbers["zero_distance_pairs"].value == 1
