"""The pretend accelerator as the accelerator of a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import torch
from tests.pretend import device

from polylens import devices
from polylens.imports import lightning


@pytest.fixture
def pretend() -> Iterator[Counter[str]]:
    """The device, known to torch. Gives how often each operation has run on it in this test."""
    if not device.IS_THERE:
        pytest.skip("this torch knows no devices written in Python; 2.11 does")
    device.register()
    device.is_present = True
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    # Else `module.double()` would change a parameter's type and leave its numbers as they were.
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    device.operations.clear()
    try:
        yield device.operations
    finally:
        device.is_present = False
        torch.__future__.set_overwrite_module_params_on_conversion(before)


@pytest.fixture
def accelerator(pretend: Counter[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The device in place of a GPU: for what polylens computes itself, and for Lightning."""
    registry = lightning().accelerators.AcceleratorRegistry
    entry = {"accelerator": _accelerator(), "accelerator_name": device.NAME, "init_params": {}}
    monkeypatch.setitem(registry, device.NAME, entry)
    connector = import_module(
        "pytorch_lightning.trainer.connectors.accelerator_connector"
    )._AcceleratorConnector
    choose = connector._choose_strategy

    def chosen(self: Any) -> Any:
        # Lightning computes on the processor where it does not know an accelerator itself.
        if self._accelerator_flag != device.NAME:
            return choose(self)
        return lightning().strategies.SingleDeviceStrategy(device=device.DEVICE)

    monkeypatch.setattr(connector, "_choose_strategy", chosen)
    monkeypatch.setattr(devices, "ACCELERATORS", (*devices.ACCELERATORS, device.NAME))
    monkeypatch.setattr(devices, "_gpu", lambda: device.NAME)
    return device.NAME


def _accelerator() -> type:
    class PretendAccelerator(lightning().accelerators.Accelerator):  # type: ignore[misc]
        def setup_device(self, device: torch.device) -> None:
            pass

        def teardown(self) -> None:
            pass

        def get_device_stats(self, device: Any) -> dict[str, Any]:
            return {}

        @staticmethod
        def parse_devices(devices: Any) -> Any:
            return devices

        @staticmethod
        def get_parallel_devices(devices: Any) -> list[torch.device]:
            return [device.DEVICE]

        @staticmethod
        def auto_device_count() -> int:
            return 1

        @staticmethod
        def is_available() -> bool:
            return True

        @staticmethod
        def name() -> str:
            return device.NAME

    return PretendAccelerator
