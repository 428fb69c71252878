"""Training examples in shuffled batches, in an order that depends on the seed and the epoch only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from jaxtyping import Int64

from polylens.records import Examples
from polylens.streams import Streams

_FITS_IN_MEMORY = 1 << 29
"""Bytes of inputs that are prepared once and kept (512 MiB); more are prepared anew in every epoch."""

_PIECE = 512
"""Examples prepared at once."""

Batch = tuple[torch.Tensor, torch.Tensor]


class EpochOrder(torch.utils.data.Sampler[list[int]]):
    """The batches of an epoch as lists of indices. Lightning says which epoch it is."""

    def __init__(self, n_examples: int, *, batch_size: int, streams: Streams) -> None:
        self._n_examples = n_examples
        self._batch_size = batch_size
        self._streams = streams
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch whose order the next iteration gives."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._n_examples // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        generator = self._streams.torch_generator("order", self._epoch)
        order = torch.randperm(self._n_examples, generator=generator).tolist()
        for start in range(0, self._n_examples, self._batch_size):
            yield order[start : start + self._batch_size]


class HeldExamples:
    """Batches cut from one tensor that holds all inputs."""

    def __init__(self, inputs: torch.Tensor, targets: torch.Tensor, *, sampler: EpochOrder) -> None:
        self._inputs = inputs
        self._targets = targets
        self.sampler = sampler

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        for indices in self.sampler:
            chosen = torch.tensor(indices)
            yield self._inputs[chosen], self._targets[chosen]


class Prepared(torch.utils.data.Dataset[Batch]):
    """Examples prepared batch by batch: asked for a list of indices, gives a batch."""

    def __init__(self, examples: Examples, targets: torch.Tensor) -> None:
        self._examples = examples
        self._targets = targets

    def __getitem__(self, indices: Sequence[int]) -> Batch:
        return self._examples.batch(indices), self._targets[torch.tensor(indices)]


def training_batches(
    examples: Examples,
    targets: Int64[torch.Tensor, "examples"],
    *,
    batch_size: int,
    streams: Streams,
    workers: int,
) -> Iterable[Batch]:
    """A loader of shuffled batches: from memory where all inputs fit, else prepared on the way."""
    order = EpochOrder(len(examples), batch_size=batch_size, streams=streams)
    if examples.batch([0]).nbytes * len(examples) <= _FITS_IN_MEMORY:
        return HeldExamples(all_inputs(examples), targets, sampler=order)
    return torch.utils.data.DataLoader(
        Prepared(examples, targets),
        sampler=order,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def all_inputs(examples: Examples) -> torch.Tensor:
    """The inputs of all examples as one tensor."""
    n_examples = len(examples)
    pieces = [
        examples.batch(range(start, min(start + _PIECE, n_examples)))
        for start in range(0, n_examples, _PIECE)
    ]
    return torch.cat(pieces)
