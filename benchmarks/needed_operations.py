"""What a harvest of one layer of GPT-2 cannot do without, written by hand: the limit of every way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention


def needed_rows(network: Any, ids: torch.Tensor, *, layer: int, positions: Sequence[int]) -> torch.Tensor:
    """The pre-activations of a block's MLP at some tokens of each text, `texts positions units`.

    Nothing behind the last of the tokens is computed; of the last block, keys and values of all tokens before
    it, and all else of the chosen tokens alone.

    Args:
        network: transformers' GPT2Model.
        ids: `texts tokens`, on its device.
        layer: number of the block, from 0.
        positions: of the tokens, ascending; the same in every text.
    """
    length = positions[-1] + 1
    places, at = torch.arange(length, device=ids.device), torch.tensor(positions, device=ids.device)
    states = network.wte(ids[:, :length]) + network.wpe(places)
    for earlier in network.h[:layer]:
        given = earlier(states)
        states = given if isinstance(given, torch.Tensor) else given[0]
    block, n_heads = network.h[layer], network.config.n_head
    normed, width = block.ln_1(states), states.shape[-1]
    weight, bias = block.attn.c_attn.weight, block.attn.c_attn.bias
    query = normed[:, at] @ weight[:, :width] + bias[:width]
    key, value = (normed @ weight[:, width:] + bias[width:]).chunk(2, dim=-1)
    query, key, value = (part.unflatten(-1, (n_heads, -1)).transpose(1, 2) for part in (query, key, value))
    mixed = scaled_dot_product_attention(query, key, value, attn_mask=places <= at[:, None])
    chosen = states[:, at] + block.attn.c_proj(mixed.transpose(1, 2).flatten(2))
    found: torch.Tensor = block.mlp.c_fc(block.ln_2(chosen))
    return found
