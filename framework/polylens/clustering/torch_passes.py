"""Passes over all pairs of rows on a GPU: products of blocks by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.dense_space import lengths
from polylens.clustering.groups import Groups
from polylens.clustering.points import Metric, Points
from polylens.clustering.processes import Processes
from polylens.clustering.spaces import Least, Nearest
from polylens.errors import DataError
from polylens.kernels.tiles import Measure
from polylens.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_BLOCK_BYTES = 1 << 30
"""Distances of one block of rows to all others held at once; eight times as many where a GPU has room."""
_COLUMNS = 16_384
"""Rows on the other side of one product."""


class TorchPasses:
    """Passes by products of blocks of rows with all rows, on a torch device.

    Bits become rows of -1 and +1, whose products say how many differ; sums are exact in the 32-bit floats
    that they are kept in. Activations are compared in double precision, and neighbours and edges found so are
    measured once more as the processor's passes measure them, so that both give the same numbers, but for the
    choice between distances that agree to some thirteen digits.
    """

    def __init__(
        self, points: Points, *, metric: Metric, bits: int, device: str, block_bytes: int | None = None
    ) -> None:
        import torch

        self._metric = metric
        self._bits = bits
        self._device = device_named(device)
        self._points = points
        packed = np.packbits(points, axis=1) if points.dtype == np.bool_ else np.ascontiguousarray(points)
        self._rows = torch.tensor(packed, device=self._device)
        self._centre = self._mean() if metric == "euclidean" else None
        self._block_bytes = block_bytes or self._fitting_block()
        self._lengths = lengths(points) if points.dtype == np.float32 else np.empty(0)

    def nearest(self, neighbours: int, processes: Processes, progress: Progress) -> Nearest:
        """The nearest neighbours of every row."""
        import torch

        nearest = Nearest.none_yet(np.full(len(self._points), np.inf), neighbours)
        for rows in self._blocks("nearest neighbours", processes, progress):
            apart = self._distances(rows)
            apart[torch.arange(len(apart)), torch.arange(rows.start, rows.stop)] = torch.inf
            distances, who = torch.topk(apart, neighbours, dim=1, largest=False)
            nearest.distances[rows], nearest.who[rows] = distances.cpu().numpy(), who.cpu().numpy()
        nearest = nearest.with_those_of(processes)
        if self._points.dtype != np.float32:
            return nearest
        own = np.repeat(np.arange(len(nearest.who)), neighbours)
        measured = self._measure(own, nearest.who.ravel()).reshape(nearest.who.shape)
        return Nearest(measured, nearest.who).by_rising_distance()

    def least(self, groups: Groups, processes: Processes, progress: Progress) -> Least:
        """The least edge out of every group."""
        import torch

        place = np.empty_like(groups.order)
        place[groups.order] = np.arange(len(place))
        core = torch.from_numpy(groups.core[place]).to(self._device)
        group = torch.from_numpy(groups.group[place]).to(self._device)
        reach = np.full(len(place), np.inf)
        other = np.zeros(len(place), dtype=np.int64)
        title = f"edges between {groups.count:,} groups"
        for rows in self._blocks(title, processes, progress):
            apart = torch.maximum(self._distances(rows), core[None].to(self._precision))
            apart = torch.maximum(apart, core[rows, None].to(self._precision))
            apart[group[rows, None] == group[None]] = torch.inf
            least, who = apart.min(dim=1)
            reach[rows], other[rows] = least.cpu().numpy(), who.cpu().numpy()
        found = Least.none_yet(groups.count, each_two=False)
        rising = np.argsort(reach, kind="stable")
        own, first = np.unique(groups.group[place][rising], return_index=True)
        row = rising[first]
        found.weight[own, 0] = reach[row]
        found.ends[own, 0] = np.stack([row, other[row]], axis=1)
        found = found.with_those_of(processes)
        if self._points.dtype == np.float32:
            ends = found.ends[:, 0]
            cores = groups.core[place[ends]].max(1)
            found.weight[:, 0] = np.maximum(self._measure(ends[:, 0], ends[:, 1]), cores)
        return found

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Shares of bits for Hamming; roots of squared distances; the others as they are."""
        if self._metric == "hamming":
            return distances / self._bits
        return np.sqrt(distances) if self._metric == "euclidean" else distances

    def _measure(
        self, left: Int64[np.ndarray, "pairs"], right: Int64[np.ndarray, "pairs"]
    ) -> Float64[np.ndarray, "pairs"]:
        """Distances of single pairs, as the processor's passes measure them."""
        from polylens.kernels.distances import KINDS, measure_pairs

        rows = (self._points, self._lengths)
        return measure_pairs(Measure(KINDS[self._metric], *rows, *rows), left, right)

    @property
    def _precision(self) -> torch.dtype:
        import torch

        return torch.float32 if self._metric == "hamming" else torch.float64

    def _mean(self) -> torch.Tensor:
        """The mean row, in double precision, without a copy of all rows in it."""
        import torch

        total = torch.zeros(self._rows.shape[1], dtype=torch.float64, device=self._device)
        for start in range(0, len(self._rows), _COLUMNS):
            total += self._rows[start : start + _COLUMNS].double().sum(0)
        return total / len(self._rows)

    def _fitting_block(self) -> int:
        """Bytes of a block's distances: the larger blocks are, the less often bits are unpacked."""
        import torch

        if self._device.type != "cuda":
            return _BLOCK_BYTES
        free, _ = torch.cuda.mem_get_info(self._device)
        return max(min(free // 8, 8 * _BLOCK_BYTES), _BLOCK_BYTES)

    def _blocks(self, title: str, processes: Processes, progress: Progress) -> Iterator[slice]:
        """This process's share of the rows, block by block."""
        n = len(self._points)
        size = max(self._block_bytes // (self._precision.itemsize * n), 1)
        starts = range(0, n, size)[processes.rank :: processes.count]
        blocks = [slice(start, min(start + size, n)) for start in starts]
        mine = sum(rows.stop - rows.start for rows in blocks)
        total = n * (n - 1) // 2
        with progress.task(title, total=total, unit="pairs") as task:
            for rows in blocks:
                yield rows
                task.advance(total * (rows.stop - rows.start) / mine)  # one process shows how far all are

    def _distances(self, rows: slice) -> torch.Tensor:
        """Distances of a block of rows to all rows, on the device."""
        import torch

        n = len(self._points)
        found = torch.empty(rows.stop - rows.start, n, dtype=self._precision, device=self._device)
        left = self._prepare(rows)
        for start in range(0, n, _COLUMNS):
            columns = slice(start, min(start + _COLUMNS, n))
            found[:, columns] = self._between(left, self._prepare(columns))
        return found

    def _between(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        import torch

        if self._metric == "l1":
            return torch.cdist(left, right, p=1.0)
        if self._metric in ("euclidean", "cosine"):
            squares = [(block * block).sum(1) for block in (left, right)]
            apart = squares[0][:, None] + squares[1][None] - 2 * (left @ right.T)
            return apart.clamp_(min=0) / (2 if self._metric == "cosine" else 1)
        products = (
            torch.mm(left, right.T, out_dtype=torch.float32)  # 16-bit sums would round counts above 256
            if self._device.type == "cuda"
            else left @ right.T
        )
        differing = (left.shape[1] - products) / 2
        if self._metric == "hamming":
            return differing
        ones = [(block.float().sum(1, dtype=torch.float64) + left.shape[1]) / 2 for block in (left, right)]
        either = (ones[0][:, None] + ones[1][None] + differing) / 2
        return torch.where(either > 0, differing.double() / either, 0.0)

    def _prepare(self, rows: slice) -> torch.Tensor:
        """A block of rows as the products need it: -1 and +1 for bits, double precision for numbers."""
        import torch

        block = self._rows[rows]
        if block.dtype == torch.uint8:
            places = torch.arange(8, dtype=torch.uint8, device=self._device)
            ones = (block[:, :, None] >> places) & 1
            kind = torch.bfloat16 if self._device.type == "cuda" else torch.float32
            return (2 * ones.to(kind) - 1).reshape(len(block), -1)
        block = block.double()
        if self._centre is not None:
            return block - self._centre
        if self._metric == "cosine":
            lengths = block.norm(dim=1, keepdim=True)
            return block / torch.where(lengths > 0, lengths, 1.0)
        return block


def device_named(name: str) -> torch.device:
    """The device of that name.

    Raises:
        DataError: there is none.
    """
    import torch

    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise DataError(f"no device '{name}' here", hint="use 'cpu', or a device that torch finds") from error
