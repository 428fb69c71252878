"""Options of a run: wrong ones are refused with what is known."""

from __future__ import annotations

import pytest

from polylens.devices import Options, silent_trainer
from polylens.errors import UsageError


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"devices": 0}, "'devices' must be at least 1"),
        ({"batch_size": 0}, "'batch_size' must be at least 1"),
        ({"workers": -1}, "'workers' must be at least 0"),
        ({"precision": "bf16-mixd"}, "did you mean 'bf16-mixed'"),
        ({"strategy": "fsdp"}, "known: auto, ddp"),
    ],
)
def test_wrong_options_are_refused(flags, said):
    with pytest.raises(UsageError) as caught:
        Options(**flags)
    assert said in str(caught.value)


def test_several_devices_machines_or_a_strategy_mean_several_processes():
    assert not Options().is_distributed
    for flags in ({"devices": 2}, {"num_nodes": 2}, {"strategy": "ddp"}):
        assert Options(**flags).is_distributed


def test_an_accelerator_that_is_not_there_is_a_usage_error():
    with pytest.raises(UsageError, match="cannot compute like this"):
        silent_trainer(Options(accelerator="abacus"))
