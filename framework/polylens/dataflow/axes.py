"""Which axes of a tensor count positions and which channels, told from the operations that made its values.

1. A convolution gives channels behind the axis of examples, a dense layer or a layer norm gives them last.
   What is done to each value alone has them where its arguments have them, and a reduction over other axes
   keeps them (`channels_given`).
2. A tensor whose values were only moved since is looked at by 16 of its values: the channels are the axis
   along which a value and its neighbour are different channels of the step that computed both
   (`channels_seen`).
3. Where values disagree, or none says anything, the axis is not known, and the layer is refused.
4. Of texts no operation is asked: the axis of tokens is the one whose extent is the number of tokens
   (`order_of_tokens`).

Invariant: an axis is given only where all that was looked at agrees; it is never guessed.

Cost: a few look-ups a tensor, however large it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from polylens.dataflow.operations import SPOKEN, Arguments, tensors

ChannelsOf = Callable[[torch.Tensor], int | None]
"""The axis of a tensor's channels, from the front; None where it is not known."""

_SECOND = frozenset(
    {
        *(
            "convolution",
            "_convolution",
            "convolution_overrideable",
            "cudnn_convolution",
            "miopen_convolution",
        ),
        *("mkldnn_convolution", "_conv_depthwise2d", "conv_depthwise3d", "_slow_conv2d_forward"),
        *("conv_transpose2d", "cudnn_convolution_transpose", "native_group_norm", "im2col"),
        *("avg_pool2d", "avg_pool3d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d"),
        *("max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool3d"),
        *(f"upsample_{kind}" for kind in ("nearest1d", "nearest2d", "nearest3d", "linear1d", "bilinear2d")),
        *(name for name, spoken in SPOKEN.items() if spoken == "batch_norm"),
    }
)
"""Operations whose channels stand behind the axis of examples."""
_LAST = frozenset(
    {
        *("linear", "addmm", "native_layer_norm", "_fused_rms_norm", "embedding"),
        *("_native_multi_head_attention", "_transformer_encoder_layer_fwd"),
    }
)
"""Operations whose channels stand last."""
_REDUCING = frozenset({"mean", "sum", "amax", "amin", "max", "min"})
"""Operations over axes, which are then gone or of one value."""
CONVOLUTIONS = frozenset({"convolution", "_convolution", "convolution_overrideable", "mkldnn_convolution"})
"""Operations that show where the network's input has its channels."""
_PRODUCTS = {"mm": ("self", "mat2"), "bmm": ("self", "mat2"), "baddbmm": ("batch1", "batch2")}
"""Products, and their two factors."""
_PLACES = 16
"""Values that are looked at in each tensor."""
_ALIKE = frozenset(
    {"_softmax", "_log_softmax", "native_dropout", "cumsum", "_prelu_kernel"}
    | {"log_sigmoid_forward", "rrelu_with_noise"}
)
"""Operations that are not called elementwise, and keep every axis."""


@dataclass(frozen=True)
class Made:
    """How one step's values lie: enough to say of each which channel it is."""

    first: int
    """The first value's id."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """Between the ids of neighbours along each axis."""
    channels: int | None
    """The axis of channels; None where it is not known."""

    def coordinates(self, value: int) -> list[int]:
        """The coordinates of a value by its id."""
        rest = value - self.first
        coordinates = [0] * len(self.shape)
        # The longest stride first, as for digits; an axis of one value has no coordinate but 0.
        for axis in sorted(range(len(self.shape)), key=lambda axis: -self.strides[axis]):
            if self.shape[axis] > 1:
                coordinates[axis], rest = divmod(rest, self.strides[axis])
        return coordinates


def channels_given(
    operation: str,
    arguments: Arguments,
    *,
    is_elementwise: bool,
    rank: int,
    channels_of: ChannelsOf,
    depends: Callable[[Any], bool],
) -> int | None:
    """The axis of channels of what an operation gives; None where it cannot be told.

    Args:
        operation: canonical name.
        arguments: by name.
        is_elementwise: whether it does the same to every value.
        rank: axes of what it gives, that of examples among them.
        channels_of: the axis of an argument's channels.
        depends: whether an argument depends on the input.
    """
    if operation in _SECOND:
        return 1
    if operation in _LAST:
        return rank - 1
    if operation in _PRODUCTS:
        left, right = (depends(arguments[name]) for name in _PRODUCTS[operation])
        # Of values times weights the columns are channels, of weights times values the rows.
        return None if left and right else rank - 1 if left else rank - 2
    if operation in _REDUCING and arguments.get("dim") is not None:
        return _channels_left(arguments, rank=rank, channels_of=channels_of)
    if is_elementwise or operation in _ALIKE:
        # A tensor of lower rank is broadcast: its axes are not those of what is given.
        axes = {
            axis
            for value in arguments.values()
            for tensor in tensors(value)
            if tensor.dim() == rank and (axis := channels_of(tensor)) is not None
        }
        return axes.pop() if len(axes) == 1 else None
    return None


def _channels_left(arguments: Arguments, *, rank: int, channels_of: ChannelsOf) -> int | None:
    """Where the axis of channels is after a reduction over others."""
    source: torch.Tensor = arguments["self"]
    channels, dim = channels_of(source), arguments["dim"]
    axes = {axis % source.dim() for axis in ([dim] if isinstance(dim, int) else dim)}
    if channels is None or channels in axes or not axes:
        return None
    return channels if rank == source.dim() else channels - sum(axis < channels for axis in axes)


def channels_seen(ids: Int64[torch.Tensor, "..."], *, made_by: Callable[[int], Made | None]) -> int | None:
    """The axis of a tensor along which its values are different channels of what computed them.

    Args:
        ids: of the tensor's values; 0 for those that do not depend on the input.
        made_by: the step that computed a value.
    """
    axes: set[int] = set()
    for flat in np.linspace(0, ids.numel() - 1, _PLACES).astype(np.int64):
        start = [int(coordinate) for coordinate in np.unravel_index(flat, tuple(ids.shape))]
        axis = _seen_at(ids, start, made_by=made_by)
        if axis is not None:
            axes.add(axis)
    return axes.pop() if len(axes) == 1 else None


def _seen_at(
    ids: Int64[torch.Tensor, "..."], start: list[int], *, made_by: Callable[[int], Made | None]
) -> int | None:
    """The axis of channels as one value and its neighbours show it."""
    made = made_by(int(ids[tuple(start)]))
    if made is None or made.channels is None:
        return None
    here = made.coordinates(int(ids[tuple(start)]))
    channels, undecided = [], []
    for axis in range(1, ids.dim()):
        beside = list(start)
        beside[axis] += 1 if start[axis] + 1 < ids.shape[axis] else -1
        there = int(ids[tuple(beside)]) if ids.shape[axis] > 1 else 0
        # Another step's value says nothing of this step's channels.
        if there == 0 or made_by(there) != made:
            undecided.append(axis)
        elif made.coordinates(there)[made.channels] != here[made.channels]:
            channels.append(axis)
    # A single channel has no neighbour, and one beside others may be another operation's.
    axes = channels or undecided
    return axes[0] if len(axes) == 1 else None


def order_of_tokens(shape: tuple[int, ...], *, n_tokens: int) -> tuple[int, ...] | str:
    """The axes of one example, that of tokens first; why not, where it is not known.

    >>> order_of_tokens((4, 13, 8), n_tokens=13)
    (1, 0, 2)
    """
    axes = [axis for axis, extent in enumerate(shape) if extent == n_tokens]
    # As many channels as tokens: of two axes the first counts tokens, as all layers of texts have it.
    if len(shape) == 2 and shape[0] == n_tokens:
        axes = axes[:1]
    if len(axes) != 1:
        return f"{len(axes) or 'none'} of its axes {shape} count tokens, where one must"
    return (axes[0], *(axis for axis in range(len(shape)) if axis != axes[0]))
