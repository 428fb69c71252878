"""A tiny transformer and rows that are single tokens, for analyses that look into a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from tests.text_models import tiny_config
from torch import nn

from polylens.analyses import Probed
from polylens.models.transformers.networks import build
from polylens.records import Context, Examples, Network, Origins, Rows, RowTokens, TextFormat

LENGTHS = (9, 6, 8)


class Ids(Examples):
    """Inputs of tokens, of several lengths."""

    def __init__(self) -> None:
        self.ids = tuple(f"text-{index}" for index in range(len(LENGTHS)))
        self.targets = None
        self.classes = ()
        self.fingerprint = "ids"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        inputs = [20 * (index + 1) + torch.arange(LENGTHS[index]) for index in indices]
        return nn.utils.rnn.pad_sequence(inputs, batch_first=True, padding_value=-1)

    def context(self, index: int, position: int = 0) -> Context:
        return Context("", b"")

    def lengths(self) -> np.ndarray:
        return np.array(LENGTHS)


def transformer(architecture: str) -> tuple[Rows, Probed]:
    """Six tokens of three texts, after the first block of a network with random weights."""
    module = build(tiny_config(architecture), attention="sdpa", generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    layer = "transformer.h.0" if architecture == "gpt2" else "encoder.layer.0"
    examples = Ids()
    text_format = TextFormat("", "", 64)
    causal = architecture == "gpt2"
    network = Network("tiny", module, text_format, example_input=examples.batch([0]), is_causal=causal)
    example, position = np.array([0, 0, 1, 1, 2, 2]), np.array([3, 8, 2, 5, 1, 7])
    found: list[np.ndarray] = []
    handle = module.get_submodule(layer).register_forward_hook(
        lambda part, args, output: found.append(
            (output if isinstance(output, torch.Tensor) else output[0])[0].detach().numpy()
        )
    )
    for index in range(len(LENGTHS)):
        module(examples.batch([index]))
    handle.remove()
    current = np.array([20 * (one + 1) + at for one, at in zip(example, position, strict=True)])
    rows = Rows(
        layer,
        Origins(example, position, (64,), examples.ids),
        activations=np.stack([found[one][at] for one, at in zip(example, position, strict=True)]),
        tokens=RowTokens([f" word{token}" for token in range(400)], current, current - 1, current + 1),
    )
    return rows, Probed(network, examples, layer)
