"""Densities along paths and around switches of the prediction, with their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64

from polylens.analyses._pairs import Side
from polylens.analyses._pairs.walks import WalkedPairs
from polylens.progress import Progress
from polylens.statistics import DistanceBins, PathCrossings, PathPlaces, PathProfile, matching_weights
from polylens.streams import Streams

ALL = "all"
"""The measure that is the mean of all layers."""


@dataclass(frozen=True, eq=False)
class Around:
    """How dense boundaries are around switches, over the density on the whole of the paths that switch."""

    offsets: Float64[np.ndarray, "pieces"]
    """Middles of the pieces; the middle one is centred at the switch."""
    relative: Float64[np.ndarray, "measures pieces"]
    """Density of each piece over that of the whole paths."""
    resampled: Float64[np.ndarray, "resamples measures pieces"]
    """`relative` on each resample of the examples."""
    exchanged: Float64[np.ndarray, "exchanges measures pieces"]
    """`relative` with the switches of one path put on another, once for each exchange: chance."""
    reversed: Float64[np.ndarray, "measures pieces"]
    """`relative` with each switch counted from the other end of its path."""
    density: Float64[np.ndarray, "measures pieces"]
    """Share of units crossed per unit length."""
    n_paths: int
    """Paths with a switch."""


def crossings_of(walked: WalkedPairs, units: Float64[np.ndarray, "layers"]) -> PathCrossings:
    """All crossings of the paths."""
    counts = [len(path.position) for path in walked.paths]
    return PathCrossings(
        length=np.array([path.length for path in walked.paths]),
        path=np.repeat(np.arange(len(counts), dtype=np.int64), counts),
        position=np.concatenate([path.position for path in walked.paths]),
        layer=np.concatenate([path.nonlinearity for path in walked.paths]),
        units=units,
    )


def switches_of(walked: WalkedPairs) -> PathPlaces:
    """All switches of the paths."""
    counts = [len(path.switches) for path in walked.paths]
    return PathPlaces(
        np.repeat(np.arange(len(counts), dtype=np.int64), counts),
        np.concatenate([path.switches for path in walked.paths]),
    )


def around_switches(
    crossings: PathCrossings,
    switches: PathPlaces,
    *,
    near: float,
    pieces: int,
    weights: Sequence[Float64[np.ndarray, "paths"]],
    exchanges: int,
    streams: Streams,
) -> Around | None:
    """How dense boundaries are near switches; None where no path has one.

    Args:
        crossings: of all paths.
        switches: on the same paths.
        near: width of a piece, as a share of the path.
        pieces: on either side of the middle one.
        weights: how often each path counts, once a resample.
        exchanges: of switches between paths, for chance.
        streams: draws them.
    """
    if not len(switches.path):
        return None
    edges = (np.arange(2 * pieces + 2) - pieces - 0.5) * near
    with_switch = np.unique(switches.path)
    chosen = np.zeros(len(crossings.length))
    chosen[with_switch] = 1.0
    whole = PathProfile.along(crossings, pieces=1)
    mean = whole.density(chosen)
    profile = PathProfile.around(crossings, switches, edges)
    resampled = [
        _over(profile.density(weight[switches.path]), whole.density(weight * chosen)) for weight in weights
    ]
    exchanged = []
    for number in range(exchanges if len(with_switch) > 1 else 0):
        elsewhere = switches.exchange(streams.generator("exchange", number))
        exchanged.append(_over(PathProfile.around(crossings, elsewhere, edges).density(), mean))
    shape = (0, *profile.crossed.shape[1:])
    back = PathProfile.around(crossings, switches.reverse(), edges)
    return Around(
        offsets=(edges[1:] + edges[:-1]) / 2,
        relative=_over(profile.density(), mean),
        resampled=np.array(resampled).reshape(-1, *shape[1:]),
        exchanged=np.array(exchanged).reshape(-1, *shape[1:]),
        reversed=_over(back.density(), mean),
        density=profile.density(),
        n_paths=len(with_switch),
    )


def around_table(around: Mapping[Side, Around], layers: Sequence[str]) -> pd.DataFrame:
    """One line a side of pairs, layer and piece around switches."""
    tables = []
    for side, each in around.items():
        low, high = _middle(each.resampled)
        chance_low, chance_high = _middle(each.exchanged)
        for row, layer in enumerate([*layers, ALL]):
            tables.append(
                pd.DataFrame(
                    {
                        "kind": side,
                        "layer": layer,
                        "offset": each.offsets,
                        "density": each.density[row],
                        "relative": each.relative[row],
                        "low": low[row],
                        "high": high[row],
                        "chance_low": chance_low[row],
                        "chance_high": chance_high[row],
                        "reversed": each.reversed[row],
                        "paths": each.n_paths,
                    }
                )
            )
    columns = ["kind", "layer", "offset", "density", "relative", "low", "high"]
    empty = pd.DataFrame(columns=[*columns, "chance_low", "chance_high", "reversed", "paths"])
    return pd.concat(tables, ignore_index=True) if tables else empty


def along_table(
    crossings: Mapping[Side, PathCrossings],
    layers: Sequence[str],
    *,
    bins: DistanceBins | None,
    pieces: int,
    weights: Mapping[Side, Sequence[Float64[np.ndarray, "_"]]],
    progress: Progress,
) -> pd.DataFrame:
    """One line a side of pairs, layer and piece of the path; different-class paths have the others' lengths.

    Where hardly any lengths are shared, paths are taken as they are.
    """
    profiles = {side: PathProfile.along(each, pieces=pieces) for side, each in crossings.items()}

    def densities(weight: Mapping[Side, Float64[np.ndarray, "_"]]) -> dict[Side, np.ndarray]:
        same, different = weight["same"], weight["different"]
        if bins is not None and bins.can_match:
            same, different = matching_weights(bins, same_weight=same, different_weight=different)
        return {"same": profiles["same"].density(same), "different": profiles["different"].density(different)}

    once = densities({side: np.ones(len(each.length)) for side, each in crossings.items()})
    again: dict[Side, list[np.ndarray]] = {"same": [], "different": []}
    with progress.task("resampling paths", total=len(weights["same"]), unit="resamples") as task:
        for same, different in zip(weights["same"], weights["different"], strict=True):
            for side, density in densities({"same": same, "different": different}).items():
                again[side].append(density)
            task.advance()
    middles = (np.arange(pieces) + 0.5) / pieces
    tables = []
    for side, density in once.items():
        low, high = _middle(np.array(again[side]))
        for row, layer in enumerate([*layers, ALL]):
            columns = {"density": density[row], "low": low[row], "high": high[row]}
            tables.append(pd.DataFrame({"kind": side, "layer": layer, "position": middles, **columns}))
    return pd.concat(tables, ignore_index=True)


def _over(
    density: Float64[np.ndarray, "measures pieces"], mean: Float64[np.ndarray, "measures one"]
) -> Float64[np.ndarray, "measures pieces"]:
    mean = np.broadcast_to(mean, density.shape)
    relative: np.ndarray = np.divide(density, mean, out=np.full(density.shape, np.nan), where=mean > 0)
    return relative


def _middle(
    values: Float64[np.ndarray, "draws measures pieces"],
) -> tuple[Float64[np.ndarray, "measures pieces"], Float64[np.ndarray, "measures pieces"]]:
    """The 5 and 95 % points of the draws in which there is a value; NaN where fewer than two have one."""
    low, high = np.full(values.shape[1:], np.nan), np.full(values.shape[1:], np.nan)
    for index in np.ndindex(*values.shape[1:]):
        known = values[(slice(None), *index)]
        known = known[np.isfinite(known)]
        if len(known) > 1:
            low[index], high[index] = np.quantile(known, [0.05, 0.95])
    return low, high
