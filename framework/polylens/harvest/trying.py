"""Whether a pass may be narrowed to chosen tokens: tried on one example, beside the plain pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from polylens.dataflow import Attentions, ChosenTokens, NotNarrowError
from polylens.harvest.collected import Collected
from polylens.records import PADDING

_TOKENS = 128
"""Tokens that are tried."""
_BITS = 2e-3
"""Share of bits that rounding may turn."""
_NUMBERS = 1e-3
"""Difference that rounding may make, as a share of the largest number; a thousand times what is usual."""
_LOW_PRECISION = 5e-2
"""Difference that rounding may make where the pass is in 16 bits, as a share of the largest number."""


@dataclass(frozen=True)
class Narrowing:
    """Whether passes of a network may be narrowed to chosen tokens, and from where on."""

    attention: int | None
    """The attention from which on chosen tokens are enough, from 1: the last one before the pass ends.

    None where all tokens are needed up to the end: the network has no attention that can be seen, or does
    something with tokens that narrowing does not know.
    """


def try_narrowing(
    collect: Callable[[dict[str, Any], Attentions], Mapping[str, Collected]], batch: Mapping[str, Any]
) -> Narrowing | None:
    """How passes may be narrowed; None where no example of the batch has rows, so that nothing is learned.

    Tried on the first tokens of one example, since two more passes of a long text cost as much as two texts.

    Args:
        collect: makes the rows of a batch.
        batch: what `Batches` gives, with `chosen` tokens.
    """
    owners = torch.cat([rows["example_of_row"] for rows in batch["rows"].values()])
    if not len(owners):
        return None
    one = _first_tokens(batch, int(owners[0]))
    counting = Attentions()
    plain = collect(one, counting)
    last = counting.seen
    if not last:
        return Narrowing(attention=None)
    chosen = ChosenTokens(one["chosen"], n_tokens=one["inputs"].shape[1])
    try:
        narrowed = collect(one, Attentions(chosen, at=last))
    except (NotNarrowError, RuntimeError):
        return Narrowing(attention=None)
    agree = all(_agree(plain[digest].values, narrowed[digest].values) for digest in plain)
    return Narrowing(attention=last if agree else None)


def _first_tokens(batch: Mapping[str, Any], index: int) -> dict[str, Any]:
    """One example of the batch, cut short, with some tokens chosen over its length."""
    inputs = batch["inputs"][index : index + 1]
    n_tokens = min(int((inputs != PADDING).sum()), _TOKENS)
    last = n_tokens - 1
    position = torch.tensor(sorted({last // 4, last // 2, last}), device=inputs.device)
    rows = {"example_of_row": torch.zeros_like(position), "position": position}
    return {
        "inputs": inputs[:, :n_tokens],
        "chosen": position[None],
        "rows": dict.fromkeys(batch["rows"], rows),
    }


def _agree(plain: torch.Tensor, narrowed: torch.Tensor) -> bool:
    """Whether rows are equal up to rounding."""
    if plain.dtype == torch.uint8:
        turned = (plain ^ narrowed)[..., None] >> torch.arange(8, device=plain.device) & 1
        return int(turned.sum()) <= max(2, _BITS * 8 * plain.numel())
    if not plain.numel():
        return True
    device = plain.device.type
    is_low = torch.is_autocast_enabled(device) or torch.get_default_dtype() != torch.float32
    allowed = (_LOW_PRECISION if is_low else _NUMBERS) * plain.abs().max()
    return bool((plain - narrowed).abs().max() <= allowed)
