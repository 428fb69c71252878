"""Planes through examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.errors import DataError, nearest
from polylens.records import Rows, row_pieces

_FLAT = 1e-6
"""Three points are on one line where the third is off by less than this share of their distance."""
_TRIES = 100


@dataclass(frozen=True, eq=False)
class Frame:
    """A square in a plane of a layer's space; places on it are distances."""

    origin: Float64[np.ndarray, "..."]
    """The point with the coordinates (0, 0): that which stands for the first example."""
    across: Float64[np.ndarray, "..."]
    """The direction of the first coordinate, of length 1."""
    up: Float64[np.ndarray, "..."]
    """The direction of the second coordinate, of length 1 and at a right angle to `across`."""
    square: Float64[np.ndarray, "4 2"]
    rows: Int64[np.ndarray, "examples"]
    """The examples that the plane is laid through."""
    places: Float64[np.ndarray, "examples 2"]
    """Coordinates of the points that stand for the examples; with a `reach` below 1 they are nearer to the
    place that the plane lies around than the examples are."""

    @property
    def side(self) -> float:
        """Length of a side of the square, in the layer's space."""
        return float(self.square[1, 0] - self.square[0, 0])


def through_examples(
    rows: Rows,
    points: Float32[np.ndarray, "rows ..."],
    classes: tuple[str, str, str] | None,
    *,
    examples: tuple[str, str, str] | None = None,
    reach: float,
    margin: float,
    generator: np.random.Generator,
    centre: Callable[[np.ndarray, np.ndarray], float] | None = None,
) -> Frame:
    """The plane through the named examples, else of three classes, or of any where there are no classes.

    Args:
        rows: of the examples.
        points: the layer's tensors.
        classes: of the examples, where these are drawn.
        examples: ids, where they are not drawn.
        reach: the share that is left of the way from a place between the first two examples to all three.
        margin: how much farther the square reaches.
        generator: of the draw.
        centre: gives that place for the first two, as a share of their way; the first example without it.

    Raises:
        DataError: there are no such examples.
    """
    for _ in range(_TRIES):
        chosen = _draw_examples(rows, classes, generator) if examples is None else _named(rows, examples)
        first, second, third = (points[row].astype(np.float64) for row in chosen)
        share = 0.0 if centre is None else centre(first, second)
        start = first + (1 - reach) * share * (second - first)
        one, other = reach * (second - first), reach * (third - first)
        length = float(np.linalg.norm(one))
        if length == 0:
            continue
        across = one / length
        along = float((other * across).sum())
        rest = other - along * across
        height = float(np.linalg.norm(rest))
        if height <= _FLAT * length:
            continue
        places = np.array([[0.0, 0.0], [length, 0.0], [along, height]])
        low, high = places.min(axis=0), places.max(axis=0)
        extent = float((high - low).max())
        return Frame(
            start, across, rest / height, _square((low + high) / 2, (0.5 + margin) * extent), chosen, places
        )
    raise DataError(
        "the examples that were drawn lie on one line, which no plane belongs to",
        hint="name other classes, or use more examples",
    )


def along_directions(
    points: Float32[np.ndarray, "rows ..."], *, reach: float, generator: np.random.Generator
) -> Frame:
    """The plane through an example along two random directions.

    Raises:
        DataError: the layer has one unit only, or no two examples differ.
    """
    row = int(generator.integers(len(points)))
    start = points[row].astype(np.float64)
    if start.size < 2:
        raise DataError("a layer of one unit has no planes", hint="choose a wider layer")
    frame, _ = np.linalg.qr(generator.normal(size=(start.size, 2)))
    away = np.empty(len(points))
    for some in row_pieces(len(points), start.size):
        apart = points[some].astype(np.float64) - start
        away[some] = np.linalg.norm(apart.reshape(len(apart), -1), axis=1)
    if not (away > 0).any():
        raise DataError("all examples are equal: nothing says how far a slice should reach")
    half = reach * float(away[away > 0].min())
    across, up = frame.T.reshape(2, *start.shape)
    return Frame(start, across, up, _square(np.zeros(2), half), np.array([row]), np.zeros((1, 2)))


def _named(rows: Rows, examples: tuple[str, str, str]) -> Int64[np.ndarray, "3"]:
    """The rows of the examples with these ids."""
    ids = [rows.origins.example_ids[number] for number in rows.origins.example]
    for name in examples:
        if name not in ids:
            close = nearest(name, ids)
            guess = "" if close is None else f"; did you mean '{close}'?"
            raise DataError(
                f"no row is of an example '{name}'{guess}", hint="ids are paths below the dataset's root"
            )
    return np.array([ids.index(name) for name in examples], dtype=np.int64)


def _draw_examples(
    rows: Rows, classes: tuple[str, str, str] | None, generator: np.random.Generator
) -> Int64[np.ndarray, "3"]:
    if rows.targets is None or len(np.unique(rows.targets)) < 3:
        if classes is not None:
            raise DataError("'classes' were named, and these rows do not have three", hint="leave them out")
        if len(rows) < 3:
            raise DataError("a plane through examples takes three of them", hint="use more examples")
        return generator.choice(len(rows), size=3, replace=False).astype(np.int64)
    targets = np.asarray(rows.targets)
    if classes is None:
        wanted = generator.choice(np.unique(targets), size=3, replace=False).tolist()
    else:
        unknown = [name for name in classes if name not in rows.classes]
        if unknown:
            raise DataError(
                f"there is no class '{unknown[0]}'", hint=f"classes: {', '.join(rows.classes[:20])}"
            )
        wanted = [rows.classes.index(name) for name in classes]
    chosen: list[int] = []
    for label in wanted:
        members = np.setdiff1d(np.flatnonzero(targets == label), chosen)
        if not len(members):
            raise DataError(f"there are too few examples of class '{rows.classes[label]}'")
        chosen.append(int(generator.choice(members)))
    return np.array(chosen, dtype=np.int64)


def _square(middle: Float64[np.ndarray, "2"], half: float) -> Float64[np.ndarray, "4 2"]:
    return middle + half * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
