"""Global random streams that are set for a block."""

from __future__ import annotations

import random
from unittest.mock import patch

import numpy as np
import torch

from polylens.modules import with_seed


def drawn() -> tuple[float, float, float]:
    """The next number of each global stream."""
    return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002


def test_streams_start_from_the_seed_and_go_on_as_if_nothing_had_been_drawn() -> None:
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    undisturbed = [drawn(), drawn()]
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    first = drawn()
    with with_seed(3):
        inside = drawn()
    assert [first, drawn()] == undisturbed
    with with_seed(3):
        assert drawn() == inside
    with with_seed(4):
        assert drawn() != inside


def test_devices_that_nobody_has_used_keep_the_seed_that_their_user_gave_them() -> None:
    with patch.object(torch.cuda, "manual_seed_all") as seeded, with_seed(3):
        pass
    assert seeded.called == torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
