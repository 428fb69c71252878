"""All global random streams set for a block, and put back after it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_NUMPY_SEEDS = 2**32


@contextmanager
def with_seed(seed: int) -> Iterator[None]:
    """Inside, PyTorch's (of every device), NumPy's and Python's global streams start from `seed`.

    A module may draw from any of them, and none of them is ours: afterwards they go on as if nothing had been
    drawn.

    >>> with with_seed(3):
    ...     first = torch.rand(1)
    >>> with with_seed(3):
    ...     bool(torch.rand(1) == first)
    True
    """
    # The old global stream of NumPy is one that modules draw from, whatever is newer.
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    has_drawn = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = range(torch.cuda.device_count()) if has_drawn else []
    accelerator = torch.accelerator.current_accelerator()
    # `torch.manual_seed` leaves its seed behind for devices that nobody has used yet, and writes down who
    # called it, which takes a millisecond: more than a pass of a small network.
    is_alone = accelerator is None or (accelerator.type == "cuda" and not has_drawn)
    try:
        with torch.random.fork_rng(devices=devices):
            (torch.default_generator.manual_seed if is_alone else torch.manual_seed)(seed)
            random.seed(seed)
            np.random.seed(seed % _NUMPY_SEEDS)  # noqa: NPY002
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
