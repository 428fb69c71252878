"""What a card of a cluster shows when it is opened: its nearest clusters, its medoid's code, its controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from polylens.bits import differing_from
from polylens.errors import listed
from polylens.records import Codes, Labels, Partition, Rows
from polylens.report import MedoidCode, Neighbour

N_NEAREST = 5
"""Clusters that are named as nearest."""
_COLUMNS = 256
"""Columns of a code's picture at most; each is the mean of as many bits as it takes."""
_MOST_LAYERS = 4
"""Layers of a code whose bits are counted in words."""


def nearest_of(partition: Partition, rows: Rows) -> tuple[str, tuple[tuple[Neighbour, ...], ...]]:
    """What distances between medoids are, and for each cluster those whose medoids are nearest to its own.

    Distances are taken in the space of the partition; where its rows are missing there are none.
    """
    medoids = np.asarray(partition.exemplars)
    if partition.space == "code" and rows.codes is not None:
        is_graded = rows.codes.scheme.is_graded
        name = "sum of the differences of all units" if is_graded else "bits that differ"
        if not is_graded:
            packed = rows.codes.packed
            apart = (differing_from(packed, medoids, one=int(one)).astype(np.float64) for one in medoids)
            return name, tuple(_nearest_at(at, distances) for at, distances in enumerate(apart))
        points, squared = np.asarray(rows.codes.graded[medoids], np.float64), False
    elif rows.activations is not None:
        name, points, squared = "Euclidean distance", np.asarray(rows.activations[medoids], np.float64), True
    else:
        return "", ((),) * len(medoids)
    return name, tuple(_nearest(points, at, squared=squared) for at in range(len(points)))


def _nearest(
    points: Float64[np.ndarray, "clusters width"], at: int, *, squared: bool
) -> tuple[Neighbour, ...]:
    offsets = points - points[at]
    return _nearest_at(at, np.sqrt((offsets**2).sum(axis=1)) if squared else np.abs(offsets).sum(axis=1))


def _nearest_at(at: int, distances: Float64[np.ndarray, "clusters"]) -> tuple[Neighbour, ...]:
    """The clusters nearest to one, of the distances of all medoids to its own."""
    # Medoids that are equal are nearest of all; of equal distances the larger cluster comes first.
    order = [int(number) for number in np.argsort(distances, kind="stable") if number != at]
    return tuple(Neighbour(number, float(distances[number])) for number in order[:N_NEAREST])


def codes_of(medoids: Int64[np.ndarray, "clusters"], codes: Codes) -> Iterator[MedoidCode]:
    """The code of each medoid: a line of a picture, and how many bits are on in words."""
    for row in medoids.tolist():
        parts = _layers_of(codes, row)
        line = np.concatenate([part for _, part in parts])
        yield MedoidCode(_levels(line), _in_words(parts, is_graded=codes.scheme.is_graded))


def _layers_of(codes: Codes, row: int) -> list[tuple[str, Float64[np.ndarray, "units"]]]:
    """The bits or numbers of each layer of one row, from 0 to 1, without padding."""
    parts = []
    for layer, columns in zip(codes.scheme.layers, codes.scheme.columns(), strict=True):
        values = np.asarray(codes.values[row, columns])
        shown = np.clip(values, 0, 1) if layer.is_graded else np.unpackbits(values)[: layer.bits]
        parts.append((layer.name, shown.astype(np.float64)))
    return parts


def _levels(line: Float64[np.ndarray, "units"]) -> bytes:
    each = -(-len(line) // _COLUMNS)
    means = np.add.reduceat(line, np.arange(0, len(line), each)) / np.diff(
        [*range(0, len(line), each), len(line)]
    )
    return bytes(np.round(255 * means).astype(np.uint8))


def _in_words(parts: Sequence[tuple[str, Float64[np.ndarray, "units"]]], *, is_graded: bool) -> str:
    def count_in_words(values: Float64[np.ndarray, "units"]) -> str:
        if is_graded:
            return f"mean {values.mean():.2f} of {len(values):,} units"
        return f"{int(values.sum()):,} of {len(values):,} bits on"

    whole = count_in_words(np.concatenate([values for _, values in parts]))
    if len(parts) == 1:
        return whole
    layers = listed([f"{name} {count_in_words(values)}" for name, values in parts], most=_MOST_LAYERS)
    return f"{whole}: {layers}"


def scores_of_clusters(draws: Sequence[tuple[Partition, Labels | None]]) -> Mapping[str, tuple[float, ...]]:
    """By score: that of each cluster of all draws of one control; nothing of scores that it does not have."""
    scores: dict[str, tuple[float, ...]] = {}
    for partition, labels in draws:
        if labels is not None:
            scores["share"] = scores.get("share", ()) + tuple(entry.share for entry in labels.clusters)
            scores["lift"] = scores.get("lift", ()) + tuple(entry.lift for entry in labels.clusters)
        if partition.persistence is not None:
            lasting = tuple(map(float, partition.persistence))
            scores["persistence"] = scores.get("persistence", ()) + lasting
    return scores
