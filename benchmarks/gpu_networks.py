"""What `gpu.py` harvests: GPT-2 small and GoogLeNet with random weights, on tokens and images in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from polylens.codes.sign import Sign
from polylens.imports import torchvision, transformers
from polylens.records import Context, Examples, ImageFormat, Network, TextFormat
from polylens.sampling import Sampling
from polylens.sampling.evenly_spaced import EvenlySpaced


class Given(Examples):
    """Examples in memory, so that no way waits for files."""

    def __init__(self, inputs: torch.Tensor) -> None:
        self.inputs = inputs
        self.ids = tuple(map(str, range(len(inputs))))
        self.targets, self.classes, self.fingerprint = None, (), f"given-{len(inputs)}"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return self.inputs[indices[0] : indices[-1] + 1]

    def lengths(self) -> np.ndarray | None:
        return None if self.inputs.is_floating_point() else np.full(len(self.inputs), self.inputs.shape[1])

    def context(self, index: int, position: int = 0) -> Context:
        raise NotImplementedError


@dataclass(frozen=True)
class Subject:
    """A network, its examples, and what is taken."""

    name: str
    network: Network
    examples: Given
    layer: str
    middle: str
    """A layer from which on it is piecewise linear and not too wide to be walked through."""
    sampling: Sampling | None
    code: Sign
    batch: int


def gpt2(n_sequences: int, *, tiny: bool) -> Subject:
    """Signs of the last block's MLP at 6 tokens of each sequence."""
    library = transformers()
    small = {"n_layer": 2, "n_embd": 32, "n_head": 2, "vocab_size": 200, "n_positions": 64}
    config = library.GPT2Config(**small) if tiny else library.GPT2Config()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = library.GPT2Model(config).eval().requires_grad_(requires_grad=False)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, config.vocab_size, (n_sequences, config.n_positions), generator=generator)
    layer = f"h.{config.n_layer - 1}.mlp.c_fc"
    network = Network(
        "GPT-2",
        module,
        TextFormat("", "", config.n_positions),
        example_input=torch.zeros(1, config.n_positions, dtype=torch.int64),
        is_causal=True,
    )
    even = EvenlySpaced(count=6, after=config.n_positions // 10)
    return Subject(
        "GPT-2", network, Given(tokens), layer, layer, even, Sign(units="own", positions="same"), 32
    )


def googlenet(n_images: int, *, tiny: bool) -> Subject:
    """Signs of all units of the last block, whole images; where `tiny`, of a few small convolutions."""
    side = 12 if tiny else 224
    generator = torch.Generator().manual_seed(0)
    rough = torch.randn(max(n_images, 2), 3, 14, 14, generator=generator)
    images = torch.nn.functional.interpolate(rough, size=side, mode="bilinear")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = _small() if tiny else _googlenet(images[:8])
    network = Network("images", module, ImageFormat(), example_input=torch.zeros(1, 3, side, side))
    layer, middle = ("relu2", "relu1") if tiny else ("inception5b", "inception4c")
    signs = Sign(units="own", positions="all")
    name = "small convolutions" if tiny else "GoogLeNet"
    return Subject(name, network, Given(images[:n_images]), layer, middle, None, signs, 64)


def _googlenet(images: torch.Tensor) -> torch.nn.Module:
    module = torchvision().models.googlenet(weights=None, aux_logits=False, init_weights=False)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # statistics are those of the images, which keeps signals alive
    with torch.no_grad():
        module.train()(images)
    return module.eval().requires_grad_(requires_grad=False)


def _small() -> torch.nn.Module:
    layers = {
        "conv1": torch.nn.Conv2d(3, 6, 3),
        "relu1": torch.nn.ReLU(),
        "conv2": torch.nn.Conv2d(6, 6, 3),
        "relu2": torch.nn.ReLU(),
        "flat": torch.nn.Flatten(),
        "head": torch.nn.Linear(6 * 64, 5),
    }
    network = torch.nn.Sequential(OrderedDict(layers))
    return network.eval().requires_grad_(requires_grad=False)
