"""Inputs by which it is tried whether a network treats each example by itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

import torch

from polylens.records import PADDING, Examples

_TOKENS = 32
"""Tokens of a text at most; half as many of the one asked for, so that it is padded beside others."""

_SPREAD = 8
"""Examples that fill a large batch."""


@dataclass(frozen=True)
class TrialInputs:
    """One example, and two others to stand beside it; each a batch of one, texts without padding."""

    one: torch.Tensor
    companions: tuple[torch.Tensor, torch.Tensor]
    spread: tuple[torch.Tensor, ...]
    """A few more, evenly over the dataset: what of a batch decides for all of it is not the same for each."""
    is_text: bool
    filling: int
    """The token that fills shorter texts up, as it does in a harvest."""

    def filled_up(self, size: int) -> list[torch.Tensor]:
        """The inputs of a batch of so many: the one, then those of `spread` by turns."""
        return [self.one, *islice(cycle(self.spread), size - 1)]


def trial_inputs(examples: Examples, *, is_causal: bool) -> TrialInputs:
    """The first, the last and the middle example; where there are fewer, the first one turned around.

    Where texts are of several lengths, the first is cut short, so that it is padded beside the others; texts
    of one length are never padded.
    """
    lengths = examples.lengths()
    is_text = lengths is not None
    indices = list(dict.fromkeys([0, len(examples) - 1, len(examples) // 2]))
    places = sorted({(len(examples) - 1) * part // (_SPREAD - 1) for part in range(_SPREAD)})
    taken = {
        index: _cut_short(examples.batch([index]), is_text=is_text, most=_TOKENS)
        for index in dict.fromkeys([*indices, *places])
    }
    inputs = [taken[index] for index in indices]
    one = inputs[0]
    turned = (one.flip(-1), one.roll(1, dims=-1))
    first, second = (*inputs[1:], *turned)[:2]
    if lengths is not None and lengths.min() < lengths.max():
        one = one[:, : max(1, min(one.shape[1], _TOKENS // 2))]
    spread = tuple(taken[index] for index in places if taken[index] is not one)  # it is the first of all
    # What a causal network makes of earlier tokens does not depend on what stands in the place of padding.
    filling = 0 if is_causal else PADDING
    return TrialInputs(one, (first, second), spread=spread, is_text=is_text, filling=filling)


def batch_of(inputs: list[torch.Tensor], *, filling: int) -> torch.Tensor:
    """Several inputs as one batch, shorter texts filled up to the longest."""
    if inputs[0].dtype != torch.int64:
        return torch.cat(inputs)
    longest = max(each.shape[1] for each in inputs)
    filled = [torch.nn.functional.pad(each, (0, longest - each.shape[1]), value=filling) for each in inputs]
    return torch.cat(filled)


def _cut_short(batch: torch.Tensor, *, is_text: bool, most: int) -> torch.Tensor:
    if not is_text:
        return batch
    n_tokens = max(1, min(int((batch[0] != PADDING).sum()), most))
    return batch[:, :n_tokens]
