"""The `torch.distributed` group of a worker, set up by Lightning's Fabric."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from polylens.devices import Options, environment_of, is_started_outside, silence
from polylens.imports import fabric


@contextmanager
def join_group(options: Options) -> Iterator[int]:
    """This process' rank in a group of as many as the options ask for; the group is gone after the block.

    On one machine this process starts the others, each with its share of the cores.
    """
    with silence():
        joined: Any = fabric()(
            accelerator=options.accelerator,
            devices=options.devices,
            num_nodes=options.num_nodes,
            strategy="ddp",
            plugins=[environment_of(options)],
        )
        joined.launch()
    if options.num_nodes == 1 and not is_started_outside():
        _take_share_of_cores(joined.local_rank, options.devices)
    try:
        yield joined.global_rank
    finally:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()


def _take_share_of_cores(rank: int, count: int) -> None:
    """Leaves this process the cores of its rank, so that threads of several processes do not meet on one."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[rank::count] or [cores[rank % len(cores)]])
