"""Chosen tokens only: from one attention on, a forward pass computes nothing but the rows that are wanted.

What an attention gives for a token needs the keys and values of other tokens, but only its own query:
behind it, every operation up to the wanted tensors can be done on the wanted tokens alone. The network does
not know.

1. At the attention that is narrowed, only the queries of the chosen tokens are handed on, and their rows of
   the mask.
2. What it gives is a `Narrowed`: the chosen tokens' numbers, and the shape that all tokens would have.
3. A rule tells of each operation what becomes of the axis of tokens. What has no rule is taken apart into
   operations that have one, or refused (`NotNarrowError`); the pass is then made in full.

Invariant: a row is computed from the same operands as in a full pass. Cost: that of the chosen tokens.
Source: decision 0007.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from jaxtyping import Bool, Int64
from torch.overrides import TorchFunctionMode

from polylens.dataflow.operations import is_elementwise
from polylens.dataflow.watch import pause_watches

_ATTENTION = torch.nn.functional.scaled_dot_product_attention


class NotNarrowError(Exception):
    """An operation that mixes tokens, or that is not known, met a tensor of chosen tokens."""


@dataclass(frozen=True)
class ChosenTokens:
    """Which tokens are wanted."""

    positions: Int64[torch.Tensor, "examples most"]
    """The tokens of each example, ascending; the last is repeated where an example has fewer."""
    n_tokens: int
    """Tokens of each input."""

    def of(self, tensor: torch.Tensor, *, axis: int) -> torch.Tensor:
        """The chosen tokens of a tensor of all tokens.

        Args:
            tensor: `examples ...` (or of one example that stands for all) with tokens at `axis`; with axis 0,
                examples and tokens in one axis.
            axis: the axis of tokens.
        """
        n_examples = len(self.positions)
        if axis == 0:
            firsts = self.n_tokens * torch.arange(n_examples, device=self.positions.device)
            return tensor.index_select(0, (firsts[:, None] + self.positions).flatten())
        wide = tensor.expand(n_examples, *tensor.shape[1:])
        examples = torch.arange(n_examples, device=tensor.device)[:, None]
        return wide.movedim(axis, 1)[examples, self.positions].movedim(1, axis)


class Narrowed(torch.Tensor):
    """A tensor of chosen tokens that claims to have all of them.

    Operations that treat every token alike work on the chosen ones. All others raise `NotNarrowError`.
    """

    chosen: ChosenTokens
    compact: torch.Tensor
    """The chosen tokens' numbers."""
    axis: int
    """Axis of tokens; 0 where it holds examples and tokens, examples outside."""

    @staticmethod
    def __new__(
        cls, compact: torch.Tensor, *, chosen: ChosenTokens, axis: int, shape: Sequence[int] | None = None
    ) -> Narrowed:
        """The claim is that there are `shape`; left out, all tokens at `axis`, the rest as in `compact`."""
        if shape is None:
            tokens = chosen.n_tokens if axis else chosen.n_tokens * len(chosen.positions)
            shape = [*compact.shape[:axis], tokens, *compact.shape[axis + 1 :]]
        made: Narrowed = torch.Tensor._make_wrapper_subclass(
            cls, shape, dtype=compact.dtype, device=compact.device
        )
        made.compact, made.chosen, made.axis = compact, chosen, axis
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Narrowed({tuple(self.shape)}, axis={self.axis}, compact={tuple(self.compact.shape)})"

    def rows(
        self, example_of_row: Int64[torch.Tensor, "rows"], positions: Int64[torch.Tensor, "rows"]
    ) -> torch.Tensor:
        """The numbers of chosen tokens, `rows ...`, of a tensor `examples tokens ...`."""
        if self.axis != 1:
            raise NotNarrowError("rows of a tensor whose second axis does not count tokens")
        index = (self.chosen.positions[example_of_row] == positions[:, None]).to(torch.int8).argmax(1)
        return self.compact[example_of_row, index]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: torch._ops.OpOverload,
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if name in _RULES:
            return _RULES[name](func, args, kwargs)
        if is_elementwise(func) or name in _ALONE:
            return _each_alone(func, args, kwargs)
        decomposed = func.decompose(*args, **kwargs)
        if decomposed is NotImplemented:
            raise NotNarrowError(f"{name} of chosen tokens")
        return decomposed


class Attentions(TorchFunctionMode):
    """Counts a pass' attentions, and narrows what follows from one of them.

    Args:
        chosen: the tokens that are wanted from there on; None counts only.
        at: the how-manieth attention is narrowed, from 1.
    """

    def __init__(self, chosen: ChosenTokens | None = None, *, at: int = 0) -> None:
        super().__init__()
        self.seen = 0
        self._chosen, self._at = chosen, at

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is not _ATTENTION:
            return func(*args, **kwargs)
        self.seen += 1
        if self._chosen is None or self.seen != self._at:
            return func(*args, **kwargs)
        return _narrowed_attention(self._chosen, *args, **kwargs)


def _narrowed_attention(
    chosen: ChosenTokens,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Any,
) -> Narrowed:
    """Attention of the chosen tokens' queries to all tokens."""
    n_examples, n_tokens = len(chosen.positions), chosen.n_tokens
    if query.dim() != 4 or (query.shape[0], query.shape[2], key.shape[2]) != (n_examples, n_tokens, n_tokens):
        raise NotNarrowError("an attention that is not over the tokens of the input")
    with pause_watches():
        mask = attn_mask
        if is_causal:
            mask = _seen_by(chosen)
        elif mask is not None and mask.shape[-2] == n_tokens:
            mask = chosen.of(mask[(None,) * (4 - mask.dim())], axis=2)
        queries = chosen.of(query, axis=2)
        given = _ATTENTION(queries, key, value, attn_mask=mask, dropout_p=dropout_p, **options)
    return Narrowed(given, chosen=chosen, axis=2)


def _seen_by(chosen: ChosenTokens) -> Bool[torch.Tensor, "examples 1 most tokens"]:
    """Which tokens each chosen one attends to in a causal network: those up to itself."""
    tokens = torch.arange(chosen.n_tokens, device=chosen.positions.device)
    return tokens <= chosen.positions[:, None, :, None]


def _tensors(args: Sequence[Any]) -> list[Narrowed]:
    return [item for item in args if isinstance(item, Narrowed)]


def _like(source: Narrowed, compact: torch.Tensor, shape: Sequence[int] | None = None) -> Narrowed:
    return Narrowed(compact, chosen=source.chosen, axis=source.axis, shape=shape)


def _each_alone(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Elementwise operations: of every other tensor, the chosen tokens' part is taken."""
    first = next(iter(_tensors([*args, *kwargs.values()])))
    # Counted from the end, as broadcasting does.
    from_end = first.axis - first.dim()
    changed = args[0] if func._schema.is_mutable else None

    def part(item: Any) -> Any:
        if isinstance(item, Narrowed):
            if item.axis - item.dim() != from_end:
                raise NotNarrowError(f"{func} of tensors whose axes of tokens differ")
            return item.compact
        if not isinstance(item, torch.Tensor) or item.dim() < -from_end or item.shape[from_end] == 1:
            return item
        if item is changed or item.dim() < first.dim():
            raise NotNarrowError(f"{func} of chosen tokens and of all")
        return first.chosen.of(item, axis=first.axis)

    given = func(*map(part, args), **{name: part(item) for name, item in kwargs.items()})
    return changed if changed is not None else _like(first, given)


def _view(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Narrowed:
    """Another shape, in which the tokens' axis, or that of examples and tokens together, must be found."""
    source, wanted = args[0], list(args[1])
    n_tokens, n_examples = source.chosen.n_tokens, len(source.chosen.positions)
    if -1 in wanted:
        wanted[wanted.index(-1)] = source.numel() // -prod(wanted)
    # The axis of tokens is known by what stands in front of it: as many numbers as before.
    before = prod(source.shape[: source.axis]) if source.axis else n_examples
    for axis, extent in enumerate(wanted):
        if axis and extent == n_tokens and wanted[0] == n_examples and prod(wanted[:axis]) == before:
            break
    else:
        axis = 0
        if wanted[0] != n_examples * n_tokens or before != n_examples:
            raise NotNarrowError(f"chosen tokens of {tuple(source.shape)} as {tuple(wanted)}")
    most = source.chosen.positions.shape[1]
    compact = [*wanted[:axis], most if axis else n_examples * most, *wanted[axis + 1 :]]
    return Narrowed(source.compact.reshape(compact), chosen=source.chosen, axis=axis, shape=wanted)


def _permute(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Narrowed:
    """Axes in another order; examples must stay in front."""
    source = args[0]
    # A tensor of extents 1, 2, 3, ... without numbers shows by its new shape where each axis went.
    extents = func(torch.empty(tuple(range(1, source.dim() + 1)), device="meta"), *args[1:], **kwargs).shape
    order = [extent - 1 for extent in extents]
    if order[0] != 0:
        raise NotNarrowError("chosen tokens with another axis in front than that of examples")
    return Narrowed(source.compact.permute(order), chosen=source.chosen, axis=order.index(source.axis))


def _over_axes(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Reductions and the like over axes behind that of tokens, which must stay where it is."""
    source, axes = args[0], args[1]
    behind = {axis % source.dim() for axis in ([axes] if isinstance(axes, int) else axes)}
    if not behind or min(behind) <= source.axis:
        raise NotNarrowError(f"{func} over examples or tokens")
    return _wrap(source, func(source.compact, *args[1:], **kwargs))


def _normalise(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Normalising over the last axes."""
    source, shape = args[0], args[1]
    if source.dim() - len(shape) <= source.axis or _tensors(args[2:]):
        raise NotNarrowError(f"{func} over tokens")
    return _wrap(source, func(source.compact, *args[1:], **kwargs))


def _parts(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Pieces along an axis behind that of tokens, or all of any axis."""
    source = args[0]
    named = {
        **dict(zip([argument.name for argument in func._schema.arguments], args, strict=False)),
        **kwargs,
    }
    axis = named.get("dim", 0) % source.dim()
    if axis <= source.axis:
        # All of an axis, as `tensor[:, :, 0]` slices it, is no piece.
        whole = (named.get("start") or 0) == 0 and named.get("step", 1) == 1
        end = named.get("end")
        if (
            func.overloadpacket is torch.ops.aten.slice
            and whole
            and (end is None or end >= source.shape[axis])
        ):
            return _like(source, source.compact)
        raise NotNarrowError(f"{func} of examples or tokens")
    return _wrap(source, func(source.compact, *args[1:], **kwargs))


def _product(func: torch._ops.OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> Narrowed:
    """Rows times a matrix."""
    *bias, left, right = args
    if not isinstance(left, Narrowed) or left.axis != 0 or _tensors([*bias, right]):
        raise NotNarrowError(f"{func} over tokens")
    return _like(left, func(*bias, left.compact, right, **kwargs))


def _wrap(source: Narrowed, given: Any) -> Any:
    if isinstance(given, torch.Tensor):
        return _like(source, given)
    return type(given)(_wrap(source, item) for item in given)


_ALONE = frozenset({"clone", "_to_copy", "detach", "alias", "contiguous", "lift_fresh"})
"""Operations that do to every number the same, though they are not called elementwise."""

_RULES: dict[str, Callable[[torch._ops.OpOverload, Sequence[Any], dict[str, Any]], Any]] = {
    **dict.fromkeys(("view", "_unsafe_view", "reshape"), _view),
    **dict.fromkeys(("transpose", "permute"), _permute),
    **dict.fromkeys(("mean", "sum", "amax", "_softmax", "_log_softmax", "cumsum"), _over_axes),
    **dict.fromkeys(("native_layer_norm", "_fused_rms_norm"), _normalise),
    **dict.fromkeys(("split", "split_with_sizes", "slice", "select", "chunk", "unbind"), _parts),
    **dict.fromkeys(("mm", "addmm"), _product),
}
