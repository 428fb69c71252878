"""What networks really do at points, by running them: nothing here shares code with the walks."""

from __future__ import annotations

import numpy as np
import torch

from polylens.dataflow import Nonlinearity, capture
from polylens.geometry import Part


def regimes(module: torch.nn.Module, part: Part, points: torch.Tensor) -> list[np.ndarray]:
    """Each nonlinearity's regimes at each point, as harvests read them."""
    found: dict[str, np.ndarray] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        assert isinstance(item, Nonlinearity)
        if item.role == "pool":
            found[item.name] = tensor.flatten(1).long().numpy()
        else:
            above = sum((tensor > kink).long() for kink in item.kinks)
            found[item.name] = above.flatten(1).numpy()

    with torch.no_grad():
        capture(module, points, layers=[], nonlinearities=part.nonlinearities, take=take)
    return [found[item.name] for item in part.nonlinearities]


def along(start: torch.Tensor, end: torch.Tensor, at: np.ndarray) -> torch.Tensor:
    """The points of a segment at these positions."""
    places = torch.as_tensor(at).reshape(-1, *[1] * start.dim())
    return start + (end - start) * places
