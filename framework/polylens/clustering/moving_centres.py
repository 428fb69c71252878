"""Lloyd's rounds: rows go to the nearest centre, and centres to the mean of their rows, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.nearest_centres import BoundedNearest, Nearest
from polylens.clustering.rows_as_numbers import RowValues
from polylens.progress import Progress, Task
from polylens.streams import Streams

_ROUNDS = 300
"""Rounds at most, as scikit-learn has them."""
_STILL = 1e-4
"""Share of the columns' mean variance that squared steps of all centres must sum to where rounds go on, as
scikit-learn has it."""
_START_PAIRS = 1_500_000
"""Pairs of a row that a start is drawn among and a cluster: drawing takes time that grows with them."""
_START_SHARE = 16
"""Rows that a start is drawn among for each cluster, at least."""
_START_NUMBERS = 1 << 25
"""Numbers of the rows that a start is drawn among (128 MB in single precision)."""


@dataclass(frozen=True)
class Settled:
    """Centres that have come to rest, and the one that each row is nearest to."""

    labels: Int64[np.ndarray, "rows"]
    own: Float64[np.ndarray, "rows"]
    """The squared distance of every row to it."""
    centres: Float64[np.ndarray, "centres width"]


def cluster_by_means(
    rows: RowValues,
    *,
    nearest: Nearest,
    origin: Float64[np.ndarray, "width"],
    clusters: int,
    streams: Streams,
    restarts: int,
    progress: Progress,
) -> Settled:
    """The start that ends with the least summed square.

    Args:
        rows: the rows.
        nearest: finds every row's nearest centre.
        origin: their mean.
        clusters: how many, no more than there are distinct rows.
        streams: the randomness of the starts.
        restarts: how many starts.
        progress: where the work shows itself.
    """
    variance = _variance(rows, origin)
    best: Settled | None = None
    with progress.task("clustering", total=restarts, unit="starts") as task:
        starts = _starts(rows, origin=origin, clusters=clusters, streams=streams, restarts=restarts)
        for number, centres in enumerate(starts, start=1):
            with progress.task(f"start {number} of {restarts}", total=None, unit="rounds") as rounds:
                found = settle(rows, centres, nearest=nearest, variance=variance, task=rounds)
            best = found if best is None or found.own.sum() < best.own.sum() else best
            task.advance()
    assert best is not None
    return best


def nearest_for(rows: RowValues, *, origin: Float64[np.ndarray, "width"], device: str) -> Nearest:
    """Finds nearest centres on the processor, or on a torch device.

    Args:
        rows: the rows.
        origin: a place among them that products are taken from.
        device: `cpu`, or a torch device.
    """
    if device == "cpu":
        return BoundedNearest(rows, origin=origin)
    from polylens.clustering.torch_centres import TorchNearest

    return TorchNearest(rows, origin=origin, device=device)


def _variance(rows: RowValues, origin: Float64[np.ndarray, "width"]) -> float:
    """The mean of the columns' variances."""
    total = 0.0
    for some in rows.pieces():
        apart = rows.values(some) - origin
        total += float(np.einsum("rw,rw->", apart, apart))
    return total / (len(rows) * rows.width)


def _starts(
    rows: RowValues,
    *,
    origin: Float64[np.ndarray, "width"],
    clusters: int,
    streams: Streams,
    restarts: int,
) -> Iterator[Float64[np.ndarray, "clusters width"]]:
    """Centres drawn by k-means++ among some rows, others for each start, or among all where they are few."""
    random = np.random.RandomState(int(streams.generator("starts").integers(2**31)))
    draws = streams.generator("rows of starts")
    most = max(min(_START_PAIRS // clusters, _START_NUMBERS // rows.width), _START_SHARE * clusters)
    for _ in range(restarts):
        some = rows
        if len(rows) > most:
            some = rows.take(np.sort(draws.choice(len(rows), most, replace=False)))
        yield _drawn(some, origin, clusters, random) + origin


def _drawn(
    rows: RowValues, origin: Float64[np.ndarray, "width"], clusters: int, random: np.random.RandomState
) -> Float32[np.ndarray, "clusters width"]:
    """Rows drawn as centres, as seen from the origin."""
    from sklearn.cluster import kmeans_plusplus

    apart = np.empty((len(rows), rows.width), dtype=np.float32)
    for some in rows.pieces():
        apart[some] = rows.values(some) - origin
    drawn, _ = kmeans_plusplus(apart, clusters, random_state=random)
    return np.asarray(drawn)


def settle(
    rows: RowValues,
    centres: Float64[np.ndarray, "centres width"],
    *,
    nearest: Nearest,
    variance: float,
    task: Task,
) -> Settled:
    """Lloyd's rounds from these centres on, until no row changes, or centres hardly move.

    A centre that no row is nearest to is put on the row that lies farthest from its own.

    Args:
        rows: the rows.
        centres: where centres start.
        nearest: finds every row's nearest centre.
        variance: the mean of the columns' variances.
        task: advances by 1 a round.

    Source: Lloyd (1982); the end as scikit-learn has it.
    """
    sums, counts = np.zeros_like(centres), np.zeros(len(centres), dtype=np.int64)
    labels, before = nearest.find(centres, None, task=task), np.full(len(rows), -1, dtype=np.int64)
    for _ in range(_ROUNDS):
        _move(rows, before, labels, sums, counts)
        before = labels.copy()
        if not counts.all():
            _fill_empty(rows, labels, centres, counts, nearest)
            _move(rows, before, labels, sums, counts)
            before = labels.copy()
        following = sums / counts[:, None]
        moved = np.sqrt(np.einsum("cw,cw->c", following - centres, following - centres))
        centres = following
        labels = nearest.find(centres, moved, task=task)
        filled = np.bincount(labels, minlength=len(centres)).all()
        if filled and (np.array_equal(labels, before) or (moved**2).sum() <= _STILL * variance):
            break
    return Settled(labels, squares_to_own(rows, centres, labels), centres)


def _move(
    rows: RowValues,
    before: Int64[np.ndarray, "rows"],
    after: Int64[np.ndarray, "rows"],
    sums: Float64[np.ndarray, "centres width"],
    counts: Int64[np.ndarray, "centres"],
) -> None:
    """Moves rows whose label changed from one centre's sum and count to another's."""
    from polylens.kernels.means import move_sums

    changed = before != after
    for some in rows.pieces():
        if changed[some].any():
            values = rows.values(some, only=changed[some])
            move_sums(values, before[some], after[some], sums, counts)


def _fill_empty(
    rows: RowValues,
    labels: Int64[np.ndarray, "rows"],
    centres: Float64[np.ndarray, "centres width"],
    counts: Int64[np.ndarray, "centres"],
    nearest: Nearest,
) -> None:
    """Puts to each empty centre the farthest row that is not alone and equals none that was moved before."""
    left, taken = counts.copy(), set[bytes]()
    empty = iter(np.flatnonzero(counts == 0).tolist())
    centre = next(empty, None)
    for row in np.argsort(-squares_to_own(rows, centres, labels), kind="stable").tolist():
        if centre is None:
            return
        content = rows.raw(slice(row, row + 1)).tobytes()
        if left[labels[row]] < 2 or content in taken:
            continue
        left[labels[row]] -= 1
        taken.add(content)
        labels[row] = centre
        nearest.place(row, centre)
        centre = next(empty, None)


def squares_to_own(
    rows: RowValues, centres: Float64[np.ndarray, "centres width"], labels: Int64[np.ndarray, "rows"]
) -> Float64[np.ndarray, "rows"]:
    """The squared distance of every row to its own centre, in double precision."""
    from polylens.kernels.distances import SQUARED, measure_pairs
    from polylens.kernels.tiles import Measure

    none, squares = np.empty(0), np.empty(len(rows))
    for some in rows.pieces():
        measuring = Measure(SQUARED, rows.values(some), none, centres, none)
        squares[some] = measure_pairs(measuring, np.arange(some.stop - some.start), labels[some])
    return squares
