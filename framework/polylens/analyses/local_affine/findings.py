"""Affine maps of polytopes, and how they differ along pairs of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
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
    codes = np.concatenate(regimes(part, probing.tensor_of(points).to(part.device))[0], axis=1)
    notes: list[str] = []
    measured: dict[str, MeasuredPairs] = {}
    with progress.task("maps along segments", total=2 * analysis.pairs, unit="segments") as task:
        for kind in ("same", "different"):
            drawn = class_pairs(
                classes, same=kind == "same", count=analysis.pairs, generator=streams.generator("pairs", kind)
            )
            if not len(drawn):
                raise DataError(
                    f"there is no pair of {'one class' if kind == 'same' else 'two classes'} among them",
                    hint="use more points: each class needs two at least, and there must be two classes",
                )
            if len(drawn) < analysis.pairs:
                notes.append(f"Only {len(drawn)} {kind}-class pairs of these points exist; all were taken.")
            measured[kind] = _measure(analysis, part, points, maps, codes, drawn)
            task.advance(analysis.pairs)
    same, different = (pairs.choose(pairs.distance > 0) for pairs in measured.values())
    dropped = sum(len(pairs.pairs) for pairs in measured.values()) - len(same.pairs) - len(different.pairs)
    if dropped:
        notes.append(f"{dropped} pairs of equal points (distance zero) were left out.")
    spectra = maps.spectra()
    zero = int((spectra[:, 0] == 0).sum())
    if zero:
        notes.append(f"{zero} maps are zero: their effective rank is 0.")
    numbers = affine.spectrum_numbers(spectra, resamples=analysis.resamples, streams=streams)
    numbers |= affine.pair_numbers(
        same,
        different,
        classes,
        maps,
        example=rows.origins.block[chosen],
        bins=analysis.bins,
        resamples=analysis.resamples,
        streams=streams,
        notes=notes,
    )
    numbers["zero_distance_pairs"] = Number(float(dropped), unit="pairs")
    numbers["exact"] = Number(1.0)
    return Findings(
        numbers=numbers,
        tables={
            "points": affine.point_table(rows, chosen, spectra),
            "spectrum": affine.spectrum_table(spectra),
            "pairs": affine.pair_table(rows, chosen, same, different),
        },
        notes=tuple(notes),
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


def _measure(
    analysis: LocalAffine,
    part: Part,
    points: Float32[np.ndarray, "points ..."],
    maps: LocalMaps,
    codes: Int64[np.ndarray, "points units"],
    pairs: Pairs,
) -> MeasuredPairs:
    """Pairs with their distance; of each measure its value, times the distance."""
    lengths = segment_lengths(points, pairs=pairs)
    values = np.zeros((len(pairs), 3))
    values[:, 1] = map_distances(maps.matrices[pairs.left], maps.matrices[pairs.right])
    values[:, 2] = (codes[pairs.left] != codes[pairs.right]).mean(axis=1)
    starts, ends = (probing.tensor_of(points[side]) for side in (pairs.left, pairs.right))
    for place, met in enumerate(segments_crossings(part, starts, ends)):
        cells = len(met.midpoints)
        if cells < 2:
            continue
        before = np.unique(np.linspace(0, cells - 2, min(analysis.steps, cells - 1)).round().astype(np.int64))
        at = np.concatenate([met.midpoints[before], met.midpoints[before + 1]])
        along = probing.tensor_of(at).reshape(-1, *[1] * len(part.shape))
        between = starts[place] + (ends[place] - starts[place]) * along
        matrices = local_maps(part, between, block=256).matrices
        values[place, 0] = map_distances(matrices[: len(before)], matrices[len(before) :]).mean()
    # The engine of densities divides by the distance again, and matches pairs by it.
    return MeasuredPairs(pairs, lengths, values * lengths[:, None])
