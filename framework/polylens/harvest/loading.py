"""Batches of examples with the positions chosen in each. A batch never crosses a shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polylens.devices import Options
from polylens.harvest.resolved import ResolvedTake
from polylens.harvest.shard import Shard
from polylens.records import Examples
from polylens.sampling import TooFewPositionsError
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.sampling import Sampling

Loader = torch.utils.data.DataLoader[dict[str, Any]]


@dataclass(frozen=True)
class Rule:
    """A sampling rule on a grid, which several takes may share; `None` for whole examples."""

    sampling: Sampling | None
    grid: tuple[int, ...]

    @classmethod
    def of(cls, resolved: ResolvedTake) -> Rule:
        """The rule that gives a take its rows."""
        return cls(resolved.rule, resolved.grid)

    @property
    def key(self) -> str:
        """A name by which a batch's rows are found again."""
        return "whole" if self.sampling is None else f"{self.sampling.to_plain()} {self.grid}"


class Batches(torch.utils.data.Dataset[dict[str, Any]]):
    """Asked for a range of examples, gives their inputs and which of their positions become rows."""

    def __init__(self, examples: Examples, rules: Sequence[Rule], *, streams: Streams) -> None:
        self._examples = examples
        self._rules = {rule.key: rule for rule in rules}
        self._streams = streams.child("sampling")

    def __getitem__(self, indices: range) -> dict[str, Any]:
        return {
            "start": indices.start,
            "stop": indices.stop,
            "inputs": self._examples.batch(indices),
            "rows": {key: self._rows(rule, indices) for key, rule in self._rules.items()},
        }

    def _rows(self, rule: Rule, indices: range) -> dict[str, Any]:
        if rule.sampling is None:
            whole = torch.arange(len(indices))
            return {"example_of_row": whole, "position": torch.zeros_like(whole), "skipped": []}
        everywhere = np.arange(np.prod(rule.grid), dtype=np.int64)
        positions: list[np.ndarray] = []
        examples: list[np.ndarray] = []
        skipped: list[tuple[str, str]] = []
        for place, index in enumerate(indices):
            example_id = self._examples.ids[index]
            own = self._examples.valid(index)
            valid = everywhere if own is None else own
            try:
                chosen = self._chosen(rule.sampling, index, valid, rule.grid)
            except TooFewPositionsError as error:
                skipped.append((example_id, str(error)))
                continue
            positions.append(np.asarray(chosen, dtype=np.int64))
            examples.append(np.full(len(chosen), place, dtype=np.int64))
        return {
            "example_of_row": torch.from_numpy(np.concatenate([np.empty(0, np.int64), *examples])),
            "position": torch.from_numpy(np.concatenate([np.empty(0, np.int64), *positions])),
            "skipped": skipped,
        }

    def _chosen(self, sampling: Sampling, index: int, valid: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
        generator = self._streams.generator(self._examples.ids[index])
        if not sampling.reads_texts:
            return sampling.choose(valid, grid=grid, generator=generator)
        tokens = self._examples.row_tokens(np.full_like(valid, index), valid)
        texts = None if tokens is None else [tokens.vocabulary[token] for token in tokens.current.tolist()]
        return sampling.choose_by_text(valid, texts=texts, grid=grid, generator=generator)


class RangesOf(torch.utils.data.Sampler[range]):
    """The batches of some shards, as ranges of examples."""

    def __init__(self, shards: Sequence[Shard], *, batch_size: int) -> None:
        self._ranges = [
            range(start, min(start + batch_size, shard.stop))
            for shard in shards
            for start in range(shard.start, shard.stop, batch_size)
        ]

    def __len__(self) -> int:
        return len(self._ranges)

    def __iter__(self) -> Iterator[range]:
        return iter(self._ranges)


def batches_of(
    examples: Examples,
    resolved: Sequence[ResolvedTake],
    shards: Sequence[Shard],
    *,
    streams: Streams,
    options: Options,
) -> Loader:
    """A loader of the shards' batches; with workers, loading overlaps computing."""
    rules = {rule.key: rule for rule in map(Rule.of, resolved)}
    return torch.utils.data.DataLoader(
        Batches(examples, tuple(rules.values()), streams=streams),
        sampler=RangesOf(shards, batch_size=options.batch_size),
        batch_size=None,
        num_workers=options.workers,
        pin_memory=options.workers > 0 and options.accelerator != "cpu" and torch.cuda.is_available(),
    )
