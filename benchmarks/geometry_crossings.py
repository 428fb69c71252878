"""Exact crossings of segments: against one forward pass over what they find, and against dense sampling."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from geometry_networks import googlenet, googlenet_part, mlp, residual, test_points
from geometry_tables import head, row, spread
from measuring import alternated

from polylens.geometry import Crossings, Part, record, regimes, segment_crossings, segments_crossings

SAMPLES = {1_000: 100, 10_000: 100, 100_000: 20, 1_000_000: 2}
"""Points on a segment, and on how many segments."""
_BLOCK = 2**14
_SHARE = {"inception4c": 1e-3, "input": 1e-5}
"""Of the way between two images, in GoogLeNet."""


@dataclass(frozen=True)
class Case:
    """Segments of one part of a network."""

    name: str
    part: Part
    starts: torch.Tensor
    ends: torch.Tensor
    vertices: int

    def crossings(self) -> list[Crossings]:
        """All of them, without the outputs."""
        if len(self.starts) > 1:
            return list(segments_crossings(self.part, self.starts, self.ends, vertices=self.vertices))
        ends = self.starts[0], self.ends[0]
        return [segment_crossings(self.part, *ends, vertices=self.vertices, keep_outputs=False)]

    def points(self, found: list[Crossings]) -> torch.Tensor:
        """The breakpoints, as tensors of the layer."""
        pairs = zip(found, self.starts, self.ends, strict=True)
        return torch.cat([along(start, end, one.breakpoints) for one, start, end in pairs])

    def forward(self, points: torch.Tensor) -> None:
        """One pass over them, in batches as large as the walk's."""
        with torch.no_grad():
            for batch in points.split(self.vertices):
                self.part.forward(batch)


def along(start: torch.Tensor, end: torch.Tensor, at: np.ndarray) -> torch.Tensor:
    """The points of a segment at these positions."""
    places = torch.as_tensor(at).reshape(-1, *[1] * start.dim())
    return start + (end - start) * places


def cases(*, quick: bool) -> list[Case]:
    """Digits MLP and residual network between test images; GoogLeNet from a middle layer and the input."""
    found = []
    for name, network, shape in (
        ("digits MLP 3 x 64", mlp(64), (64,)),
        ("residual CNN", residual(), (1, 8, 8)),
    ):
        points = test_points(shape)
        part = record(network, points[:1].float()).part()
        found.append(Case(f"{name}, 100 segments", part, points[:100], points[100:200], 4096))
    if not quick:
        network, images = googlenet()
        for layer, share in _SHARE.items():
            part = googlenet_part(network, layer)
            ends = images
            if layer != "input":
                with torch.no_grad():
                    ends = googlenet_points(network, layer, images)
            end = ends[:1] + share * (ends[1:] - ends[:1])
            found.append(Case(f"GoogLeNet from {layer}, {share:g} of a way", part, ends[:1], end, 64))
    return found


def googlenet_points(network: torch.nn.Module, layer: str, images: torch.Tensor) -> torch.Tensor:
    """A layer's tensors at the images."""
    kept: list[torch.Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda *given: kept.append(given[2]))
    network(images.float())
    handle.remove()
    return kept[0].double()


def rates(cases: list[Case], *, turns: int) -> None:
    """G1: crossings beside one forward pass over the breakpoints found."""
    print("\n### Exact crossings beside one forward pass over the breakpoints found\n")
    head(
        "segments",
        "crossings",
        "breakpoints",
        "exact s",
        "forward s",
        "ratio",
        "crossings/s",
        "rows",
        "batch",
    )
    for case in cases:
        found = case.crossings()
        points = case.points(found)
        check_midpoints(case, found)
        work = {"exact": case.crossings, "forward": lambda case=case, points=points: case.forward(points)}
        times = alternated(work, turns=turns, warm_up=0)
        exact, forward = median(times["exact"]), median(times["forward"])
        count = sum(len(one.position) for one in found)
        row(
            case.name,
            f"{count:,}",
            f"{len(points):,}",
            spread(times["exact"]),
            spread(times["forward"]),
            f"{exact / forward:.2f}",
            f"{count / exact:,.0f}",
            f"{sum(one.n_rows for one in found):,}",
            f"{max(one.largest_batch for one in found):,}",
        )


def check_midpoints(case: Case, found: list[Crossings]) -> None:
    """Each cell's code is the network's at its middle, on a few of the segments."""
    for one, start, end in list(zip(found, case.starts, case.ends, strict=True))[:3]:
        middles = one.midpoints[:: max(1, len(one.midpoints) // 100)]
        codes, _ = regimes(case.part, along(start, end, middles))
        cells = np.searchsorted(one.breakpoints, middles) - 1
        for index, code in enumerate(codes):
            assert (one.codes(index)[cells] == code).all(), f"{case.name}: a code differs"


def sampling(cases: list[Case], *, quick: bool) -> None:
    """G2: codes that dense sampling misses, and whether it ever sees one that the exact list lacks."""
    print("\n### Dense sampling of the same segments\n")
    head("segments", "points each", "polytopes", "missed", "unknown to the list", "s", "times the exact")
    for case in cases[:2]:
        case.crossings()
        start = time.perf_counter()
        found = case.crossings()
        exact = (time.perf_counter() - start) / len(found)
        _sampled(case, 0, 1_000)
        start = time.perf_counter()
        for number in range(5):
            _sampled(case, number, 1_000)
        first = (time.perf_counter() - start) / 5
        _sampled_row(case, found, max(2, round(1_000 * exact / first)), exact, words=" (in equal time)")
        for points, chosen in list(SAMPLES.items())[: 2 if quick else 4]:
            _sampled_row(case, found[:chosen], points, exact)


def _sampled_row(case: Case, found: list[Crossings], points: int, exact: float, *, words: str = "") -> None:
    """A line of the table; `exact` seconds a segment."""
    start = time.perf_counter()
    seen = [_sampled(case, number, points) for number in range(len(found))]
    seconds = (time.perf_counter() - start) / len(found)
    total = missed = strange = 0
    for one, codes in zip(found, seen, strict=True):
        known = _names(np.concatenate([one.codes(i) for i in range(len(one.nonlinearities))], axis=1))
        total, missed = total + len(known), missed + len(known - codes)
        strange += len(codes - known)
    row(
        f"{case.name.split(',')[0]}, {len(found)} segments",
        f"{points:,}{words}",
        f"{total:,}",
        f"{missed:,} ({missed / total:.2%})",
        strange,
        f"{seconds * len(found):.3g}",
        f"{seconds / exact:.3g}",
    )


def _sampled(case: Case, number: int, points: int) -> set[bytes]:
    """Codes at evenly spaced places inside of a segment.

    Not at its ends: images have equal pixels, so that windows of a pool tie there, and the end lies on a
    boundary.
    """
    places, seen = (np.arange(points) + 0.5) / points, set[bytes]()
    for low in range(0, points, _BLOCK):
        batch = along(case.starts[number], case.ends[number], places[low : low + _BLOCK])
        codes, _ = regimes(case.part, batch)
        code = np.concatenate(codes, axis=1)
        changes = np.flatnonzero((code[1:] != code[:-1]).any(axis=1)) + 1
        seen |= _names(code[np.concatenate([[0], changes])])
    return seen


def _names(codes: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in codes.astype(np.int16)}
