"""Operations that are linear in what depends on the input, and when.

A table names for each operation its factors, of which one at most may depend on the input, and its
constants, of which none may. Whatever is not in the table counts as not linear: refusing too much is a
missing number, refusing too little a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polylens.dataflow.operations import SPOKEN, Arguments, operation_in_words

_BATCH_NORM_STATISTICS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class _Linear:
    """When an operation is linear: one of `factors` at most depends on the input, none of `constants`."""

    factors: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()


_JOINTLY = _Linear()
_CONVOLUTION = _Linear(factors=("input", "self", "weight"))
_PRODUCT = _Linear(factors=("self", "other", "mat1", "mat2", "batch1", "batch2", "mat", "vec", "tensor"))
_SUM_AND_PRODUCT = _Linear(factors=("mat1", "mat2", "batch1", "batch2", "mat", "vec", "tensor1", "tensor2"))

_LINEAR: dict[str, _Linear] = {
    **dict.fromkeys(
        ("add", "sub", "rsub", "neg", "positive", "sum", "mean", "cumsum", "diff", "tril", "triu"), _JOINTLY
    ),
    **dict.fromkeys(
        ("avg_pool1d", "avg_pool2d", "avg_pool3d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), _JOINTLY
    ),
    **dict.fromkeys(
        (
            "adaptive_avg_pool1d",
            "adaptive_avg_pool2d",
            "adaptive_avg_pool3d",
            "im2col",
            "col2im",
            "unfold_copy",
        ),
        _JOINTLY,
    ),
    **dict.fromkeys(
        (f"{kind}_pad{rank}d" for kind in ("reflection", "replication") for rank in (1, 2, 3)), _JOINTLY
    ),
    **dict.fromkeys(
        ("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact2d"),
        _JOINTLY,
    ),
    **dict.fromkeys(
        ("upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d"), _JOINTLY
    ),
    **dict.fromkeys(
        ("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa", "_upsample_nearest_exact1d"), _JOINTLY
    ),
    **dict.fromkeys(("mul", "mm", "bmm", "mv", "dot"), _PRODUCT),
    **dict.fromkeys(("addmm", "addbmm", "baddbmm", "addmv", "addcmul"), _SUM_AND_PRODUCT),
    "div": _Linear(constants=("other",)),
    "lerp": _Linear(constants=("weight",)),
    "linear": _CONVOLUTION,
    **dict.fromkeys(
        ("convolution", "_convolution", "convolution_overrideable", "conv_transpose2d"), _CONVOLUTION
    ),
    **dict.fromkeys(("cudnn_convolution", "cudnn_convolution_transpose", "miopen_convolution"), _CONVOLUTION),
    **dict.fromkeys(
        ("mkldnn_convolution", "_conv_depthwise2d", "conv_depthwise3d", "_slow_conv2d_forward"), _CONVOLUTION
    ),
    **dict.fromkeys(
        (name for name, spoken in SPOKEN.items() if spoken == "batch_norm"),
        _Linear(constants=_BATCH_NORM_STATISTICS),
    ),
}


def why_not_linear(operation: str, arguments: Arguments, depends: Callable[[Any], bool]) -> str | None:
    """Why the call is not linear in what depends on the input; None where it is.

    Args:
        operation: canonical name.
        arguments: by name.
        depends: whether an argument depends on the input.
    """
    rule = _LINEAR.get(operation)
    name = operation_in_words(operation)
    if rule is None:
        return name
    if name == "batch_norm" and (arguments.get("training") or operation == "_batch_norm_with_update"):
        return "batch_norm in training mode"
    if arguments.get("rounding_mode") is not None:
        return f"{name} with rounding"
    if sum(depends(arguments.get(factor)) for factor in rule.factors) > 1:
        return f"{name} of two values that both depend on the input"
    if any(depends(arguments.get(constant)) for constant in rule.constants):
        return f"{name} by a value that depends on the input"
    return None
