"""Places on several segments as one ascending list of whole numbers.

1. The place s steps along segment k is the number `k * 2^52 + s`, with s from 0 at the segment's start to
   2^51 at its end. So one sorted list holds the vertices of all segments, and equal places are equal
   numbers.
2. What is solved for within a cell is rounded to the nearest step; no farther than 1e-12 of the segment
   from an end of the cell, it is that end (`place_flips`).
3. New places of which each is that close to the next are made the first of them, or the vertex that it is
   that close to (`merge_close`), and join the vertices (`refine`).
4. A list that is too long for one batch is cut into pieces of about equal length (`stretches`).

Invariants: a list of vertices ascends, holds no place twice, and has the start and the end of each of its
segments or, in a stretch, the places where it was cut. Pieces share the vertex at which a segment is cut;
no cell goes from one segment to the next.

Cost: the time of sorting; memory for 8 bytes a place. 64 bits hold 2,047 segments.
Source: decision 0008.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import torch
from jaxtyping import Bool, Float64, Int64

SHARES = 2**51
"""Steps from the start of a segment, which is place 0, to its end."""
STRIDE = 2**52
"""From the start of one segment to the start of the next: in between nothing is."""
RESOLUTION = 1e-12
"""Changes of regime closer together than this share of the segment count as one place."""
_CLOSE = round(RESOLUTION * SHARES)

Places = Int64[torch.Tensor, "places"]
_Cells = Int64[torch.Tensor, "cells"]
_Others = Int64[torch.Tensor, "_"]


def whole_segments(count: int, *, device: torch.device) -> _Others:
    """The starts and ends of this many segments.

    >>> segments_of(whole_segments(2, device=torch.device("cpu"))).tolist()
    [0, 0, 1, 1]
    """
    starts = torch.arange(count, device=device) * STRIDE
    return torch.stack([starts, starts + SHARES], dim=1).flatten()


def segments_of(places: Places) -> Int64[torch.Tensor, "places"]:
    """The segment that each place is on."""
    return places // STRIDE


def positions_of(places: Places) -> Float64[torch.Tensor, "places"]:
    """How far along its segment each place is, from 0 to 1."""
    return (places % STRIDE).to(torch.float64) / SHARES


def gaps(places: Places) -> Int64[torch.Tensor, "gaps"]:
    """The places after which another segment begins: from these to the next there is no cell."""
    segment = segments_of(places)
    return (segment[1:] != segment[:-1]).nonzero()[:, 0]


def weights_at(left: Places, right: Places, at: Places) -> Float64[torch.Tensor, "places"]:
    """How far each place is from the left one to the right one."""
    return (at - left).to(torch.float64) / (right - left).to(torch.float64)


def place_flips(at: Places, cell: _Cells, weight: Float64[torch.Tensor, "cells"]) -> _Cells:
    """Places within cells; exactly at a vertex where they are no farther from it than the resolution.

    Args:
        at: the vertices.
        cell: between the vertices `cell` and `cell + 1`.
        weight: how far along the cell.
    """
    left, right = at[cell], at[cell + 1]
    place = left + torch.round(weight * (right - left).to(torch.float64)).to(torch.int64)
    place = torch.where(place - left <= _CLOSE, left, place)
    return torch.where(right - place <= _CLOSE, right, place)


def merge_close(places: Int64[torch.Tensor, "flips"], at: Places) -> Int64[torch.Tensor, "flips"]:
    """The places, with those closer together than the resolution made one; vertices stay."""
    if not len(places):
        return places
    ordered, order = torch.sort(places)
    starts = torch.ones(len(ordered), dtype=torch.bool, device=ordered.device)
    # The starts of different segments are far apart, so no chain goes from one to another.
    starts[1:] = torch.diff(ordered) > _CLOSE
    firsts = ordered[starts][torch.cumsum(starts, 0) - 1]
    # A vertex among them wins, so that no new one appears beside it.
    nearest = torch.searchsorted(at, firsts - _CLOSE).clamp(max=len(at) - 1)
    firsts = torch.where((at[nearest] - firsts).abs() <= _CLOSE, at[nearest], firsts)
    merged = torch.empty_like(places)
    # Back into the order in which the places were given.
    merged[order] = firsts
    return merged


def refine(at: Places, new: Int64[torch.Tensor, "flips"]) -> _Others:
    """The vertices with the new ones among them."""
    every = torch.unique(torch.cat([at, new]))
    # The very same list says to `_Held.interpolate` that there is nothing to do.
    return at if len(every) == len(at) else every


def stretches(at: Places, vertices: int) -> list[_Others]:
    """Pieces of about equal numbers of vertices; neighbours share one, unless a segment ends there.

    >>> [piece.tolist() for piece in stretches(torch.tensor([0, 7, 9, SHARES]), 3)]
    [[0, 7, 9], [9, 2251799813685248]]
    """
    # Pieces share the vertex between them, so each brings one cell fewer than it has vertices.
    count = max(1, ceil((len(at) - 1) / (vertices - 1)))
    if count == 1:
        return [at]
    cuts = [round(piece * (len(at) - 1) / count) for piece in range(1, count)]
    segment = segments_of(at).tolist()
    bounds = [0]
    for cut in cuts:
        # Beside a gap the piece ends with its segment, and the next one begins with the next segment.
        is_first, is_last = segment[cut] != segment[cut - 1], segment[cut] != segment[cut + 1]
        bounds += [cut - 1 if is_first else cut, cut + 1 if is_last else cut]
    bounds.append(len(at) - 1)
    # Ends and starts take turns; every other pair is from the start of a piece to its end.
    pairs = list(pairwise(bounds))[::2]
    return [at[low : high + 1] for low, high in pairs if low < high]


def starts_segment(places: Places) -> Bool[torch.Tensor, "places"]:
    """Whether each place is the start of its segment."""
    return places % STRIDE == 0
