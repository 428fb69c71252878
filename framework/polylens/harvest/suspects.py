"""Parts of a module that are known to make it more than a function of one example."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from polylens.errors import listed


def suspects(module: nn.Module) -> tuple[str, ...]:
    """Parts that normalise by the batch at hand, or are in training mode although the module is not.

    Args:
        module: in eval mode.

    >>> suspects(nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False)).eval())
    ("'0' (BatchNorm1d) normalises by the batch at hand",)
    """
    reasons = []
    for path, part in module.named_modules():
        if isinstance(part, _BatchNorm) and (part.training or part.running_mean is None):
            reasons.append(f"'{path}' ({type(part).__name__}) normalises by the batch at hand")
        elif part.training and path and not list(part.children()):
            reasons.append(f"'{path}' ({type(part).__name__}) is in training mode after eval()")
    return tuple(reasons)


def hint_of(module: nn.Module) -> str | None:
    """What to do about the suspects; None where there are none."""
    reasons = suspects(module)
    if not reasons:
        return None
    return (
        f"{listed(reasons, most=4)}: give batch norms running statistics (track_running_stats=True), and let "
        "eval() reach every part"
    )
