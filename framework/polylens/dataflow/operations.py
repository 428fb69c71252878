"""What each aten operation does to the values that depend on the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from polylens.dataflow.winners import ADAPTIVE, REDUCING, SLIDING

Arguments = Mapping[str, Any]
"""An operation's arguments by the names of its schema, defaults filled in."""


@dataclass(frozen=True)
class Regimes:
    """Where an elementwise operation changes regime."""

    kinks: tuple[float, ...]
    piecewise_linear: bool


def _at_zero(arguments: Arguments) -> Regimes:
    return Regimes((0.0,), piecewise_linear=True)


def _smooth(arguments: Arguments) -> Regimes:
    return Regimes((0.0,), piecewise_linear=False)


def _at(*names: str) -> Callable[[Arguments], Regimes | None]:
    """Kinks at the numbers given by these arguments; None where they are tensors."""

    def regimes(arguments: Arguments) -> Regimes | None:
        kinks = [arguments[name] for name in names if arguments.get(name) is not None]
        if not kinks or any(isinstance(kink, torch.Tensor) for kink in kinks):
            return None
        return Regimes(tuple(sorted(float(kink) for kink in kinks)), piecewise_linear=True)

    return regimes


def _shrink(arguments: Arguments) -> Regimes:
    bound = abs(float(arguments["lambd"]))
    return Regimes((-bound, bound), piecewise_linear=True)


_UNITS: dict[str, Callable[[Arguments], Regimes | None]] = {
    "relu": _at_zero,
    "leaky_relu": _at_zero,
    "_prelu_kernel": _at_zero,
    "rrelu_with_noise": lambda arguments: None if arguments["training"] else _at_zero(arguments),
    "abs": _at_zero,
    "threshold": _at("threshold"),
    "hardtanh": _at("min_val", "max_val"),
    "clamp": _at("min", "max"),
    "clamp_min": _at("min"),
    "clamp_max": _at("max"),
    "hardsigmoid": lambda arguments: Regimes((-3.0, 3.0), piecewise_linear=True),
    "hardshrink": _shrink,
    "softshrink": _shrink,
    # The larger (smaller) of two values is one of them plus a ReLU of their difference, whose kink is at 0.
    "maximum": _at_zero,
    "minimum": _at_zero,
    **dict.fromkeys(
        ("gelu", "silu", "sigmoid", "tanh", "elu", "celu", "selu", "softplus", "mish", "hardswish"), _smooth
    ),
    "log_sigmoid_forward": _smooth,
}

_POOLS = (*SLIDING, *ADAPTIVE, *REDUCING)

_SPOKEN = {
    "_prelu_kernel": "prelu",
    "rrelu_with_noise": "rrelu",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "log_sigmoid_forward": "logsigmoid",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    **dict.fromkeys(
        (
            "native_batch_norm",
            "cudnn_batch_norm",
            "miopen_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "_batch_norm_no_update",
            "_batch_norm_with_update",
        ),
        "batch_norm",
    ),
}

COPIES = frozenset({"clone", "_to_copy", "lift_fresh_copy", "detach_copy", "alias_copy", "copy"})
"""Operations whose result holds the same elements at the same places."""

REARRANGEMENTS: dict[str, tuple[str, ...]] = {
    "cat": ("tensors",),
    "stack": ("tensors",),
    "index": ("self",),
    "index_select": ("self",),
    "gather": ("self",),
    "flip": ("self",),
    "roll": ("self",),
    "repeat": ("self",),
    "pixel_shuffle": ("self",),
    "pixel_unshuffle": ("self",),
    "channel_shuffle": ("self",),
    "native_channel_shuffle": ("self",),
    "constant_pad_nd": ("self", "value"),
    "where": ("self", "other"),
    "index_put": ("self", "values"),
    "_index_put_impl": ("self", "values"),
    "masked_fill": ("self", "value"),
    "slice_scatter": ("self", "src"),
    "select_scatter": ("self", "src"),
    "view_copy": ("self",),
    "expand_copy": ("self",),
    "permute_copy": ("self",),
    "transpose_copy": ("self",),
    "slice_copy": ("self",),
    "_reshape_copy": ("self",),
}
"""Operations that move elements, and the arguments they move; no other argument may depend on the input."""

_BATCH_NORM_STATISTICS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class _Linear:
    """When an operation is linear: at most one of `factors` depends on the input, none of `constants` does."""

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
        (name for name, spoken in _SPOKEN.items() if spoken == "batch_norm"),
        _Linear(constants=_BATCH_NORM_STATISTICS),
    ),
}

CONSTANTS = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "new_empty", "new_zeros", "new_ones", "new_full"}
    | {"new_empty_strided", "zero", "fill", "sym_size", "sym_stride", "sym_numel"}
)
"""Operations that read the shape of a tensor, not its values (`fill` with a constant)."""

DECISIONS = frozenset({"_local_scalar_dense", "is_nonzero", "equal", "_assert_async"})
"""Operations that hand a tensor's value to Python, where it may decide what is computed next."""


def canonical(function: torch._ops.OpOverload) -> str:
    """The operation's name without its overload, and without the underscore of in-place calls."""
    name: str = function.overloadpacket.__name__
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


def spoken(operation: str) -> str:
    """The name people know the operation by."""
    return _SPOKEN.get(operation, operation.strip("_"))


def is_site(operation: str) -> bool:
    """Whether the operation may be a nonlinearity with regimes of its own, and is counted as a site."""
    return operation in _UNITS or operation in _POOLS


def is_pool(operation: str) -> bool:
    """Whether the operation keeps the winner of each window."""
    return operation in _POOLS


def regimes(operation: str, arguments: Arguments) -> Regimes | None:
    """The regimes of an elementwise operation called like this; None where they are not at fixed numbers."""
    return _UNITS[operation](arguments)


def pre_activation(operation: str, arguments: Arguments) -> torch.Tensor:
    """What the regimes of an elementwise operation are read from, to be compared with its kinks."""
    source: torch.Tensor = arguments["self"]
    return source - arguments["other"] if operation in ("maximum", "minimum") else source


def named(
    function: torch._ops.OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by the names of the operation's schema, defaults filled in."""
    values: dict[str, Any] = {}
    for index, argument in enumerate(function._schema.arguments):
        if index < len(args):
            values[argument.name] = args[index]
        elif argument.name in kwargs:
            values[argument.name] = kwargs[argument.name]
        else:
            values[argument.name] = argument.default_value
    return values


def written(function: torch._ops.OpOverload, arguments: Arguments) -> list[torch.Tensor]:
    """The tensors that the call changes in place."""
    changed = []
    for argument in function._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write:
            changed += list(tensors(arguments[argument.name]))
    return changed


def tensors(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor in an argument or a result."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)


def why_not_linear(operation: str, arguments: Arguments, depends: Callable[[Any], bool]) -> str | None:
    """Why the call is not linear in what depends on the input; None where it is.

    Args:
        operation: canonical name.
        arguments: by name.
        depends: whether an argument depends on the input.
    """
    rule = _LINEAR.get(operation)
    name = spoken(operation)
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
