"""Harvesting beside doing it by hand: `python benchmarks/harvest.py [--images N] [--batch N] [--turns N]`.

The work: rows of a randomly initialised GoogLeNet's inception4c at one position, and the signs of its own
units there, packed. All ways get the same images and weights, and must give equal rows before anything is
timed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import alternated, peak_megabytes, report, ways

from polylens.codes.sign import Sign
from polylens.devices import Options, exact_float32
from polylens.harvest import Take, harvest, load_rows
from polylens.imports import lightning, torchvision
from polylens.records import Context, Examples, ImageFormat, Network
from polylens.sampling.fixed_position import FixedPosition
from polylens.store import Store
from polylens.streams import Streams

LAYER, MIDDLE = "inception4c", 7
SEVERAL = ("conv3", "inception3b", "inception4c")


class Noise(Examples):
    """Images of noise in memory, so that no way waits for files."""

    def __init__(self, n_examples: int) -> None:
        self.inputs = torch.randn(n_examples, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        self.ids = tuple(str(number) for number in range(n_examples))
        self.targets = None
        self.classes = ()
        self.fingerprint = f"noise-{n_examples}"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return self.inputs[indices[0] : indices[-1] + 1]

    def context(self, index: int) -> Context:
        raise NotImplementedError


class Ways:
    """The same rows, got in different ways. Each gives (activations, packed signs) as NumPy arrays."""

    def __init__(self, n_images: int, batch: int) -> None:
        torch.manual_seed(0)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.examples, self.batch = Noise(n_images), batch
        googlenet = torchvision().models.googlenet
        self.module = googlenet(weights=None, aux_logits=False, init_weights=False).eval()
        self.module.requires_grad_(requires_grad=False)
        extraction = import_module("torchvision.models.feature_extraction")
        self.extractor = extraction.create_feature_extractor(self.module, [LAYER])
        # The library is loaded before any way is timed.
        lightning()

    def polylens(self, layers: Sequence[str] = (LAYER,)) -> tuple[np.ndarray, np.ndarray | None]:
        """polylens, from the first step to rows in the store."""
        network = Network("googlenet", self.module, ImageFormat(), example_input=torch.zeros(1, 3, 224, 224))
        here, signs = FixedPosition(at="center"), Sign(units="own", positions="same")
        takes = [Take(layer, layer, "activations", here) for layer in layers]
        if LAYER in layers:
            takes.append(Take("code", LAYER, "codes", here, signs))
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            options = Options(batch_size=self.batch)
            harvest(network, self.examples, takes, streams=Streams(0), store=store, options=options)
            rows = load_rows(store, activations=layers[-1], codes="code" if LAYER in layers else None)
            assert rows.activations is not None
            packed = None if rows.codes is None else np.array(rows.codes.packed)
            return np.array(rows.activations), packed

    def bare(self) -> tuple[np.ndarray, None]:
        """The whole network and nothing else."""
        return self._batches(self.module, lambda output: output), None

    def hook(self) -> tuple[np.ndarray, np.ndarray]:
        """What one writes by hand: a hook that takes the position and stops the pass with an exception."""

        class Stop(Exception):  # noqa: N818
            pass

        kept: list[torch.Tensor] = []

        def take(module: torch.nn.Module, args: Any, output: torch.Tensor) -> None:
            kept.append(output[:, :, MIDDLE, MIDDLE].cpu())
            raise Stop

        handle = self.module.get_submodule(LAYER).register_forward_hook(take)

        def stopped(inputs: torch.Tensor) -> torch.Tensor:
            try:
                self.module(inputs)
            except Stop:
                return kept.pop()
            raise AssertionError("the hook was not reached")

        try:
            found = self._batches(stopped, lambda output: output)
        finally:
            handle.remove()
        return found, np.packbits(found > 0, axis=1)

    def torchvision(self) -> tuple[np.ndarray, np.ndarray]:
        """torchvision's feature extractor, which cuts the graph behind the layer."""
        found = self._batches(self.extractor, lambda output: output[LAYER][:, :, MIDDLE, MIDDLE])
        return found, np.packbits(found > 0, axis=1)

    def one_pass(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Three layers in one pass."""
        return self.polylens(SEVERAL)

    def pass_per_layer(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Three layers, one after the other."""
        for layer in SEVERAL[:-1]:
            self.polylens((layer,))
        return self.polylens((SEVERAL[-1],))

    def _batches(
        self, compute: Callable[[torch.Tensor], Any], rows: Callable[[Any], torch.Tensor]
    ) -> np.ndarray:
        self.module.to(self.device)
        self.extractor.to(self.device)
        try:
            with torch.no_grad(), exact_float32():
                parts = [
                    rows(compute(inputs.to(self.device))).cpu()
                    for inputs in self.examples.inputs.split(self.batch)
                ]
        finally:
            self.module.cpu()
            self.extractor.cpu()
        return torch.cat(parts).numpy()


def check(all_ways: Ways) -> None:
    """Equal rows and codes, before anything is timed."""
    activations, packed = all_ways.polylens()
    for other in (all_ways.hook(), all_ways.torchvision()):
        np.testing.assert_array_equal(other[0], activations)
        np.testing.assert_array_equal(other[1], packed)
    several, one = all_ways.one_pass(), all_ways.pass_per_layer()
    np.testing.assert_array_equal(several[0], one[0])


def peak_memory(name: str, arguments: argparse.Namespace) -> int:
    """Peak resident megabytes of a fresh process that does the work once in one way."""
    sizes = ["--images", str(arguments.images), "--batch", str(arguments.batch)]
    command = [sys.executable, __file__, *sizes, "--only", name]
    return int(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    """Checks, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", help="do the work once in this way and print the peak memory")
    arguments = parser.parse_args()
    all_ways = Ways(arguments.images, arguments.batch)
    if arguments.only:
        getattr(all_ways, arguments.only)()
        print(peak_megabytes())
        return
    start = time.perf_counter()
    check(all_ways)
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"equal rows and codes in {time.perf_counter() - start:.0f} s; {where}, {arguments}")
    for title, names in (
        ("inception4c, one position, own signs packed", ("polylens", "bare", "hook", "torchvision")),
        (f"{', '.join(SEVERAL)}", ("one_pass", "pass_per_layer")),
    ):
        seconds = alternated(ways(all_ways, names), turns=arguments.turns)
        memory = {name: peak_memory(name, arguments) for name in names}
        report(title, seconds, against=names[0], work=arguments.images, unit="images", memory=memory)


if __name__ == "__main__":
    main()
