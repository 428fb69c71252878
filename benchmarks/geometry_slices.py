"""One way to list the polytopes of a network with two inputs: `geometry_slices.py WAY FILE VERTICES`.

A process of its own for each way and turn; prints seconds, cells and peak memory as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from geometry_networks import SQUARE
from measuring import peak_megabytes
from torch import nn

LONG = 5.0
"""Seconds from which on the first run counts; of shorter ones the second."""
Found = tuple[int, np.ndarray | None, int]
"""How many cells, their areas and how many vertices, where the way gives them."""


def polylens(network: nn.Module) -> Found:
    """Ours, with its certificate, affine maps on demand and decision boundary."""
    from polylens.geometry import plane_slice, record

    part = record(network, torch.zeros(1, 2, dtype=torch.float64)).part()
    found = plane_slice(part, torch.zeros(2), *torch.eye(2), corners=SQUARE)
    assert found.certificate.holds, found.certificate
    return len(found.areas), found.areas, len(found.places)


def plain(network: nn.Module) -> Found:
    """Polygon by polygon with NumPy: each carries its affine map, and every unit cuts what it passes."""
    layers = [module for module in network if isinstance(module, nn.Linear)]
    weights = [(layer.weight.numpy(), layer.bias.numpy()) for layer in layers[:-1]]
    polygons = [(SQUARE, np.eye(2), np.zeros(2))]
    for weight, bias in weights:
        following = []
        for corners, matrix, offset in polygons:
            matrix, offset = weight @ matrix, weight @ offset + bias
            pieces = [corners]
            values = corners @ matrix.T + offset
            for unit in np.flatnonzero((values.max(axis=0) > 1e-12) & (values.min(axis=0) < -1e-12)):
                pieces = [
                    half for piece in pieces for half in _halves(piece, piece @ matrix[unit] + offset[unit])
                ]
            for piece in pieces:
                on = piece.mean(axis=0) @ matrix.T + offset > 0
                following.append((piece, matrix * on[:, None], offset * on))
        polygons = following
    corners = [polygon for polygon, _, _ in polygons]
    return len(corners), np.array([_area(polygon) for polygon in corners]), 0


def relucent(network: nn.Module) -> Found:
    """relucent's search from cell to neighbouring cell, of those that meet the square."""
    import relucent as library

    found = library.Complex(network)
    found.bfs(
        start=np.array([[0.01, 0.02]]),
        cube_radius=1.0,
        cube_mode="intersect",
        nworkers=1,
        verify=False,
        verbose=0,
    )
    return len(found), None, 0


def affinitree(network: nn.Module) -> Found:
    """affinitree's decision tree over the square."""
    from affinitree import AffFunc, AffTree, Polytope, builder, extract_pytorch_architecture

    square = Polytope.from_mats(np.vstack([np.eye(2), -np.eye(2)]), np.ones(4))
    inside = AffTree.from_poly(square, AffFunc.identity(2), None)
    tree = builder.from_layers(extract_pytorch_architecture(2, network), precondition=inside)
    return int(tree.num_terminals()), None, 0


def forward(network: nn.Module) -> Found:
    """One forward pass over the vertices of the slice, their number known."""
    with torch.no_grad():
        network(_VERTICES)
    return len(_VERTICES), None, 0


WAYS: dict[str, Callable[[nn.Module], Found]] = {
    "polylens": polylens, "plain": plain, "relucent": relucent, "affinitree": affinitree, "forward": forward,
}  # fmt: skip
_VERTICES = torch.empty(0, 2, dtype=torch.float64)


def _halves(corners: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    if not values.min() < -1e-12 < 1e-12 < values.max():
        return [corners]
    upper, lower = [], []
    for place in range(len(corners)):
        one, other = values[place], values[(place + 1) % len(corners)]
        if one >= 0:
            upper.append(corners[place])
        if one <= 0:
            lower.append(corners[place])
        if one * other < 0:
            share = one / (one - other)
            middle = (1 - share) * corners[place] + share * corners[(place + 1) % len(corners)]
            upper.append(middle)
            lower.append(middle)
    return [np.array(upper), np.array(lower)]


def _area(corners: np.ndarray) -> float:
    x, y = (corners - corners[0]).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def main() -> None:
    """Runs one way and prints what it took."""
    global _VERTICES
    way, file, vertices = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    network = torch.load(file, weights_only=False)
    _VERTICES = torch.rand(vertices, 2, dtype=torch.float64)
    small = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    with contextlib.redirect_stdout(io.StringIO()):
        small.requires_grad_(False)
        WAYS[way](small.eval())
        seconds = 0.0
        for _ in range(2):
            start = time.perf_counter()
            cells, areas, vertices = WAYS[way](network)
            seconds = time.perf_counter() - start
            if seconds > LONG:
                break
    sums = (
        None if areas is None else [float(areas.sum()), *np.sort(areas)[:: max(1, len(areas) // 50)].tolist()]
    )
    print(
        json.dumps(
            {"seconds": seconds, "cells": cells, "sums": sums, "vertices": vertices, "peak": peak_megabytes()}
        )
    )


if __name__ == "__main__":
    main()
