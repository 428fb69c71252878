from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses.path_density import PathDensity
from polylens.errors import DataError
from polylens.records import Findings


def _line(kinks: list[float]) -> nn.Module:
    """A network of a line with kinks at these places, whose prediction switches at 1/2."""
    net = dense(1, len(kinks) + 1, 2)
    net[0].weight.data = torch.ones(len(kinks) + 1, 1)
    net[0].bias.data = torch.tensor([10.0, *(-kink for kink in kinks)])
    # The first unit is always on: the logits are 0 and x - 1/2.
    net[2].weight.data.zero_()
    net[2].weight.data[1, 0] = 1.0
    net[2].bias.data = torch.tensor([0.0, -10.5])
    return net


def _ends(n: int = 24) -> tuple[torch.Tensor, np.ndarray]:
    """Points of two classes on both sides of 1/2, some of each also on the other's."""
    rng = np.random.default_rng(0)
    targets = np.arange(n) % 2
    return torch.from_numpy(np.where(targets, 0.7, 0.0) + 0.3 * rng.random(n))[:, None].float(), targets


def _found(net: nn.Module, inputs: torch.Tensor, targets: np.ndarray, **fields: object) -> Findings:
    rows, at = probed(net, inputs, targets)
    settings = {"pairs": 60, "bins": 2, "resamples": 20, **fields}
    return probe(PathDensity.model_validate(settings), rows, at)


def test_boundaries_at_the_switch_raise_the_switch_ratio_far_above_chance() -> None:
    inputs, targets = _ends()
    inputs = inputs * 0.9 + 0.05 * torch.rand(len(inputs), 1, generator=torch.Generator().manual_seed(1))
    at_switch = _found(_line([0.49, 0.495, 0.505, 0.51]), inputs, targets)
    number = at_switch.numbers["switch_ratio"]
    # Paths are 0.4 to 1 long: the middle piece, a twentieth of the path, holds all four boundaries.
    assert number.value == pytest.approx(20, rel=0.3)
    assert number.low > 2 * number.chance
    assert at_switch.numbers["switching_share_different"].value == 1.0
    assert at_switch.numbers["switches_per_path_different"].value == 1.0
    assert at_switch.numbers["switching_share_same"].value == 0.0
    assert "The prediction switches on no same-class path: no ratio there." in at_switch.notes
    even = _found(_line(np.linspace(0.01, 0.99, 99).tolist()), inputs, targets)
    assert even.numbers["switch_ratio"].value == pytest.approx(1.0, abs=0.15)
    elsewhere = _found(_line([0.42, 0.43, 0.57, 0.58]), inputs, targets)
    assert elsewhere.numbers["switch_ratio"].value == 0.0
    table = elsewhere.tables["around_switches"]
    assert table.groupby("layer")["relative"].max().gt(2).all()


def test_the_tables_hold_every_piece_layer_and_kind() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(30, 4, generator=generator), np.arange(30) % 3
    found = _found(dense(4, 8, 8, 3), inputs, targets, around=2, pieces=4)
    around, along = found.tables["around_switches"], found.tables["along_paths"]
    assert len(around) == 2 * 3 * 5
    assert len(along) == 2 * 3 * 4
    np.testing.assert_allclose(around["offset"].unique(), [-0.1, -0.05, 0, 0.05, 0.1], atol=1e-12)
    one = along[(along["kind"] == "same") & (along["layer"] == "1")]
    assert (one["low"] <= one["high"]).all()
    assert found.tables["pairs"]["switches"].sum() > 0
    again = _found(dense(4, 8, 8, 3), inputs, targets, around=2, pieces=4)
    assert dict(again.numbers) == dict(found.numbers)


def test_spherical_paths_are_chords_and_pairs_without_a_great_circle_are_counted() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(8, 3, generator=generator)
    inputs[0] = 0.0
    rows, at = probed(dense(3, 6, 2), inputs, np.arange(8) % 2)
    analysis = PathDensity(pairs=100, path="spherical", chords=4, bins=2, resamples=20)
    found = probe(analysis, rows, at)
    assert found.numbers["pairs_without_path"].value == 7
    assert any("no great circle" in note for note in found.notes)
    ends = rows.activations[1], rows.activations[2]
    pairs = found.tables["pairs"].set_index(["left", "right"])
    assert pairs.loc[("example-2", "example-1"), "distance"] > np.linalg.norm(ends[0] - ends[1])
    figures = analysis.draw({"network": (Outcome(rows, found, {}),)}, subject="x")
    assert "4 exact straight chords" in figures[0].caption


def test_pictures_stand_beside_controls_and_say_whether_crossings_are_exact() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(12, 3, generator=generator), np.arange(12) % 2
    rows, at = probed(dense(3, 6, 6, 2), inputs, targets)
    analysis = PathDensity(pairs=20, bins=2, resamples=20)
    own = Outcome(rows, probe(analysis, rows, at), {})
    # Of a network that always says the same there are no switches.
    flat = dense(3, 6, 6, 2, seed=1)
    flat[4].weight.data.zero_()
    rows, at = probed(flat, inputs, targets)
    control = Outcome(rows, probe(analysis, rows, at), {})
    assert not any(name.startswith("switch_ratio") for name in control.findings.numbers)
    figures = analysis.draw({"network": (own,), "random_init": (control, control)}, subject="x")
    assert [figure.name for figure in figures][:3] == ["around-switches", "along-paths", "switch-ratios"]
    assert all("Crossings are exact." in figure.caption for figure in figures)
    assert analysis.draw({"network": (control,)}, subject="x")


def test_a_smooth_network_is_sampled_and_positions_are_refused(make_rows) -> None:
    generator = torch.Generator().manual_seed(0)
    rows, at = probed(dense(2, 4, 2, unit=nn.GELU), torch.randn(6, 2, generator=generator), np.arange(6) % 2)
    found = probe(PathDensity(pairs=10, bins=2, resamples=20), rows, at)
    assert found.numbers["exact"].value == 0.0
    assert any("sampled" in note for note in found.notes)
    with pytest.raises(DataError, match="single positions"):
        probe(PathDensity(), make_rows(np.zeros((4, 2)), targets=np.arange(4) % 2, grid=(2, 2)), at)
