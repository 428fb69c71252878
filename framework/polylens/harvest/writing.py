"""Lightning's prediction writer that turns batches of rows into shards on disk, one at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from polylens.errors import DataError
from polylens.harvest.collected import Collected
from polylens.harvest.explaining import sum_of_batches
from polylens.harvest.loading import Rule
from polylens.harvest.resolved import ResolvedTake
from polylens.harvest.shard import Shard
from polylens.harvest.shard_files import ShardRows, write_shard
from polylens.imports import lightning

_NAMED = 5
"""Examples that an error names."""


class ShardWriter(lightning().callbacks.BasePredictionWriter):  # type: ignore[misc]
    """Holds the rows of one shard on the device, and writes them when its last batch is done.

    Args:
        resolved: the takes.
        folders: where each take's shards go, by digest.
        missing: the shards each take lacks, by digest; others are not written again.
        shards: the shards of this process.
        advance: is told how many more examples are on disk.
    """

    def __init__(
        self,
        resolved: Sequence[ResolvedTake],
        *,
        folders: Mapping[str, Path],
        missing: Mapping[str, frozenset[Shard]],
        shards: Sequence[Shard],
        advance: Callable[[int], None],
    ) -> None:
        super().__init__(write_interval="batch")
        self._resolved = resolved
        self._folders = folders
        self._missing = missing
        self._shards = sorted(shards, key=lambda shard: shard.start)
        self._advance = advance
        self._held: list[tuple[dict[str, Any], dict[str, Collected]]] = []

    def write_on_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        prediction: dict[str, Collected],
        batch_indices: Sequence[int] | None,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Takes one batch's rows; writes the shard that is whole with it."""
        self._held.append(({name: batch[name] for name in ("indices", "rows", "contents")}, prediction))
        index = bisect_right(self._shards, batch["indices"][0], key=lambda shard: shard.start)
        shard = self._shards[index - 1]
        if sum(len(held["indices"]) for held, _ in self._held) < len(shard):
            return
        for item in self._resolved:
            digest = item.take.digest
            if shard in self._missing[digest]:
                write_shard(self._folders[digest], shard, self._rows(item))
        self._held.clear()
        self._advance(len(shard))

    def _rows(self, item: ResolvedTake) -> ShardRows:
        """The rows of the shard, in the order of its examples."""
        key = Rule.of(item).key
        collected = [prediction[item.take.digest] for _, prediction in self._held]
        rows = [(torch.tensor(batch["indices"]), batch["rows"][key]) for batch, _ in self._held]
        example = torch.cat([indices[part["example_of_row"].cpu()] for indices, part in rows])
        order = torch.argsort(example, stable=True)
        contents = [
            pair for batch, _ in self._held for pair in zip(batch["indices"], batch["contents"], strict=True)
        ]
        _check_defined(item, torch.cat([part.undefined for part in collected]).cpu(), example)
        values = torch.cat([part.values for part in collected])
        return ShardRows(
            values=values[order.to(values.device)].cpu().numpy(),
            example=example[order].numpy(),
            position=torch.cat([part["position"] for _, part in rows]).cpu()[order].numpy(),
            n_near=sum(int(part.n_near) for part in collected),
            n_units=sum(part.n_units for part in collected),
            sums=sum_of_batches([part.sums for part in collected]),
            contents=np.array([content for _, content in sorted(contents)], dtype=np.int64),
            skipped=tuple(
                (name, why) for _, name, why in sorted(skip for _, part in rows for skip in part["skipped"])
            ),
        )


def _check_defined(item: ResolvedTake, wrong: torch.Tensor, example: torch.Tensor) -> None:
    """Refuses rows that hold no numbers, and codes of what is none.

    Raises:
        DataError: some row does.
    """
    if not wrong.any():
        return
    which = sorted(set(example[wrong].tolist()))
    named = ", ".join(map(str, which[:_NAMED])) + (" and others" if len(which) > _NAMED else "")
    what = "hold NaN or infinity" if item.selection is None else "have pre-activations that are NaN"
    raise DataError(
        f"{int(wrong.sum())} of {len(wrong)} rows of '{item.take.layer}' {what}, so that they are in no "
        f"polytope: those of example {named}, counted from 0",
        hint="look at the network's weights, at these inputs, and at the precision",
    )
