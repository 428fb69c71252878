"""Small networks of every shape that tests of geometry walk through."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    """Convolutions, batch norm, a residual sum, an in-place ReLU, max-pooling, branches side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.block = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        self.wide, self.narrow = nn.Conv2d(4, 3, 3, padding=1), nn.Conv2d(4, 2, 1)
        self.head = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.norm(self.stem(x)))
        y = self.relu(y + self.block(y))
        y = self.pool(y)
        y = torch.cat([functional.leaky_relu(self.wide(y), 0.1), functional.hardtanh(self.narrow(y))], dim=1)
        return self.head(functional.avg_pool2d(y, y.shape[-1]).view(x.shape[0], -1))


class Tokens(nn.Module):
    """Dense layers along an axis of tokens, with the maximum over them."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down, self.head = nn.Linear(3, 8), nn.Linear(8, 3), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.down(functional.relu(self.up(x)))
        gated = functional.relu6(self.up(x.reshape(-1, 3)).reshape(len(x), -1, 8) * 3)
        return self.head(torch.maximum(self.down(gated), x).amax(dim=1))


def dense() -> nn.Module:
    """Three hidden layers with three kinds of units."""
    return nn.Sequential(
        nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 12), nn.LeakyReLU(0.2), nn.Linear(12, 12), nn.Hardtanh(),
        nn.Linear(12, 4),
    )  # fmt: skip


def convolutional() -> nn.Module:
    """Padding, adaptive pooling of both sorts, dropout."""
    return nn.Sequential(
        nn.ReflectionPad2d(1), nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveMaxPool2d((3, 4)), nn.Dropout(),
        nn.Conv2d(4, 4, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "dense": (dense, (5,)),
    "convolutional": (convolutional, (2, 6, 7)),
    "residual": (Residual, (2, 7, 7)),
    "tokens": (Tokens, (4, 3)),
}


def network(name: str, *, seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """A network in eval mode with random weights, and the shape of its input."""
    torch.manual_seed(seed)
    build, shape = NETWORKS[name]
    module = build()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_var, 0.5, 2.0)
            nn.init.normal_(part.running_mean)
    return module.eval().double(), shape
