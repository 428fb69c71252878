"""Hamming distances between rows of packed codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from polylens.records import CodeScheme

_WORDS = (np.uint64, np.uint32, np.uint16, np.uint8)
_CHUNK_BYTES = 1 << 22
"""Bytes of codes looked at together: memory stays flat however many pairs there are, and fits the cache."""


def differing_bits(
    a: UInt8[np.ndarray, "pairs bytes"], b: UInt8[np.ndarray, "pairs bytes"]
) -> Int64[np.ndarray, "pairs"]:
    """How many bits differ between row i of `a` and row i of `b`, for every i.

    Either side may be a memory map, or a column slice of one: rows are read in chunks.

    Raises:
        ValueError: the shapes differ.

    >>> differing_bits(np.array([[0b1100, 255]], np.uint8), np.array([[0b1010, 255]], np.uint8)).tolist()
    [2]
    """
    if a.shape != b.shape:
        raise ValueError(f"pairs need equal shapes, got {a.shape} and {b.shape}")
    differing = np.zeros(len(a), dtype=np.int64)
    for chunk in _chunks(rows=len(a), row_bytes=a.shape[1]):
        words = np.bitwise_count(_words(a[chunk]) ^ _words(b[chunk]))
        differing[chunk] = words.sum(axis=1, dtype=np.int64)
    return differing


def differing_from(
    packed: UInt8[np.ndarray, "rows bytes"], rows: Int64[np.ndarray, "some"], *, one: int
) -> Int64[np.ndarray, "some"]:
    """How many bits differ between some rows and one of them all; only a few rows are in memory at once.

    >>> packed = np.array([[0b1100], [0b1010], [0b1111]], np.uint8)
    >>> differing_from(packed, np.array([0, 2]), one=1).tolist()
    [2, 2]
    """
    differing = np.zeros(len(rows), dtype=np.int64)
    centre = _words(np.asarray(packed[one : one + 1]))
    for chunk in _chunks(rows=len(rows), row_bytes=packed.shape[1]):
        differing[chunk] = np.bitwise_count(_words(packed[rows[chunk]]) ^ centre).sum(1, dtype=np.int64)
    return differing


def layer_distances(
    a: UInt8[np.ndarray, "pairs bytes"], b: UInt8[np.ndarray, "pairs bytes"], scheme: CodeScheme
) -> Float64[np.ndarray, "pairs layers"]:
    """The share of each layer's units that are in another regime, in [0, 1], for each pair.

    A unit counts by its bits that differ over the most that can (`CodeLayer.flips_per_unit`): a unit with two
    kinks that moves one piece further counts half.

    Raises:
        ValueError: the rows are not as long as the scheme says.
    """
    if a.shape[1] != scheme.n_bytes:
        raise ValueError(f"rows of {a.shape[1]} bytes do not fit a scheme of {scheme.n_bytes} bytes")
    starts = [columns.start for columns in scheme.columns()]
    filled = [index for index, layer in enumerate(scheme.layers) if layer.n_bytes]
    # The widest word that no border of two layers cuts: a row is looked at once, whatever layers it has.
    word = next(
        kind for kind in _WORDS if not any(edge % kind().nbytes for edge in (*starts, scheme.n_bytes))
    )
    edges = [starts[index] // word().nbytes for index in filled]
    flips = np.zeros((len(a), len(scheme.layers)), dtype=np.int64)
    for chunk in _chunks(rows=len(a), row_bytes=a.shape[1]):
        counts = np.bitwise_count(np.bitwise_xor(a[chunk], b[chunk]).view(word))
        if filled:
            flips[chunk, filled] = np.add.reduceat(counts, edges, axis=1, dtype=np.int64)
    most = np.array([layer.units * layer.flips_per_unit for layer in scheme.layers], dtype=np.float64)
    return np.asarray(flips / most)


def _chunks(*, rows: int, row_bytes: int) -> Iterator[slice]:
    step = max(1, _CHUNK_BYTES // max(1, row_bytes))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _words(rows: UInt8[np.ndarray, "rows bytes"]) -> np.ndarray:
    """Packed bytes as 64-bit words of the bits they hold, padded with zeros."""
    n_words = -(-rows.shape[1] // 8)
    if rows.shape[1] == 8 * n_words and rows.flags.c_contiguous:
        return rows.view(np.uint64)
    padded = np.zeros((len(rows), 8 * n_words), dtype=np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.view(np.uint64)
