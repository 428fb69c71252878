"""Code distances of pairs over their distance, between classes and within."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from polylens.analyses._pairs import SIDES, Side, ratios
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Findings, Number, Rows
from polylens.statistics import MeasuredPairs, code_distances
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.pair_density import PairDensity


def pair_density_findings(
    analysis: PairDensity, rows: Rows, *, streams: Streams, progress: Progress
) -> Findings:
    """The ratios, of all layers and of each alone, with intervals over examples."""
    activations, codes = _whole_examples(rows)
    drawn = ratios.draw_pairs(rows, activations, count=analysis.pairs, streams=streams)
    measured: dict[Side, MeasuredPairs] = {}
    for side in SIDES:
        distances = code_distances(codes, pairs=drawn.pairs[side])
        pooled = np.concatenate([distances, distances.mean(1, keepdims=True)], axis=1)
        measured[side] = MeasuredPairs(drawn.pairs[side], drawn.lengths[side], pooled)
    findings = ratios.ratio_findings(
        rows,
        measured,
        layers=tuple(layer.name for layer in codes.scheme.layers),
        measure="code_distance",
        bins=analysis.bins,
        resamples=analysis.resamples,
        streams=streams,
        progress=progress,
    )
    numbers = {
        **findings.numbers,
        "names_polytopes": Number(float(codes.scheme.names_polytopes)),
        "zero_distance_pairs": Number(float(drawn.n_equal), unit="pairs"),
    }
    return replace(findings, numbers=numbers, notes=(*drawn.notes, *findings.notes))


def _whole_examples(rows: Rows) -> tuple[Float32[np.ndarray, "rows width"], Codes]:
    """Activations and codes of rows that are whole examples.

    Raises:
        DataError: the rows are positions, or lack activations or codes.
    """
    if rows.activations is None or rows.codes is None:
        raise DataError("pair_density needs activations and codes", hint="give the spec a 'code:'")
    if rows.origins.grid or len(np.unique(rows.origins.example)) != len(rows):
        raise DataError(
            "pair_density needs one row per example: the segment between two points is a segment of whole "
            f"tensors of '{rows.layer}', and these rows are single positions",
            hint="say 'positions: all' in the code, and leave 'sampling' out",
        )
    return rows.activations, rows.codes
