"""Affine maps of polytopes, and how they differ along pairs of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses._pairs import SIDES, Side
from polylens.analyses.local_affine import numbers as affine
from polylens.errors import DataError
from polylens.geometry import LocalMaps, Part, local_maps, map_distances, regimes, segments_crossings
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import MeasuredPairs, Pairs, class_pairs, segment_lengths
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.local_affine import LocalAffine

_LARGEST = 1 << 22
"""Numbers of one map that are still looked at (32 MiB)."""


def local_affine_findings(
    analysis: LocalAffine, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Spectra of maps, and distances of maps between and within classes."""
    part = _part(analysis, probed)
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    if rows.targets is None:
        raise DataError("these rows have no classes, so no maps can be compared within and between them")
    chosen = probing.draw_rows(rows, count=analysis.points, generator=streams.generator("points"))
    classes = np.asarray(rows.targets)[chosen]
    points = points[chosen]
    maps = local_maps(part, probing.tensor_of(points), block=256)
    measured, notes = _pairs(analysis, part, points, maps, classes, streams=streams, progress=progress)
    pairs = {side: each.choose(each.distance > 0) for side, each in measured.items()}
    dropped = sum(len(measured[side].pairs) - len(pairs[side].pairs) for side in SIDES)
    if dropped:
        notes.append(f"{dropped} pairs of equal points (distance zero) were left out.")
    spectra = maps.spectra()
    zero = int((spectra[:, 0] == 0).sum())
    if zero:
        notes.append(f"{zero} maps are zero: their effective rank is 0.")
    numbers = affine.spectrum_numbers(spectra, resamples=analysis.resamples, streams=streams)
    of_pairs, pair_notes = affine.pair_numbers(
        pairs,
        classes,
        maps,
        example=rows.origins.block[chosen],
        bins=analysis.bins,
        resamples=analysis.resamples,
        streams=streams,
    )
    numbers |= of_pairs
    numbers["zero_distance_pairs"] = Number(float(dropped), unit="pairs")
    numbers["exact"] = Number(1.0)
    return Findings(
        numbers=numbers,
        tables={
            "points": affine.point_table(rows, chosen, spectra),
            "spectrum": affine.spectrum_table(spectra),
            "pairs": affine.pair_table(rows, chosen, pairs),
        },
        notes=(*notes, *pair_notes),
    )


def _part(analysis: LocalAffine, probed: Probed) -> Part:
    part = probing.exact_part(probed, through=analysis.through, kind=analysis.kind())
    output = probing.numbers_of(part)
    width = int(np.prod(part.shape))
    if output * width > _LARGEST:
        raise DataError(
            f"a map from '{probed.layer}' to '{analysis.through}' has {output:,} x {width:,} numbers, more "
            f"than {_LARGEST:,}",
            hint="choose a narrower layer, or an earlier 'through'",
        )
    return part


def _pairs(
    analysis: LocalAffine,
    part: Part,
    points: Float32[np.ndarray, "points ..."],
    maps: LocalMaps,
    classes: Int64[np.ndarray, "points"],
    *,
    streams: Streams,
    progress: Progress,
) -> tuple[dict[Side, MeasuredPairs], list[str]]:
    """Pairs of points of both sides, how far their maps and codes are apart, and what to know of the draw.

    Raises:
        DataError: there is no pair of one side.
    """
    codes = np.concatenate(regimes(part, probing.tensor_of(points).to(part.device))[0], axis=1)
    notes: list[str] = []
    measured: dict[Side, MeasuredPairs] = {}
    with progress.task("maps along segments", total=2 * analysis.pairs, unit="segments") as task:
        for side in SIDES:
            drawn = class_pairs(
                classes, same=side == "same", count=analysis.pairs, generator=streams.generator("pairs", side)
            )
            if not len(drawn):
                raise DataError(
                    f"there is no pair of {'one class' if side == 'same' else 'two classes'} among them",
                    hint="use more points: each class needs two at least, and there must be two classes",
                )
            if len(drawn) < analysis.pairs:
                notes.append(f"Only {len(drawn)} {side}-class pairs of these points exist; all were taken.")
            measured[side] = _measure(analysis, part, points, maps, codes, drawn)
            task.advance(analysis.pairs)
    return measured, notes


def _measure(
    analysis: LocalAffine,
    part: Part,
    points: Float32[np.ndarray, "points ..."],
    maps: LocalMaps,
    codes: Int64[np.ndarray, "points units"],
    pairs: Pairs,
) -> MeasuredPairs:
    """How far the maps and the codes of each pair are apart, one column for each of `affine.MEASURES`.

    These are no densities: they are not divided by the distance of the points, which only matches pairs.
    """
    values = np.zeros((len(pairs), 3))
    values[:, 1] = map_distances(maps.matrices[pairs.left], maps.matrices[pairs.right])
    values[:, 2] = (codes[pairs.left] != codes[pairs.right]).mean(axis=1)
    starts, ends = (probing.tensor_of(points[end]) for end in (pairs.left, pairs.right))
    for index, met in enumerate(segments_crossings(part, starts, ends)):
        cells = len(met.midpoints)
        if cells < 2:
            continue
        before = np.unique(np.linspace(0, cells - 2, min(analysis.steps, cells - 1)).round().astype(np.int64))
        at = np.concatenate([met.midpoints[before], met.midpoints[before + 1]])
        along = probing.tensor_of(at).reshape(-1, *[1] * len(part.shape))
        between = starts[index] + (ends[index] - starts[index]) * along
        matrices = local_maps(part, between, block=256).matrices
        values[index, 0] = map_distances(matrices[: len(before)], matrices[len(before) :]).mean()
    return MeasuredPairs(pairs, segment_lengths(points, pairs=pairs), values, per_distance=False)
