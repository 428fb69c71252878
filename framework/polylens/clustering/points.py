"""Rows as points: which numbers are clustered, and how they are brought to scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from polylens.bits import unpack_codes
from polylens.errors import DataError
from polylens.records import Rows, row_pieces

Points = Float32[np.ndarray, "rows width"] | Bool[np.ndarray, "rows width"] | UInt8[np.ndarray, "rows bytes"]
"""Activations or graded codes; the bits of codes; or such bits packed, eight a byte, zeros for padding."""

On = Literal["activation", "code"]
Metric = Literal["euclidean", "cosine", "hamming", "jaccard", "l1"]
METRICS = {"activations": ("euclidean", "cosine", "l1"), "bits": ("hamming", "jaccard")}
"""What points are compared by, by what they are."""
Scale = Literal["none", "centre", "standardise"]


def row_points(rows: Rows, *, on: On, scale: Scale = "none", packed: bool = False) -> Points:
    """The activations of rows, brought to scale, or the bits of their codes, or the numbers of graded ones.

    Args:
        rows: rows that have the part `on`.
        on: the part that is taken.
        scale: how activations are brought to scale.
        packed: whether bits stay packed, an eighth of the memory. Zeros fill the last byte of each layer, so
            engines must be told the number of bits (`row_bits`).

    Raises:
        DataError: the rows carry no such part.
    """
    if on == "code":
        if rows.codes is None:
            raise DataError(
                "these rows carry no codes", hint="give the spec a 'code:', or use 'on: activation'"
            )
        if rows.codes.scheme.is_graded:
            return np.asarray(rows.codes.graded)
        return np.asarray(rows.codes.packed) if packed else unpack_codes(rows.codes)
    if rows.activations is None:
        raise DataError("these rows carry no activations", hint="use 'on: code'")
    return scale_points(np.asarray(rows.activations), scale=scale)


def row_bits(rows: Rows, *, on: On) -> int | None:
    """How many bits a packed row holds; None where rows are numbers."""
    if on == "activation" or rows.codes is None or rows.codes.scheme.is_graded:
        return None
    return rows.codes.scheme.bits


def scale_points(
    points: Float32[np.ndarray, "rows width"], *, scale: Scale
) -> Float32[np.ndarray, "rows width"]:
    """The points less each column's mean (`centre`), and then over its standard deviation (`standardise`).

    Means and standard deviations are taken in double precision. A column of one value becomes zero.

    >>> scale_points(np.array([[0, 1], [2, 1]], dtype=np.float32), scale="standardise").tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    if scale == "none":
        return points
    scaling = Scaling.of(points, scale)
    scaled = np.empty(points.shape, np.float32)
    for some in row_pieces(len(points), points.shape[1]):
        scaled[some] = scaling.apply(points[some])
    return scaled


@dataclass(frozen=True)
class Scaling:
    """What is taken off each column, and what it is divided by."""

    centre: Float64[np.ndarray, "width"]
    spread: Float64[np.ndarray, "width"]
    """0 for a column of one value, which becomes zero."""

    @classmethod
    def of(
        cls, points: Float32[np.ndarray, "rows width"], scale: Literal["centre", "standardise"]
    ) -> Scaling:
        """That of points, with means and standard deviations in double precision."""
        centre, spread = points.mean(0, dtype=np.float64), np.ones(points.shape[1])
        if scale == "standardise":
            squares = np.zeros(points.shape[1])
            for some in row_pieces(len(points), points.shape[1]):
                squares += ((points[some] - centre) ** 2).sum(0)
            constant = points.min(0, initial=np.inf) == points.max(0, initial=-np.inf)
            spread = np.where(constant, 0.0, np.sqrt(squares / max(len(points), 1)))
        return cls(centre, spread)

    def apply(self, points: Float32[np.ndarray, "rows width"]) -> Float32[np.ndarray, "rows width"]:
        """The points brought to scale."""
        scaled = np.zeros(points.shape, np.float32)
        np.divide(points - self.centre, self.spread, out=scaled, where=self.spread > 0, casting="same_kind")
        return scaled


def unit_length(points: Float32[np.ndarray, "rows width"]) -> Float32[np.ndarray, "rows width"]:
    """The points divided by their length, so that squared Euclidean distance is twice the cosine distance.

    A row of zeros has no direction and stays at the origin, at distance 1 from every other row.

    >>> unit_length(np.array([[3, 4], [0, 0]], dtype=np.float32)).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    unit = np.zeros(points.shape, np.float32)
    for some in row_pieces(len(points), points.shape[1]):
        values = points[some].astype(np.float64)
        length = np.sqrt(np.einsum("rw,rw->r", values, values))[:, None]
        np.divide(values, length, out=unit[some], where=length > 0, casting="same_kind")
    return unit
