from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from tests.geometry.networks import network
from torch import nn

from polylens.analyses import Outcome, Probed
from polylens.analyses.scaling import Scaling
from polylens.errors import DataError
from polylens.records import Origins, Rows

FEW = {"draws": 2, "resamples": 20}


def one_unit(bias: float) -> nn.Module:
    """Logits (relu(x + bias), 0.5): the unit flips, and so does the class, as x is scaled down."""
    network = nn.Sequential(nn.Identity(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2)).eval()
    network[1].weight.data[:], network[1].bias.data[:] = 1.0, bias
    network[3].weight.data = torch.tensor([[1.0], [0.0]])
    network[3].bias.data = torch.tensor([0.0, 0.5])
    return network


def at_layer(rows: Rows, at: Probed, layer: str) -> tuple[Rows, Probed]:
    return replace(rows, layer=layer), replace(at, layer=layer)


def test_flips_predictions_and_boundaries_of_one_unit_are_counted_by_hand() -> None:
    # At x = 2 and 4 the unit is on; with a bias of -1 it goes off below x = 1, the class changes below 1.5.
    rows, at = at_layer(*probed(one_unit(-1.0), torch.tensor([[2.0], [4.0]])), "0")
    found = probe(Scaling(factors=(0.1, 0.4, 2.0), **FEW), rows, at)
    numbers = found.numbers
    # x 0.1: 0.2 and 0.4 are both off. x 0.4: 0.8 is off and 1.6 on, whose logit 0.6 still wins.
    assert [numbers[f"scaled_flipped_bits.x{f}"].value for f in ("0.1", "0.4", "2")] == [1.0, 0.5, 0.0]
    assert [numbers[f"scaled_changed_predictions.x{f}"].value for f in ("0.1", "0.4", "2")] == [1.0, 0.5, 0.0]
    assert [numbers[f"boundaries.x{f}"].value for f in ("0.1", "0.4", "2")] == [1.0, 0.5, 0.0]
    assert numbers["exact"].value == 1.0
    # Two of six scaled values of the unit are zero vectors, beside what displacements do.
    assert any("angles are not defined" in note for note in found.notes)
    table = found.tables["factors"]
    kl = table.query("measure == 'kl_divergence' and change == 'scaled' and factor == 2.0")["value"].item()
    logits = torch.tensor([[[1.0, 0.5], [3.0, 0.5]], [[3.0, 0.5], [7.0, 0.5]]], dtype=torch.float64)
    old, new = torch.log_softmax(logits, dim=-1)
    expected = ((old.exp() * (old - new)).sum(-1) / np.log(2)).mean().item()
    assert kl == pytest.approx(expected, rel=1e-9)


def test_without_biases_nothing_flips_and_angles_stay() -> None:
    module = dense(6, 16, 16, 16, 4, seed=2)
    for part in module:
        if isinstance(part, nn.Linear):
            part.bias.zero_()
    rows, at = at_layer(*probed(module, torch.randn(20, 6)), "1")
    found = probe(Scaling(factors=(1e-3, 0.3, 7.0, 1e4), crossings=5, **FEW), rows, at)
    scaled = found.tables["factors"].query("change == 'scaled'")
    for measure in ("flipped_bits", "changed_predictions"):
        assert (scaled[scaled["measure"] == measure]["value"] == 0).all()
    np.testing.assert_allclose(scaled[scaled["measure"] == "angle"]["value"], 0, atol=1e-5)
    assert (found.tables["crossings"]["boundaries"] == 0).all()
    assert found.numbers["flipped_bits_ratio"].value == 0.0
    assert found.numbers["displaced_flipped_bits.x7"].value > 1


def test_displacements_are_as_long_as_what_scaling_moves() -> None:
    # With a network that hands its input on, the distance of the output says how far the layer was moved.
    module = nn.Sequential(nn.Identity(), nn.Linear(3, 3), nn.Unflatten(1, (3, 1)), nn.Flatten(2)).eval()
    module[1].weight.data, module[1].bias.data = torch.eye(3), torch.zeros(3)
    rows, at = at_layer(*probed(module, torch.randn(5, 3)), "0")
    found = probe(Scaling(factors=(0.25, 3.0), **FEW), rows, at)
    moved = found.tables["factors"].query("measure == 'output_distance'").set_index(["change", "factor"])
    for change in ("scaled", "displaced"):
        assert moved.loc[(change, 0.25), "value"] == pytest.approx(0.75)
        assert moved.loc[(change, 3.0), "value"] == pytest.approx(2.0)
    assert "no logits" in " ".join(found.notes)


def spatial() -> tuple[Rows, Probed]:
    module, shape = network("residual", seed=4)
    _, at = at_layer(*probed(module, torch.randn(4, *shape, dtype=torch.float64)), "relu")
    origins = Origins(
        np.array([0, 0, 2, 3]), np.array([10, 24, 24, 30]), (7, 7), tuple(f"example-{k}" for k in range(4))
    )
    return Rows("relu", origins), at


def test_one_position_is_scaled_and_boundaries_on_the_way_are_no_fewer_than_flips() -> None:
    rows, at = spatial()
    found = probe(Scaling(factors=(0.2, 4.0), **FEW), rows, at).numbers
    for factor in ("0.2", "4"):
        assert found[f"boundaries.x{factor}"].value >= found[f"scaled_flipped_bits.x{factor}"].value > 0
    whole = Rows("relu", Origins(np.arange(4), np.zeros(4, np.int64), (), rows.origins.example_ids))
    everywhere = probe(Scaling(factors=(0.2, 4.0), **FEW), whole, at).numbers
    assert everywhere["scaled_flipped_bits.x0.2"].value > found["scaled_flipped_bits.x0.2"].value


def test_the_same_seed_gives_the_same_and_pictures_are_drawn() -> None:
    rows, at = at_layer(*probed(dense(4, 8, 8, 3), torch.randn(12, 4)), "1")
    analysis = Scaling(rows=9, factors=(0.5, 2.0), crossings=3, **FEW)
    one, other = probe(analysis, rows, at), probe(analysis, rows, at)
    assert dict(one.numbers) == dict(other.numbers)
    outcomes = {"network": (Outcome(rows, one, {}),), "random_init": (Outcome(rows, other, {}),) * 2}
    figures = analysis.draw(outcomes, subject="A subject.")
    assert [figure.name for figure in figures] == ["factors", "flips-by-layer"]
    assert all(figure.png.startswith(b"\x89PNG") for figure in figures)


def test_the_output_has_nothing_behind_it() -> None:
    rows, at = at_layer(*probed(dense(4, 8, 3), torch.randn(5, 4)), "output")
    with pytest.raises(DataError, match="changes nothing"):
        probe(Scaling(**FEW), rows, at)
