"""What analyses that look at polytopes around stored rows have in common."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Int64

from polylens.analyses import Probed
from polylens.errors import DataError
from polylens.geometry import Part, record
from polylens.records import Network, Rows


def record_part(probed: Probed, *, through: str) -> Part:
    """The network from the probed layer to a later one, ready to be walked in double precision.

    Raises:
        UsageError: there is no such layer, or nothing is computed between the two.
    """
    network = probed.network
    example = network.example_input
    example = probed.examples.batch([0]) if example is None else example
    weights = next(network.module.parameters(), None)
    device = "cpu" if weights is None else weights.device
    return record(network.module, example.to(device)).part(
        probed.layer, network.aliases.get(through, through)
    )


def exact_part(probed: Probed, *, through: str, kind: str) -> Part:
    """The network from the probed layer to a later one, which must be piecewise linear.

    Raises:
        DataError: something between the two layers is smooth or otherwise not piecewise linear.
    """
    part = record_part(probed, through=through)
    if part.obstacles:
        raise DataError(
            f"{kind} needs a network that is piecewise linear from '{probed.layer}' to '{through}', and "
            f"{part.obstacles[0]}",
            hint="choose a model with ReLU-like units, or a later layer",
        )
    return part


def whole_tensors(rows: Rows, part: Part, *, kind: str) -> Float32[np.ndarray, "rows ..."]:
    """The rows as tensors of the part's layer.

    Raises:
        DataError: the rows are positions, or have no activations.
    """
    if rows.activations is None:
        raise DataError(f"{kind} needs activations: they are the points it looks at")
    if rows.origins.grid or len(np.unique(rows.origins.example)) != len(rows):
        raise DataError(
            f"{kind} needs one row per example: polytopes are of whole tensors of '{rows.layer}', and these "
            "rows are single positions",
            hint="say 'positions: all' in the code, and leave 'sampling' out",
        )
    return np.asarray(rows.activations).reshape(len(rows), *part.shape)


def draw_rows(rows: Rows, *, count: int, generator: np.random.Generator) -> Int64[np.ndarray, "drawn"]:
    """At most `count` rows, rising: as equally many of each class as there are, where there are classes."""
    if count >= len(rows):
        return np.arange(len(rows), dtype=np.int64)
    order = generator.permutation(len(rows))
    if rows.targets is not None:
        classes = np.asarray(rows.targets)[order]
        turn = np.zeros(len(order), dtype=np.int64)
        for label in np.unique(classes):
            members = np.flatnonzero(classes == label)
            turn[members] = np.arange(len(members))
        order = order[np.argsort(turn, kind="stable")]
    return np.sort(order[:count]).astype(np.int64)


def numbers_of(part: Part) -> int:
    """How many numbers the part gives for one point."""
    with torch.no_grad():
        output = part.forward(torch.zeros(1, *part.shape, dtype=torch.float64, device=part.device))
    return int(output.numel())


def class_names(rows: Rows, index: Int64[np.ndarray, "chosen"]) -> list[str]:
    """The class of each chosen row in words; empty where rows have none."""
    if rows.targets is None:
        return [""] * len(index)
    return [rows.classes[target] for target in rows.targets[index]]


def output_names(network: Network, rows: Rows, count: int) -> tuple[str, ...]:
    """What each output stands for: as the network knows it, else a class, where there is one for each.

    As many classes as outputs prove nothing where a network was trained on other classes and knows them.
    """
    if len(network.output_names) == count:
        return network.output_names
    return rows.classes if len(rows.classes) == count else tuple(f"output {k}" for k in range(count))


def tensor_of(points: Float32[np.ndarray, "..."]) -> torch.Tensor:
    """Points for the engines, which work in double precision."""
    return torch.from_numpy(np.array(points, dtype=np.float64))
