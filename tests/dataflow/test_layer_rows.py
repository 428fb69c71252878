from __future__ import annotations

import pytest
import torch

from polylens.dataflow import LayerShape, first_tensor, gather, near_boundary


def test_rows_of_an_image_layer_are_channel_vectors_at_positions() -> None:
    tensor = torch.randn(3, 5, 4, 6)
    shape = LayerShape.of((5, 4, 6))
    rows = gather(tensor, shape, torch.tensor([7, 0, 23]), torch.tensor([2, 2, 0]))
    # Position 7 of a 4 x 6 grid is row 1, column 1; position 23 is row 3, column 5.
    expected = torch.stack([tensor[2, :, 1, 1], tensor[2, :, 0, 0], tensor[0, :, 3, 5]])
    assert torch.equal(rows, expected)


def test_rows_of_a_token_layer_are_token_vectors() -> None:
    tensor = torch.randn(2, 7, 3)
    rows = gather(tensor, LayerShape.of((7, 3)), torch.tensor([6, 1]), torch.tensor([0, 1]))
    assert torch.equal(rows, torch.stack([tensor[0, 6], tensor[1, 1]]))


@pytest.mark.parametrize("shape", [(5, 4, 6), (7, 3), (9,)])
def test_whole_examples_are_flat_in_the_tensors_own_order(shape: tuple[int, ...]) -> None:
    tensor = torch.randn(2, *shape)
    rows = gather(tensor, LayerShape.of(shape), None, torch.tensor([1, 0]))
    assert torch.equal(rows, tensor.flatten(1).flip(0))


def test_rows_are_copies_that_survive_what_is_written_in_place_later() -> None:
    for positions in (None, torch.tensor([0])):
        tensor = torch.ones(1, 2, 3)
        rows = gather(tensor, LayerShape.of((2, 3)), positions, torch.tensor([0]))
        tensor.zero_()
        assert bool((rows == 1).all())


def test_an_output_without_tensors_stands_for_none() -> None:
    assert first_tensor({"loss": None, "parts": ("a", [torch.ones(2)])}) is not None
    assert first_tensor((None, "a")) is None


def test_units_within_rounding_of_a_kink_are_counted_by_the_size_of_their_row() -> None:
    # Row 1 has an rms of 1 and a noise of 8 * 1.19e-7 = 9.5e-7: 9e-7 is near, 1e-6 is not.
    # Row 2 is a thousand times larger in everything.
    row = torch.tensor([9e-7, 1e-6, 1.25**0.5, -(1.25**0.5), 2.5**0.5])
    values = torch.stack([row, 1000 * row])
    assert near_boundary(values) == 2
    assert near_boundary(values[:1]) == near_boundary(values[1:]) == 1


def test_every_kink_has_its_noise_and_half_precision_has_more_of_it() -> None:
    # The row's rms is 3.08: its noise is 2.9e-6 in single and 0.024 in half precision.
    values = torch.tensor([[5.99, -0.001, 1.0, 1.0]])
    assert near_boundary(values, kinks=(0.0, 6.0)) == 0
    assert near_boundary(values.half(), kinks=(0.0, 6.0)) == 2
    assert near_boundary(values, kinks=()) == 0
    assert near_boundary(values, epsilon=2**-11) == 1
    assert near_boundary(values[:0]) == 0


def test_rows_of_zeros_are_on_no_boundary_that_noise_could_move() -> None:
    assert near_boundary(torch.zeros(2, 3)) == 0
