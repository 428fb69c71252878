"""What lies along paths through a layer's space: straight ones, and curved ones as chains of chords.

1. Paths are taken in groups of about 256 chords, so that short chords share their forward passes.
2. Each chord is a segment. Its crossings are exact where the part is piecewise linear (`segments`), and
   found by halving intervals elsewhere (`sampling`).
3. A position on a chord becomes a share of the path's length: what lies before the chord, and its share of
   it.
4. What a unit does on all chords is summed: where the sum is not 0, its regime differs at the path's ends.

A great circle has corners at equal angles around the origin (`great_circle`): directions are weighted by
sines of the angles, norms go evenly from one end's to the other's.

Invariants: positions ascend; chords are given in their order and none is left out, also those that cross
nothing. A change exactly at a corner belongs to neither chord and is not counted.

Cost: that of the chords; memory for the crossings of one group.
Source: Shoemake 1985, "Animating rotation with quaternion curves", for the weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.errors import UsageError
from polylens.geometry.sampling import SampledCrossings, sampled_crossings
from polylens.geometry.segments import Crossings, segments_crossings
from polylens.geometry.tape import Part

_CHORDS = 256
"""Chords of several paths that are handed on together."""
_STRAIGHT = 1e-6
"""Directions whose angle has a smaller sine than this lie on one line."""


@dataclass(frozen=True, eq=False)
class Path:
    """The boundaries that a path crosses, and where another output becomes the largest.

    Positions are shares of the path's length, from 0 to 1.
    """

    length: float
    """Euclidean; of a chain the sum of its chords."""
    position: Float64[np.ndarray, "crossings"]
    """Ascending."""
    nonlinearity: Int64[np.ndarray, "crossings"]
    """Index into the part's nonlinearities."""
    differing: Int64[np.ndarray, "nonlinearities"]
    """Units that do not have the same regime at both ends."""
    switches: Float64[np.ndarray, "switches"]
    """Where another output becomes the largest."""
    exact: bool
    """Whether the part is piecewise linear; otherwise crossings were sampled, and there may be more."""


def great_circle(
    start: Float[torch.Tensor, "..."], end: Float[torch.Tensor, "..."], *, chords: int
) -> Float64[torch.Tensor, "corners ..."] | None:
    """Points from `start` to `end` at equal angles seen from the origin, norms changing evenly with them.

    None where no one path is the shortest around the origin: an end is zero, or they lie opposite each other.

    Args:
        start: a point.
        end: another.
        chords: pieces between the points; one more point is given.

    >>> great_circle(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0]), chords=2).round(decimals=3).tolist()
    [[1.0, 0.0], [1.414, 1.414], [0.0, 3.0]]
    """
    ends = torch.stack([start, end]).to(torch.float64)
    norms = ends.flatten(1).norm(dim=1)
    if not bool((norms > 0).all()):
        return None
    first, last = (direction / norm for direction, norm in zip(ends, norms, strict=True))
    # Exact also for small angles and for nearly opposite ends, where an arc cosine loses half its digits.
    angle = 2 * torch.atan2((first - last).norm(), (first + last).norm())
    at = torch.linspace(0, 1, chords + 1, dtype=torch.float64, device=ends.device)
    weights = torch.stack([1 - at, at], dim=1)
    if torch.sin(angle) > _STRAIGHT:
        turned = torch.sin(weights * angle) / torch.sin(angle)
    elif angle < 1:  # one direction: the sines' limit, as their quotient is 0 over 0
        turned = weights
    else:
        return None
    lengths = weights @ norms
    points: torch.Tensor = torch.tensordot(turned, torch.stack([first, last]), dims=1)
    points = points * lengths.reshape(-1, *[1] * first.dim())
    points[0], points[-1] = ends  # as they were given, without rounding
    return points


def path_crossings(
    part: Part,
    paths: Iterable[Float[torch.Tensor, "_ ..."]],
    *,
    vertices: int = 4096,
    switches: bool = True,
    resolution: float = 1e-4,
) -> Iterator[Path]:
    """What each path meets, in their order; exactly where the part is piecewise linear.

    A crossing exactly at a corner between two chords is not seen.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        paths: of each its corners, tensors of that layer: two of a straight path, more of a chain of chords.
        vertices: the largest batch.
        switches: whether switches are looked for; without them none are given.
        resolution: of sampling, as a share of a chord, where the part is not piecewise linear.

    Raises:
        UsageError: a path has fewer than two corners or no length, or its points do not fit.

    >>> from polylens.geometry.recording import record
    >>> part = record(torch.nn.ReLU().eval(), torch.zeros(1, 2)).part()
    >>> (path,) = path_crossings(part, [torch.tensor([[-1.0, 0.5], [1.0, 0.5], [1.0, -1.5]])])
    >>> path.position.tolist(), path.switches.tolist()
    ([0.25, 0.625], [0.375])
    """
    waiting = iter(paths)
    while group := _group(waiting):
        for path in group:
            if len(path) < 2:
                raise UsageError("a path needs two corners at least")
        corners = torch.cat([part.convert_points(path) for path in group])
        is_last = torch.zeros(len(corners), dtype=torch.bool)
        is_last[torch.cumsum(torch.tensor([len(path) for path in group]), 0) - 1] = True
        # From the last corner of a path no chord leads to the first of the next.
        starts, ends = corners[:-1][~is_last[:-1]], corners[1:][~is_last[:-1]]
        lengths = (ends - starts).flatten(1).norm(dim=1).cpu().numpy()
        chords: Iterator[Crossings | SampledCrossings]
        if part.obstacles:
            pairs = zip(starts, ends, strict=True)
            chords = (sampled_crossings(part, start, end, resolution=resolution) for start, end in pairs)
        else:
            chords = segments_crossings(part, starts, ends, vertices=vertices, keep_outputs=switches)
        low = 0
        for path in group:
            high = low + len(path) - 1
            yield _path(list(islice(chords, high - low)), lengths[low:high], switches=switches)
            low = high


def _group(paths: Iterator[Float[torch.Tensor, "_ ..."]]) -> list[torch.Tensor]:
    """The next few paths."""
    group: list[torch.Tensor] = []
    chords = 0
    for path in paths:
        group.append(path)
        chords += len(path) - 1
        if chords >= _CHORDS:
            break
    return group


def _path(
    chords: list[Crossings | SampledCrossings],
    lengths: Float64[np.ndarray, "chords"],
    *,
    switches: bool,
) -> Path:
    """The path that these chords make."""
    total = float(lengths.sum())
    if not total > 0:
        raise UsageError("a path needs a length above zero")
    begins = (np.cumsum(lengths) - lengths) / total
    shares = lengths / total

    def along(positions: list[np.ndarray]) -> Float64[np.ndarray, "_"]:
        pieces = zip(positions, begins, shares, strict=True)
        return np.concatenate([begin + share * position for position, begin, share in pieces])

    nonlinearity = np.concatenate([chord.nonlinearity for chord in chords])
    return Path(
        length=total,
        position=along([chord.position for chord in chords]),
        nonlinearity=nonlinearity,
        differing=_n_differing(chords, nonlinearity),
        switches=along([chord.switches() for chord in chords]) if switches else np.zeros(0),
        exact=chords[0].exact,
    )


def _n_differing(
    chords: list[Crossings | SampledCrossings], nonlinearity: Int64[np.ndarray, "crossings"]
) -> Int64[np.ndarray, "nonlinearities"]:
    """How many units of each nonlinearity end in another regime than they began in."""
    unit = np.concatenate([chord.unit for chord in chords])
    step = np.concatenate([chord.after - chord.before for chord in chords])
    # A name for each unit of each nonlinearity, so that one count tells all of them apart.
    width = int(unit.max(initial=0)) + 1
    names, which = np.unique(nonlinearity * width + unit, return_inverse=True)
    # A unit that went back has steps that sum to 0.
    moved = np.bincount(which, weights=step, minlength=len(names)) != 0
    return np.bincount(names[moved] // width, minlength=len(chords[0].nonlinearities))
