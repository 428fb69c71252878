"""One process' part of a harvest: its shards of the examples, through Lightning's `predict`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from polylens.devices import Options, run_trainer, silent_trainer
from polylens.harvest.collecting import Collector
from polylens.harvest.loading import Loader, batches_of
from polylens.harvest.resolved import ResolvedTake
from polylens.harvest.shard import Shard
from polylens.harvest.writing import ShardWriter
from polylens.modules import copy_module
from polylens.records import Examples, Network
from polylens.streams import Streams


def predict_shards(
    network: Network,
    examples: Examples,
    resolved: Sequence[ResolvedTake],
    *,
    missing: Mapping[str, frozenset[Shard]],
    folders: Mapping[str, Path],
    streams: Streams,
    options: Options,
    advance: Callable[[int], None],
) -> None:
    """Computes the missing shards that fall to this process and writes them into the takes' folders.

    Args:
        network: whose tensors are taken; comes back as it was.
        examples: all of the dataset's.
        resolved: the takes.
        missing: the shards each take lacks, by digest.
        folders: where each take's shards go, by digest.
        streams: randomness of sampling.
        options: devices and batch size.
        advance: is told how many more examples are on disk.

    Raises:
        UsageError: this machine lacks what the options ask for.
        KeyboardInterrupt: the user interrupted; shards that are finished stay.
    """
    wanted = sorted(frozenset[Shard]().union(*missing.values()), key=lambda shard: shard.start)

    def loader(rank: int, n_processes: int) -> Loader:
        # Every n-th shard, so that all processes have as much to do.
        mine = wanted[rank::n_processes]
        return batches_of(
            examples, resolved, mine, is_causal=network.is_causal, streams=streams, options=options
        )

    # Lightning casts the module itself to bf16, and its 32-bit weights would be lost.
    module = copy_module(network.module) if options.precision == "bf16-true" else network.module
    writer = ShardWriter(resolved, folders=folders, missing=missing, shards=wanted, advance=advance)
    trainer = silent_trainer(options, callbacks=[writer])
    collector = Collector(module, resolved, loader=loader)
    first = next(network.module.parameters(), None)
    device = None if first is None else first.device
    try:
        run_trainer(lambda: trainer.predict(collector, return_predictions=False))
    finally:
        if device is not None:
            network.module.to(device)
