"""Lloyd's rounds: rows go to the nearest centre, and centres to the mean of their rows, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.nearest_centres import BoundedNearest, Nearest
from polylens.progress import Progress
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
_PIECE = 4096
"""Rows that are looked at together where their spread is summed."""


@dataclass(frozen=True)
class Settled:
    """Centres that have come to rest, and the one that each row is nearest to."""

    labels: Int64[np.ndarray, "rows"]
    own: Float64[np.ndarray, "rows"]
    """The squared distance of every row to it."""
    centres: Float64[np.ndarray, "centres width"]


def cluster_by_means(
    rows: Float32[np.ndarray, "rows width"],
    *,
    clusters: int,
    streams: Streams,
    restarts: int,
    device: str,
    progress: Progress,
) -> tuple[Int64[np.ndarray, "rows"], Float64[np.ndarray, "rows"], Float64[np.ndarray, "rows"]]:
    """Labels, and the distances to the own centre and to the next, of the start with the least summed square.

    Args:
        rows: the rows.
        clusters: how many, no more than there are distinct rows.
        streams: the randomness of the starts.
        restarts: how many starts.
        device: `cpu`, or a torch device.
        progress: where the work shows itself.
    """
    from threadpoolctl import threadpool_limits

    origin = rows.mean(0, dtype=np.float64)
    nearest = _nearest(rows, origin=origin, device=device)
    title = progress.task("clustering", total=restarts, unit="starts")
    with title as task, threadpool_limits(limits=1):  # every core has a thread of its own already
        variance = _variance(rows, origin)
        best: Settled | None = None
        for centres in _starts(rows, origin=origin, clusters=clusters, streams=streams, restarts=restarts):
            found = settle(rows, centres, nearest=nearest, variance=variance)
            best = found if best is None or found.own.sum() < best.own.sum() else best
            task.advance()
        assert best is not None
        return best.labels, np.sqrt(best.own), nearest.next_distances(best.centres, best.labels)


def _nearest(
    rows: Float32[np.ndarray, "rows width"], *, origin: Float64[np.ndarray, "width"], device: str
) -> Nearest:
    if device == "cpu":
        return BoundedNearest(rows, origin=origin)
    from polylens.clustering.torch_centres import TorchNearest

    return TorchNearest(rows, origin=origin, device=device)


def _variance(rows: Float32[np.ndarray, "rows width"], origin: Float64[np.ndarray, "width"]) -> float:
    """The mean of the columns' variances."""
    total = 0.0
    for start in range(0, len(rows), _PIECE):
        apart = rows[start : start + _PIECE] - origin
        total += float(np.einsum("rw,rw->", apart, apart))
    return total / rows.size


def _starts(
    rows: Float32[np.ndarray, "rows width"],
    *,
    origin: Float64[np.ndarray, "width"],
    clusters: int,
    streams: Streams,
    restarts: int,
) -> Iterator[Float64[np.ndarray, "clusters width"]]:
    """Centres drawn by k-means++ among some rows, others for each start, or among all where they are few."""
    from sklearn.cluster import kmeans_plusplus

    random = np.random.RandomState(int(streams.generator("starts").integers(2**31)))
    draws = streams.generator("rows of starts")
    most = max(_START_PAIRS // clusters, _START_SHARE * clusters)
    for _ in range(restarts):
        some = rows
        if len(rows) > most:
            some = rows[np.sort(draws.choice(len(rows), most, replace=False))]
        drawn, _ = kmeans_plusplus((some - origin).astype(np.float32), clusters, random_state=random)
        yield drawn + origin


def settle(
    rows: Float32[np.ndarray, "rows width"],
    centres: Float64[np.ndarray, "centres width"],
    *,
    nearest: Nearest,
    variance: float,
) -> Settled:
    """Lloyd's rounds from these centres on, until no row changes, or centres hardly move.

    A centre that no row is nearest to is put on the row that lies farthest from its own.

    Args:
        rows: the rows.
        centres: where centres start.
        nearest: finds every row's nearest centre.
        variance: the mean of the columns' variances.

    Source: Lloyd (1982); the end as scikit-learn has it.
    """
    from polylens.kernels.means import move_sums

    sums, counts = np.zeros_like(centres), np.zeros(len(centres), dtype=np.int64)
    labels, before = nearest.find(centres, None), np.full(len(rows), -1, dtype=np.int64)
    for _ in range(_ROUNDS):
        move_sums(rows, before, labels, sums, counts)
        before = labels.copy()
        if not counts.all():
            _fill_empty(rows, labels, centres, counts, nearest)
            move_sums(rows, before, labels, sums, counts)
            before = labels.copy()
        following = sums / counts[:, None]
        moved = np.sqrt(np.einsum("cw,cw->c", following - centres, following - centres))
        centres = following
        labels = nearest.find(centres, moved)
        filled = np.bincount(labels, minlength=len(centres)).all()
        if filled and (np.array_equal(labels, before) or (moved**2).sum() <= _STILL * variance):
            break
    return Settled(labels, _squares_to_own(rows, centres, labels), centres)


def _fill_empty(
    rows: Float32[np.ndarray, "rows width"],
    labels: Int64[np.ndarray, "rows"],
    centres: Float64[np.ndarray, "centres width"],
    counts: Int64[np.ndarray, "centres"],
    nearest: Nearest,
) -> None:
    """Puts to each empty centre the farthest row that is not alone and equals none that was moved before."""
    left, taken = counts.copy(), set[bytes]()
    empty = iter(np.flatnonzero(counts == 0).tolist())
    centre = next(empty, None)
    for row in np.argsort(-_squares_to_own(rows, centres, labels), kind="stable").tolist():
        if centre is None:
            return
        content = rows[row].tobytes()
        if left[labels[row]] < 2 or content in taken:
            continue
        left[labels[row]] -= 1
        taken.add(content)
        labels[row] = centre
        nearest.place(row, centre)
        centre = next(empty, None)


def _squares_to_own(
    rows: Float32[np.ndarray, "rows width"],
    centres: Float64[np.ndarray, "centres width"],
    labels: Int64[np.ndarray, "rows"],
) -> Float64[np.ndarray, "rows"]:
    """The squared distance of every row to its own centre, in double precision."""
    from polylens.kernels.distances import SQUARED, measure_pairs
    from polylens.kernels.tiles import Measure

    none = np.empty(0)
    measuring = Measure(SQUARED, rows, none, centres, none)
    return np.asarray(measure_pairs(measuring, np.arange(len(rows)), labels))
