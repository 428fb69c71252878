"""Outputs that follow from how the last units bend, against a plain pass at every vertex."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from torch import nn

from polylens.geometry import record, segments_crossings, tails
from polylens.geometry.tails import Tail


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 50), nn.ReLU6(), nn.Linear(50, 3))


def convolutional() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(2, 5, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(5, 7, 3), nn.ReLU6()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(7, 4)),
    )


class Around(nn.Module):
    """Something goes round the last nonlinearity."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x) + 0.5 * x


SHAPES = {dense: (6,), convolutional: (2, 6, 6)}


@pytest.mark.parametrize("vertices", [4096, 40, 8])
@pytest.mark.parametrize("build", SHAPES, ids=lambda build: build.__name__)
def test_outputs_and_switches_are_those_of_plain_passes(
    build, vertices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    module, shape = build().double().eval(), SHAPES[build]
    for parameter in module.parameters():
        parameter.data *= 3  # so that ReLU6 has units above its second kink
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    starts, ends = 2 * torch.randn(2, 6, *shape, dtype=torch.float64)
    monkeypatch.setattr(tails, "_WORTH", 1)
    monkeypatch.setattr(tails, "_NUMBERS", 110)  # some outputs at a time
    assert Tail.of(part) is not None
    for start, end, found in zip(
        starts,
        ends,
        segments_crossings(part, starts, ends, vertices=vertices, keep_outputs=True),
        strict=True,
    ):
        assert len(found.position) > 5
        points = torch.stack([torch.lerp(start, end, float(place)) for place in found.vertices])
        plain = module(points).detach().numpy()
        np.testing.assert_allclose(found.outputs, plain, rtol=1e-12, atol=1e-12 * np.abs(plain).max())
        winners = plain.argmax(1)
        assert len(found.switches()) >= int((winners[1:] != winners[:-1]).sum() > 0)


@pytest.mark.parametrize("name", NETWORKS)
def test_crossings_are_the_same_with_a_tail_and_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, shape = network(name, seed=2)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    starts, ends = 2 * torch.randn(2, 4, *shape, dtype=torch.float64)
    found = []
    for worth in (1 << 60, 0):
        monkeypatch.setattr(tails, "_WORTH", worth)
        found.append(list(segments_crossings(part, starts, ends, vertices=64, keep_outputs=True)))
    for plain, other in zip(*found, strict=True):
        np.testing.assert_allclose(plain.position, other.position, rtol=0, atol=1e-12)
        np.testing.assert_allclose(plain.vertices, other.vertices, rtol=0, atol=1e-12)
        np.testing.assert_allclose(plain.outputs, other.outputs, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(plain.switches(), other.switches(), rtol=0, atol=1e-8)


def test_there_is_no_tail_where_the_end_is_not_affine_in_the_last_units_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tails, "_WORTH", 0)

    def of(*modules: nn.Module, shape: tuple[int, ...] = (4,)) -> Tail | None:
        return Tail.of(record(nn.Sequential(*modules).eval(), torch.zeros(1, *shape)).part())

    assert of(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)) is not None
    assert of(nn.Linear(4, 4), Around(), nn.Linear(4, 2)) is None
    assert of(nn.Linear(4, 4)) is None
    assert of(nn.ReLU(), nn.MaxPool1d(2), shape=(1, 4)) is None


def test_few_units_for_each_output_are_not_worth_it() -> None:
    few = nn.Sequential(nn.Linear(4, 31), nn.ReLU(), nn.Linear(31, 1)).eval()
    many = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1)).eval()
    assert Tail.of(record(few, torch.zeros(1, 4)).part()) is None
    assert Tail.of(record(many, torch.zeros(1, 4)).part()) is not None
