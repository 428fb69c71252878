"""Trains the small networks of `digits.safetensors`, which tests of the science look at.

    python tests/weights/make.py

Training multiplies differences of rounding, so that networks of the same seed differ from processor to
processor. Tests therefore read the weights that one processor made (AMD EPYC, Zen 3, PyTorch 2.13.0, one
thread); made anew elsewhere, they are other draws from the same distribution. The recipe is written out in
plain PyTorch, so that nothing of what is tested has a part in it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

PATH = Path(__file__).parent / "digits.safetensors"
SEEDS = range(5)
VARIANTS = ("trained", "random_init", "random_labels")
WIDTHS = (64, 64, 64, 64, 10)
"""Pixels, three hidden layers with ReLU, digits."""


def split_digits(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (0 to 1, float32 `[images, 64]`) of the training and the test images, and the digits of both."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, digits = load_digits(return_X_y=True)
    split = train_test_split(
        (pixels / 16).astype(np.float32), digits, test_size=0.4, stratify=digits, random_state=seed
    )
    return tuple(split)


def fresh_network(seed: int) -> torch.nn.Sequential:
    """A network as it is before training."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for inputs, outputs in pairwise(WIDTHS):
        linear = torch.nn.Linear(inputs, outputs)
        torch.nn.init.kaiming_normal_(linear.weight, nonlinearity="relu", generator=generator)
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def make_network(variant: str, seed: int) -> torch.nn.Sequential:
    """A network of a variant: trained on the digits, not trained at all, or trained on shuffled digits."""
    train, _, digits, _ = split_digits(seed)
    network = fresh_network(seed)
    if variant == "random_labels":
        digits = np.random.default_rng(seed).permutation(digits)
    if variant != "random_init":
        _train(network, torch.tensor(train), torch.tensor(digits), seed)
    return network


def _train(network: torch.nn.Sequential, inputs: torch.Tensor, targets: torch.Tensor, seed: int) -> None:
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    generator = torch.Generator().manual_seed(seed + 100)
    for _ in range(60):
        for batch in torch.randperm(len(inputs), generator=generator).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(inputs[batch]), targets[batch]).backward()
            optimizer.step()


def load_network(variant: str, seed: int) -> torch.nn.Sequential:
    """A stored network, in double precision: its signs are then the same on every processor."""
    from safetensors import safe_open

    network = fresh_network(seed).double()
    with safe_open(PATH, framework="pt") as stored:
        network.load_state_dict(
            {name: stored.get_tensor(f"{variant}.{seed}.{name}") for name in network.state_dict()}
        )
    return network.requires_grad_(False)


def main() -> None:
    """Writes all weights, in half precision: a quarter of a thousandth of each does not matter here."""
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    save_file(
        {
            f"{variant}.{seed}.{name}": tensor.half()
            for variant in VARIANTS
            for seed in SEEDS
            for name, tensor in make_network(variant, seed).state_dict().items()
        },
        PATH,
    )


if __name__ == "__main__":
    main()
