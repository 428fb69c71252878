"""What every clustering refuses, said before any work is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral

import numpy as np
from jaxtyping import Float32

from polylens.clustering.points import METRICS, Points
from polylens.errors import DataError, nearest
from polylens.records import row_pieces

_KINDS = {np.dtype(np.float32): "activations", np.dtype(np.bool_): "bits", np.dtype(np.uint8): "bits"}


def check_points(
    points: Points,
    *,
    at_least: int,
    because: str,
    metric: str | None = None,
    bits: int | None = None,
) -> None:
    """Refuses points that no clustering can take.

    Args:
        points: to be clustered.
        at_least: fewest rows.
        because: why so many are needed, for the error.
        metric: what they are to be compared by, where there is a choice.
        bits: how many bits a packed row is said to hold.

    Raises:
        DataError: no array of rows of a type that is compared, too few rows, no columns, numbers that are not
            finite, a metric or a number of bits that does not fit the points; says what to change.
    """
    check_rows(points)
    if metric is not None:
        check_metric(points, metric)
    check_size(*points.shape, at_least=at_least, because=because)
    if bits is not None:
        check_bits(points, bits)
    check_finite(points)


def check_size(rows: int, width: int, *, at_least: int, because: str) -> None:
    """Refuses too few rows, and rows without columns.

    Raises:
        DataError: says why more are needed.
    """
    if rows < max(at_least, 2):
        raise DataError(
            f"{rows} {'row is' if rows == 1 else 'rows are'} too few to cluster: {because}",
            hint="sample more rows, or ask for smaller clusters",
        )
    if width == 0:
        raise DataError("the rows have no columns: there is nothing to cluster by")


def check_rows(points: object) -> None:
    """Refuses what is no array of rows, or of numbers that rows are not compared in.

    Raises:
        DataError: says what it is, and what to make of it.
    """
    wanted = "rows are a NumPy array, 'rows x columns', of float32, bool or uint8 (packed bits)"
    if not isinstance(points, np.ndarray):
        raise DataError(f"{wanted}, not a {type(points).__name__}", hint="use np.asarray(rows, np.float32)")
    if points.ndim != 2:
        raise DataError(f"{wanted}; this one has the shape {points.shape}")
    if points.dtype not in _KINDS:
        raise DataError(
            f"{wanted}, not of {points.dtype}",
            hint="use 'rows.astype(np.float32)' for numbers, and 'rows.astype(bool)' for bits",
        )


def check_metric(points: Points, metric: str) -> None:
    """Refuses a metric that there is none of, or that does not fit the points.

    Raises:
        DataError: says which ones do.
    """
    kind = _KINDS[points.dtype]
    if metric in METRICS[kind]:
        return
    check_word("metric", metric, [name for names in METRICS.values() for name in names])
    raise DataError(f"metric '{metric}' does not fit {kind}", hint=f"use {' or '.join(METRICS[kind])}")


def check_word(what: str, word: object, known: Sequence[str]) -> None:
    """Refuses a word that is not among the known ones.

    Raises:
        DataError: says which are, and which was perhaps meant.
    """
    if word not in known:
        near = nearest(str(word), known)
        meant = "" if near is None else f"; did you mean '{near}'?"
        raise DataError(f"no {what} '{word}'{meant}", hint=f"known: {', '.join(known)}")


def check_whole(what: str, number: object, *, least: int, because: str) -> None:
    """Refuses what is no whole number, or below the least that makes sense.

    Raises:
        DataError: says why.
    """
    if not isinstance(number, Integral):
        raise DataError(f"{what} is {number!r}: it is a whole number, {least} or more")
    if number < least:
        raise DataError(f"{what} is {number}: {because}")


def check_min_samples(min_samples: object) -> None:
    """Refuses a number of neighbours that makes no core point.

    Raises:
        DataError: says why.
    """
    because = "a row is its own first neighbour, so it is 1 or more"
    check_whole("min_samples", min_samples, least=1, because=because)


def check_finite(points: Points) -> None:
    """Refuses NaN and infinity.

    Raises:
        DataError: says how many rows hold one, and the first.
    """
    if points.dtype == np.float32:
        check_pieces_finite(points[some] for some in row_pieces(*points.shape))


def check_pieces_finite(pieces: Iterable[Float32[np.ndarray, "_some _width"]]) -> None:
    """Refuses NaN and infinity in rows that come some at a time.

    Raises:
        DataError: says how many rows hold one, and the first.
    """
    finite = np.concatenate([np.ones(0, np.bool_), *(np.isfinite(piece).all(1) for piece in pieces)])
    rows = len(finite)
    if not finite.all():
        worst = int(np.flatnonzero(~finite)[0])
        raise DataError(
            f"{int((~finite).sum())} of {rows} rows hold NaN or infinity (the first is row {worst})",
            hint="look at the network's precision and at the inputs: such rows cannot be compared",
        )


def check_bits(points: Points, bits: int) -> None:
    """Refuses a number of bits that packed rows cannot hold, or hold more of.

    Padding may stand anywhere, at the end of each layer's bits for one; that it is zero in all rows is seen
    by how many places are set in any row.

    Raises:
        DataError: says how many they hold.
    """
    if points.dtype != np.uint8:
        raise DataError("'bits' is for packed rows (uint8); of other rows, the columns are counted")
    most = 8 * points.shape[1]
    if not 0 < bits <= most:
        raise DataError(f"packed rows of {points.shape[1]} bytes hold 1 to {most} bits, not {bits}")
    held = int(np.bitwise_count(np.bitwise_or.reduce(points, axis=0)).sum())
    if held > bits:
        raise DataError(
            f"packed rows of {bits} bits have bits set in {held} places: what fills them up is not zero",
            hint="give the number of bits that were packed, and fill bytes up with zeros (np.packbits does)",
        )
