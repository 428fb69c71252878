"""The networks and points of `geometry.py`: trained on scikit-learn's digits, and GoogLeNet's shape."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from polylens.geometry import Part, record
from polylens.imports import torchvision

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
SLICED = (3, 5, 8)
"""Digits whose first test images a slice passes."""


class Residual(nn.Module):
    """Convolutions, batch norm, a residual sum, max-pooling and branches side by side, on 8 x 8 images."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.block, self.pool = nn.Conv2d(8, 8, 3, padding=1), nn.MaxPool2d(2)
        self.wide, self.narrow = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.head = nn.Linear(12 * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm(self.stem(x)))
        y = self.pool(torch.relu(y + self.block(y)))
        y = torch.cat([torch.relu(self.wide(y)), torch.relu(self.narrow(y))], dim=1)
        return self.head(y.flatten(1))


@cache
def digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training images and classes, test images and classes."""
    images, targets = load_digits(return_X_y=True)
    parts = train_test_split(images / 16, targets, test_size=0.4, stratify=targets, random_state=0)
    train, test, train_classes, test_classes = (torch.as_tensor(part) for part in parts)
    return train.float(), train_classes, test.float(), test_classes


def trained(network: nn.Module, shape: tuple[int, ...], *, epochs: int) -> nn.Module:
    """The network, trained on the digits."""
    train, classes, *_ = digits()
    images = train.reshape(-1, *shape)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[chosen]), classes[chosen]).backward()
            optimizer.step()
    return network.eval().requires_grad_(False)


def mlp(width: int, *, epochs: int = 60) -> nn.Module:
    """Three hidden layers of this width, trained."""
    torch.manual_seed(0)
    widths = (64, width, width, width, 10)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
        nn.init.kaiming_normal_(layers[-2].weight)
        nn.init.zeros_(layers[-2].bias)
    return trained(nn.Sequential(*layers[:-1]), (64,), epochs=epochs)


def residual() -> nn.Module:
    """The small residual network, trained."""
    torch.manual_seed(0)
    return trained(Residual(), (1, 8, 8), epochs=20)


def test_points(shape: tuple[int, ...]) -> torch.Tensor:
    """The test images, in this shape and double precision."""
    return digits()[2].double().reshape(-1, *shape)


def googlenet() -> tuple[nn.Module, torch.Tensor]:
    """GoogLeNet with random weights, batch norm's statistics those of two noisy images; and these."""
    torch.manual_seed(0)
    network = torchvision().models.googlenet(weights=None, aux_logits=False, init_weights=False)
    rough = torch.randn(2, 3, 14, 14)
    images = nn.functional.interpolate(rough, size=224, mode="bilinear")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(images)
    return network.eval().requires_grad_(False), images.double()


def googlenet_part(network: nn.Module, layer: str) -> Part:
    """From a layer to the output."""
    return record(network, torch.zeros(1, 3, 224, 224)).part(layer)


def plane_network(width: int) -> nn.Module:
    """The plane through three test images as a network of two inputs.

    Its square from -1 to 1 holds the three, and half their extent on either side.
    """
    network = mlp(width, epochs=60 if width >= 64 else 20).double()
    test, classes = digits()[2].double(), digits()[3]
    points = torch.stack([test[int((classes == digit).nonzero()[0])] for digit in SLICED])
    middle = points.mean(dim=0)
    across, _ = torch.linalg.qr((points[1:] - points[0]).T)
    reach = 1.5 * float(((points - middle) @ across).abs().max())
    first = nn.Linear(2, width).double()
    first.weight.data = network[0].weight @ across * reach
    first.bias.data = network[0].weight @ middle + network[0].bias
    return nn.Sequential(first, *list(network)[1:]).eval().requires_grad_(False)
