"""Batches of examples with the positions chosen in each. A batch never crosses a shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Int64

from polylens.devices import Options
from polylens.harvest.copies import content_of
from polylens.harvest.resolved import ResolvedTake
from polylens.harvest.shard import Shard
from polylens.records import PADDING, Examples
from polylens.sampling import TooFewPositionsError
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.sampling import Sampling

_LOOKED_AT = 5
"""Examples whose rows are counted before a harvest."""

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
    """Asked for some examples, gives their inputs and which of their positions become rows.

    `chosen` are the positions of each example at which anything is wanted, of inputs of tokens; None where
    rows are whole examples. Inputs of a causal network end with the last of them, and have no padding.
    """

    def __init__(
        self, examples: Examples, rules: Sequence[Rule], *, streams: Streams, is_causal: bool = False
    ) -> None:
        self._examples = examples
        self._rules = {rule.key: rule for rule in rules}
        self._streams = streams.child("sampling")
        self._is_causal = is_causal
        self._are_tokens = examples.lengths() is not None

    def __getitem__(self, indices: Sequence[int]) -> dict[str, Any]:
        rows = {key: self._rows(rule, indices) for key, rule in self._rules.items()}
        inputs = self._examples.batch(indices)
        contents = [content_of(each) for each in inputs]
        chosen = None
        if self._are_tokens and all(rule.sampling for rule in self._rules.values()):
            chosen = _chosen_tokens(list(rows.values()), len(indices))
            if self._is_causal:
                # No earlier token is changed by what stands in the place of padding.
                inputs = inputs[:, : int(chosen.max()) + 1]
                inputs = inputs.masked_fill(inputs == PADDING, 0)
        return {
            "indices": list(indices),
            "inputs": inputs,
            "rows": rows,
            "chosen": chosen,
            "contents": contents,
        }

    def n_rows(self, rule: Rule, index: int) -> int:
        """How many rows an example has by a rule."""
        return len(self._rows(rule, [index])["position"])

    def _rows(self, rule: Rule, indices: Sequence[int]) -> dict[str, Any]:
        if rule.sampling is None:
            whole = torch.arange(len(indices))
            return {"example_of_row": whole, "position": torch.zeros_like(whole), "skipped": []}
        everywhere = np.arange(np.prod(rule.grid), dtype=np.int64)
        positions: list[np.ndarray] = []
        examples: list[np.ndarray] = []
        skipped: list[tuple[int, str, str]] = []
        for index, example in enumerate(indices):
            example_id = self._examples.ids[example]
            own = self._examples.valid(example)
            valid = everywhere if own is None else own
            try:
                chosen = self._choose(rule.sampling, example, valid, rule.grid)
            except TooFewPositionsError as error:
                skipped.append((example, example_id, str(error)))
                continue
            positions.append(np.asarray(chosen, dtype=np.int64))
            examples.append(np.full(len(chosen), index, dtype=np.int64))
        return {
            "example_of_row": torch.from_numpy(np.concatenate([np.empty(0, np.int64), *examples])),
            "position": torch.from_numpy(np.concatenate([np.empty(0, np.int64), *positions])),
            "skipped": skipped,
        }

    def _choose(self, sampling: Sampling, index: int, valid: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
        generator = self._streams.generator(self._examples.ids[index])
        if not sampling.reads_texts:
            return sampling.choose(valid, grid=grid, generator=generator)
        tokens = self._examples.row_tokens(np.full_like(valid, index), valid)
        texts = None if tokens is None else [tokens.vocabulary[token] for token in tokens.current.tolist()]
        return sampling.choose_by_text(valid, texts=texts, grid=grid, generator=generator)


def _chosen_tokens(rows: Sequence[dict[str, Any]], n_examples: int) -> Int64[torch.Tensor, "examples most"]:
    """The positions of each example that any rule chose, ascending; the last is repeated to fill its line.

    An example of which no position was chosen has 0 in its whole line.
    """
    pairs = torch.cat([torch.stack([one["example_of_row"], one["position"]], dim=1) for one in rows])
    examples, positions = torch.unique(pairs, dim=0).T
    counts = torch.bincount(examples, minlength=n_examples)
    firsts = counts.cumsum(0) - counts
    places = torch.arange(max(int(counts.max()), 1)).minimum((counts - 1).clamp(min=0)[:, None])
    if not len(positions):
        return torch.zeros_like(places)
    padded = positions[(firsts[:, None] + places).clamp(max=len(positions) - 1)]
    return torch.where((counts == 0)[:, None], 0, padded)


_CPU_TOKENS = 2048
"""Tokens of a batch on a CPU, padding counted: what a layer makes of more no longer fits its caches, and more
computed at once is then computed more slowly."""


class BatchesOf(torch.utils.data.Sampler[list[int]]):
    """The batches of some shards: examples of like length together, so that little padding is computed.

    Args:
        shards: whose examples.
        batch_size: examples of a batch at most.
        lengths: tokens of each example; None where all inputs have one shape.
        most_tokens: tokens of a batch at most, padding counted; a longer example is a batch of its own.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        *,
        batch_size: int,
        lengths: Int64[np.ndarray, "examples"] | None = None,
        most_tokens: int | None = None,
    ) -> None:
        self._batches: list[list[int]] = []
        for shard in shards:
            own = np.arange(shard.start, shard.stop)
            if lengths is None:
                self._batches += [own[i : i + batch_size].tolist() for i in range(0, len(own), batch_size)]
                continue
            batch: list[int] = []
            for index in own[np.argsort(lengths[own], kind="stable")].tolist():
                # Lengths rise, so that the newest is what all are padded to.
                is_full = most_tokens is not None and (len(batch) + 1) * lengths[index] > most_tokens
                if batch and (is_full or len(batch) == batch_size):
                    self._batches.append(batch)
                    batch = []
                batch.append(index)
            if batch:
                self._batches.append(batch)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)


def batches_of(
    examples: Examples,
    resolved: Sequence[ResolvedTake],
    shards: Sequence[Shard],
    *,
    is_causal: bool,
    streams: Streams,
    options: Options,
) -> Loader:
    """A loader of the shards' batches; with workers, loading overlaps computing."""
    rules = {rule.key: rule for rule in map(Rule.of, resolved)}
    on_gpu = options.accelerator != "cpu" and (torch.cuda.is_available() or torch.backends.mps.is_available())
    return torch.utils.data.DataLoader(
        Batches(examples, tuple(rules.values()), streams=streams, is_causal=is_causal),
        sampler=BatchesOf(
            shards,
            batch_size=options.batch_size,
            lengths=examples.lengths(),
            most_tokens=None if on_gpu else _CPU_TOKENS,
        ),
        batch_size=None,
        num_workers=options.workers,
        pin_memory=options.workers > 0 and options.accelerator != "cpu" and torch.cuda.is_available(),
    )


def example_bytes(examples: Examples, resolved: Sequence[ResolvedTake], *, streams: Streams) -> int:
    """Bytes of the rows of one example, all takes together: the most of a few examples over the dataset."""
    batches = Batches(examples, tuple(map(Rule.of, resolved)), streams=streams)
    last = len(examples) - 1
    some = sorted({last * part // (_LOOKED_AT - 1) for part in range(_LOOKED_AT)})
    return max(
        sum(batches.n_rows(Rule.of(item), index) * item.width * item.dtype.itemsize for item in resolved)
        for index in some
    )
