"""One of torchvision's networks harvested, and beside it a plain pass with hooks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.architectures.comparing import Outcome, first_tensors, foreign, misfits, spread

from polylens.dataflow import trace
from polylens.devices import Options
from polylens.errors import PolylensError
from polylens.harvest import Take, harvest, load_rows
from polylens.models.torchvision import Torchvision
from polylens.records import Context, Examples, Network, Rows
from polylens.sampling.random_positions import RandomPositions
from polylens.store import Store
from polylens.streams import Streams


class Noise(Examples):
    """Images of noise.

    Args:
        shape: channels, height, width.
        count: how many.
    """

    targets = None
    classes = ()

    def __init__(self, shape: tuple[int, ...], *, count: int) -> None:
        self.ids = tuple(f"image{number}" for number in range(count))
        self.fingerprint = f"noise {shape}"
        self._images = torch.randn(count, *shape, generator=torch.Generator().manual_seed(5))

    def batch(self, indices: Any) -> torch.Tensor:
        return self._images[list(indices)]

    def context(self, index: int, position: int = 0) -> Context:
        return Context(self.ids[index], b"")


def outcome_of_images(name: str, *, size: int) -> Outcome:
    """Whether a network's rows are those of a plain pass, or how it is refused.

    Args:
        name: torchvision's.
        size: side of its images in pixels; twice as many are tried beside, to see which axes count channels.
    """
    try:
        return _compared(name, size=size)
    except PolylensError as error:
        return Outcome("refused", f"{error.message} ({error.hint})")
    except Exception as error:
        return foreign(error)


def _compared(name: str, *, size: int) -> Outcome:
    model = Torchvision(name=name, classes=7, image_size=size)
    module = model.build(torch.Generator().manual_seed(0)).requires_grad_(False)
    flow = trace(module, model.example_input())
    names = spread([layer for layer in flow.layers if layer not in ("input", "output")])
    network = Network(name=name, module=module, input_format=model.input_format())
    examples = Noise(model.input_shape(), count=3)
    rows = rows_of(network, examples, names)
    larger = Torchvision(name=name, classes=7, image_size=2 * size)
    shapes = {
        layer: tuple(tensor.shape)
        for layer, tensor in first_tensors(
            larger.build(torch.Generator().manual_seed(0)), larger.example_input()
        ).items()
    }
    seen = first_tensors(module, examples.batch(range(len(examples))))
    expected = {layer: expected_rows(seen[layer], shapes[layer], rows[layer]) for layer in names}
    wrong = misfits(rows, expected)
    if wrong:
        return Outcome("wrong", f"{len(wrong)} of {len(names)}: {', '.join(wrong[:3])}", len(names))
    said = "; ".join(f"{layer}: {why}" for layer, why in flow.unusable.items())
    return Outcome("equal", said, len(names))


def rows_of(network: Network, examples: Examples, names: list[str]) -> dict[str, Rows]:
    """A random position of every example of each layer."""
    takes = [
        Take(f"{number:064x}", name, "activations", RandomPositions(count=1))
        for number, name in enumerate(names)
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        options = Options(accelerator="cpu", batch_size=2)
        harvest(network, examples, takes, streams=Streams(0), store=store, options=options)
        return {take.layer: load_rows(store, activations=take.digest) for take in takes}


def expected_rows(tensor: torch.Tensor, larger: tuple[int, ...], rows: Rows) -> np.ndarray:
    """The rows' values, with the axis of channels as the one that does not grow with the image."""
    own = torch.tensor(rows.origins.example)
    if tensor.dim() == 2:
        return np.asarray(tensor[own])
    still = [axis for axis in range(1, tensor.dim()) if tensor.shape[axis] == larger[axis]]
    several = [axis for axis in still if tensor.shape[axis] > 1]
    channels = (several or still)[0] if len(several or still) else -1
    if len(several) > 1:  # nothing grows: a pooled image, or windows of one size; channels are the most
        channels = max(several, key=lambda axis: tensor.shape[axis])
    flat = tensor.movedim(channels, -1).flatten(1, -2)
    return np.asarray(flat[own, torch.tensor(rows.origins.position)])
