"""Names of ImageNet's classes, which networks of several libraries share."""

from __future__ import annotations

from functools import cache

from polylens import imports


@cache
def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 classes in the order of a network's outputs, as torchvision words them."""
    weights = imports.torchvision().models.get_weight("ResNet18_Weights.IMAGENET1K_V1")
    return tuple(weights.meta["categories"])
