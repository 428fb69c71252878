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
        ({"accelerator": "gpus"}, "no accelerator 'gpus'; did you mean 'gpu'"),
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


def test_a_gpu_that_is_not_there_is_a_usage_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    for accelerator in ("gpu", "cuda", "mps"):
        with pytest.raises(UsageError, match="there is no GPU here"):
            Options(accelerator=accelerator).check_here()
    for flags in ({}, {"accelerator": "cpu"}, {"devices": 2}):
        Options(**flags).check_here()


def test_more_gpus_than_there_are_is_a_usage_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    Options(devices=2).check_here()
    Options(devices=3, accelerator="cpu").check_here()
    with pytest.raises(UsageError, match="more GPUs than there are: 2"):
        Options(devices=3).check_here()


def test_what_lightning_refuses_is_a_usage_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="cannot compute like this"):
        silent_trainer(Options(accelerator="cuda"))
