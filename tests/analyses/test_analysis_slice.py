from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses.slice import PlaneSlice
from polylens.errors import DataError


def corner() -> nn.Module:
    """The signs of x and y: four cells around the origin. The first logit is relu(x), the second relu(y)."""
    net = dense(2, 2, 2)
    net[0].weight.data, net[2].weight.data = torch.eye(2), torch.eye(2)
    for layer in (net[0], net[2]):
        layer.bias.data.zero_()
    return net


THREE = torch.tensor([[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]])


def test_counted_by_hand_four_polytopes_and_where_the_prediction_changes() -> None:
    rows, at = probed(corner(), THREE, np.array([0, 1, 2]))
    found = probe(PlaneSlice(slices=3, margin=0.0, resamples=20), rows, at)
    slices = found.tables["slices"]
    assert slices["cells"].tolist() == [4, 4, 4]
    np.testing.assert_allclose(slices["side"], 2.0)
    np.testing.assert_allclose(slices["median_cell_share"], 1 / 4)
    # Two edges of length 2; the diagonal of one square, and an edge of the one where both logits are zero.
    np.testing.assert_allclose(slices["boundary_length"], 4.0)
    np.testing.assert_allclose(slices["decision_length"], 1 + np.sqrt(2))
    assert slices["regions"].tolist() == [2, 2, 2]
    # The first logit leads in three cells, the second one in two.
    np.testing.assert_allclose(slices["cells_per_region"], 5 / 2)
    assert found.numbers["certificate_holds"].value == 1.0
    cells = found.tables["cells"]
    np.testing.assert_allclose(cells["area_share"], 1 / 4)
    assert sorted(cells["predictions"]) == [1, 1, 1, 2]
    assert found.tables["examples"]["example"].nunique() == 3


def test_boundaries_that_are_the_decision_boundary_are_near_it() -> None:
    # One unit, x, which is also the only place where the prediction changes.
    net = dense(2, 1, 2)
    net[0].weight.data = torch.tensor([[1.0, 0.0]])
    net[0].bias.data.fill_(-0.25)
    net[2].weight.data, net[2].bias.data = torch.tensor([[0.0], [1.0]]), torch.zeros(2)
    rows, at = probed(net, THREE, np.array([0, 1, 2]))
    numbers = probe(PlaneSlice(slices=2, margin=0.0, near=0.01, resamples=20), rows, at).numbers
    assert numbers["near_decision"].value == pytest.approx(1.0)
    assert numbers["near_decision"].chance is not None
    assert numbers["near_decision"].chance < 0.4
    assert numbers["near_decision_ratio"].value == pytest.approx(1 / numbers["near_decision"].chance)


def test_a_slice_without_any_change_of_prediction_is_counted() -> None:
    net = corner()
    net[2].bias.data = torch.tensor([100.0, 0.0])
    rows, at = probed(net, THREE)
    found = probe(PlaneSlice(slices=2, resamples=20), rows, at)
    assert found.numbers["undecided_slices"].value == 2
    assert "near_decision" not in found.numbers
    assert "2 of 2" in found.notes[0]


def test_the_classes_of_the_examples_can_be_named() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(24, 3, generator=generator), np.arange(24) % 4
    rows, at = probed(dense(3, 6, 4), inputs, targets)
    named = PlaneSlice(classes=("class 3", "class 1", "class 3"), slices=2, resamples=20)
    assert set(probe(named, rows, at).tables["slices"]["classes"]) == {"class 3, class 1, class 3"}
    with pytest.raises(DataError, match="no class 'seven'"):
        probe(PlaneSlice(classes=("seven", "class 1", "class 2")), rows, at)


def test_outputs_have_the_networks_own_names_where_it_has_some() -> None:
    rows, at = probed(corner(), THREE, np.array([0, 1, 2]))
    named = replace(at, network=replace(at.network, output_names=("right", "up")))
    outputs = probe(PlaneSlice(slices=1, resamples=20), rows, named).tables["outputs"]
    assert outputs["name"].tolist() == ["right", "up"]
    unnamed = probe(PlaneSlice(slices=1, resamples=20), rows, at).tables["outputs"]
    assert unnamed["name"].tolist() == ["output 0", "output 1"]


def test_the_examples_of_the_slice_that_is_drawn_can_be_named() -> None:
    rows, at = probed(corner(), THREE, np.array([0, 1, 2]))
    ids = [rows.origins.example_ids[number] for number in rows.origins.example]
    named = (ids[2], ids[0], ids[1])
    slices = probe(PlaneSlice(slices=1, examples=named, resamples=20), rows, at).tables["slices"]
    assert slices["examples"].tolist() == [", ".join(named)]
    with pytest.raises(DataError, match=f"no row is of an example '{ids[0]}x'; did you mean '{ids[0]}'"):
        probe(PlaneSlice(slices=1, examples=(f"{ids[0]}x", ids[1], ids[2])), rows, at)
    with pytest.raises(ValueError, match="three different ones"):
        PlaneSlice(examples=(ids[0], ids[0], ids[1]))


def test_a_part_of_the_plane_is_said_to_be_one() -> None:
    rows, at = probed(corner(), THREE, np.array([0, 1, 2]))
    part = probe(PlaneSlice(slices=1, reach=0.25, resamples=20), rows, at)
    assert "0.25 of the way" in part.notes[0]
    assert part.tables["slices"]["side"][0] == pytest.approx(0.75)  # 2 times a quarter, and the margins
    assert not any("of the way" in note for note in probe(PlaneSlice(slices=1, resamples=20), rows, at).notes)


def test_a_part_of_a_plane_can_lie_around_the_place_where_the_prediction_changes() -> None:
    # From (1, -1) to (1, 1) the second logit overtakes the first where y is 1; with a bias, where it is 0.5.
    net = corner()
    net[2].bias.data = torch.tensor([0.0, 0.5])
    rows, at = probed(net, THREE, np.array([0, 1, 2]))
    ids = [rows.origins.example_ids[number] for number in rows.origins.example]
    around = PlaneSlice(
        slices=1, examples=(ids[0], ids[2], ids[1]), reach=0.01, around="switch", margin=0.0, resamples=20
    )
    found = probe(around, rows, at)
    assert found.tables["slices"]["side"][0] == pytest.approx(0.02)
    assert found.tables["slices"]["decision_length"][0] > 0.01
    assert "the points that stand for the examples lie 0.01 of the way" in found.notes[0]
    first = probe(around.model_copy(update={"around": "first"}), rows, at)
    assert first.tables["slices"]["decision_length"][0] == 0
    with pytest.raises(ValueError, match="around: switch"):
        PlaneSlice(plane="directions", around="switch")


def test_one_slice_says_nothing_of_others_so_its_numbers_have_no_range() -> None:
    rows, at = probed(corner(), THREE, np.array([0, 1, 2]))
    one = probe(PlaneSlice(slices=1, resamples=20), rows, at).numbers
    assert (one["cells"].value, one["cells"].low, one["cells"].high, one["cells"].interval) == (
        4,
        None,
        None,
        "",
    )
    assert one["near_decision_ratio"].low is None
    assert one["near_decision_ratio"].chance == 1.0
    assert probe(PlaneSlice(slices=2, resamples=20), rows, at).numbers["cells"].low == 4


def test_around_one_example_along_random_directions() -> None:
    rows, at = probed(dense(2, 5, 3), torch.tensor([[0.0, 0.0], [0.5, 0.0], [3.0, 4.0]]))
    found = probe(PlaneSlice(plane="directions", reach=0.5, slices=2, resamples=20), rows, at)
    assert set(np.round(found.tables["slices"]["side"], 6)) <= {0.5, round(float(np.hypot(2.5, 4)), 6)}
    assert found.tables["examples"][["x", "y"]].to_numpy().tolist() == [[0.0, 0.0]]


def test_what_has_no_slice_is_told_why() -> None:
    rows, at = probed(dense(2, 3, 2, unit=nn.Tanh), THREE)
    with pytest.raises(DataError, match="tanh"):
        probe(PlaneSlice(), rows, at)
    rows, at = probed(corner(), torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    with pytest.raises(DataError, match="one line"):
        probe(PlaneSlice(), rows, at)
    rows, at = probed(corner(), THREE[:2])
    with pytest.raises(DataError, match="three of them"):
        probe(PlaneSlice(), rows, at)
    with pytest.raises(ValueError, match="classes"):
        PlaneSlice(plane="directions", classes=("a", "b", "c"))


def test_the_picture_shows_the_network_beside_controls_in_the_same_plane() -> None:
    rows, at = probed(corner(), THREE, np.array([0, 1, 2]))
    found = probe(PlaneSlice(slices=1, resamples=20), rows, at)
    outcome = Outcome(rows, found, {})
    figures = PlaneSlice().draw({"network": (outcome,), "random_init": (outcome,)}, subject="Here.")
    assert [figure.name for figure in figures] == ["slice", "scores"]
    assert "certificate holds" in figures[0].caption
    assert all(figure.png.startswith(b"\x89PNG") for figure in figures)
