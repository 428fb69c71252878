"""Decoders, transformers that read from left to right, whose parts are modules that can be watched."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TypeVar

import torch
from jaxtyping import Float32, Int64
from torch import nn

from polylens.models._activations import unit
from polylens.models._decoder_shape import DecoderShape


class Attention(nn.Module):
    """Causal attention over the tokens before and the token itself."""

    def __init__(self, width: int, heads: int, *, query_biases: bool) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=query_biases)
        self.key = nn.Linear(width, width, bias=query_biases)
        self.value = nn.Linear(width, width, bias=query_biases)
        self.output = nn.Linear(width, width)

    def forward(self, stream: Float32[torch.Tensor, "texts tokens width"]) -> torch.Tensor:
        """What each token gets from those up to it."""
        parts = (self.query(stream), self.key(stream), self.value(stream))
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended: torch.Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return attended


class Block(nn.Module):
    """Attention, then an MLP; each adds to the residual stream."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.has_norms = shape.norms
        if shape.norms:
            self.norm = nn.ModuleDict({name: nn.LayerNorm(shape.width) for name in ("attention", "mlp")})
        self.attention = Attention(shape.width, shape.heads, query_biases=shape.query_biases)
        self.mlp = nn.Sequential(
            OrderedDict(
                linear=nn.Linear(shape.width, shape.hidden),
                activation=unit(shape.activation),
                output=nn.Linear(shape.hidden, shape.width),
            )
        )

    def forward(self, stream: Float32[torch.Tensor, "texts tokens width"]) -> torch.Tensor:
        """The residual stream after this block."""
        stream = stream + self.attention(self._normed(stream, "attention"))
        after: torch.Tensor = stream + self.mlp(self._normed(stream, "mlp"))
        return after

    def _normed(self, stream: torch.Tensor, name: str) -> torch.Tensor:
        if not self.has_norms:
            return stream
        normed: torch.Tensor = self.norm[name](stream)
        return normed


class Decoder(nn.Module):
    """Tokens in, logits of the next token out."""

    def __init__(self, shape: DecoderShape, *, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.positions = nn.Embedding(shape.context, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(shape.width) if shape.norms else None
        self.output = nn.Linear(shape.width, vocabulary)

    def forward(self, ids: Int64[torch.Tensor, "texts tokens"]) -> torch.Tensor:
        """Logits of the token after each; padding stands at the end, where no token before it sees it."""
        places = torch.arange(ids.shape[1], device=ids.device)
        stream = self.embedding(ids.clamp(min=0)) + self.positions(places)
        for block in self.blocks:
            stream = block(stream)
        if self.norm is not None:
            stream = self.norm(stream)
        logits: torch.Tensor = self.output(stream)
        return logits


_Decoder = TypeVar("_Decoder", bound=Decoder)


def with_fresh_weights(module: _Decoder, *, generator: torch.Generator) -> _Decoder:
    """A decoder with fresh weights, in eval mode: on the CPU, or without numbers where torch says `meta`.

    Weights of dense layers have a standard deviation of 1 / sqrt(inputs), twice the variance behind a
    nonlinearity; those that write into the residual stream are divided by sqrt(2 x blocks), so that it stays
    of one size without norms as well. Those of the logits are small, so that no token is likelier at first.

    Args:
        module: on the meta device.
        generator: weights are drawn from it layer by layer, in the order of `named_modules`.
    """
    if torch.get_default_device().type == "meta":
        return module.eval()
    module = module.to_empty(device="cpu")
    for name, layer in module.named_modules():
        if isinstance(layer, nn.LayerNorm):
            layer.reset_parameters()
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, std=0.1 if name == "positions" else 0.5, generator=generator)
        elif isinstance(layer, nn.Linear):
            deviation = 1 / math.sqrt(layer.in_features)
            if name == "output":
                deviation = 0.02
            elif name.endswith(".output"):
                deviation *= math.sqrt(2 if ".mlp." in name else 1) / math.sqrt(2 * len(module.blocks))
            nn.init.normal_(layer.weight, std=deviation, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module.eval()
