"""Points and networks without numbers are in no polytope: every reading of regimes refuses them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.geometry.networks import NETWORKS, network
from torch import nn

from polylens.errors import DataError
from polylens.geometry import (
    Part,
    local_complexity,
    local_maps,
    nearest_boundaries,
    path_crossings,
    plane_slice,
    record,
    regimes,
    sampled_crossings,
    segment_crossings,
)

_TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def _complexity(part: Part, points: torch.Tensor) -> object:
    generator = torch.Generator().manual_seed(0)
    return local_complexity(part, points[0], radius=0.1, directions=2, generator=generator)


READINGS: dict[str, Callable[[Part, torch.Tensor], object]] = {
    "regimes": lambda part, points: regimes(part, points),
    "segment": lambda part, points: segment_crossings(part, points[0], points[1]),
    "sampled": lambda part, points: sampled_crossings(part, points[0], points[1]),
    "path": lambda part, points: list(path_crossings(part, [points])),
    "slice": lambda part, points: plane_slice(part, *points, corners=_TRIANGLE),
    "nearest": nearest_boundaries,
    "complexity": _complexity,
    "maps": local_maps,
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", ["dense", "residual"])
def test_points_that_are_no_numbers_are_refused(name: str, reading: str) -> None:
    module, shape = network(name, seed=0)
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    points = torch.randn(3, *shape, dtype=torch.float64)
    assert READINGS[reading](part, points) is not None
    for number in (np.nan, np.inf):
        points[0].view(-1)[1] = number
        with pytest.raises(DataError, match="NaN or infinite"):
            READINGS[reading](part, points)


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_give_no_numbers_are_refused(name: str, reading: str, number: float) -> None:
    module, shape = network(name, seed=0)
    first = next(each for each in module.modules() if isinstance(each, nn.Linear | nn.Conv2d))
    assert first.bias is not None
    first.bias.data[0] = number
    part = record(module, torch.zeros(1, *shape, dtype=torch.float64)).part()
    with pytest.raises(DataError, match="NaN or infinite"):
        READINGS[reading](part, torch.randn(3, *shape, dtype=torch.float64))
